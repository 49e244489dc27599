"""What somebody answers who hides their phone number and was asked for it (Meta: `request_contact_info`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .payload import mapping, sequence, text


def given_number(raw: Any) -> str | None:
    """The sender's own number, in digits, where this card answers such a request. WhatsApp says so, not the card."""
    for card in map(mapping, sequence(mapping(raw).get("contacts"))):
        if card.get("origin") == "contact_request":
            return next(numbers(card), None)
    return None


def numbers_in_the_name_of(name: str, raw: Any) -> tuple[str, ...]:
    """The numbers of cards that carry this name: somebody may have sent their own."""
    cards = map(mapping, sequence(mapping(raw).get("contacts"))[:10])
    mine = (card for card in cards if name and text(mapping(card.get("name")).get("formatted_name"), 300) == name)
    return tuple(number for card in mine for number in numbers(card))


def numbers(card: dict[str, Any]) -> Iterator[str]:
    for phone in map(mapping, sequence(card.get("phones"))[:10]):
        wa_id = text(phone.get("wa_id"), 40)
        if wa_id and wa_id.isascii() and wa_id.isdecimal():
            yield wa_id
