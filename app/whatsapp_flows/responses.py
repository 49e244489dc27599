"""What customers sent back: a row for each filled-in form, once, whatever is delivered again."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from typing import Any, Self

from sqlalchemy import Index, Select, UniqueConstraint, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.contacts.fields import ContactField, Wrong
from app.contacts.models import Contact
from app.inbox.conversations import Conversation, Message
from app.inbox.conversations.flow_tokens import FlowToken
from app.message_templates.models import MessageTemplate
from app.meta.contents import answers_in, rows_of
from app.meta.outgoing import flow_token_in
from app.meta.payload import bounded, mapping, sequence
from app.meta.payload import text as text_of
from app.tenancy import Happened, TenantModel, announce, belongs_to, current_tenant_id, db, happened, now, uuid7

from .models import FlowVersion, WhatsappFlow

MOST_TOKEN = 1_000
# Answers are stored as far as a page can show them.
MOST_CHARACTERS = 32_000


class FlowResponse(TenantModel):
    """The answers to one form. `rows` are the answers with their labels, in the order of the form's fields."""

    __tablename__ = "flow_responses"
    __table_args__ = (
        belongs_to("contacts", "contact_id"),
        belongs_to("conversations", "conversation_id"),
        belongs_to("messages", "message_id", ondelete="CASCADE"),
        belongs_to("whatsapp_flows", "flow_id", nulled=True),
        belongs_to("flow_versions", "version_id", nulled=True),
        UniqueConstraint("tenant_id", "message_id"),
        Index("ix_flow_responses_newest", "tenant_id", text("at desc"), text("id desc")),
        Index("ix_flow_responses_flow", "tenant_id", "flow_id", text("at desc"), text("id desc")),
        Index("ix_flow_responses_contact", "tenant_id", "contact_id"),
        Index("ix_flow_responses_conversation", "tenant_id", "conversation_id"),
    )

    contact_id: Mapped[uuid.UUID]
    conversation_id: Mapped[uuid.UUID]
    message_id: Mapped[uuid.UUID]
    flow_id: Mapped[uuid.UUID | None]
    version_id: Mapped[uuid.UUID | None]
    # Our message with the form, where it is known.
    sent_message_id: Mapped[uuid.UUID | None]
    token: Mapped[str] = mapped_column(default="")
    answers: Mapped[dict[str, Any]]
    rows: Mapped[list[dict[str, Any]]]
    at: Mapped[dt.datetime] = mapped_column(default=now)
    contact: Mapped[Contact] = relationship(viewonly=True)
    flow: Mapped[WhatsappFlow | None] = relationship(viewonly=True)
    version: Mapped[FlowVersion | None] = relationship(viewonly=True)

    @classmethod
    def newest(cls) -> Select[Self]:
        return select(cls).order_by(cls.at.desc(), cls.id.desc())


def record(received: Sequence[Happened]) -> None:
    """Stores the forms among these messages."""
    ids = [one.subject_id for one in received if one.facts.type == "interactive"]
    if not ids:
        return
    query = select(Message).where(Message.id.in_(ids), Message.direction == "inbound").order_by(Message.id)
    for message in db.session.scalars(query).unique():
        if reply := mapping(message.raw.get("nfm_reply")):
            Reply(message, reply).store()


