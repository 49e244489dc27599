"""Subscriptions as the API shows and takes them. Outgoing webhooks carry the same."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Any, Literal, Self

from flask_babel import gettext as _
from pydantic import Field, model_validator

from app import zones
from app.api import Fault, Problem, Shape
from app.api.declaring import GivenTime, Time
from app.notifications import money
from app.notifications.api.persons import Person
from app.notifications.attempts import words_of
from app.subscriptions.models import (
    LONGEST_TITLE,
    Given,
    Subscription,
    SubscriptionReminder,
    business_zone,
    end_of,
    zone_called,
)
from app.words import N_

Status = Literal["active", "cancelled", "ended"]
UNKNOWN_ZONE = N_("There is no such time zone, such as Africa/Dakar.")
EARLIEST, LATEST = dt.date(2000, 1, 1), dt.date(2099, 12, 1)


class ReminderShape(Shape):
    """A reminder so many days from the end (less than 0: before it). `detail` says why it has no message."""

    days: int = Field(examples=[-14])
    due_at: Time
    state: Literal["waiting", "sent", "skipped", "cancelled"]
    message_id: uuid.UUID | None
    detail: str

    @classmethod
    def of(cls, one: SubscriptionReminder) -> Self:
        more = {"message_id": one.message_id, "detail": words_of(one.problem)}
        return cls(days=one.days, due_at=one.due_at, state=one.state, **more)  # type: ignore[arg-type]


class SubscriptionSummary(Shape):
    """A subscription that another system reported."""

    id: uuid.UUID
    external_id: str = Field(examples=["sub-77"])
    contact_id: uuid.UUID | None
    title: str = Field(examples=["Pro listing, 12 months"])
    ends_on: dt.date = Field(description="The last day, in its zone.")
    ends_at: Time
    zone: str = Field(examples=["Africa/Dakar"])
    renews: bool
    price_micros: int | None = Field(examples=[15_000_000_000])
    currency: str = Field(examples=["XOF"])
    status: Status
    created_at: Time
    updated_at: Time

    @classmethod
    def of(cls, one: Subscription) -> Self:
        return cls(**cls.values_of(one))

    @classmethod
    def values_of(cls, one: Subscription) -> dict[str, Any]:
        return {name: getattr(one, name) for name in SubscriptionSummary.model_fields}


class SubscriptionShape(SubscriptionSummary):
    """A subscription with the reminders of its present end."""

    reminders: list[ReminderShape]

    @classmethod
    def of(cls, one: Subscription) -> Self:
        reminders = [ReminderShape.of(each) for each in SubscriptionReminder.of(one)]
        return cls(**cls.values_of(one), reminders=reminders)


class GivenSubscription(Shape):
    """What your system says of a subscription: its last day (`ends_on`), or the moment that it ends (`ends_at`).

    `zone` is the customer's; without one it is the business's. `renews`: it goes on by itself, so no one is reminded.
    """

    contact: Person | None = None
    title: Annotated[str, Field(max_length=LONGEST_TITLE)] = ""
    ends_on: Annotated[dt.date, Field(ge=EARLIEST, le=LATEST)] | None = None
    ends_at: GivenTime | None = None
    zone: Annotated[str, Field(max_length=60)] | None = None
    renews: bool = False
    price_micros: Annotated[int, Field(ge=0, le=money.MOST)] | None = None
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = None
    status: Status = "active"

    @model_validator(mode="after")
    def check_parts(self) -> Self:
        if (self.ends_on is None) == (self.ends_at is None):
            raise ValueError("Give exactly one of ends_on and ends_at.")
        if (self.price_micros is None) != (self.currency is None):
            raise ValueError("Give price_micros and currency together.")
        return self

    def read(self) -> Given:
        """Raises a `Problem`."""
        faults = []
        if self.zone is not None and zones.find_zone(self.zone) is None:
            faults.append(Fault("unknown_zone", _(UNKNOWN_ZONE), pointer="/zone"))
        if self.currency and (words := money.mistake_in(self.price_micros or 0, self.currency)):
            name = "currency" if words == money.UNKNOWN_CURRENCY else "price_micros"
            faults.append(Fault("invalid_amount", _(words), pointer=f"/{name}"))
        if faults:
            raise Problem("invalid_request", errors=faults)
        zone = self.zone or business_zone()
        contact = self.contact.find() if self.contact else None
        last = self.ends_on or last_day(self.ends_at, zone)
        return Given(
            contact_id=contact.id if contact else None,
            title=self.title,
            ends_on=last,
            ends_at=self.ends_at or end_of(last, zone_called(zone)),
            zone=zone,
            renews=self.renews,
            price_micros=self.price_micros,
            currency=self.currency or "",
            status=self.status,
        )


def last_day(ends_at: dt.datetime | None, zone: str) -> dt.date:
    """The day whose end or part it is: midnight is the end of the day before."""
    assert ends_at
    return (ends_at.astimezone(zone_called(zone)) - dt.timedelta(microseconds=1)).date()


class Renewal(Shape):
    """Until when it goes on."""

    ends_on: Annotated[dt.date, Field(ge=EARLIEST, le=LATEST)]
