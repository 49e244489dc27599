"""Appointment times: a week of them, within business hours, each sold as often as it has places."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from sqlalchemy import CheckConstraint, Index, Select, UniqueConstraint, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.contacts.models import Contact
from app.hours.models import ServicePolicy
from app.tenancy import (
    TenantModel,
    belongs_to,
    current_tenant_id,
    db,
    exists,
    happened,
    now,
    of_tenant,
    uuid7,
)

MOST_SLOTS = 60
DAY_MINUTES = 24 * 60
# How far ahead one can book, and how many times a form offers: Meta takes 200.
AHEAD, NOTICE, MOST_OFFERED = dt.timedelta(days=28), dt.timedelta(hours=1), 100


class FlowSlot(TenantModel):
    """Times of so many minutes, one after the other, on a day of each week, in the business's zone."""

    __table_args__ = (
        of_tenant(),
        CheckConstraint("weekday between 0 and 6", name="weekday"),
        CheckConstraint("capacity between 1 and 100", name="capacity"),
    )

    weekday: Mapped[int]
    starts_minute: Mapped[int]
    ends_minute: Mapped[int]
    minutes: Mapped[int]
    capacity: Mapped[int]

    @classmethod
    def in_order(cls) -> Select[Self]:
        return select(cls).order_by(cls.weekday, cls.starts_minute, cls.id)

    @property
    def starts(self) -> list[int]:
        """The minutes of the day at which its times begin."""
        return list(range(self.starts_minute, self.ends_minute - self.minutes + 1, self.minutes))


class FlowBooking(TenantModel):
    """A place of a time that is taken. It is one row, so it is sold once; what it was taken for is an appointment."""

    __table_args__ = (
        belongs_to("whatsapp_flows", "flow_id", nulled=True),
        belongs_to("contacts", "contact_id"),
        UniqueConstraint("tenant_id", "starts_at", "seat"),
        UniqueConstraint("tenant_id", "token"),
        Index("ix_flow_bookings_contact", "tenant_id", "contact_id"),
    )

    starts_at: Mapped[dt.datetime]
    seat: Mapped[int]
    minutes: Mapped[int]
    flow_id: Mapped[uuid.UUID | None]
    contact_id: Mapped[uuid.UUID]
    # Of the form in which it was booked: the same form sent twice books once.
    token: Mapped[str]
    # What was chosen in that form, such as the service.
    about: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    contact: Mapped[Contact] = relationship(viewonly=True)

    @classmethod
    def coming(cls) -> Select[Self]:
        return select(cls).where(cls.starts_at >= now() - dt.timedelta(hours=1)).order_by(cls.starts_at, cls.id)

    @classmethod
    def with_token(cls, token: str) -> Self | None:
        return db.session.scalar(select(cls).where(cls.token == token))


@dataclass(frozen=True, slots=True)
class Offer:
    """A time that can be booked, and how many of its places are left."""

    starts_at: dt.datetime
    minutes: int
    capacity: int
    taken: int

    @property
    def id(self) -> str:
        return id_of(self.starts_at)


def id_of(starts_at: dt.datetime) -> str:
    """How a form names a time."""
    return starts_at.astimezone(dt.UTC).strftime("%Y%m%dT%H%MZ")


def offered(at: dt.datetime) -> list[Offer]:
    """The times that are free, soonest first."""
    times = {start: (minutes, places) for start, minutes, places in coming_times(at)}
    query = select(FlowBooking.starts_at).where(FlowBooking.starts_at >= at, FlowBooking.starts_at <= at + AHEAD)
    taken = Counter(moment.astimezone(dt.UTC) for moment in db.session.scalars(query))
    every = (Offer(start, *times[start], taken[start]) for start in sorted(times))
    free = (offer for offer in every if offer.taken < offer.capacity)
    return [offer for offer, _ in zip(free, range(MOST_OFFERED), strict=False)]


