"""Why a message was or was not sent: its state, the reason, the fix, and every attempt."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from sqlalchemy import Select, select

from app.contacts.models import Contact, ContactIdentity
from app.inbox.conversations import Conversation, Message, MessageEvent, SendAttempt
from app.meta.spellings import other_spellings
from app.meta.written_numbers import NotRead, normalise, read
from app.tenancy import Tenant, db
from app.tenancy.database import is_uuid
from app.wabas.models import PhoneNumber, digits
from app.words import N_, pN_

from .failures import of_number

LATE = dt.timedelta(minutes=5)
AROUND = dt.timedelta(minutes=15)
MOST_RESULTS = 50
SHORTEST_NUMBER, LONGEST_NUMBER = 6, 15


@dataclass(frozen=True)
class Verdict:
    """The state of a message, why, and what to do. Marked for translation (`N_`)."""

    mood: str
    title: str
    why: str = ""
    fix: str = ""


@dataclass(frozen=True)
class Moment:
    """One thing that happened: `at` by our clock, `meta_at` by Meta's, where Meta gave a time."""

    at: dt.datetime
    kind: str
    title: str
    words: str = ""
    error: dict[str, Any] | None = None
    until: dt.datetime | None = None
    meta_at: dt.datetime | None = None
    pricing: dict[str, Any] = field(default_factory=dict)

    @property
    def is_late(self) -> bool:
        return bool(self.meta_at and self.at - self.meta_at > LATE)


