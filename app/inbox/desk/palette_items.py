"""What other features find for the command palette, beside customers and saved views."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import g


@dataclass(frozen=True, slots=True)
class PaletteItem:
    """A page to go to; `detail` is shown beside its name."""

    name: str
    address: str
    icon: str
    detail: str = ""


Find = Callable[[str], list[PaletteItem]]
FINDERS: list[tuple[str, Find]] = []


def palette_items(permission: str) -> Callable[[Find], Find]:
    """Registers a function that finds pages by the words typed, for readers with the permission."""

    def mark(find: Find) -> Find:
        FINDERS.append((permission, find))
        return find

    return mark


def items_for(words: str) -> list[PaletteItem]:
    return [item for permission, find in FINDERS if words and g.membership.may(permission) for item in find(words)]
