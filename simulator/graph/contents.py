"""What each type of message must look like."""

from collections.abc import Callable
from typing import Any

from simulator.errors import GraphError, invalid

LONGEST_TEXT = 4096
MESSAGE_TYPES = {
    *("text", "image", "audio", "video", "document", "sticker", "location"),
    *("contacts", "reaction", "interactive", "template", "pin"),
}


def text(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise GraphError(131008, "Required parameter is missing: text")
    body = given.get("body")
    if body is None:
        raise GraphError(131008, "Required parameter is missing: text.body")
    if not isinstance(body, str) or not body.strip():
        raise GraphError(131009, "Param text['body'] must be a non-empty string.")
    if len(body) > LONGEST_TEXT:
        raise invalid(f"Param text['body'] must be at most {LONGEST_TEXT} characters long.")
    return {"body": body} | ({"preview_url": True} if given.get("preview_url") in (True, "true") else {})


CONTENTS: dict[str, Callable[[Any], dict[str, Any]]] = {"text": text}
