"""Two texts of a template side by side, with the words that differ."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext

from app.meta.payload import mapping, sequence, text

from .versions import Content
from .wording import BUTTONS, FORMATS

# Words, spaces and marks, each a token; a variable is one.
TOKENS = re.compile(r"\{\{\s*\w+\s*\}\}|\w+|\s+|[^\w\s]")
# Beyond so many tokens a part is shown as replaced: comparing grows with their square.
MOST_TOKENS = 1_200
LONGEST = 5_000


@dataclass(frozen=True, slots=True)
class Piece:
    """`kind` is "same", "removed" or "added"."""

    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class Row:
    """One part of a template in both texts. `label` names it: `body`, `buttons.1.url`, `cards.2.body`."""

    label: str
    old: list[Piece]
    new: list[Piece]

    @property
    def is_same(self) -> bool:
        return self.old == self.new

    @property
    def name(self) -> str:
        return self.label.split(".")[0]

    @property
    def number(self) -> str:
        return next((part for part in self.label.split(".")[1:] if part.isdecimal()), "")

    @property
    def card_part(self) -> str:
        """Of a card, which part: `header`, `body` or `buttons`; else empty."""
        return self.label.split(".")[2] if self.name == "cards" else ""

    @property
    def card_button(self) -> str:
        """The number of a card's button."""
        return self.label.split(".")[3] if self.card_part == "buttons" else ""


def compare(old: Content, new: Content) -> list[Row]:
    """The parts of both, in the order of the new one; those that only the old one has come last."""
    before, after = dict(parts_of(old)), dict(parts_of(new))
    return [row(label, before.get(label, ""), after.get(label, "")) for label in dict.fromkeys([*after, *before])]


def row(label: str, old: str, new: str) -> Row:
    before, after = pieces(old, new)
    return Row(label, before, after)


def pieces(old: str, new: str) -> tuple[list[Piece], list[Piece]]:
    if old == new:
        same = [Piece("same", old)] if old else []
        return same, same
    left, right = TOKENS.findall(old), TOKENS.findall(new)
    if max(len(left), len(right)) > MOST_TOKENS:
        return [Piece("removed", old)] if old else [], [Piece("added", new)] if new else []
    before: list[Piece] = []
    after: list[Piece] = []
    for kind, i, j, k, m in difflib.SequenceMatcher(None, left, right).get_opcodes():
        removed, added = "".join(left[i:j]), "".join(right[k:m])
        if removed:
            before.append(Piece("same" if kind == "equal" else "removed", removed))
        if added:
            after.append(Piece("same" if kind == "equal" else "added", added))
    return before, after


def parts_of(content: Content) -> Iterator[tuple[str, str]]:
    yield "category", content.category
    if content.ttl_seconds:
        yield "ttl", str(content.ttl_seconds)
    yield from parts_in(content.readable)


def parts_in(components: Iterable[Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for part in map(mapping, components):
        kind = str(part.get("type", "")).lower()
        if words := text(part.get("text"), LONGEST):
            yield prefix + kind, words
        elif format := text(part.get("format"), 40):
            yield prefix + kind, named(FORMATS, format)
        for place, button in enumerate(map(mapping, sequence(part.get("buttons"))), 1):
            kind_of_button, *facts = [text(button.get(name), 2_000) for name in ("type", "text", "url", "phone_number")]
            shown = [named(BUTTONS, kind_of_button or ""), *facts]
            yield f"{prefix}buttons.{place}", " · ".join(filter(None, shown))
        for place, card in enumerate(map(mapping, sequence(part.get("cards"))), 1):
            yield from parts_in(sequence(card.get("components")), f"{prefix}cards.{place}.")


def named(names: dict[str, str], code: str) -> str:
    """Meta's code in words; a code that is not known stays as it is."""
    return gettext(names[code]) if code in names else code
