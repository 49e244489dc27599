"""Checks the content of each type of message."""

from collections.abc import Callable
from typing import Any

from simulator.errors import GraphError
from simulator.graph.contents import media, plain
from simulator.graph.contents.interactive import interactive
from simulator.graph.contents.part import Part
from simulator.graph.contents.template import template
from simulator.graph.parameters import decode

CONTENTS: dict[str, Callable[[Part], None]] = {
    "text": plain.text,
    "image": media.captioned,
    "video": media.captioned,
    "audio": media.audio,
    "document": media.document,
    "sticker": media.sticker,
    "location": plain.location,
    "reaction": plain.reaction,
    "interactive": interactive,
    "template": template,
}
MESSAGE_TYPES = {*CONTENTS, "contacts", "pin"}


def check_content(kind: str, given: Any) -> Any:
    """Returns the content if Meta accepts it, or raises GraphError."""
    given = decode(given)
    if kind == "contacts":
        return plain.contacts(given)
    if kind not in CONTENTS:
        raise GraphError(131051, f"Messages of type {kind} exist only in groups, which this simulator has none of.")
    CONTENTS[kind](Part(given, kind))
    return given
