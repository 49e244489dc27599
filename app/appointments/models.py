"""Appointments: when, where, with whom, and what became of them. Every change is a method, and a row of its history."""

from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo
from typing import Any, Self

from sqlalchemy import CheckConstraint, Index, Select, UniqueConstraint, func, select, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app import zones
from app.contacts.models import Contact
from app.inbox.conversations import Conversation
from app.inbox.conversations.activities import Activity
from app.team.models.teams import of_member
from app.tenancy import (
    Actor,
    TenantModel,
    User,
    announce,
    as_uuid,
    belongs_to,
    current_tenant_id,
    db,
    happened,
    now,
    one_of,
    uuid7,
)
from app.tenancy.actor import KINDS as ACTORS
from app.wabas.models import PhoneNumber
from app.whatsapp_flows.slots import FlowBooking, move_place, take_place

from .notices import AppointmentNotice

STATES = ("booked", "confirmed", "reschedule_requested", "cancelled", "no_show", "done")
# What is still to come about: a reminder may go out, it can be moved and cancelled.
OPEN = ("booked", "confirmed", "reschedule_requested")
OUTCOMES = ("done", "no_show")
SOURCES = ("api", "agent", "form", "automation")
CHANGES = ("booked", "moved", "changed", *STATES[1:], "unanswered")
LEAST_MINUTES, MOST_MINUTES = 5, 7 * 24 * 60
LONGEST_TITLE, LONGEST_PLACE, LONGEST_NOTES, LONGEST_EXTERNAL_ID = 200, 300, 5_000, 200
FURTHEST = dt.timedelta(days=3 * 366)
# Whoever comes a little early has come.
EARLY = dt.timedelta(hours=1)


class Unfit(ValueError):
    """An appointment cannot be changed like this. `kind` is stable: pages and the API make the words."""

    kind = "unfit"


class InPast(Unfit):
    """The time is over."""

    kind = "in_past"


class TooFar(Unfit):
    """The time is further ahead than anybody plans."""

    kind = "too_far"


class Closed(Unfit):
    """It was cancelled, or has its outcome."""

    kind = "closed"


class NotYet(Unfit):
    """It has not begun, so it can have no outcome."""

    kind = "not_yet"


