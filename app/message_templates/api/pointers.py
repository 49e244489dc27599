"""Problems of a template as faults of the request that wrote it, each with a pointer into the body."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask_babel import gettext as _

from app.api import Fault
from app.meta.payload import mapping, sequence
from app.meta.template_problems import Problem

MOST_FAULTS = 50
# How the parts of a problem's path are called in a request, where that differs.
NAMED = {"cards": "carousel", "ttl": "validity_seconds"}
OWN = ("name", "language", "category", "validity_seconds")


def faults_of(problems: Iterable[Problem], components: list[dict[str, Any]]) -> list[Fault]:
    """Of what Meta would refuse; warnings are none."""
    real = [problem for problem in problems if not problem.is_warning][:MOST_FAULTS]
    return [Fault(one.kind, one.explain(_), pointer=pointer_of(one.path, components)) for one in real]


def pointer_of(path: str, components: Iterable[Any]) -> str:
    """`buttons.2.url` is `/components/3/buttons/2/url` where the buttons are the fourth component."""
    first, *rest = path.split(".")
    first = NAMED.get(first, first)
    if first in OWN:
        return f"/{first}"
    parts = list(map(mapping, components))
    place = next((at for at, one in enumerate(parts) if str(one.get("type")).lower() == first), None)
    if place is None:
        return "/components"
    base = f"/components/{place}"
    if first in ("buttons", "carousel"):
        base += "/cards" if first == "carousel" and rest else f"/{first}" if first == "buttons" else ""
    if first == "carousel" and rest and rest[0].isdecimal():
        cards = sequence(parts[place].get("cards"))
        card = mapping(cards[int(rest[0])]) if int(rest[0]) < len(cards) else {}
        inner = pointer_of(".".join(rest[1:]), sequence(card.get("components"))) if rest[1:] else ""
        return f"{base}/{rest[0]}{inner}"
    if first in ("header", "body", "footer") and not rest:
        rest = ["text"] if "text" in parts[place] else []
    return base + "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in rest if step != "examples")
