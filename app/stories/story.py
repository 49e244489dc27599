"""What happened to one message, from beginning to end, and in the first line why it stands where it stands."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Self

from sqlalchemy import Select, select

from app.contacts.models import Contact, ContactIdentity
from app.inbox.conversations import Conversation, Message, MessageEvent, SendAttempt
from app.tenancy import Tenant, db
from app.tenancy.database import is_uuid
from app.wabas.models import PhoneNumber, digits
from app.words import N_

from .failures import of_number

LATE = dt.timedelta(minutes=5)
AROUND = dt.timedelta(minutes=15)
FOUND = 50
SHORTEST_NUMBER, LONGEST_NUMBER = 6, 15


@dataclass(frozen=True)
class Verdict:
    """Where a message stands, why, and who does what next."""

    mood: str
    title: str
    why: str = ""
    fix: str = ""


@dataclass(frozen=True)
class Moment:
    """One thing that happened. `at` is our clock; Meta's own time stands beside it where there is one."""

    at: dt.datetime
    kind: str
    title: str
    words: str = ""
    error: dict[str, Any] | None = None
    until: dt.datetime | None = None
    told_at: dt.datetime | None = None
    pricing: dict[str, Any] = field(default_factory=dict)

    @property
    def is_late(self) -> bool:
        return bool(self.told_at and self.at - self.told_at > LATE)


class Story:
    def __init__(self, message: Message) -> None:
        self.message = message
        self.number = db.session.scalars(select(PhoneNumber).where(PhoneNumber.id == message.phone_number_id)).one()
        self.contact = contact_of(message)
        mine = select(SendAttempt).where(SendAttempt.message_id == message.id)
        self.attempts = db.session.scalars(mine.order_by(SendAttempt.id)).all()
        told = select(MessageEvent).where(MessageEvent.message_id == message.id)
        self.statuses = db.session.scalars(told.order_by(MessageEvent.received_at, MessageEvent.id)).all()

    @classmethod
    def of(cls, message_id: uuid.UUID) -> Self:
        return cls(Message.get_or_404(message_id))

    @property
    def moments(self) -> list[Moment]:
        return sorted(self.tell(), key=lambda moment: moment.at)

    def tell(self) -> Iterator[Moment]:
        yield self.beginning()
        for attempt in self.attempts:
            yield self.handing_over(attempt)
        for status in self.statuses:
            yield self.status(status)
        if self.message.state == "expired" and self.message.expires_at:
            yield Moment(self.message.expires_at, "expired", N_("The 24 hours to answer were over"))

    def beginning(self) -> Moment:
        message = self.message
        if not message.is_outbound:
            words = N_("Meta's post was checked, stored and read, and became this message.")
            told_at = message.occurred_at
            return Moment(message.created_at, "received", N_("Came in"), words, told_at=told_at)
        if message.is_from_phone:
            return Moment(message.created_at, "written", N_("Sent from the phone"), told_at=message.occurred_at)
        return Moment(message.created_at, "written", N_("Written here"))

    def handing_over(self, attempt: SendAttempt) -> Moment:
        title = OUTCOMES.get(attempt.outcome or "", N_("Handed to WhatsApp"))
        words = ""
        if attempt.finished_at is None:
            title = N_("Handed to WhatsApp, without an answer")
            words = N_("The answer was lost, or our sender stopped while it waited for it.")
            if self.message.state == "dispatching" and attempt is self.attempts[-1]:
                title, words = N_("Being handed to WhatsApp"), ""
        until = attempt.finished_at
        return Moment(attempt.started_at, "attempt", title, words, attempt.error, until=until)

    def status(self, status: MessageEvent) -> Moment:
        title = STATUSES.get(status.status, N_("WhatsApp told a status that is new to us"))
        error = status.errors[0] if status.errors else None
        at, told_at = status.received_at, status.occurred_at
        kind = f"status-{status.status}" if status.status in STATUSES else "status"
        return Moment(at, kind, title, error=error, told_at=told_at, pricing=status.pricing or {})

    @property
    def error(self) -> dict[str, Any]:
        return self.message.error or {}

    @property
    def verdict(self) -> Verdict:
        if not self.message.is_outbound:
            return Verdict("good", N_("It came in and is in the inbox."))
        match self.message.state:
            case "failed":
                why = self.error.get("title") or N_("WhatsApp gave no reason.")
                return Verdict("bad", N_("It was not delivered."), why, self.error.get("fix") or "")
            case "unknown":
                return Verdict("doubtful", N_("Nobody knows whether it went out."), *self.doubt())
            case "expired":
                return Verdict("bad", N_("It was not sent: the 24 hours to answer were over first."), *self.delay())
            case "queued":
                return Verdict("neutral", N_("It waits to be sent."), *self.delay())
            case "cancelled" | "scheduled" | "dispatching":
                return Verdict("neutral", UNDER_WAY[self.message.state])
            case "accepted" | "sent":
                why = N_("The customer's phone has not confirmed it: it may be off, or without a network.")
                return Verdict("neutral", N_("WhatsApp has taken it, and has not delivered it yet."), why, NOTHING)
            case "delivered":
                return Verdict("good", N_("It was delivered."), self.after_all())
        return Verdict("good", N_("It was delivered, and the customer has opened it."), self.after_all())

    def doubt(self) -> tuple[str, str]:
        why = self.error.get("title") or N_("Our sender stopped before WhatsApp's answer came.")
        fix = N_(
            "Ticks appear by themselves if it did go out. If none come, send it again: "
            "then the customer may get it twice."
        )
        return why, fix

    def delay(self) -> tuple[str, str]:
        """Why it waits, or waited until it was too late."""
        after = N_("A customer who writes again opens another 24 hours. Until then WhatsApp takes only templates.")
        fix = after if self.message.state == "expired" else NOTHING
        if self.number.state == "paused":
            return self.number.pause_reason, self.number.pause_fix
        if self.number.state != "connected":
            return N_("This number is not connected."), N_("The owner connects this number with Facebook again.")
        if self.error:
            return self.error.get("title") or "", fix
        last = next((attempt.error for attempt in reversed(self.attempts) if attempt.error), None)
        return (last or {}).get("title") or "", fix

    def after_all(self) -> str:
        told = [status.status for status in self.statuses]
        if "failed" in told:
            return N_("WhatsApp had reported a failure as well; a proof of delivery counts for more.")
        if self.attempts and self.attempts[0].outcome == "unknown":
            return N_("The answer was lost at first; WhatsApp's status settled it.")
        return ""