class Appointment(TenantModel):
    """An appointment of a contact. `version` counts the changes that make what was sent before wrong."""

    __table_args__ = (
        belongs_to("contacts", "contact_id"),
        belongs_to("phone_numbers", "phone_number_id"),
        of_member("agent_id", nulled=True),
        belongs_to("flow_bookings", "booking_id", nulled=True),
        UniqueConstraint("tenant_id", "external_id"),
        UniqueConstraint("tenant_id", "booking_id"),
        one_of("state", STATES),
        one_of("source", SOURCES),
        CheckConstraint(f"minutes between {LEAST_MINUTES} and {MOST_MINUTES}", name="minutes"),
        Index("ix_appointments_starts", "tenant_id", "starts_at", "id"),
        Index("ix_appointments_contact", "tenant_id", "contact_id", "starts_at"),
        Index("ix_appointments_agent", "tenant_id", "agent_id", "starts_at"),
        Index(
            "ix_appointments_form_message",
            "tenant_id",
            "form_message_id",
            postgresql_where=text("form_message_id is not null"),
        ),
    )

    # What another system calls it.
    external_id: Mapped[str | None]
    contact_id: Mapped[uuid.UUID]
    # The number that writes about it; without one nothing is sent.
    phone_number_id: Mapped[uuid.UUID | None]
    title: Mapped[str]
    starts_at: Mapped[dt.datetime]
    # Where it takes place: its times are shown to the customer by this clock.
    time_zone: Mapped[str]
    minutes: Mapped[int]
    place: Mapped[str] = mapped_column(default="", server_default="")  # type: ignore[assignment]
    agent_id: Mapped[uuid.UUID | None]
    state: Mapped[str] = mapped_column(default="booked")
    version: Mapped[int] = mapped_column(default=1)
    source: Mapped[str]
    notes: Mapped[str] = mapped_column(default="", server_default="")
    # The place in the week's times that it takes, if it is one of those.
    booking_id: Mapped[uuid.UUID | None]
    # The form that was sent to choose another time: what is booked with it moves this appointment.
    form_message_id: Mapped[uuid.UUID | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    changed_at: Mapped[dt.datetime] = mapped_column(default=now)
    contact: Mapped[Contact] = relationship(viewonly=True)
    phone_number: Mapped[PhoneNumber | None] = relationship(viewonly=True)
    agent: Mapped[User | None] = relationship(
        viewonly=True, primaryjoin="foreign(Appointment.agent_id) == User.id", lazy="joined"
    )

    @classmethod
    def in_order(cls) -> Select[Self]:
        return select(cls).order_by(cls.starts_at, cls.id)

    @classmethod
    def addressed(cls, name: str) -> Self | None:
        """By what another system calls it; one that was made here by its id."""
        one = db.session.scalar(select(cls).where(cls.external_id == name))
        return one or (cls.find(id) if (id := as_uuid(name)) else None)

    @classmethod
    def book(cls, contact: Contact, starts_at: dt.datetime, *, by: Actor | None, **facts: Any) -> Self:
        """Books it, and plans what is sent about it. Raises `InPast` and `TooFar`."""
        check_time(starts_at)
        one = cls(id=uuid7(), contact_id=contact.id, starts_at=starts_at, state="booked", version=1, **facts)
        db.session.add(one)
        db.session.flush()
        one.take_place()
        AppointmentNotice.plan(one, "booked")
        one.record("booked", by)
        return one

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zones.find_zone(self.time_zone) or zones.UTC

    @property
    def local(self) -> dt.datetime:
        """When it begins by the clock of its zone."""
        return self.starts_at.astimezone(self.zone)

    @property
    def ends_at(self) -> dt.datetime:
        return self.starts_at + dt.timedelta(minutes=self.minutes)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def is_over(self) -> bool:
        return self.ends_at <= now()

    @property
    def needs_outcome(self) -> bool:
        """Whether it is over and no one has said what became of it."""
        return self.is_open and self.is_over

    @property
    def conversation(self) -> Conversation | None:
        """Where it is written about."""
        mine = Conversation.contact_id == self.contact_id, Conversation.phone_number_id == self.phone_number_id
        return db.session.scalar(select(Conversation).where(*mine, Conversation.merged_into_id.is_(None)))

    def move(self, starts_at: dt.datetime, *, by: Actor | None, time_zone: str = "", minutes: int = 0) -> bool:
        """Moves it; what was planned or waits for sending about the old time is withdrawn in this transaction.

        Returns whether that changed anything. Raises `Closed`, `InPast` and `TooFar`.
        """
        self.refresh_locked()
        before = {"starts_at": self.starts_at.isoformat(), "time_zone": self.time_zone, "minutes": self.minutes}
        zone, length = time_zone or self.time_zone, minutes or self.minutes
        if (self.starts_at, self.time_zone, self.minutes) == (starts_at, zone, length):
            return False
        self.refuse_closed()
        if self.starts_at != starts_at:
            check_time(starts_at)
        self.starts_at, self.time_zone, self.minutes = starts_at, zone, length
        self.move_booking()
        self.state, self.form_message_id = "booked", None
        self.renew("moved")
        self.record("moved", by, before=before)
        return True

    def move_booking(self) -> None:
        """Its place in the week's times is freed; it takes one at the new time, if that is one of them."""
        booking = FlowBooking.find(self.booking_id) if self.booking_id else None
        if booking is None:
            self.take_place()
        elif booking.starts_at != self.starts_at and not move_place(booking, self.starts_at):
            self.free_booking()

    def take_place(self) -> None:
        """So that no form offers its time to somebody else, where it is one of the week's times."""
        if self.booking_id is None:
            booking = take_place(self.starts_at, f"appointment {self.id} {self.version}", self.contact_id)
            self.booking_id = booking.id if booking else None

    def free_booking(self) -> None:
        """Whatever it took of the week's times can be booked again."""
        if booking := FlowBooking.find(self.booking_id) if self.booking_id else None:
            self.booking_id = None
            db.session.flush()
            db.session.delete(booking)

    def change(self, *, by: Actor | None, **facts: Any) -> bool:
        """Changes what it is about, where and with whom. Returns whether that changed anything."""
        self.refresh_locked()
        changed = {name: value for name, value in facts.items() if getattr(self, name) != value}
        if not changed:
            return False
        for name, value in changed.items():
            setattr(self, name, value)
        # What was sent names these.
        if self.is_open and {"title", "place", "phone_number_id", "contact_id"} & set(changed):
            self.renew("")
        self.record("changed", by, what=sorted(changed))
        return True

    def confirm(self, *, by: Actor | None) -> bool:
        """Raises `Closed`; `InPast` where it is over."""
        return self.turn("confirmed", by)

    def request_reschedule(self, *, by: Actor | None) -> bool:
        """Raises `Closed`; `InPast` where it is over."""
        if is_new := self.turn("reschedule_requested", by):
            AppointmentNotice.withdraw_reminders(self.id)
        return is_new

    def turn(self, state: str, by: Actor | None) -> bool:
        self.refresh_locked()
        self.refuse_closed()
        if self.is_over:
            raise InPast
        if self.state == state:
            return False
        self.state = state
        self.record(state, by)
        return True

    def cancel(self, *, by: Actor | None) -> bool:
        """Raises `Closed` where it took place, or did not."""
        self.refresh_locked()
        if self.state == "cancelled":
            return False
        self.refuse_closed()
        self.state = "cancelled"
        self.free_booking()
        # A customer who cancels is answered at once.
        self.renew("cancelled" if by else "")
        self.record("cancelled", by)
        return True

    def finish(self, *, by: Actor | None) -> bool:
        """It took place. Raises `Closed` where it was cancelled, and `NotYet`."""
        return self.settle("done", by)

    def mark_no_show(self, *, by: Actor | None) -> bool:
        """The customer did not come. Raises `Closed` where it was cancelled, and `NotYet`."""
        return self.settle("no_show", by)

    def settle(self, outcome: str, by: Actor | None) -> bool:
        self.refresh_locked()
        if self.state == outcome:
            return False
        if self.state == "cancelled":
            raise Closed
        if self.starts_at - EARLY > now():
            raise NotYet
        self.state = outcome
        self.renew("")
        self.record(outcome, by)
        return True

    def refuse_closed(self) -> None:
        if not self.is_open:
            raise Closed

    def renew(self, purpose: str) -> None:
        """Counts the version up: what was planned for the one before is withdrawn, and what follows is planned."""
        AppointmentNotice.withdraw([self.id])
        self.version += 1
        db.session.flush()
        AppointmentNotice.plan(self, purpose)

    def record(self, kind: str, by: Actor | None, **facts: Any) -> None:
        """A row of its history, a line in the thread, and a happening."""
        self.changed_at = now()
        facts = {name: value for name, value in facts.items() if value}
        columns = by.columns("by") if by else {}
        db.session.add(AppointmentChange(id=uuid7(), appointment_id=self.id, kind=kind, facts=facts, **columns))
        talk = self.conversation
        if kind != "changed":
            self.show_in_thread(talk, kind, by)
            about = {"contact_id": self.contact_id, "conversation_id": talk and talk.id, "version": self.version}
            about |= {"starts_at": self.starts_at.isoformat(), "agent_id": self.agent_id, "source": self.source}
            if kind != "unanswered":
                happened(f"appointment.{kind}", self.id, by=by, **about)
        announce("appointments", self.contact_id)

    def show_in_thread(self, talk: Conversation | None, kind: str, by: Actor | None) -> None:
        if talk is None:
            return
        facts = {"what": kind, "title": self.title, "at": self.starts_at.isoformat(), "zone": self.time_zone}
        line = Activity(conversation_id=talk.id, kind="appointment", facts=facts, occurred_at=now())
        if by:
            line.actor_kind, line.actor_id = by.kind, by.id
            line.actor_name = None if by.kind == "agent" else by.name or None
        db.session.add(line)
        announce("conversation", talk.id)

    @property
    def history(self) -> list[AppointmentChange]:
        query = select(AppointmentChange).where(AppointmentChange.appointment_id == self.id)
        return list(db.session.scalars(query.order_by(AppointmentChange.id.desc()).limit(MOST_CHANGES)))

    @classmethod
    def erase_of(cls, contact_ids: list[uuid.UUID], *, by: Actor) -> None:
        """What says anything about these contacts goes; when and with what outcome stays, for the figures."""
        for one in db.session.scalars(select(cls).where(cls.contact_id.in_(contact_ids)).order_by(cls.id)):
            if one.is_open and not one.is_over:
                one.cancel(by=by)
            one.title = one.place = one.notes = ""
            one.external_id = None
            AppointmentNotice.withdraw([one.id])
            for change in one.history:
                change.facts = {}
        theirs = select(Conversation.id).where(Conversation.contact_id.in_(contact_ids))
        lines = Activity.kind == "appointment", Activity.conversation_id.in_(theirs)
        for line in db.session.scalars(select(Activity).where(*lines)):
            line.facts = (line.facts or {}) | {"title": ""}


MOST_CHANGES = 200


def check_time(starts_at: dt.datetime) -> None:
    if starts_at <= now():
        raise InPast
    if starts_at > now() + FURTHEST:
        raise TooFar


def usual_number(contact_id: uuid.UUID, among: Select[Any] | None = None) -> uuid.UUID | None:
    """The number that they wrote to last, else the first that is connected."""
    mine = Conversation.contact_id == contact_id, Conversation.merged_into_id.is_(None)
    query = select(Conversation.phone_number_id).where(*mine).order_by(Conversation.last_message_at.desc())
    connected = select(PhoneNumber.id).where(PhoneNumber.state == "connected").order_by(PhoneNumber.created_at)
    if among is not None:
        query = query.where(Conversation.phone_number_id.in_(among))
        connected = connected.where(PhoneNumber.id.in_(among))
    return db.session.scalar(query.limit(1)) or db.session.scalar(connected.limit(1))


def lock_external_id(external_id: str) -> None:
    """Two systems that upsert the same one take turns."""
    key = f"appointment {current_tenant_id()} {external_id}"
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))


