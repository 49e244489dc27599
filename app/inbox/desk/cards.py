"""What other features show beside a conversation: cards in the pane of details."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import g

from app.inbox.conversations import Conversation

Load = Callable[[Conversation], Any]


@dataclass(frozen=True, slots=True)
class Card:
    """A partial, which gets what `load` returns as `card`; without anything it is not shown."""

    template: str
    order: int
    permission: str
    load: Load


CARDS: list[Card] = []


def details_card(template: str, *, order: int, permission: str) -> Callable[[Load], Load]:
    """Registers a function that loads a card for a conversation; readers without the permission do not see it."""

    def mark(load: Load) -> Load:
        CARDS.append(Card(template, order, permission, load))
        return load

    return mark


def cards_beside(conversation: Conversation) -> list[tuple[str, Any]]:
    """The templates of the cards that the reader may see, each with its content, in order."""
    permitted = sorted((one for one in CARDS if g.membership.may(one.permission)), key=lambda one: one.order)
    loaded = [(one.template, one.load(conversation)) for one in permitted]
    return [(template, content) for template, content in loaded if content]
