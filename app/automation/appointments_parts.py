"""What automations begin with and do about appointments. Their words are values: `{{appointment.title}}` and others."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any, ClassVar, Literal

from flask_babel import gettext as _
from sqlalchemy import select

from app import zones
from app.appointments import phrases
from app.appointments.models import (
    LEAST_MINUTES,
    LONGEST_PLACE,
    LONGEST_TITLE,
    MOST_MINUTES,
    OPEN,
    Appointment,
    Unfit,
)
from app.appointments.words import PROBLEMS, STATES
from app.tenancy import as_uuid, db, now
from app.words import N_

from .asking import read_date, read_time
from .parts import Miss, Names, Step, Steps, Trigger, choice, count, entry
from .steps import VARIABLES
from .turns import Outcome, Turn

NONE = N_("The customer has no appointment that is still to come.")
NO_TIME = N_("The day or the time could not be read, so nothing was booked.")
ID = "appointment.id"
VALUES = tuple(
    f"appointment.{name}" for name in ("id", "title", "when", "day", "time", "place", "agent", "state", "source")
)


class AppointmentChanges(Trigger):
    kind: Literal["appointment"] = "appointment"
    title: ClassVar[str] = N_("An appointment changes")
    group: ClassVar[str] = N_("Appointments")
    CHANGES: ClassVar[dict[str, str]] = {
        "booked": N_("is booked"),
        "moved": N_("is moved"),
        "confirmed": N_("is confirmed"),
        "reschedule_requested": N_("needs another time"),
        "cancelled": N_("is cancelled"),
        "done": N_("took place"),
        "no_show": N_("was missed by the customer"),
    }
    happenings: ClassVar[tuple[str, ...]] = tuple(f"appointment.{what}" for what in CHANGES)
    values: ClassVar[tuple[str, ...]] = VALUES
    what: Literal["booked", "moved", "confirmed", "reschedule_requested", "cancelled", "done", "no_show"] = choice(
        N_("An appointment"),
        CHANGES,
        hint=N_("Its values are {{appointment.title}}, .day, .time, .place, .agent, .state and .source."),
    )

    def matches(self, turn: Any) -> Miss | None:
        what = turn.happening.removeprefix("appointment.")
        if what != self.what:
            return Miss(what)
        if appointment := Appointment.find(turn.facts.get("subject_id")):
            know(turn, appointment)
        return None

    def sentence(self, names: Names) -> str:
        return str(_("When an appointment %(changes)s", changes=_(self.CHANGES[self.what])))


def know(turn: Turn, one: Appointment) -> None:
    """Its facts as values, which texts and conditions name; times by the clock of its zone."""
    language = phrases.language_among(turn.language)
    when, agent = phrases.time_words(one.local, language), one.agent.name if one.agent else ""
    day, time = f"{one.local:%Y-%m-%d}", f"{one.local:%H:%M}"
    facts = (one.id, one.title, when, day, time, one.place, agent, one.state, one.source)
    for name, value in zip(VALUES, facts, strict=True):
        turn.know(name, value)


class BookAppointment(Step):
    """Its day and time are what a customer answered, by the clock of the business hours."""

    kind: Literal["book_appointment"] = "book_appointment"
    title: ClassVar[str] = N_("Book an appointment")
    group: ClassVar[str] = N_("Customer")
    blocks: ClassVar[dict[str, str]] = {"failed": N_("If it can't be booked")}
    about: str = entry(
        N_("What for"), most=LONGEST_TITLE, hint=N_("Such as “Viewing: {{subject.title}}”."), spoken=True
    )
    day: str = entry(N_("Day"), most=100, hint=N_("The name of an answer that is a date, such as {{day}}."))
    time: str = entry(N_("Time of day"), most=100, hint=N_("Such as 14:30, or the name of an answer: {{time}}."))
    place: str = entry(N_("Place"), most=LONGEST_PLACE, needed=False, hint=VARIABLES, spoken=True)
    minutes: int = count(N_("Minutes"), least=LEAST_MINUTES, most=MOST_MINUTES, default=60)
    failed: Steps = ()

    def values_made(self) -> tuple[str, ...]:
        return VALUES

    def do(self, turn: Turn) -> Outcome:
        assert turn.automation
        day, clock = turn.fill(self.day), turn.fill(self.time)
        at = moment_of(day, clock, turn.hours.zone)
        if at is None:
            return Outcome("refused", block="failed", words=NO_TIME, seen={"day": day[:100], "time": clock[:100]})
        place = turn.fill(self.place).strip() or (turn.conversation.about.place if turn.conversation.about else "")
        facts = {
            "title": " ".join(turn.fill(self.about).split())[:LONGEST_TITLE]
            or phrases.UNTITLED[phrases.language_among(turn.language)],
            "place": " ".join(place.split())[:LONGEST_PLACE],
            "minutes": self.minutes,
            "time_zone": turn.hours.zone.key,
            "phone_number_id": turn.conversation.phone_number_id,
        }
        try:
            one = Appointment.book(turn.contact, at, by=turn.automation.actor, source="automation", **facts)
        except Unfit as problem:
            return Outcome("refused", block="failed", words=PROBLEMS[problem.kind])
        know(turn, one)
        return Outcome("done", seen={"day": f"{one.local:%Y-%m-%d}", "time": f"{one.local:%H:%M}"})

    def sentence(self, names: Names) -> str:
        return str(_("Book “%(about)s” on %(day)s at %(time)s", about=self.about, day=self.day, time=self.time))


def moment_of(day: str, clock: str, zone: zoneinfo.ZoneInfo) -> dt.datetime | None:
    """A day and a time of day as people write them; a time that clocks skip moves forward with them."""
    date, time = read_date(day), read_time(clock)
    if date is None or time is None:
        return None
    return zones.in_utc(dt.datetime.combine(dt.date.fromisoformat(date), time, zone))


class ChangeAppointment(Step):
    """The appointment that began the automation; else the customer's next one."""

    kind: Literal["appointment"] = "appointment"
    title: ClassVar[str] = N_("Confirm or cancel the appointment")
    group: ClassVar[str] = N_("Customer")
    WHAT: ClassVar[dict[str, str]] = {
        "confirm": N_("Confirm it"),
        "request_reschedule": N_("Note that another time is needed"),
        "cancel": N_("Cancel it"),
        "finish": N_("Note that it took place"),
        "mark_no_show": N_("Mark as no-show"),
    }
    what: Literal["confirm", "request_reschedule", "cancel", "finish", "mark_no_show"] = choice(N_("What"), WHAT)

    def values_made(self) -> tuple[str, ...]:
        return VALUES

    def do(self, turn: Turn) -> Outcome:
        assert turn.automation
        one = appointment_of(turn)
        if one is None:
            return Outcome("refused", words=NONE)
        try:
            changed = getattr(one, self.what)(by=turn.automation.actor)
        except Unfit as problem:
            return Outcome("refused", words=PROBLEMS["over" if problem.kind == "in_past" else problem.kind])
        know(turn, one)
        return Outcome("done" if changed else "unchanged", seen={"state": str(_(STATES[one.state][0]))})

    def sentence(self, names: Names) -> str:
        return str(_("Appointment: %(what)s", what=_(self.WHAT[self.what])))


def appointment_of(turn: Turn) -> Appointment | None:
    mine = Appointment.contact_id == turn.contact.id
    if id := as_uuid(turn.values.get(ID)):
        return db.session.scalar(select(Appointment).where(mine, Appointment.id == id))
    coming = mine, Appointment.state.in_(OPEN), Appointment.starts_at > now()
    return db.session.scalar(Appointment.in_order().where(*coming).limit(1))
