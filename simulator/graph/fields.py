"""Parses and applies `fields=a,b{c,d},e.limit(3)`."""

from collections.abc import Iterable
from typing import Any

from simulator.errors import invalid

Wanted = dict[str, "Wanted"]
BRACKETS = {"{": "}", "(": ")", "[": "]"}


def parse(text: str) -> Wanted:
    """Returns the names, each with its own subfields. Modifiers such as `.limit(3)` are ignored."""
    wanted: Wanted = {}
    for part in _parts(text):
        name, brace, inner = part.partition("{")
        name = name.partition(".")[0].strip()
        if name:
            wanted[name] = parse(inner.removesuffix("}")) if brace and inner.endswith("}") else {}
    return wanted


def project(node: dict[str, Any], wanted: Wanted, kind: str) -> dict[str, Any]:
    """The requested fields of a node, and its id."""
    for name in wanted:
        if name not in node:
            raise invalid(f"Tried accessing nonexisting field ({name}) on node type ({kind})")
    shown = {name: _inside(node[name], inner, name) for name, inner in wanted.items() if node[name] is not None}
    return shown | ({"id": node["id"]} if "id" in node else {})


def names(wanted: Iterable[str]) -> Wanted:
    """Fields without subfields."""
    return {name: {} for name in wanted}


def _inside(value: Any, wanted: Wanted, kind: str) -> Any:
    return project(value, wanted, kind) if wanted and isinstance(value, dict) else value


def _parts(text: str) -> list[str]:
    """Split at the commas that are inside no bracket."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in BRACKETS) - (letter in BRACKETS.values())
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts
