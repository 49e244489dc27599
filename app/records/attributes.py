"""What another system says of a record: names and values, checked when they come in and typed when they are shown."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from flask_babel import format_decimal
from flask_babel import gettext as _

from app import templating

MOST_ATTRIBUTES, LONGEST_NAME, LONGEST_VALUE, LONGEST_URL = 30, 60, 500, 2_000
MOST_MICROS = 10**18
CURRENCY = re.compile("[A-Z]{3}", re.ASCII)
DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d.{0,30}", re.ASCII)
# What has no width or turns the writing direction disguises where a link leads.
HIDDEN = re.compile("[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]")


class WrongLink(ValueError):
    """Not an https address that a page may link to."""


def read_link(written: str) -> str:
    """An https address that a page may link to, or nothing where nothing is written. Raises `WrongLink`."""
    if not written:
        return ""
    try:
        parts = urlsplit(written)
        is_whole = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole or len(written) > LONGEST_URL or HIDDEN.search(written) or "@" in parts.netloc:
        raise WrongLink(written[:100])
    return written


def is_link(written: str) -> bool:
    try:
        return bool(read_link(written))
    except WrongLink:
        return False


def money(micros: int, currency: str) -> str:
    """As the reader's language writes it: 500 000 XOF has no decimals."""
    return templating.money(Decimal(micros).scaleb(-6), currency)


@dataclass(frozen=True, slots=True)
class Attribute:
    """A name and a value as JSON has it: a text, a number, yes or no, or an amount of money."""

    name: str
    value: Any

    @property
    def kind(self) -> str:
        match self.value:
            case bool():
                return "yes_no"
            case int() | float():
                return "number"
            case {"amount_micros": int(), "currency": str()}:
                return "money"
            case str() if DATE.fullmatch(self.value) and self.date:
                return "date"
            case str() if MOMENT.fullmatch(self.value) and self.moment:
                return "moment"
            case str() if self.value.startswith("https://") and is_link(self.value):
                return "link"
        return "text"

    @property
    def date(self) -> dt.date | None:
        try:
            return dt.date.fromisoformat(self.value)
        except ValueError:
            return None

    @property
    def moment(self) -> dt.datetime | None:
        """With its zone; a time without one is a text."""
        try:
            read = dt.datetime.fromisoformat(self.value)
            return read.astimezone(dt.UTC) if read.tzinfo and 1 < read.year < 9_999 else None
        except (ValueError, OverflowError):
            return None

    @property
    def words(self) -> str:
        """For kinds that need no markup."""
        match self.kind:
            case "yes_no":
                return str(_("Yes") if self.value else _("No"))
            case "number":
                return str(format_decimal(self.value))
            case "money":
                return money(self.value["amount_micros"], self.value["currency"])
        return str(self.value)


def read_attributes(stored: list[dict[str, Any]]) -> list[Attribute]:
    return [Attribute(one["name"], one["value"]) for one in stored]


def stored(values: dict[str, Any]) -> list[dict[str, Any]]:
    """In their order, which JSONB's objects lose."""
    return [{"name": name, "value": value} for name, value in values.items()]
