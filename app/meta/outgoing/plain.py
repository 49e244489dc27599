"""Text, places, people and reactions."""

from __future__ import annotations

import re
from typing import Any

from app.meta.contents import degrees
from app.meta.written_numbers import NotRead, formatted, read
from app.words import N_

from .kinds import Outgoing, Refused, needed, within

LONGEST_TEXT = 4096
LONGEST_NAME = 300
_TEXT = N_("WhatsApp takes at most 4,096 characters. Shorten this by {over}.")
_PLACE = N_("A place's name and address may have {most} characters each. Shorten this by {over}.")
_PERSON = N_("“{value:.20}…” is too long. Shorten it by {over}.")


def text(body: str) -> Outgoing:
    return Outgoing("text", needed(body, LONGEST_TEXT, N_("Enter a message."), _TEXT))


def location(latitude: str, longitude: str, name: str = "", address: str = "") -> Outgoing:
    place: dict[str, Any] = {"latitude": degrees(_point(latitude), 90), "longitude": degrees(_point(longitude), 180)}
    if place["latitude"] is None:
        raise Refused(N_("The latitude is a number from -90 to 90, for example 52.52."))
    if place["longitude"] is None:
        raise Refused(N_("The longitude is a number from -180 to 180, for example 13.405."))
    named = {"name": within(name, LONGEST_NAME, _PLACE), "address": within(address, LONGEST_NAME, _PLACE)}
    if named["address"] and not named["name"]:
        raise Refused(N_("Give the place a name: WhatsApp shows an address only below one."))
    return Outgoing("location", raw=place | {key: value for key, value in named.items() if value})


def _point(value: str) -> str:
    return value.strip().replace(",", ".")


def contact(name: str, phone: str = "", email: str = "", organisation: str = "") -> Outgoing:
    name = needed(name, LONGEST_NAME, N_("Say who it is."), _PERSON)
    phone, email = phone.strip(), within(email, LONGEST_NAME, _PERSON)
    if not (phone or email):
        raise Refused(N_("Enter a phone number or an email address: a card with only a name is of no use."))
    if email and "@" not in email:
        raise Refused(N_("This isn't an email address: it has no @."))
    card: dict[str, Any] = {"name": {"formatted_name": name, "first_name": name}}
    if phone:
        # Without the wa_id the customer's phone does not offer to write to them.
        wa_id = _wa_id(phone)
        card["phones"] = [{"phone": formatted(wa_id), "type": "CELL", "wa_id": wa_id}]
    if email:
        card["emails"] = [{"email": email, "type": "WORK"}]
    if organisation.strip():
        card["org"] = {"company": within(organisation, LONGEST_NAME, _PERSON)}
    return Outgoing("contacts", raw={"contacts": [card]})


def _wa_id(phone: str) -> str:
    try:
        return read(phone)
    except NotRead as problem:
        raise Refused(problem.words, **problem.facts) from None


def reaction(wamid: str, emoji: str) -> Outgoing:
    """A reaction; an empty emoji removes it."""
    if len(emoji) > 20 or re.search(r"[A-Za-z\s]", emoji):
        raise Refused(N_("A reaction is one emoji."))
    return Outgoing("reaction", raw={"message_id": wamid, "emoji": emoji})
