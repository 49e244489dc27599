"""A template's variables as programs fill them in: their names, and a JSON Schema of them.

One schema serves every program that maps fields: forms of automation tools, assistants, campaigns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.words import N_

from .message_templates import Template
from .outgoing.kinds import Refused
from .template_variables import Variable

UNKNOWN = N_("The template has no variable “{key}”. It has: {names}.")
TITLES = {
    "header": "Header",
    "body": "Body",
    "url": "End of the button's link",
    "code": "Code to copy",
    "location": "Location",
    "expiration": "When the offer ends (RFC 3339)",
    "product": "Product",
    "sections": "Products by section (JSON)",
    "filename": "Name of the file",
    "flow_token": "Token of the flow",
    "flow_data": "Data of the flow (JSON)",
    "thumbnail": "Product for the thumbnail",
    "ttl_minutes": "Minutes until Meta gives up",
}


def name_of(variable: Variable) -> str:
    """Its name in a request: of the body's own variables as it is written there, else with its place."""
    is_plain = variable.place == "body" and variable.card is None
    return variable.name if is_plain else variable.key


def keys_of(template: Template, values: Mapping[str, str]) -> dict[str, str]:
    """The values by the keys that `Template.filled` takes. Raises `Refused` for a name that it does not have."""
    keys = {name_of(one): one.key for one in (*template.variables, *template.optional_variables)}
    for name in values:
        if name not in keys:
            raise Refused(UNKNOWN, key=name[:100], names=", ".join(keys) or "–")
    return {keys[name]: value for name, value in values.items()}


def schema_of(template: Template) -> dict[str, Any]:
    """The JSON Schema of `variables` of a message with this template."""
    fields = {name_of(one): field_of(one) for one in (*template.variables, *template.optional_variables)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": template.name,
        "type": "object",
        "properties": fields,
        "required": [name_of(one) for one in template.variables],
        "additionalProperties": False,
    }


def field_of(variable: Variable) -> dict[str, Any]:
    title = TITLES[variable.place]
    if variable.card is not None:
        title = f"Card {variable.card + 1}: {title}"
    name = "" if variable.name == variable.place else f" {variable.name}"
    field: dict[str, Any] = {"type": "string", "title": f"{title}{name}"}
    return field | ({"examples": [variable.example]} if variable.example else {})
