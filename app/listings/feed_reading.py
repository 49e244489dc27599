"""Reads one row of a feed as a listing: every value as people and programs write it, or why not, in words."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import Any

from app.contacts.names import plain
from app.contacts.refusals import Refusal
from app.meta import written_numbers
from app.meta.written_numbers import NotRead
from app.words import N_

from .amounts import read_currency, read_number, read_price
from .feed_files import FeedRow
from .kinds import read_kind, read_status
from .models import (
    LONGEST_ATTRIBUTE,
    LONGEST_ID,
    LONGEST_PLACE,
    LONGEST_TITLE,
    MOST_ATTRIBUTES,
    is_link,
    without_markup,
)

MOST_ROOMS, MOST_AREA = 10_000, 1_000_000_000
DAY = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})", re.ASCII)
EARLIEST, LATEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC), dt.datetime(2100, 1, 1, tzinfo=dt.UTC)


class WrongCell(Refusal):
    """`column` is the field that is wrong."""

    column = ""

    @classmethod
    def of_column(cls, column: str, refusal: Refusal) -> WrongCell:
        made = cls(refusal.words, **refusal.facts)
        made.column = column
        return made


@dataclass(slots=True)
class Reading:
    """What a row comes to: the reference, what is given of the listing, and the number of its owner."""

    number: int
    external_id: str = ""
    given: dict[str, Any] = field(default_factory=dict)
    owner: str = ""
    problem: Refusal | None = None


def read_row(row: FeedRow, currency: str) -> Reading:
    reading = Reading(row.number, external_id=read_reference(row.values.get("external_id")), problem=row.problem)
    if reading.problem is None:
        try:
            reading.given = read_values(row.values, currency)
            reading.owner = read_owner(row.values)
            require(reading.external_id, "external_id", N_("The reference is missing."))
            require(reading.given.get("title"), "title", N_("The title is missing."))
        except Refusal as refusal:
            reading.problem = refusal
    return reading


def require(value: object, column: str, words: str) -> None:
    if not value:
        raise WrongCell.of_column(column, Refusal(words))


def read_reference(value: Any) -> str:
    """Empty for what is no reference."""
    written = text_of(value)
    return written if len(written) <= LONGEST_ID and plain(written) else ""


def read_values(values: dict[str, Any], currency: str) -> dict[str, Any]:
    """What is given, by the names of columns. An empty cell empties the column. Raises `WrongCell`."""
    given: dict[str, Any] = {}
    for column, value in values.items():
        if reader := READERS.get(column):
            try:
                given |= reader(value)
            except Refusal as refusal:
                raise WrongCell.of_column(column, refusal) from None
    if "price" in values or "currency" in values:
        given |= read_money(values, currency)
    return given


def read_money(values: dict[str, Any], currency: str) -> dict[str, Any]:
    written, own = text_of(values.get("price")), text_of(values.get("currency"))
    if not written or written in ("-", "–"):
        return {"price_micros": None, "currency": None}
    try:
        own = read_currency(own) if own else currency
    except Refusal as refusal:
        raise WrongCell.of_column("currency", refusal) from None
    try:
        micros, code = read_price(written, own)
    except Refusal as refusal:
        raise WrongCell.of_column("price", refusal) from None
    return {"price_micros": micros, "currency": code}


def text_of(value: Any) -> str:
    """A cell as text: JSON has numbers where tables have digits."""
    if isinstance(value, bool) or value is None or isinstance(value, dict):
        return "" if value is None or isinstance(value, dict) else str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 10**18:
        value = int(value)
    if isinstance(value, int) and abs(value) >= 10**30:
        return "9" * 31
    return str(value).replace("\x00", "").strip()


def of_name(name: str, most: int) -> Any:
    """A reader of one line of text."""

    def read(value: Any) -> dict[str, Any]:
        written = text_of(value)
        if len(written) > most:
            raise Refusal(N_("This has more than {count} characters."), count=most)
        return {name: plain(without_markup(written) if "<" in written or "&" in written else written)}

    return read


def of_number(name: str, most: int) -> Any:
    def read(value: Any) -> dict[str, Any]:
        written = text_of(value)
        if not written:
            return {name: None}
        if (number := read_number(written, most)) is None:
            raise Refusal(N_("“{value}” isn't a number from 0 to {most}."), value=written[:60], most=most)
        return {name: number}

    return read


def of_link(name: str) -> Any:
    def read(value: Any) -> dict[str, Any]:
        written = text_of(value)
        if written and not is_link(written):
            raise Refusal(N_("“{value}” isn't a web address. It begins with https://."), value=written[:60])
        return {name: written}

    return read


def read_kind_cell(value: Any) -> dict[str, Any]:
    written = text_of(value)
    if (kind := read_kind(written)) is None:
        raise Refusal(N_("“{value}” is neither “sale” nor “rent”."), value=written[:60])
    return {"kind": kind}


def read_status_cell(value: Any) -> dict[str, Any]:
    written = text_of(value)
    if not written:
        return {"status": "available"}
    if (status := read_status(written)) is None:
        raise Refusal(
            N_("“{value}” isn't a status. Use available, reserved, sold, let or withdrawn."), value=written[:60]
        )
    return {"status": status}


def read_moment(value: Any) -> dict[str, Any]:
    written = text_of(value)
    if not written:
        return {}
    try:
        if match := DAY.fullmatch(written):
            moment = dt.datetime(int(match[3]), int(match[2]), int(match[1]), tzinfo=dt.UTC)
        else:
            moment = dt.datetime.fromisoformat(written)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        if EARLIEST <= moment <= LATEST:
            return {"listed_at": moment.astimezone(dt.UTC)}
    except (ValueError, OverflowError):
        pass
    raise Refusal(N_("“{value}” isn't a date. Write it like 2026-11-29."), value=written[:60])


def read_attributes_cell(value: Any) -> dict[str, Any]:
    """What a feed has beside: bounded, whatever it is."""
    listed = value.items() if isinstance(value, dict) else ()
    bounded_attributes: dict[str, Any] = {}
    for name, one in listed:
        short = plain(str(name))[:LONGEST_PLACE]
        if short and isinstance(one, str | int | float | bool) and len(bounded_attributes) < MOST_ATTRIBUTES:
            bounded_attributes[short] = one if isinstance(one, bool) else bounded(one)
    return {"attributes": bounded_attributes}


def bounded(value: str | float) -> str | float:
    if isinstance(value, str):
        return value.replace("\x00", "")[:LONGEST_ATTRIBUTE]
    return value if abs(value) < 10**15 else str(value)[:LONGEST_ATTRIBUTE]


def read_owner(values: dict[str, Any]) -> str:
    """The number of the owner; empty where there is none. Raises `WrongCell`."""
    written = text_of(values.get("owner_phone"))
    if not written:
        return ""
    try:
        return written_numbers.read(written)
    except NotRead as problem:
        raise WrongCell.of_column("owner_phone", Refusal.of(problem)) from None


READERS: dict[str, Any] = {
    "title": of_name("title", LONGEST_TITLE),
    "kind": read_kind_cell,
    "type": of_name("type", LONGEST_PLACE),
    "city": of_name("city", LONGEST_PLACE),
    "district": of_name("district", LONGEST_PLACE),
    "rooms": of_number("rooms", MOST_ROOMS),
    "area": of_number("area", MOST_AREA),
    "url": of_link("url"),
    "picture_url": of_link("picture_url"),
    "description": lambda value: {"description": without_markup(text_of(value))},
    "status": read_status_cell,
    "listed_at": read_moment,
    "attributes": read_attributes_cell,
}
