"""`fields=a,b{c,d}`: what the caller wants to see of a node."""

from collections.abc import Iterable
from typing import Any

from simulator.errors import invalid

Wanted = dict[str, "Wanted"]


def parse(text: str) -> Wanted:
    wanted, _ = _parse(text, 0)
    return wanted


def project(node: dict[str, Any], wanted: Wanted, kind: str) -> dict[str, Any]:
    for name in wanted:
        if name not in node:
            raise invalid(f"Tried accessing nonexisting field ({name}) on node type ({kind})")
    shown = {name: _inside(node[name], inner, name) for name, inner in wanted.items() if node[name] is not None}
    return shown | ({"id": node["id"]} if "id" in node else {})


def names(wanted: Iterable[str]) -> Wanted:
    return {name: {} for name in wanted}


def _inside(value: Any, wanted: Wanted, kind: str) -> Any:
    return project(value, wanted, kind) if wanted and isinstance(value, dict) else value


def _parse(text: str, at: int) -> tuple[Wanted, int]:
    wanted: Wanted = {}
    name = ""
    while at < len(text) and text[at] != "}":
        if text[at] == "{":
            wanted[name.strip()], at = _parse(text, at + 1)
            name = ""
        elif text[at] == ",":
            wanted |= names(filter(None, [name.strip()]))
            name = ""
        else:
            name += text[at]
        at += 1
    return wanted | names(filter(None, [name.strip()])), at