def contact_of(message: Message) -> Contact | None:
    query = select(Contact).join(Conversation, Conversation.contact_id == Contact.id)
    return db.session.scalar(query.where(Conversation.id == message.conversation_id))


def messages_like(words: str, at: dt.datetime | None = None) -> list[Message]:
    """Messages by WhatsApp's id or ours, else by the customer's phone number: the last ones, or those about `at`.

    Of the current tenant, or (for the platform) of all: the joins lead to each tenant's own indexes.
    """
    if is_uuid(words):
        mine = select(Message).join(Tenant, Tenant.id == Message.tenant_id)
        return list(db.session.scalars(mine.where(Message.id == uuid.UUID(words))).unique())
    exact = select(Message).join(PhoneNumber, of_number()).where(Message.wamid == words)
    if found := list(db.session.scalars(exact).unique()):
        return found
    wa_id = digits(words)
    if not SHORTEST_NUMBER <= len(wa_id) <= LONGEST_NUMBER:
        return []
    return list(db.session.scalars(written_with(wa_id, at)).unique())


def written_with(wa_id: str, at: dt.datetime | None) -> Select[Message]:
    talk, known, number = Conversation, ContactIdentity, PhoneNumber
    query = (
        select(Message)
        .join(talk, (talk.tenant_id == Message.tenant_id) & (talk.id == Message.conversation_id))
        .join(number, (number.tenant_id == talk.tenant_id) & (number.id == talk.phone_number_id))
        .join(known, (known.tenant_id == talk.tenant_id) & (known.contact_id == talk.contact_id))
        .join(Tenant, Tenant.id == known.tenant_id)
        .where(known.kind == "wa_id", known.value == wa_id)
    )
    if at:
        query = query.where(Message.occurred_at.between(at - AROUND, at + AROUND))
    return query.order_by(Message.occurred_at.desc(), Message.id.desc()).limit(FOUND)


UNDER_WAY = {
    "cancelled": N_("It was taken back before it was sent."),
    "scheduled": N_("It was put aside, and goes out later by itself."),
    "dispatching": N_("It is being handed to WhatsApp right now."),
}
NOTHING = N_("Nobody has to do anything.")
OUTCOMES = {
    "accepted": N_("Handed to WhatsApp, which took it"),
    "queued": N_("Handed to WhatsApp, which did not take it now"),
    "failed": N_("Handed to WhatsApp, which refused it"),
    "unknown": N_("Handed to WhatsApp, without an answer"),
}
STATUSES = {
    "sent": N_("On its way to the phone"),
    "delivered": N_("Delivered to the phone"),
    "read": N_("Read"),
    "played": N_("Played"),
    "failed": N_("Not delivered"),
    "deleted": N_("Deleted by the customer"),
}
