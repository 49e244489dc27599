"""The variables of a notification: what each takes, and how a value is written in the language of the message."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency, format_decimal, list_currencies

from app import dates
from app.meta.message_templates import Template
from app.meta.outgoing import Refused
from app.meta.template_problems import WORDS
from app.meta.template_schema import name_of
from app.meta.template_variables import Variable as Place
from app.meta.template_variables import mistake_in
from app.words import N_, pN_

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
LONGEST = 1_024
MOST_VARIABLES = 50
MISSING = N_("Give a value.")
TOO_LONG = N_("Shorten it by {over}: a value can have {most} characters.")
WRONG_NUMBER = N_("Give a number such as 3 or 12.5.")
WRONG_MONEY = N_("Give an amount and its currency, such as 500000 XOF or 12.50 EUR.")
WRONG_DATE = N_("Give a date as year-month-day, such as 2026-12-05.")
WRONG_TIME = N_("Give a time of day such as 14:30.")
WRONG_URL = N_("Give a full web address, such as https://example.com/offers/12.")
WRONG_NAME = N_("Use small letters a to z, digits and underscores in the name, for example customer_name.")
TARGET_TWICE = N_("The template's variable “{target}” is filled in by another row already.")
OTHER_ROW = N_("Another row is called “{name}” too, with another type or default. Give both the same, or rename one.")
NO_DEFAULT = N_("Give the text that goes out where no value is given, or make the variable required.")
TYPES = {
    "text": N_("Text"),
    "number": pN_("kind of value", "Number"),
    "money": N_("Amount of money"),
    "date": N_("Date"),
    "time": N_("Time of day"),
    "url": N_("Web address"),
}
EXAMPLES = {
    "number": "3",
    "money": "500000 XOF",
    "date": "2026-12-05",
    "time": "14:30",
    "url": "https://example.com/offers/12",
}
SCHEMAS: dict[str, dict[str, Any]] = {
    "number": {"pattern": r"^-?[0-9]+(\.[0-9]+)?$"},
    "money": {"pattern": r"^-?[0-9]+(\.[0-9]+)? [A-Z]{3}$"},
    "date": {"format": "date"},
    "time": {"pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"},
    "url": {"format": "uri"},
}
# What a variable is probably of, by a word in its name.
GUESSES = {
    "date": ("date", "day", "jour", "fecha", "datum"),
    "time": ("time", "heure", "hora", "uhrzeit"),
    "money": ("amount", "price", "total", "sum", "montant", "prix", "importe", "betrag", "preis"),
}
# What to call a variable that the template only numbers, by its place.
NAMES = {"header": "heading", "body": "value", "url": "link_end", "code": "code"}
BESIDE_LETTERS = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
CURRENCIES = frozenset(list_currencies())
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")


@dataclass(frozen=True, slots=True)
class Variable:
    """One row of the mapping: what callers give as `name` fills the template's variable `target`.

    Several rows of one name fill several places with one value. `default` goes out where nothing is given.
    """

    name: str
    type: str
    is_required: bool
    example: str
    default: str
    target: str

    @property
    def row(self) -> dict[str, Any]:
        return asdict(self)

    def read(self, given: str, language: str) -> str:
        """The value as it goes out. Raises `Refused`."""
        written = given.strip() or ("" if self.is_required else self.default)
        if not written:
            raise Refused(MISSING)
        if (over := len(written) - LONGEST) > 0:
            raise Refused(TOO_LONG, over=over, most=LONGEST)
        if mistake := mistake_in(written):
            raise Refused(WORDS[mistake], name=self.name)
        return READERS[self.type](written, locale_of(language))

    def mistake_in_own_values(self) -> Refused | None:
        """What is wrong with the example or the default, if anything; `field` says of which."""
        for field, own in (("example", self.example), ("default", self.default)):
            try:
                if own:
                    self.read(own, "en")
            except Refused as mistake:
                return Refused(mistake.words, **mistake.facts | {"field": field})
        return None

    @property
    def schema(self) -> dict[str, Any]:
        """Of its value, as JSON Schema."""
        shape: dict[str, Any] = {"type": "string", "maxLength": LONGEST, **SCHEMAS.get(self.type, {})}
        shape |= {"examples": [self.example]} if self.example else {}
        return shape | ({} if self.is_required else {"default": self.default})


def read_text(written: str, _locale: Locale) -> str:
    return written


def read_number(written: str, locale: Locale) -> str:
    return format_decimal(decimal(written, WRONG_NUMBER), locale=locale)


def read_money(written: str, locale: Locale) -> str:
    """In the currency's own number of decimals: none for XOF."""
    amount, _, currency = written.partition(" ")
    if currency not in CURRENCIES:
        raise Refused(WRONG_MONEY)
    return money_in(decimal(amount, WRONG_MONEY), currency, locale)


