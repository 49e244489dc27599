import json
from typing import Any

from flask import request

from simulator.errors import invalid


def parameters() -> dict[str, Any]:
    """Query, form and JSON body are one thing to Graph; lists and objects may come as JSON text."""
    loose = {name: decode(value) for name, value in (request.args | request.form).items()}
    return loose | _body()


def decode(value: Any) -> Any:
    """The list or object that a text holds as JSON, also with single quotes; anything else as it is."""
    if not isinstance(value, str) or value.strip()[:1] not in ("{", "["):
        return value
    for text in (value, value.replace("'", '"')):
        try:
            return json.loads(text)
        except ValueError:
            continue
    return value


def _body() -> dict[str, Any]:
    if not request.is_json or not request.get_data(cache=True):
        return {}
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise invalid("Invalid JSON in the request body")
    return body
