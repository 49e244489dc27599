import json
from typing import Any

from flask import request

from simulator.errors import invalid


def parameters() -> dict[str, Any]:
    """The parameters from query, form and JSON body; lists and objects may be JSON text."""
    loose = {name: decode(value) for name, value in (request.args | request.form).items()}
    return loose | _body()


def decode(value: Any) -> Any:
    """Parses a text that holds a JSON list or object, also with single quotes; returns anything else unchanged."""
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
