import json
from typing import Any

from flask import request

from simulator.errors import invalid


def parameters() -> dict[str, Any]:
    """Query, form and JSON body are one thing to Graph; lists and objects may come as JSON text."""
    loose = {name: _loosen(value) for name, value in (request.args | request.form).items()}
    return loose | _body()


def _body() -> dict[str, Any]:
    if not request.is_json or not request.get_data(cache=True):
        return {}
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise invalid("Invalid JSON in the request body")
    return body


def _loosen(value: str) -> Any:
    if value[:1] not in ("{", "["):
        return value
    try:
        return json.loads(value.replace("'", '"'))
    except ValueError:
        return value