def coming_times(at: dt.datetime) -> Iterator[tuple[dt.datetime, int, int]]:
    """Start, minutes and places of every time from `at` on, within business hours and not on holidays."""
    hours = ServicePolicy.current().hours
    by_day: dict[int, list[FlowSlot]] = {}
    for slot in db.session.scalars(FlowSlot.in_order().limit(MOST_SLOTS)):
        by_day.setdefault(slot.weekday, []).append(slot)
    spans = [] if hours.is_always_open else list(hours.spans(at, days=AHEAD.days + 1))
    first = at.astimezone(hours.zone).date()
    for date in (first + dt.timedelta(days=number) for number in range(AHEAD.days + 1)):
        if date in hours.holidays:
            continue
        for slot in by_day.get(date.weekday(), ()):
            for minute in slot.starts:
                start = hours.moment(date, dt.time(*divmod(minute, 60)))
                end = start + dt.timedelta(minutes=slot.minutes)
                is_open = hours.is_always_open or any(opens <= start and end <= closes for opens, closes in spans)
                if is_open and at + NOTICE <= start <= at + AHEAD:
                    yield start, slot.minutes, slot.capacity


class Full(Exception):
    """The time has no place left."""


def book(id: str, token: str, contact_id: uuid.UUID, flow_id: uuid.UUID, about: str = "") -> FlowBooking:
    """Books a time that was offered. The same token again moves its booking, or changes nothing. Raises `Full`."""
    earlier = FlowBooking.with_token(token)
    if earlier and id_of(earlier.starts_at) == id:
        return earlier
    offer = next((one for one in offered(now()) if one.id == id), None)
    if offer is None:
        raise Full
    if earlier:
        move_to(earlier, offer)
    booking = earlier or take_seat(offer, token, contact_id, flow_id)
    booking.about = about
    happened("booking.moved" if earlier else "booking.made", booking.id, contact_id=contact_id, flow_id=flow_id)
    return booking


def offer_at(starts_at: dt.datetime) -> Offer | None:
    """The time that begins then, if it is one of the week's and has a place left."""
    if not exists(select(FlowSlot.id)):
        return None
    return next((one for one in offered(now()) if one.starts_at == starts_at), None)


def take_place(starts_at: dt.datetime, token: str, contact_id: uuid.UUID) -> FlowBooking | None:
    """A place at this time for what was booked elsewhere, if it is one of the week's times and has one left."""
    offer = offer_at(starts_at)
    try:
        return take_seat(offer, token, contact_id, None) if offer else None
    except Full:
        return None


def move_place(booking: FlowBooking, starts_at: dt.datetime) -> bool:
    """Moves a booking to another of the week's times. Returns whether there was a place."""
    offer = offer_at(starts_at)
    try:
        if offer:
            move_to(booking, offer)
    except Full:
        return False
    return offer is not None


def move_to(booking: FlowBooking, offer: Offer) -> None:
    """Raises `Full`; the booking keeps its place then."""
    for seat in range(1, offer.capacity + 1):
        theirs = FlowBooking.starts_at == offer.starts_at, FlowBooking.seat == seat
        if exists(select(FlowBooking.id).where(*theirs)):
            continue
        try:
            with db.session.begin_nested():
                booking.starts_at, booking.seat, booking.minutes = offer.starts_at, seat, offer.minutes
                db.session.flush()
        except IntegrityError:
            db.session.refresh(booking)
        else:
            return
    raise Full


def take_seat(offer: Offer, token: str, contact_id: uuid.UUID, flow_id: uuid.UUID | None) -> FlowBooking:
    """The first free place; whoever is a moment later gets the next one, or none."""
    for seat in range(1, offer.capacity + 1):
        row = {"tenant_id": current_tenant_id(), "id": uuid7(), "starts_at": offer.starts_at, "seat": seat}
        row |= {"minutes": offer.minutes, "flow_id": flow_id, "contact_id": contact_id, "token": token}
        new = insert(FlowBooking).values(row | {"created_at": now()}).on_conflict_do_nothing()
        db.session.execute(new)
        if booked := FlowBooking.with_token(token):
            return booked
    raise Full
