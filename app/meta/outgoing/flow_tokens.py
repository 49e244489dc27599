"""The token of a form in a message: what comes back with the answers (Meta: Flows, Sending a Flow)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.meta.payload import mapping, sequence, text

# What Meta puts where there is none.
UNUSED = "unused"


def with_flow_token(content: dict[str, Any], token: Callable[[], str]) -> dict[str, Any]:
    """The content of a message with a token for each form that has none yet."""
    kind = content.get("type")
    if kind == "interactive" and mapping(content.get("interactive")).get("type") == "flow":
        return content | {"interactive": _of_interactive(content["interactive"], token)}
    if kind == "template" and _has_flow(sequence(mapping(content.get("template")).get("components"))):
        template = content["template"]
        return content | {"template": template | {"components": _of_parts(template["components"], token)}}
    return content


def flow_token_in(raw: dict[str, Any]) -> str:
    """The token that a program gave the form of a message, if it did."""
    given = text(mapping(mapping(raw.get("action")).get("parameters")).get("flow_token"), 1_000) or ""
    return "" if given == UNUSED else given


def _of_interactive(raw: dict[str, Any], token: Callable[[], str]) -> dict[str, Any]:
    if flow_token_in(raw):
        return raw
    action = mapping(raw.get("action"))
    parameters = mapping(action.get("parameters")) | {"flow_token": token()}
    return raw | {"action": action | {"parameters": parameters}}


def _has_flow(parts: list[Any]) -> bool:
    return any(_is_flow(part) or any(_has_flow(_inner(card)) for card in _cards(part)) for part in map(mapping, parts))


def _is_flow(part: dict[str, Any]) -> bool:
    return str(part.get("sub_type")).lower() == "flow"


def _cards(part: dict[str, Any]) -> list[dict[str, Any]]:
    return list(map(mapping, sequence(part.get("cards"))))


def _inner(card: dict[str, Any]) -> list[Any]:
    return sequence(card.get("components"))


def _of_parts(parts: list[Any], token: Callable[[], str]) -> list[Any]:
    return [_of_part(part, token) if isinstance(part, dict) else part for part in parts]


def _of_part(part: dict[str, Any], token: Callable[[], str]) -> dict[str, Any]:
    if cards := _cards(part):
        return part | {"cards": [card | {"components": _of_parts(_inner(card), token)} for card in cards]}
    if not _is_flow(part):
        return part
    given = mapping(next(iter(sequence(part.get("parameters"))), None))
    action = mapping(given.get("action"))
    has_token = action.get("flow_token") not in (None, "", UNUSED)
    filled = action if has_token else action | {"flow_token": token()}
    return part | {"parameters": [{"type": "action", "action": filled}]}
