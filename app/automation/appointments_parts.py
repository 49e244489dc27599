"""What automations begin with and do about appointments. Their words are values: `{{appointment.title}}` and others."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from flask_babel import gettext as _
from sqlalchemy import select

from app.appointments import phrases
from app.appointments.models import OPEN, Appointment, Unfit
from app.appointments.words import PROBLEMS, STATES
from app.tenancy import as_uuid, db, now
from app.words import N_

from .parts import Miss, Names, Step, Trigger, choice
from .turns import Outcome, Turn

NONE = N_("The customer has no appointment that is still to come.")
ID = "appointment.id"


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
    words = {
        "id": one.id,
        "title": one.title,
        "when": phrases.time_words(one.local, language),
        "day": f"{one.local:%Y-%m-%d}",
        "time": f"{one.local:%H:%M}",
        "place": one.place,
        "agent": one.agent.name if one.agent else "",
        "state": one.state,
        "source": one.source,
    }
    for name, value in words.items():
        turn.know(f"appointment.{name}", value)


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
        "mark_no_show": N_("Note that the customer didn't come"),
    }
    what: Literal["confirm", "request_reschedule", "cancel", "finish", "mark_no_show"] = choice(N_("What"), WHAT)

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
