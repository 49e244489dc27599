"""What a business promises its customers: when it answers, how soon, and whether it asks how that went."""

from __future__ import annotations

import datetime as dt
import enum
import re
import zoneinfo
from typing import Self

from flask_babel import gettext as _
from sqlalchemy import UniqueConstraint, false, select
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import TenantModel, db, now, of_tenant

from .hours import OpeningHours, Span

SPAN = re.compile(r"(\d{1,2})[:.](\d{2})\s*[-–—]\s*(\d{1,2})[:.](\d{2})")
# From this part of a target on somebody should hurry.
SOON = 0.5


class Unreadable(ValueError):
    """Hours or holidays that cannot be read; the message says which and how to write them."""


class Ring(enum.StrEnum):
    """How a customer's wait stands against the target."""

    GOOD = "good"
    SOON = "soon"
    LATE = "late"


class ServicePolicy(TenantModel):
    """One for each tenant; without it a business is always open and promises nothing."""

    __tablename__ = "service_policies"
    __table_args__ = (of_tenant(), UniqueConstraint("tenant_id"))

    time_zone: Mapped[str] = mapped_column(default="UTC")
    # Seven days from Monday, each as people write it: "09:00–12:00, 13:00–18:00". Empty: closed.
    week: Mapped[list[str]] = mapped_column(default=list)
    # "2026-12-25 Christmas".
    holidays: Mapped[list[str]] = mapped_column(default=list)
    away_text: Mapped[str] = mapped_column(default="")
    first_response_minutes: Mapped[int | None]
    next_response_minutes: Mapped[int | None]
    targets_run_always: Mapped[bool] = mapped_column(default=False)
    survey_question: Mapped[str] = mapped_column(default="")
    # What asks when the 24 hours to answer are over.
    survey_template_name: Mapped[str] = mapped_column(default="", server_default="")
    survey_template_language: Mapped[str] = mapped_column(default="", server_default="")
    # Whether somebody who was not happy stands in the queue again.
    survey_reopens: Mapped[bool] = mapped_column(default=False, server_default=false())
    updated_at: Mapped[dt.datetime] = mapped_column(default=now, onupdate=now)

    @classmethod
    def current(cls) -> Self:
        """The tenant's, or one that promises nothing."""
        return db.session.scalar(select(cls)) or cls(
            time_zone="UTC",
            week=[],
            holidays=[],
            away_text="",
            survey_question="",
            survey_template_name="",
            survey_template_language="",
            targets_run_always=False,
            survey_reopens=False,
        )

    @property
    def survey_template(self) -> str:
        """As a form names it (`MessageTemplate.key`)."""
        return f"{self.survey_template_name}|{self.survey_template_language}" if self.survey_template_name else ""

    @survey_template.setter
    def survey_template(self, key: str) -> None:
        self.survey_template_name, _bar, self.survey_template_language = key.partition("|")

    @property
    def hours(self) -> OpeningHours:
        week = tuple(read_day(day) for day in self.week)
        return OpeningHours(zone_of(self.time_zone), week, frozenset(read_holiday(line)[0] for line in self.holidays))

    @property
    def has_targets(self) -> bool:
        return bool(self.first_response_minutes or self.next_response_minutes)

    def target(self, *, is_first: bool) -> dt.timedelta | None:
        minutes = self.first_response_minutes if is_first else self.next_response_minutes
        return dt.timedelta(minutes=minutes) if minutes else None

    def due_at(self, waiting_since: dt.datetime | None, *, is_first: bool) -> dt.datetime | None:
        """Until when somebody should answer who has waited since then."""
        target = self.target(is_first=is_first)
        if waiting_since is None or target is None:
            return None
        return waiting_since + target if self.targets_run_always else self.hours.after(waiting_since, target)

    def ring(self, waiting_since: dt.datetime | None, *, is_first: bool) -> Ring | None:
        due = self.due_at(waiting_since, is_first=is_first)
        if due is None or waiting_since is None:
            return None
        target = self.target(is_first=is_first) or dt.timedelta()
        if now() >= due:
            return Ring.LATE
        return Ring.SOON if due - now() < target * SOON else Ring.GOOD

    def away_since(self, at: dt.datetime) -> dt.datetime | None:
        """Where customers are told that nobody is there: the moment until which that is so. It names the pause."""
        return self.hours.next_opening(at) if self.away_text else None


def zone_of(name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (ValueError, zoneinfo.ZoneInfoNotFoundError):
        return zoneinfo.ZoneInfo("UTC")


def read_day(written: str) -> tuple[Span, ...]:
    """The spans of a day. Raises `Unreadable`."""
    spans = []
    for part in filter(None, (piece.strip() for piece in written.split(","))):
        if not (found := SPAN.fullmatch(part)):
            raise Unreadable(_("“%(part)s” is not a time from–to. Write 09:00–18:00.", part=part))
        from_hour, from_minute, to_hour, to_minute = map(int, found.groups())
        # Midnight as people write it at the end of a day.
        to_hour = 0 if (to_hour, to_minute) == (24, 0) else to_hour
        try:
            spans.append((dt.time(from_hour, from_minute), dt.time(to_hour, to_minute)))
        except ValueError:
            raise Unreadable(_("“%(part)s” holds a time that no clock shows.", part=part)) from None
    return tuple(spans)


def read_holiday(line: str) -> tuple[dt.date, str]:
    """A date and its name. Raises `Unreadable`."""
    date, _space, name = line.strip().partition(" ")
    try:
        return dt.date.fromisoformat(date), name.strip()
    except ValueError:
        raise Unreadable(_("“%(line)s” does not begin with a date. Write 2026-12-25 Christmas.", line=line)) from None


def tidy_lines(written: str) -> list[str]:
    return [line.strip() for line in written.splitlines() if line.strip()]
