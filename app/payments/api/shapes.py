"""Payments as the API shows and takes them. Outgoing webhooks carry the same."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, JsonValue

from app.api import Fault, Problem, Shape
from app.api.declaring import GivenTime, Time
from app.notifications import money
from app.notifications.api.persons import Person
from app.notifications.attempts import words_of
from app.payments.models import LONGEST_REFERENCE, LONGEST_TITLE, Given, Payment
from app.tenancy import now

Status = Literal["received", "refunded", "failed"]


# Clocks and zones of other systems differ by less.
AHEAD = dt.timedelta(days=1)
FUTURE = "A payment that was received can't be paid more than a day from now."


EXAMPLE: dict[str, JsonValue] = {
    "contact": {"phone": "+221771234567", "name": "Awa Diop"},
    "amount_micros": 500_000_000_000,
    "currency": "XOF",
    "title": "Deposit for villa 14",
    "paid_at": "2026-11-02T09:30:00Z",
}


class ConfirmationShape(Shape):
    """The message that confirmed it, or why there is none."""

    message_id: uuid.UUID | None
    detail: str


class PaymentShape(Shape):
    """A payment that another system reported."""

    id: uuid.UUID
    external_id: str = Field(examples=["invoice-2041"])
    contact_id: uuid.UUID | None
    amount_micros: int = Field(examples=[500_000_000_000])
    currency: str = Field(examples=["XOF"])
    title: str = Field(examples=["Deposit for villa 14"])
    reference: str = Field(examples=["R-2041"])
    paid_at: Time
    status: Status
    received_at: Time | None = Field(description="When it was first reported as received.")
    confirmation: ConfirmationShape
    created_at: Time
    updated_at: Time

    @classmethod
    def of(cls, one: Payment) -> Self:
        names = ("id", "external_id", "contact_id", "amount_micros", "currency", "title", "reference", "paid_at")
        values = {name: getattr(one, name) for name in (*names, "status", "received_at", "created_at", "updated_at")}
        confirmation = ConfirmationShape(message_id=one.message_id, detail=words_of(one.problem))
        return cls(**values, confirmation=confirmation)


class GivenPayment(Shape):
    """What your system says of a payment. `contact` is who paid; without one no one gets a confirmation."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    contact: Person | None = None
    amount_micros: Annotated[int, Field(gt=0, le=money.MOST, examples=[500_000_000_000])]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["XOF"])]
    title: Annotated[str, Field(max_length=LONGEST_TITLE)] = ""
    reference: Annotated[str, Field(max_length=LONGEST_REFERENCE)] = ""
    paid_at: GivenTime
    status: Status = "received"
    notify: bool = Field(True, description="Whether the customer gets the confirmation that was chosen, once.")

    def read(self) -> Given:
        """Raises a `Problem`."""
        if words := money.mistake_in(self.amount_micros, self.currency):
            name = "currency" if words == money.UNKNOWN_CURRENCY else "amount_micros"
            raise Problem("invalid_request", errors=[Fault("invalid_amount", words, pointer=f"/{name}")])
        if self.status == "received" and self.paid_at > now() + AHEAD:
            raise Problem("invalid_request", errors=[Fault("in_future", FUTURE, pointer="/paid_at")])
        contact = self.contact.find() if self.contact else None
        return Given(
            contact_id=contact.id if contact else None,
            amount_micros=self.amount_micros,
            currency=self.currency,
            title=self.title,
            reference=self.reference,
            paid_at=self.paid_at,
            status=self.status,
        )
