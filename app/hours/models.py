"""What a business promises its customers: when it replies, how soon, and whether it asks how that went."""

from __future__ import annotations

import datetime as dt
import enum
import re
from collections.abc import Iterable, Iterator
from typing import Any, Self

from sqlalchemy import UniqueConstraint, false, select, text
from sqlalchemy.orm import Mapped, mapped_column

from app import zones
from app.message_templates.uses import Use, uses_templates
from app.tenancy import Membership, Role, TenantModel, User, db, now, of_tenant
from app.tenancy.limits import one_at_a_time
from app.wordings import worded
from app.words import N_

from .hours import OpeningHours, Span

SPAN = re.compile(r"(\d{1,2})[:.](\d{2})\s*[-–—]\s*(\d{1,2})[:.](\d{2})")
# The part of a target that is left when a wait begins to be urgent.
SOON = 0.5


class Urgency(enum.StrEnum):
    """How long a customer has waited, against the target."""

    GOOD = "good"
    SOON = "soon"
    LATE = "late"


class ServicePolicy(TenantModel):
    """One per tenant; without it a business is always open and has no targets."""

    __tablename__ = "service_policies"
    __table_args__ = (of_tenant(), UniqueConstraint("tenant_id"))

    time_zone: Mapped[str] = mapped_column(default="UTC")
    # Seven days from Monday, such as "09:00–12:00, 13:00–18:00". An empty day is closed, an empty week always open.
    week: Mapped[list[str]] = mapped_column(default=list)
    # "2026-12-25 Christmas".
    holidays: Mapped[list[str]] = mapped_column(default=list)
    away_text: Mapped[str] = mapped_column(default="")
    first_response_minutes: Mapped[int | None]
    next_response_minutes: Mapped[int | None]
    targets_run_always: Mapped[bool] = mapped_column(default=False)
    survey_question: Mapped[str] = mapped_column(default="")
    # What asks when the reply window has closed.
    survey_template_name: Mapped[str] = mapped_column(default="", server_default="")
    survey_template_language: Mapped[str] = mapped_column(default="", server_default="")
    # Whether a bad rating reopens the conversation.
    survey_reopens: Mapped[bool] = mapped_column(default=False, server_default=false())
    # `away_text` and `survey_question` in further languages: by language, then by name.
    wordings: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'::jsonb"))
    updated_at: Mapped[dt.datetime] = mapped_column(default=now, onupdate=now)

    @classmethod
    def current(cls) -> Self:
        """The tenant's, or an unsaved one without hours, targets and survey, in the zone of the first owner."""
        return db.session.scalar(select(cls)) or cls(
            time_zone=db.session.scalar(ZONE_OF_OWNER) or "UTC",
            week=[],
            holidays=[],
            away_text="",
            survey_question="",
            survey_template_name="",
            survey_template_language="",
            targets_run_always=False,
            survey_reopens=False,
            wordings={},
        )

    def away_text_in(self, language: str) -> str:
        """The out-of-office reply as a customer of this language gets it."""
        return worded(self.wordings, language).get("away_text") or self.away_text

    def survey_question_in(self, language: str) -> str:
        return worded(self.wordings, language).get("survey_question") or self.survey_question

    @property
    def survey_template(self) -> str:
        """As a form names it (`MessageTemplate.key`)."""
        return f"{self.survey_template_name}|{self.survey_template_language}" if self.survey_template_name else ""

    @survey_template.setter
    def survey_template(self, key: str) -> None:
        self.survey_template_name, _bar, self.survey_template_language = key.partition("|")

    @classmethod
    def to_change(cls) -> Self:
        """The same, until the transaction ends for its caller alone: two may be the first to save it."""
        one_at_a_time(cls.__tablename__)
        return cls.current()

    @property
    def hours(self) -> OpeningHours:
        week = tuple(read_day(day) for day in self.week)
        holidays = frozenset(read_holiday(line)[0] for line in self.holidays)
        return OpeningHours(zones.find_zone(self.time_zone) or zones.UTC, week, holidays)

    @property
    def has_targets(self) -> bool:
        return bool(self.first_response_minutes or self.next_response_minutes)

    def target(self, *, is_first: bool) -> dt.timedelta | None:
        minutes = self.first_response_minutes if is_first else self.next_response_minutes
        return dt.timedelta(minutes=minutes) if minutes else None

    def due_at(self, waiting_since: dt.datetime | None, *, is_first: bool) -> dt.datetime | None:
        """Until when a customer who has waited since then should have a reply."""
        target = self.target(is_first=is_first)
        if waiting_since is None or target is None:
            return None
        return waiting_since + target if self.targets_run_always else self.hours.after(waiting_since, target)

    def urgency(self, waiting_since: dt.datetime | None, *, is_first: bool) -> Urgency | None:
        due = self.due_at(waiting_since, is_first=is_first)
        if due is None or waiting_since is None:
            return None
        target = self.target(is_first=is_first) or dt.timedelta()
        if now() >= due:
            return Urgency.LATE
        return Urgency.SOON if due - now() < target * SOON else Urgency.GOOD

    def closed_until(self, at: dt.datetime) -> dt.datetime | None:
        """While the business is closed: when it opens next. It identifies the closing period."""
        return self.hours.next_opening(at) if self.away_text else None


@uses_templates
def survey_with(name: str, language: str) -> Iterator[Use]:
    policy = ServicePolicy.current()
    if (name, language) == (policy.survey_template_name, policy.survey_template_language):
        yield Use(N_("Satisfaction survey"), endpoint="hours.show")


def read_day(written: str) -> tuple[Span, ...]:
    """The spans of a stored day; 24:00 is the midnight that ends it."""
    times = [tuple(map(int, part)) for part in SPAN.findall(written)]
    return tuple((dt.time(start, minute), dt.time(end % 24, until)) for start, minute, end, until in times)


def write_day(spans: Iterable[Span]) -> str:
    return ", ".join(f"{start:%H:%M}–{end:%H:%M}" for start, end in spans)


def read_holiday(line: str) -> tuple[dt.date, str]:
    date, _space, name = line.partition(" ")
    return dt.date.fromisoformat(date), name.strip()


def write_holiday(date: dt.date, name: str) -> str:
    return f"{date.isoformat()} {name}".strip()


ZONE_OF_OWNER = (
    select(User.time_zone)
    .join(Membership, Membership.user_id == User.id)
    .where(Membership.role == Role.OWNER, User.time_zone.is_not(None))
    .order_by(Membership.created_at, Membership.id)
    .limit(1)
)
