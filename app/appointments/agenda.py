"""The agenda: appointments of a day or a week by the reader's clock, or those that a search finds."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.sql.base import ExecutableOption

from app import zones
from app.contacts import search
from app.contacts.models import Contact
from app.tenancy import as_uuid, db, now

from .models import OPEN, STATES, Appointment

MOST, LONGEST_QUERY = 300, 100
SPANS = ("day", "week", "open")
SATURDAY = 5
# What the open list shows of what is over and has no outcome.
LOOK_BACK = dt.timedelta(days=60)


@dataclass(frozen=True)
class Agenda:
    """A week is seven days. `span` open: those that are over and have no outcome. A search looks in all times."""

    day: dt.date
    span: str
    agent_id: uuid.UUID | None
    state: str
    query: str
    # Whether the address says which day.
    is_chosen: bool = True

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Self:
        """From an address; what is no choice is left out."""
        try:
            day, is_chosen = dt.date.fromisoformat(given.get("day", "")), True
        except ValueError:
            day, is_chosen = zones.today(), False
        day = min(max(day, dt.date(2000, 1, 1)), dt.date(2100, 1, 1))
        span, state = given.get("span", ""), given.get("state", "")
        query = " ".join(given.get("q", "").split())[:LONGEST_QUERY]
        agent = as_uuid(given.get("agent"))
        span, state = span if span in SPANS else "week", state if state in STATES else ""
        return cls(day, span, agent, state, query, is_chosen)

    @property
    def first(self) -> dt.date:
        return self.day if self.is_chosen or self.span != "week" else opening_day(self.day)

    @property
    def days(self) -> int:
        return 7 if self.span == "week" else 1

    @property
    def last(self) -> dt.date:
        return self.first + dt.timedelta(days=self.days - 1)

    @property
    def before(self) -> dt.date:
        return self.first - dt.timedelta(days=self.days)

    @property
    def after(self) -> dt.date:
        return self.first + dt.timedelta(days=self.days)

    def address(self, **other: object) -> dict[str, object]:
        """The filter as it is, with other values for some of it."""
        given = {
            "day": self.day if self.is_chosen else None,
            "span": self.span,
            "agent": self.agent_id,
            "state": self.state,
            "q": self.query,
        }
        return {name: value for name, value in (given | other).items() if value}

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        results = []
        if self.agent_id:
            results.append(Appointment.agent_id == self.agent_id)
        if self.state:
            results.append(Appointment.state == self.state)
        if self.query:
            return [*results, self.matching]
        if self.span == "open":
            over = Appointment.starts_at < now(), Appointment.starts_at > now() - LOOK_BACK
            return [*results, *over, Appointment.state.in_(OPEN)]
        return [
            *results,
            Appointment.starts_at >= zones.begins(self.first),
            Appointment.starts_at < zones.ends(self.last),
        ]

    @property
    def matching(self) -> ColumnElement[bool]:
        people = [match.id for match in search.find(self.query, MOST)]
        words = self.query.lower()
        columns = (Appointment.title, Appointment.place, Appointment.external_id)
        has = [func.lower(column).contains(words, autoescape=True) for column in columns]
        return or_(Appointment.contact_id.in_(people), *has)

    @property
    def rows(self) -> list[Appointment]:
        query: Select[Appointment] = select(Appointment).where(*self.conditions).options(*around())
        order = Appointment.starts_at.desc() if self.query else Appointment.starts_at
        return list(db.session.scalars(query.order_by(order, Appointment.id).limit(MOST)).unique())

    @property
    def by_day(self) -> list[tuple[dt.date, list[Appointment]]]:
        """By the reader's days."""
        days: dict[dt.date, list[Appointment]] = {}
        for one in self.rows:
            days.setdefault(zones.local(one.starts_at).date(), []).append(one)
        return list(days.items())

    @staticmethod
    def without_outcome() -> int:
        over = Appointment.starts_at < now(), Appointment.starts_at > now() - LOOK_BACK
        return db.session.scalar(select(func.count()).where(*over, Appointment.state.in_(OPEN))) or 0


def opening_day(today: dt.date) -> dt.date:
    """Where a week begins that no one chose: on its Monday, and from Saturday on with the present day."""
    return today - dt.timedelta(days=today.weekday()) if today.weekday() < SATURDAY else today


def around() -> tuple[ExecutableOption, ...]:
    return joinedload(Appointment.contact).selectinload(Contact.identities), selectinload(Appointment.phone_number)
