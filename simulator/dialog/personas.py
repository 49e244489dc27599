"""Who may be sitting in front of the popup."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.businesses import Business
from simulator.dialing import country_of
from simulator.phone_numbers import PhoneNumber

if TYPE_CHECKING:
    from simulator.world import World

TAKEN_NUMBER = "15550199001"


@dataclass(frozen=True)
class Persona:
    name: str
    story: str
    business: str = ""
    number: str = ""
    number_in_use: bool = False


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
    "taken": Persona("Luca Conti", "Wants a number that is still on somebody’s WhatsApp"),
}


def log_in(world: "World", key: str) -> None:
    """Make sure that what the persona has from before is there."""
    persona = PERSONAS[key]
    if persona.business and not portfolios(world, key):
        _open(world, key, persona)
    if key == "taken" and not PhoneNumber.where(world, "digits = ?", TAKEN_NUMBER):
        stranger = Business.open(world, "Somebody else", "US").open_waba("Somebody else")
        stranger.add_number(TAKEN_NUMBER, "Somebody else", verified=True).register("999999")


def portfolios(world: "World", key: str | None) -> list[Business]:
    return Business.where(world, "persona = ? order by created_at desc", key)


def _open(world: "World", key: str, persona: Persona) -> None:
    business = Business.open(world, persona.business, country_of(persona.number), key)
    number = business.open_waba(persona.business).add_number(persona.number, persona.business, verified=True)
    if persona.number_in_use:
        number.register("999999")