def money_in(amount: Decimal, currency: str, locale: Locale) -> str:
    """With a space between a currency's letters and the digits, which CLDR asks for and Babel leaves out."""
    return BESIDE_LETTERS.sub("\u00a0", format_currency(amount, currency, locale=locale))


def decimal(written: str, words: str) -> Decimal:
    try:
        if _NUMBER.fullmatch(written):
            return Decimal(written)
    except InvalidOperation:
        pass
    raise Refused(words)


@functools.lru_cache(maxsize=1_000)
def read_date(written: str, locale: Locale) -> str:
    try:
        return dates.long(dt.date.fromisoformat(written), locale)
    except ValueError:
        raise Refused(WRONG_DATE) from None


@functools.lru_cache(maxsize=1_000)
def read_time(written: str, locale: Locale) -> str:
    if not re.fullmatch(SCHEMAS["time"]["pattern"], written):
        raise Refused(WRONG_TIME)
    hour, minute = map(int, written.split(":"))
    return dates.clock(dt.time(hour, minute), locale)


def read_url(written: str, _locale: Locale) -> str:
    try:
        parts = urlsplit(written)
    except ValueError:
        raise Refused(WRONG_URL) from None
    if parts.scheme not in ("http", "https") or not parts.netloc or any(one.isspace() for one in written):
        raise Refused(WRONG_URL)
    return written


READERS: dict[str, Callable[[str, Locale], str]] = {
    "text": read_text,
    "number": read_number,
    "money": read_money,
    "date": read_date,
    "time": read_time,
    "url": read_url,
}


@functools.lru_cache(maxsize=500)
def locale_of(language: str) -> Locale:
    """For a language as Meta writes it; its base where the region is unknown, else English."""
    for code in (language, base_of(language)):
        try:
            return Locale.parse(code, sep="_")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")


def base_of(language: str) -> str:
    return language.replace("-", "_").partition("_")[0].lower()


def proposed(template: Template) -> list[Variable]:
    """A row for each variable of the template, with a name, a type and an example to begin with."""
    taken: set[str] = set()
    return [proposal(place, taken) for place in template.variables[:MOST_VARIABLES]]


def proposal(place: Place, taken: set[str]) -> Variable:
    name = place.name.lower() if NAME.fullmatch(place.name.lower()) else NAMES.get(place.place, "value")
    if name in taken or (name == "value" and place.name.isdecimal()):
        name = f"{name}_{place.name if place.name.isdecimal() else len(taken) + 1}"
    taken.add(name)
    words = name.split("_")
    type = next((type for type, signs in GUESSES.items() if any(sign in words for sign in signs)), "text")
    type = "text" if place.place in ("url", "code") else type
    return Variable(name, type, True, EXAMPLES.get(type) or place.example, "", name_of(place))


def mistakes_in(rows: Sequence[Variable]) -> dict[int, Refused]:
    """What is wrong with a mapping, by the row's place."""
    mistakes: dict[int, Refused] = {}
    first: dict[str, Variable] = {}
    targets: set[str] = set()
    for place, row in enumerate(rows):
        alike = first.setdefault(row.name, row)
        if not NAME.fullmatch(row.name):
            mistakes[place] = Refused(WRONG_NAME, field="name")
        elif row.target in targets:
            mistakes[place] = Refused(TARGET_TWICE, target=row.target, field="name")
        elif (alike.type, alike.is_required, alike.default) != (row.type, row.is_required, row.default):
            mistakes[place] = Refused(OTHER_ROW, name=row.name, field="name")
        elif not (row.is_required or row.default.strip()):
            mistakes[place] = Refused(NO_DEFAULT, field="default")
        elif mistake := row.mistake_in_own_values():
            mistakes[place] = mistake
        targets.add(row.target)
    return mistakes


def schema_of(title: str, variables: Sequence[Variable]) -> dict[str, Any]:
    """The JSON Schema of what callers give."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "properties": {one.name: one.schema for one in variables},
        "required": list(dict.fromkeys(one.name for one in variables if one.is_required)),
        "additionalProperties": False,
    }
