"""What every CRM is asked for, and the shapes in which the answers come."""

from __future__ import annotations

import contextlib
import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any, ClassVar, Self

import phonenumbers

from app.config import Settings
from app.egress import Egress
from app.meta.spellings import other_spellings
from app.meta.written_numbers import NotRead, read_all

from .calls import Client

# Of one customer: people that have the number, and deals.
MOST_PEOPLE, MOST_DEALS = 5, 100
# Results of a search that are looked at.
MOST_RESULTS = 50
MICROS, MOST_MICROS = 1_000_000, 10**18


@dataclass(frozen=True, slots=True)
class Account:
    """Which account a token is for. `link_base` is what addresses of its pages begin with."""

    id: str
    name: str
    link_base: str
    currency: str


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    name: str
    phones: tuple[str, ...]
    email: str = ""
    owner_id: str = ""


@dataclass(frozen=True, slots=True)
class Deal:
    """`stage` is its name; `is_open`: neither won nor lost."""

    id: str
    title: str
    stage: str
    is_open: bool
    micros: int | None
    currency: str
    owner_name: str = ""
    expected_on: str = ""


@dataclass(frozen=True, slots=True)
class Directory:
    """Names behind ids: stages in order, as (id, name, outcome), and owners."""

    stages: tuple[tuple[str, str, str], ...] = ()
    owners: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, stored: dict[str, Any]) -> Self:
        return cls(tuple(tuple(one) for one in stored.get("stages", ())), stored.get("owners", {}))

    def as_json(self) -> dict[str, Any]:
        return {"stages": [list(one) for one in self.stages], "owners": self.owners}

    def stage(self, id: str) -> tuple[str, str]:
        """Name and outcome; the id itself where it is not listed."""
        return next(((name, outcome) for key, name, outcome in self.stages if key == id), (id, "open"))


class Adapter(ABC):
    """One CRM's API. Every method may raise `CrmFailure`; none is called within a transaction."""

    provider: ClassVar[str]

    def __init__(self, client: Client, account: Account, directory: Directory) -> None:
        self.client, self.account, self.directory = client, account, directory

    @classmethod
    @abstractmethod
    def client_for(cls, egress: Egress, settings: Settings, token: str) -> Client:
        """The client that carries a token."""

    @abstractmethod
    def read_account(self) -> Account:
        """Which account the token is for."""

    @abstractmethod
    def read_directory(self) -> Directory:
        """The stages of deals and the owners."""

    @abstractmethod
    def search(self, spellings: Sequence[str]) -> Iterator[list[Person]]:
        """People whose number may be one of these, in as many requests as it takes; others among them do no harm."""

    @abstractmethod
    def deals_of(self, person: Person) -> list[Deal]:
        """All deals of a person, closed ones too."""

    @abstractmethod
    def write_note(self, person_id: str, deal_ids: Sequence[str], html: str, at: dt.datetime) -> str:
        """Writes a note, and returns its id."""

    @abstractmethod
    def note_with(self, person_id: str, mark: str) -> str:
        """The id of a person's note that contains a mark; "" where there is none."""

    @abstractmethod
    def link_to(self, kind: str, id: str) -> str:
        """The page of a contact or deal."""

    def people(self, numbers: Sequence[str]) -> list[Person]:
        """The people who have one of these numbers, however it is written there."""
        for searched in self.search(written_ways(numbers)):
            if same := {person.id: person for person in searched if has_number(person.phones, numbers)}:
                return list(same.values())
        return []


def every_spelling(numbers: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(one for number in numbers for one in (number, *other_spellings(number))))


def written_ways(numbers: Iterable[str]) -> list[str]:
    """How people and programs write a number: with plus, with 00, as digits, grouped, and without its country."""
    ways: list[str] = []
    for wa_id in every_spelling(numbers):
        ways += [f"+{wa_id}", wa_id, f"00{wa_id}"]
        try:
            number = phonenumbers.parse(f"+{wa_id}")
        except phonenumbers.NumberParseException:
            continue
        ways.append(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL))
        national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
        ways += [national, "".join(filter(str.isdecimal, national)), phonenumbers.national_significant_number(number)]
    return list(dict.fromkeys(ways))


def national_digits(numbers: Iterable[str]) -> list[str]:
    """The numbers without their country's code."""
    digits = []
    for wa_id in every_spelling(numbers):
        try:
            digits.append(phonenumbers.national_significant_number(phonenumbers.parse(f"+{wa_id}")))
        except phonenumbers.NumberParseException:
            digits.append(wa_id)
    return list(dict.fromkeys(digits))


def has_number(phones: Iterable[str], numbers: Sequence[str]) -> bool:
    """Whether one of these written numbers is one of ours. One without its country is of the country of ours."""
    wanted = set(every_spelling(numbers))
    regions = {region_of(wa_id) for wa_id in numbers}
    return any(not wanted.isdisjoint(numbers_in(written, regions)) for written in phones)


def numbers_in(written: str, regions: Iterable[str]) -> Iterator[str]:
    """What is written, read with the country's code in it, and as a number of each of these countries."""
    for reading in (partial(read_all, is_whole=True), *(partial(read_all, country=region) for region in regions)):
        with contextlib.suppress(NotRead):
            yield from reading(written)


def region_of(wa_id: str) -> str:
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(f"+{wa_id}")) or ""
    except phonenumbers.NumberParseException:
        return ""


def micros_in(value: Any) -> int | None:
    """An amount of theirs, written as a number or a text; None where it is none."""
    if isinstance(value, bool) or value in (None, ""):
        return None
    try:
        micros = int(Decimal(str(value)[:40]) * MICROS)
    except (InvalidOperation, OverflowError, ValueError):
        return None
    return micros if abs(micros) <= MOST_MICROS else None
