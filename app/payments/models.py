"""Payments that another system reports, each once, and the confirmation that the customer gets."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Self

from sqlalchemy import CheckConstraint, Index, Select, UniqueConstraint, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app import zones
from app.contacts.models import Contact
from app.hours.models import ServicePolicy
from app.notifications import money
from app.notifications.attempts import Attempt, newest_conversation
from app.notifications.models import Notification
from app.notifications.purposes import Purpose
from app.tenancy import (
    Actor,
    TenantModel,
    belongs_to,
    current_tenant_id,
    db,
    happened,
    now,
    of_tenant,
    one_of,
    uuid7,
)
from app.tenancy.limits import one_at_a_time
from app.words import N_

STATUSES = ("received", "refunded", "failed")
LONGEST_ID, LONGEST_TITLE, LONGEST_REFERENCE = 200, 300, 100
# One that was paid longer ago is reported late, or comes from an import: no one waits for its confirmation.
FRESH = dt.timedelta(days=2)
TOO_LATE = N_("It was paid more than two days before it was reported.")
NOT_WANTED = N_("The program that reported it asked for none.")
CONFIRMER = Actor.system("payments")


@dataclass(frozen=True, slots=True)
class Given:
    """What another system says of a payment."""

    contact_id: uuid.UUID | None
    amount_micros: int
    currency: str
    title: str
    reference: str
    paid_at: dt.datetime
    status: str


class Payment(TenantModel):
    """One payment, by the id that the other system has for it.

    `received_at` is when we first heard that the money came: then it happens, and is confirmed, once and never again.
    """

    __table_args__ = (
        belongs_to("contacts", "contact_id"),
        belongs_to("messages", "message_id", nulled=True),
        UniqueConstraint("tenant_id", "external_id"),
        one_of("status", STATUSES),
        CheckConstraint("amount_micros > 0", name="amount_micros"),
        Index("ix_payments_newest", "tenant_id", text("paid_at desc"), text("id desc")),
        Index("ix_payments_contact", "tenant_id", "contact_id", text("paid_at desc"), text("id desc")),
        Index("ix_payments_message", "tenant_id", "message_id", postgresql_where=text("message_id is not null")),
    )

    external_id: Mapped[str]
    contact_id: Mapped[uuid.UUID | None]
    amount_micros: Mapped[int]
    currency: Mapped[str]
    # What it was for, and by which number the business finds it.
    title: Mapped[str] = mapped_column(default="")
    reference: Mapped[str] = mapped_column(default="")
    paid_at: Mapped[dt.datetime]
    status: Mapped[str]
    received_at: Mapped[dt.datetime | None]
    # The confirmation, or why there is none (`Attempt.problem`).
    message_id: Mapped[uuid.UUID | None]
    problem: Mapped[dict[str, Any] | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    updated_at: Mapped[dt.datetime] = mapped_column(default=now)
    contact: Mapped[Contact | None] = relationship(viewonly=True)

    @classmethod
    def called(cls, external_id: str) -> Self | None:
        return db.session.scalar(select(cls).where(cls.external_id == external_id))

    @classmethod
    def newest(cls) -> Select[Self]:
        return select(cls).order_by(cls.paid_at.desc(), cls.id.desc())

    @classmethod
    def claim(cls, external_id: str, given: Given) -> tuple[Self, bool]:
        """The one row of this id, locked, and whether it was made just now: of two that come at once, by one."""
        values = asdict(given) | {"tenant_id": current_tenant_id(), "id": uuid7(), "external_id": external_id}
        values |= {"created_at": now(), "updated_at": now()}
        made = db.session.scalar(insert(cls).values(values).on_conflict_do_nothing().returning(cls.id))
        row = select(cls).where(cls.external_id == external_id).with_for_update(of=cls, key_share=True)
        return db.session.scalars(row.execution_options(populate_existing=True)).one(), made is not None

    def change(self, given: Given) -> None:
        for name, value in asdict(given).items():
            setattr(self, name, value)
        self.updated_at = now()

    def settle(self, *, by: Actor, confirms: bool = True) -> None:
        """Once the money came it has happened, and the customer gets a message: the first time only."""
        if self.status != "received" or self.received_at:
            return
        self.received_at = now()
        about = {"contact_id": self.contact_id, "conversation_id": newest_conversation(self.contact_id)}
        happened("payment.received", self.id, by=by, **about)
        if not confirms:
            self.problem = {"words": NOT_WANTED}
        elif self.paid_at < now() - FRESH:
            self.problem = {"words": TOO_LATE}
        else:
            self.confirm()

    def confirm(self) -> None:
        """Sends the notification that was chosen for it; at most one message, however often it is called."""
        attempt = Attempt.make(
            PaymentSettings.current().notification,
            Contact.find(self.contact_id),
            self.facts,
            by=CONFIRMER,
            client_id=uuid.uuid5(self.id, "confirmation"),
        )
        self.message_id, self.problem = attempt.message_id, attempt.problem

    @property
    def may_be_confirmed(self) -> bool:
        """Whether somebody may send the confirmation that did not go out."""
        return self.status == "received" and self.message_id is None and self.contact_id is not None

    @property
    def facts(self) -> dict[str, str]:
        """What its notification may say, by the names of `FACTS`."""
        contact = Contact.find(self.contact_id)
        day = self.paid_at.astimezone(zones.find_zone(ServicePolicy.current().time_zone) or zones.UTC)
        given = {
            "name": contact.name if contact else "",
            "amount": money.written(self.amount_micros, self.currency),
            "title": one_line(self.title),
            "reference": one_line(self.reference),
            "date": day.date().isoformat(),
        }
        return {name: value for name, value in given.items() if value}

    def refund(self) -> None:
        """The money went back. The customer gets no message."""
        self.status, self.updated_at = "refunded", now()

    @property
    def amount(self) -> Decimal:
        return money.amount_of(self.amount_micros)


FACTS = {
    "name": N_("The customer's name"),
    "amount": N_("The amount, such as 500000 XOF"),
    "title": N_("What it was for"),
    "reference": N_("Your reference"),
    "date": N_("The day it was paid"),
}


def one_line(written: str) -> str:
    return " ".join(written.split())


class PaymentSettings(TenantModel):
    """One per tenant: what confirms a payment; without a notification nothing does."""

    __tablename__ = "payment_settings"
    __table_args__ = (
        of_tenant(),
        UniqueConstraint("tenant_id"),
        belongs_to("notifications", "notification_id", nulled=True),
    )

    notification_id: Mapped[uuid.UUID | None]

    @classmethod
    def current(cls) -> Self:
        return db.session.scalar(select(cls)) or cls()

    @classmethod
    def to_change(cls) -> Self:
        """The same, until the transaction ends for its caller alone: two may be the first to save it."""
        one_at_a_time(cls.__tablename__)
        return cls.current()

    @property
    def notification(self) -> Notification | None:
        return Notification.find(self.notification_id)

    def save(self) -> None:
        db.session.add(self)


def choose(notification: Notification) -> None:
    settings = PaymentSettings.to_change()
    settings.notification_id = notification.id
    settings.save()


Purpose(
    key="payments.confirmation",
    words=N_("Confirmation of a payment"),
    starter="payment_confirmed",
    endpoint="payments.settings",
    permission="payments.edit",
    fills=tuple(FACTS),
    find=lambda: PaymentSettings.current().notification,
    choose=choose,
    may_be_empty=("title", "reference"),
).register()


def erase(contact_ids: list[uuid.UUID]) -> None:
    """Of somebody who was erased, what they paid stays, and not what for."""
    for payment in db.session.scalars(select(Payment).where(Payment.contact_id.in_(contact_ids))):
        payment.title = payment.reference = ""
        payment.problem = None