class Story:
    """A message with its attempts and statuses."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.number = db.session.scalars(select(PhoneNumber).where(PhoneNumber.id == message.phone_number_id)).one()
        self.contact = contact_of(message)
        mine = select(SendAttempt).where(SendAttempt.message_id == message.id)
        self.attempts = db.session.scalars(mine.order_by(SendAttempt.id)).all()
        events = select(MessageEvent).where(MessageEvent.message_id == message.id)
        self.statuses = db.session.scalars(events.order_by(MessageEvent.received_at, MessageEvent.id)).all()

    @classmethod
    def of_message(cls, message_id: uuid.UUID) -> Self:
        return cls(Message.get_or_404(message_id))

    @property
    def moments(self) -> list[Moment]:
        return sorted(self.all_moments(), key=lambda moment: moment.at)

    def all_moments(self) -> Iterator[Moment]:
        yield self.first_moment()
        for attempt in self.attempts:
            yield self.attempt_moment(attempt)
        for status in self.statuses:
            yield self.status_moment(status)
        if self.message.state == "expired" and self.message.expires_at:
            yield Moment(self.message.expires_at, "expired", N_("The reply window closed"))

    def first_moment(self) -> Moment:
        message = self.message
        if not message.is_outbound:
            words = N_("Meta's webhook was verified, stored and turned into this message.")
            meta_at = message.occurred_at
            return Moment(message.created_at, "received", pN_("of a message", "Received"), words, meta_at=meta_at)
        if message.is_from_phone:
            return Moment(message.created_at, "written", N_("Sent from the phone"), meta_at=message.occurred_at)
        return Moment(message.created_at, "written", N_("Written here"))

    def attempt_moment(self, attempt: SendAttempt) -> Moment:
        title = OUTCOMES.get(attempt.outcome or "", N_("Sent to WhatsApp"))
        words = ""
        if attempt.finished_at is None:
            title = N_("Sent to WhatsApp, no response")
            words = N_("The response was lost, or sending was interrupted.")
            if self.message.state == "dispatching" and attempt is self.attempts[-1]:
                title, words = N_("Sending to WhatsApp"), ""
        until = attempt.finished_at
        return Moment(attempt.started_at, "attempt", title, words, attempt.error, until=until)

    def status_moment(self, status: MessageEvent) -> Moment:
        title = STATUSES.get(status.status, N_("WhatsApp sent an unknown status"))
        error = status.errors[0] if status.errors else None
        at, meta_at = status.received_at, status.occurred_at
        kind = f"status-{status.status}" if status.status in STATUSES else "status"
        return Moment(at, kind, title, error=error, meta_at=meta_at, pricing=status.pricing or {})

    @property
    def error(self) -> dict[str, Any]:
        return self.message.error or {}

    @property
    def verdict(self) -> Verdict:
        if not self.message.is_outbound:
            return Verdict("good", N_("This message was received and is in the inbox."))
        match self.message.state:
            case "failed":
                why = self.error.get("title") or N_("WhatsApp gave no reason.")
                return Verdict("bad", N_("This message wasn't delivered."), why, self.error.get("fix") or "")
            case "unknown":
                return Verdict("doubtful", N_("Delivery is unconfirmed."), *self.doubt())
            case "expired":
                return Verdict(
                    "bad", N_("This message wasn't sent. The 24-hour reply window closed first."), *self.delay()
                )
            case "queued":
                return Verdict("neutral", N_("This message is queued."), *self.delay())
            case "cancelled" if self.error:
                return Verdict("neutral", UNDER_WAY["cancelled"], self.error["title"], self.error.get("fix") or "")
            case "cancelled" | "scheduled" | "dispatching":
                return Verdict("neutral", UNDER_WAY[self.message.state] if self.message.is_shown else MERGED)
            case "accepted" | "sent":
                why = N_("The customer's phone hasn't confirmed it. It may be off or without a network.")
                return Verdict(
                    "neutral", N_("WhatsApp accepted this message and hasn't delivered it yet."), why, NOTHING
                )
            case "delivered":
                return Verdict("good", N_("This message was delivered."), self.after_all())
        return Verdict("good", N_("This message was delivered and read."), self.after_all())

    def doubt(self) -> tuple[str, str]:
        why = self.error.get("title") or N_("Sending was interrupted before WhatsApp responded.")
        fix = N_(
            "If it was sent, its ticks will appear. If they don't, you can retry, "
            "but the customer may get the message twice."
        )
        return why, fix

    def delay(self) -> tuple[str, str]:
        """Why it is queued, or was until it expired."""
        after = N_("The reply window opens again when the customer writes. Until then, send a template.")
        fix = after if self.message.state == "expired" else NOTHING
        if self.number.state == "paused":
            return self.number.pause_reason, self.number.pause_fix
        if self.number.state != "connected":
            return N_("This number is not connected."), N_("Ask an owner to reconnect this number with Facebook.")
        if self.error:
            return self.error.get("title") or "", self.error.get("fix") or fix if self.is_unfunded else fix
        last = next((attempt.error for attempt in reversed(self.attempts) if attempt.error), None)
        return (last or {}).get("title") or "", fix

    @property
    def is_unfunded(self) -> bool:
        return self.error.get("kind") == "funds"

    def after_all(self) -> str:
        statuses = [status.status for status in self.statuses]
        if "failed" in statuses:
            return N_("WhatsApp also reported a failure, but the proof of delivery counts.")
        if self.attempts and self.attempts[0].outcome == "unknown":
            return N_("WhatsApp's response was lost at first, and its status confirmed the delivery.")
        return ""


def contact_of(message: Message) -> Contact | None:
    query = select(Contact).join(Conversation, Conversation.contact_id == Contact.id)
    return db.session.scalar(query.where(Conversation.id == message.conversation_id))


def messages_like(words: str, at: dt.datetime | None = None) -> list[Message]:
    """Finds messages by WhatsApp's id or ours, else by the customer's number: the last ones, or those around `at`.

    In the current tenant or, for the platform, in all but sandboxes: the joins lead to each tenant's own indexes.
    """
    if is_uuid(words):
        mine = select(Message).join(Tenant, Tenant.id == Message.tenant_id).where(~Tenant.is_sandbox)
        return list(db.session.scalars(mine.where(Message.id == uuid.UUID(words))).unique())
    exact = select(Message).join(PhoneNumber, of_number()).where(Message.wamid == words)
    exact = exact.where(Message.tenant_id.not_in(Tenant.sandboxes()))
    if by_wamid := list(db.session.scalars(exact).unique()):
        return by_wamid
    wa_id = number_in(words)
    if not SHORTEST_NUMBER <= len(wa_id) <= LONGEST_NUMBER:
        return []
    return list(db.session.scalars(messages_with([wa_id, *other_spellings(wa_id)], at)).unique())


def number_in(words: str) -> str:
    """The number that is written, or its digits: Meta's reports also hold numbers outside every country's plan."""
    try:
        return read(words, is_whole=True)
    except NotRead:
        return digits(normalise(words))


def messages_with(wa_ids: Sequence[str], at: dt.datetime | None) -> Select[Message]:
    talk, identity, number = Conversation, ContactIdentity, PhoneNumber
    query = (
        select(Message)
        .join(talk, (talk.tenant_id == Message.tenant_id) & (talk.id == Message.conversation_id))
        .join(number, (number.tenant_id == talk.tenant_id) & (number.id == talk.phone_number_id))
        .join(identity, (identity.tenant_id == talk.tenant_id) & (identity.contact_id == talk.contact_id))
        .join(Tenant, Tenant.id == identity.tenant_id)
        .where(identity.kind == "wa_id", identity.value.in_(wa_ids), ~Tenant.is_sandbox)
    )
    if at:
        query = query.where(Message.occurred_at.between(at - AROUND, at + AROUND))
    return query.order_by(Message.occurred_at.desc(), Message.id.desc()).limit(MOST_RESULTS)


MERGED = N_("This message was merged into the next one before it was sent.")
UNDER_WAY = {
    "cancelled": N_("This message was cancelled before it was sent."),
    "scheduled": N_("This message is scheduled and will be sent automatically."),
    "dispatching": N_("This message is being sent."),
}
NOTHING = N_("No action needed.")
OUTCOMES = {
    "accepted": N_("Sent to WhatsApp and accepted"),
    "queued": N_("Sent to WhatsApp, not accepted yet"),
    "failed": N_("Sent to WhatsApp and refused"),
    "unknown": N_("Sent to WhatsApp, no response"),
}
STATUSES = {
    "sent": N_("Sent to the phone"),
    "delivered": N_("Delivered to the phone"),
    "read": pN_("of a message", "Read"),
    "played": pN_("of a message", "Played"),
    "failed": N_("Delivery failed"),
    "deleted": N_("Deleted by the customer"),
}
