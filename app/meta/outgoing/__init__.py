"""What can be sent: each kind of message as Meta's `content`, checked against Meta's limits before anybody is asked."""

from __future__ import annotations

from typing import Any

from app.meta.template_direct_send import direct_send_body

from .files import CAPTIONED, EXTENSIONS, LARGEST, TAKEN, check_size, file, kind_of
from .flow_tokens import flow_token_in, with_flow_token
from .interactive import (
    LONGEST_BODY,
    MOST_BUTTONS,
    MOST_ROWS,
    Row,
    buttons,
    choices,
    flow,
    link,
    location_request,
    menu,
    number_request,
    survey,
)
from .kinds import Outgoing, Refused
from .plain import LONGEST_TEXT, contact, location, reaction, text

__all__ = [
    "CAPTIONED",
    "EXTENSIONS",
    "LARGEST",
    "LONGEST_BODY",
    "LONGEST_TEXT",
    "MOST_BUTTONS",
    "MOST_ROWS",
    "TAKEN",
    "Outgoing",
    "Refused",
    "Row",
    "buttons",
    "check_size",
    "choices",
    "contact",
    "content_of",
    "file",
    "flow",
    "flow_token_in",
    "kind_of",
    "link",
    "location",
    "location_request",
    "menu",
    "number_request",
    "reaction",
    "survey",
    "text",
    "with_flow_token",
]


def content_of(
    kind: str, body: str, raw: dict[str, Any], file_id: str | None = None, category: str = ""
) -> dict[str, Any]:
    """The `content` of a message as it was stored, with the id that Meta gave its file.

    With a `category` it goes by Direct Send.
    """
    if category:
        return direct_send_body(content_of(kind, body, raw, file_id), category)
    if kind == "text":
        return {"type": "text", "text": {"body": body, "preview_url": "://" in body}}
    if kind == "contacts":
        return {"type": "contacts", "contacts": raw["contacts"]}
    if file_id:
        raw = _with_header(raw, file_id) if kind == "template" else {"id": file_id} | raw
    return {"type": kind, kind: raw}


def _with_header(raw: dict[str, Any], file_id: str) -> dict[str, Any]:
    return raw | {"components": [_header(component, file_id) for component in raw["components"]]}


def _header(component: dict[str, Any], file_id: str) -> dict[str, Any]:
    if component["type"] != "header":
        return component
    (parameter,) = component["parameters"]
    kind = parameter["type"]
    return component | {"parameters": [{"type": kind, kind: {"id": file_id} | parameter[kind]}]}
