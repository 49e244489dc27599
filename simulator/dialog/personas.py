"""The people who can sign up in the popup."""

import json
from dataclasses import dataclass

from simulator import foreign_lines
from simulator.businesses import Business
from simulator.context import Context
from simulator.dialing import country_of
from simulator.phone_numbers import PhoneNumber
from simulator.wabas import Waba

TAKEN_NUMBER = "15550199001"


@dataclass(frozen=True)
class Persona:
    name: str
    story: str
    business: str = ""
    number: str = ""
    number_in_use: bool = False
    verified: bool = True
    on_app: bool = False
    other_partner: bool = False
    over_limit: bool = False
    id_scopes: tuple[str, ...] = ()


PERSONAS = {
    "new": Persona("Nadia Haddad", "Owns a business that is new to WhatsApp"),
    "existing": Persona("Tom Becker", "Has a WhatsApp account with a verified number", "Becker Bikes", "4930901820110"),
    "second": Persona(
        "Asha Rao",
        "Has a WhatsApp account whose number is in use elsewhere",
        "Rao Textiles",
        "912240001234",
        True,
    ),
    "app": Persona(
        "Chiara Russo", "Writes to customers from the WhatsApp Business app", "Russo Fiori", "390612345678", on_app=True
    ),
    "other": Persona(
        "Peter Novak",
        "Has a WhatsApp account that another provider pays for",
        "Novak Tools",
        "420221234567",
        other_partner=True,
    ),
    "nonumber": Persona("Grace Obi", "Has a WhatsApp account without a number", "Obi Foods"),
    "unverified": Persona(
        "Lena Vogt", "Has a number that she never verified", "Vogt Design", "4930901820222", verified=False
    ),
    "limit": Persona(
        "Omar Aziz", "Has as many numbers as Meta allows him", "Aziz Cars", "971501234567", over_limit=True
    ),
    "events": Persona(
        "Mina Park",
        "Granted the accounts for events only, so that scope alone names them",
        "Park Books",
        "82212345678",
        id_scopes=("whatsapp_business_manage_events",),
    ),
    "taken": Persona("Luca Conti", "Wants a number that is still on somebody’s WhatsApp"),
}


def log_in(world: Context, key: str) -> None:
    """Creates what the persona already has, if it is missing."""
    persona = PERSONAS[key]
    if persona.business and not portfolios(world, key):
        _open(world, key, persona)
    if key == "taken" and not PhoneNumber.where(world, "digits = ?", TAKEN_NUMBER):
        stranger = Waba.open(Business.open(world, "Somebody else", "US"), "Somebody else")
        PhoneNumber.add(stranger, TAKEN_NUMBER, "Somebody else", verified=True).register("999999")


def over_limit(key: str | None) -> bool:
    return PERSONAS[key].over_limit if key in PERSONAS else False


def portfolios(world: Context, key: str | None) -> list[Business]:
    return Business.where(world, "persona = ? order by created_at desc", key)


def _open(world: Context, key: str, persona: Persona) -> None:
    business = Business.open(world, persona.business, country_of(persona.number) if persona.number else "US", key)
    waba = Waba.open(business, persona.business)
    if persona.id_scopes:
        business.update(id_scopes=json.dumps(persona.id_scopes))
    if persona.other_partner:
        foreign_lines.note(waba)
    if not persona.number:
        return
    number = PhoneNumber.add(waba, persona.number, persona.business, verified=persona.verified)
    if persona.number_in_use or persona.on_app:
        number.register("999999")
    if persona.on_app:
        number.update(pin=None, coexistence=1)
