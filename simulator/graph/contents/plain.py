import re
from typing import Any

from simulator.errors import GraphError
from simulator.graph.contents.part import Part
from simulator.graph.parameters import decode

LONGEST_TEXT = 4096
MOST_CONTACTS = 257
NAME_PARTS = ("first_name", "last_name", "middle_name", "suffix", "prefix")
CONTACT_LISTS = ("addresses", "emails", "phones", "urls")


def text(given: Part) -> None:
    given.only("body", "preview_url")
    given.text("body", LONGEST_TEXT)


def location(given: Part) -> None:
    given.only("latitude", "longitude", "name", "address")
    _degrees(given, "latitude", 90)
    _degrees(given, "longitude", 180)
    given.optional_text("name", 1000)
    given.optional_text("address", 1000)


def reaction(given: Part) -> None:
    given.only("message_id", "emoji")
    given.text("message_id", 512)
    emoji = given.require("emoji")
    if not isinstance(emoji, str) or len(emoji) > 20 or re.search(r"[A-Za-z ]", emoji):
        raise given.wrong("emoji", "must be one emoji, or empty to take the reaction away")


def contacts(given: Any) -> list[dict[str, Any]]:
    if given is None:
        raise GraphError(131008, "Required parameter is missing: contacts")
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_CONTACTS:
        raise GraphError(131009, f"Param contacts must be an array of 1 to {MOST_CONTACTS} contacts.")
    given = [decode(contact) for contact in given]
    for index, contact in enumerate(given):
        _contact(Part(contact, f"contacts[{index}]"))
    return list(given)


def _contact(given: Part) -> None:
    name = given.part("name")
    name.text("formatted_name", 512)
    if not any(part in name for part in NAME_PARTS):
        raise GraphError(131009, f"Param {name.path} needs one of {', '.join(NAME_PARTS)} beside formatted_name.")
    for part in CONTACT_LISTS:
        if part in given:
            given.parts(part, 0, 100)
    if "birthday" in given and not re.fullmatch(r"\d{4}-\d\d-\d\d", str(given.get("birthday"))):
        raise given.wrong("birthday", "must be written YYYY-MM-DD")


def _degrees(given: Part, name: str, most: int) -> None:
    try:
        degrees = float(given.require(name))
    except (TypeError, ValueError):
        raise given.wrong(name, "must be a number") from None
    if not -most <= degrees <= most:
        raise given.wrong(name, f"must lie between -{most} and {most}")