class AppointmentChange(TenantModel):
    """One change: what, by whom (no one: the customer), and what it was before."""

    __table_args__ = (
        belongs_to("appointments", "appointment_id", ondelete="CASCADE"),
        one_of("kind", CHANGES),
        one_of("by_kind", ACTORS),
        Index("ix_appointment_changes_appointment", "tenant_id", "appointment_id", "id"),
    )

    appointment_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    by_kind: Mapped[str | None]
    by_id: Mapped[uuid.UUID | None]
    by_name: Mapped[str | None]
    facts: Mapped[dict[str, Any]]
    at: Mapped[dt.datetime] = mapped_column(default=now)
    author: Mapped[User | None] = relationship(
        viewonly=True, primaryjoin="foreign(AppointmentChange.by_id) == User.id", lazy="joined"
    )

    @property
    def by(self) -> Actor | None:
        return Actor.stored(self.by_kind, self.by_id, self.author.name if self.author else self.by_name)

    @property
    def before(self) -> dt.datetime | None:
        """When it was before it was moved, by the clock of its zone then."""
        was = self.facts.get("before")
        if not was:
            return None
        zone = zones.find_zone(was["time_zone"]) or zones.UTC
        return dt.datetime.fromisoformat(was["starts_at"]).astimezone(zone)
