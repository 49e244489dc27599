"""What customers answer to a reminder: a tap on one of its buttons, or the same typed in one of six languages.

A button's payload is a token that we signed: whose appointment, which version of it, which answer. It works for as long
as the appointment is as it was when the reminder was sent. After that the customer gets the present time and state.
"""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from flask import current_app
from sqlalchemy import select, tuple_

from app.inbox.conversations import Conversation, Message
from app.inbox.conversations.messages import NOT_SENT
from app.inbox.inbound.readers import reads_messages
from app.meta.payload import mapping
from app.meta.payload import text as text_of
from app.tenancy import current_tenant_id, db

from .models import Appointment, Closed, InPast
from .notices import AppointmentNotice
from .typed import answer_in

VERSION = "a1"
ANSWERS = ("confirm", "reschedule", "cancel")
LONGEST_PAYLOAD = 256


@dataclass(frozen=True, slots=True)
class AnswerToken:
    """The payload of a button."""

    appointment_id: uuid.UUID
    version: int
    answer: str

    def sign(self) -> str:
        named = f"{self.appointment_id.hex}.{self.version}.{self.answer}"
        return f"{VERSION}.{named}.{mac(named)}"

    @classmethod
    def read(cls, token: str) -> Self | None:
        """None if this is not ours, or another tenant's."""
        version, _, rest = token.partition(".")
        named, _, signature = rest.rpartition(".")
        if version != VERSION or not hmac.compare_digest(signature.encode(), mac(named).encode()):
            return None
        appointment, number, answer = named.split(".")
        return cls(uuid.UUID(appointment), int(number), answer)


def mac(named: str) -> str:
    key = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.digest(key, f"appointment {current_tenant_id().hex} {named}".encode(), "sha256").hex()[:32]


def payloads_of(appointment: Appointment) -> list[str]:
    """Of the quick replies Confirm, Reschedule and Cancel, in this order."""
    return [AnswerToken(appointment.id, appointment.version, answer).sign() for answer in ANSWERS]


@dataclass
class Answer:
    """One message that answers a reminder. `languages`: in which it may be typed. `outcome` is set by `apply`."""

    message: Message
    token: AnswerToken
    languages: tuple[str, ...] = ()
    outcome: str = field(default="", init=False)
    appointment: Appointment | None = field(default=None, init=False)

    @classmethod
    def in_message(cls, message: Message) -> Self | None:
        """None where a message answers no reminder."""
        if message.type in ("button", "interactive"):
            token = AnswerToken.read(payload_of(message))
            return cls(message, token) if token else None
        if message.type == "text" and (typed := answer_in(message.body)):
            answer, languages = typed
            if notice := reminder_before(message):
                return cls(message, AnswerToken(notice.appointment_id, notice.version, answer), languages)
        return None

    @property
    def conversation(self) -> Conversation:
        return Conversation.get_or_404(self.message.conversation_id)

    @property
    def is_repeated(self) -> bool:
        """Whether an earlier message has given this answer."""
        mine = AppointmentNotice.appointment_id == self.token.appointment_id
        query = select(AppointmentNotice.answer_id).where(mine, AppointmentNotice.version == self.token.version)
        return any(id and id != self.message.id for id in db.session.scalars(query))

    def apply(self) -> str:
        """Changes the appointment, if the answer still fits it. Returns what the customer gets as a reply, or nothing.

        The words are `phrases.OUTCOMES`.
        """
        self.outcome = self.find_outcome()
        return self.outcome

    def find_outcome(self) -> str:
        appointment = Appointment.find(self.token.appointment_id)
        if appointment is None or appointment.contact_id != self.conversation.contact_id:
            return "not_yours"
        self.appointment = appointment.refresh_locked()
        if appointment.state == "cancelled":
            return "" if self.token.answer == "cancel" and self.is_repeated else "cancelled_before"
        if not appointment.is_open or appointment.is_over:
            return "over"
        if appointment.version != self.token.version:
            return "moved_before"
        try:
            changed = self.change(appointment)
        except (Closed, InPast):
            return "over"
        AppointmentNotice.answered_by(self.message.id, appointment.id, self.token.version)
        return self.token.answer if changed else ""

    def change(self, appointment: Appointment) -> bool:
        match self.token.answer:
            case "confirm":
                return appointment.confirm(by=None)
            case "reschedule":
                return appointment.request_reschedule(by=None)
        return appointment.cancel(by=None)


def payload_of(message: Message) -> str:
    """Of a quick reply of a template, or of a button."""
    raw = message.raw
    given = raw.get("payload") if message.type == "button" else mapping(raw.get("button_reply")).get("id")
    return text_of(given, LONGEST_PAYLOAD) or ""


def reminder_before(message: Message) -> AppointmentNotice | None:
    """The reminder that was the last thing sent before this message, unless something else has answered it."""
    mine = Message.conversation_id == message.conversation_id, Message.direction == "outbound", Message.is_shown
    before = tuple_(Message.occurred_at, Message.id) < tuple_(message.occurred_at, message.id)
    query = select(Message.id).where(*mine, before, Message.state.not_in(("scheduled", *NOT_SENT)))
    last = db.session.scalar(query.order_by(Message.occurred_at.desc(), Message.id.desc()).limit(1))
    notice = AppointmentNotice.of_message(last)
    if notice is None or notice.purpose != "reminder" or notice.answer_id not in (None, message.id):
        return None
    return notice


@reads_messages
def answering_messages(messages: Sequence[Message]) -> set[uuid.UUID]:
    return {message.id for message in messages if not message.is_outbound and Answer.in_message(message)}