class Reply:
    """A form that came back, and what is known of it: the token, our message, the version that was sent."""

    def __init__(self, message: Message, reply: dict[str, Any]) -> None:
        self.message, self.reply = message, reply
        given = answers_in(reply)
        self.given: dict[str, Any] = bounded(given, MOST_CHARACTERS) if isinstance(given, dict) else {}
        self.talk = Conversation.get_or_404(message.conversation_id)
        self.token = text_of(self.given.get("flow_token"), MOST_TOKEN) or ""
        self.sent = self.find_sent()
        self.version = self.find_version()

    def find_sent(self) -> Message | None:
        """By the token that we signed; without one, by the message that WhatsApp names as answered."""
        if (token := FlowToken.read(self.token, current_tenant_id())) and (sent := Message.find(token.message_id)):
            return sent if sent.phone_number_id == self.message.phone_number_id else None
        if not (wamid := self.message.reply_to_wamid):
            return None
        mine = Message.phone_number_id == self.message.phone_number_id, Message.wamid == wamid
        return db.session.scalar(select(Message).where(*mine, Message.direction == "outbound"))

    def find_version(self) -> FlowVersion | None:
        if self.sent is None:
            return None
        meta_id = flow_id_in(self.sent)
        return FlowVersion.with_meta_id(meta_id)

    def store(self) -> None:
        """Stores it, fills the contact's fields and records that it happened; once for each message."""
        flow = self.version.flow if self.version else None
        rows = list(rows_of(self.given, self.version.questions if self.version else ()))
        values = {
            "tenant_id": current_tenant_id(),
            "id": uuid7(),
            "contact_id": self.talk.contact_id,
            "conversation_id": self.talk.id,
            "message_id": self.message.id,
            "flow_id": flow and flow.id,
            "version_id": self.version and self.version.id,
            "sent_message_id": self.sent and self.sent.id,
            "token": self.token or self.recovered_token,
            "answers": {name: value for name, value in self.given.items() if name != "flow_token"},
            "rows": [{"label": label, "value": value} for label, value in rows],
            "at": self.message.occurred_at,
        }
        new = insert(FlowResponse).values(values).on_conflict_do_nothing(index_elements=["tenant_id", "message_id"])
        id = db.session.scalar(new.returning(FlowResponse.id))
        if id is None:
            return
        self.show(flow, rows)
        if self.version:
            fill_fields(self.version, self.talk.contact_id, self.given)
        facts = {"conversation_id": self.talk.id, "contact_id": self.talk.contact_id, "message_id": self.message.id}
        if self.version:
            facts |= {"flow_id": self.version.flow_id}
            happened("flow.completed", id, **facts, flow_version=self.version.number)
        else:
            happened("flow.completed", id, **facts)

    @property
    def recovered_token(self) -> str:
        """Meta leaves the token out of forms without a data endpoint: it is that of the message answered."""
        if self.sent is None:
            return ""
        return flow_token_in(self.sent.raw) or FlowToken(self.talk.contact_id, self.sent.id).sign(current_tenant_id())

    def show(self, flow: WhatsappFlow | None, rows: Sequence[tuple[str, str]]) -> None:
        """Puts the labels beside the answers of a form that we have, for the card in the thread."""
        if flow is None:
            return
        filled = {"title": flow.name, "rows": [list(row) for row in rows]}
        self.message.content = {**(self.message.content or {}), "shown": {"filled": filled}}
        announce("conversation", self.talk.id)


def flow_id_in(sent: Message) -> str:
    """Meta's id of the form in one of our messages, or of the template that it is; empty where it names none."""
    parameters = mapping(mapping(sent.raw.get("action")).get("parameters"))
    if sent.type != "template":
        return text_of(parameters.get("flow_id"), 64) or ""
    template = MessageTemplate.find(sent.template_id) if sent.template_id else None
    parts = map(mapping, template.components if template else ())
    buttons = [mapping(button) for part in parts for button in sequence(part.get("buttons"))]
    return next((id for button in buttons if (id := text_of(button.get("flow_id"), 64))), "")


def fill_fields(version: FlowVersion, contact_id: uuid.UUID, given: dict[str, Any]) -> None:
    """Puts answers on the contact where the owner mapped them. What a field does not take is left in the response."""
    for name, value in values_of(version, given):
        field = ContactField.find(version.flow.field_map.get(name))
        if field is None or not value:
            continue
        try:
            field.put_on(contact_id, field.read(value))
        except Wrong:
            continue


def values_of(version: FlowVersion, given: dict[str, Any]) -> Iterable[tuple[str, str]]:
    """The mapped answers as a person would read them."""
    questions = {one.name: one for one in version.questions}
    for name in version.flow.field_map:
        if name in given and name in questions:
            ((_label, value),) = rows_of({name: given[name]}, [questions[name]])
            yield name, {"✓": "yes", "✗": "no"}.get(value, value)
