"""What is to be filled in when a template is sent, and which values WhatsApp takes for it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from .payload import mapping, sequence, text
from .template_problems import Problem

VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
# WhatsApp refuses these in the value of a text's variable.
SPACES = re.compile(r"[\n\r\t]| {5}")
LONGEST_HEADER, LONGEST_BODY, LONGEST_CODE, LONGEST_PAYLOAD, LONGEST_URL = 60, 1024, 15, 128, 2000
LONGEST_CARD_BODY, LONGEST_OFFER_BODY, LONGEST_FILENAME = 160, 600, 240
MOST_SECTIONS, MOST_PRODUCTS, LONGEST_SECTION_TITLE = 10, 30, 24
# Milliseconds since 1970 of a time after 2001; seconds are smaller than that for the next 30,000 years.
FEWEST_MILLISECONDS = 10**12
LOCATION = ("latitude", "longitude", "name", "address")
PRODUCT = ("product_retailer_id", "catalog_id")
# Characters that a link may have unescaped; `%` only where it begins an encoded byte.
_SAFE = "-._~:/?#[]@!$&'()*+,;="
_NOT_ENCODED = re.compile(r"%(?![0-9A-Fa-f]{2})|[^%\w\-.~:/?#\[\]@!$&'()*+,;=]", re.ASCII)
_BROKEN_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Variable:
    """Something to fill in. `index` counts buttons, `card` the cards of a carousel.

    `place` is header, body, url, code, location, expiration, product or sections;
    of what may be left out: filename, flow_token, flow_data, thumbnail, ttl_minutes.
    """

    place: str
    name: str
    example: str
    index: int = 0
    card: int | None = None

    @property
    def key(self) -> str:
        """Names it in a form."""
        key = f"{self.place}-{self.index}-{self.name}"
        return key if self.card is None else f"card-{self.card}-{key}"

    @property
    def path(self) -> str:
        """Where a problem with it is shown, in the terms of `Problem.path`."""
        own = {"url": f"buttons.{self.index}.url", "code": f"buttons.{self.index}.example"}.get(self.place, self.place)
        return own if self.card is None else f"cards.{self.card}.{own}"


class Words:
    """A text with variables, taken apart once for many fillings."""

    __slots__ = ("names", "pieces", "places")

    def __init__(self, words: str, *, is_named: bool) -> None:
        self.pieces = VARIABLE.split(words)
        self.places = self.pieces[1::2]
        names = list(dict.fromkeys(self.places))
        # In the order in which Meta takes them: named as they appear, numbered as they count.
        self.names = names if is_named else sorted(names, key=number_of)

    def filled(self, values: Mapping[str, Any]) -> str:
        """With the values by name; a variable without one stays as it is written."""
        if not self.places:
            return self.pieces[0]
        pieces = self.pieces.copy()
        pieces[1::2] = [str(values.get(name) or f"{{{{{name}}}}}") for name in self.places]
        return "".join(pieces)

    def over(self, values: Mapping[str, str], most: int) -> int:
        """How many characters too many it has with these values."""
        return sum(map(len, self.pieces[::2])) + sum(len(values[name]) for name in self.places) - most


def number_of(name: str) -> int:
    """What has no number comes last."""
    return int(name) if name.isdecimal() and len(name) < 10 else 10**9


def examples_of(part: dict[str, Any], place: str) -> dict[str | int, str]:
    """Examples by the variable's name and, where they are counted, by their place from 0 on."""
    raw = mapping(part.get("example"))
    named = map(mapping, sequence(raw.get(f"{place}_text_named_params")))
    examples: dict[str | int, str] = {str(one.get("param_name")): text(one.get("example"), 200) or "" for one in named}
    counted = sequence(raw.get(f"{place}_text"))
    counted = counted[0] if counted and isinstance(counted[0], list) else counted
    return examples | {index: text(example, 200) or "" for index, example in enumerate(counted)}


def example_of_button(button: dict[str, Any]) -> str:
    example = button.get("example")
    return text(example[0] if isinstance(example, list) and example else example, LONGEST_URL) or ""


def is_one_time_code(button: dict[str, Any]) -> bool:
    """The button of an authentication template: made as OTP, read back as a link that holds the code."""
    return str(button.get("type")).upper() == "OTP" or "whatsapp.com/otp/" in str(button.get("url"))


def mistake_in(value: str) -> str | None:
    """The kind of problem that the value of a variable in header or body has."""
    if not value or value.isspace():
        return "value_missing"
    return "value_spaces" if SPACES.search(value) else None


def encoded(value: str) -> str:
    """The end of a link with all characters encoded that a link may not hold; what is encoded stays so."""
    if is_encoded(value):
        return value
    return quote(_BROKEN_PERCENT.sub("%25", value), safe=_SAFE + "%", errors="replace")


def is_encoded(value: str) -> bool:
    return _NOT_ENCODED.search(value) is None


def milliseconds(value: str) -> int | None:
    """Of a time in milliseconds since 1970, or in ISO 8601 with a zone."""
    if value.isdecimal() and value.isascii() and len(value) <= 15:
        return int(value)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return int(moment.timestamp() * 1000) if moment.tzinfo else None


def coordinate(value: Any, most: int) -> float | None:
    """Degrees, as a number or as text."""
    try:
        degrees = float(value)
    except (TypeError, ValueError):
        return None
    return degrees if -most <= degrees <= most and not isinstance(value, bool) else None


def json_in(value: str) -> Any:
    """What a field for JSON holds, or None."""
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def problem_of_sections(path: str, sections: Any) -> Problem | None:
    """What is wrong with the sections of products that a multi-product button shows."""
    given: Sequence[Any] = sequence(sections)
    if not given:
        return Problem(path, "sections_missing")
    items = [mapping(item) for section in given for item in sequence(mapping(section).get("product_items"))]
    titles = [mapping(section).get("title") for section in given]
    are_whole = all(isinstance(one.get("product_retailer_id"), str) and one["product_retailer_id"] for one in items)
    are_titled = all(isinstance(title, str) and 0 < len(title) <= LONGEST_SECTION_TITLE for title in titles)
    if len(given) > MOST_SECTIONS or not 0 < len(items) <= MOST_PRODUCTS or not are_whole or not are_titled:
        return Problem(path, "sections_form")
    return None
