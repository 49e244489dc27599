"""Conversations and their messages. An outbound message's row is the outbox."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.contacts.models import Contact
from app.tenancy import TenantModel, User, belongs_to, now, one_of
from app.wabas.models import PhoneNumber

CUSTOMER_SERVICE_WINDOW = dt.timedelta(hours=24)

# Ticks only ever climb this ladder. A `failed` that comes late never hides a proof of delivery.
RANKS = {
    "queued": 0,
    "claimed": 1,
    "dispatching": 2,
    "unknown": 3,
    "accepted": 10,
    "sent": 20,
    "failed": 30,
    "delivered": 40,
    "read": 50,
    "played": 60,
}
STATES = ("received", *RANKS, "cancelled", "expired")


class Conversation(TenantModel):
    """All that one contact and one of our numbers wrote to each other."""

    __table_args__ = (
        UniqueConstraint("tenant_id", "phone_number_id", "contact_id"),
        belongs_to("phone_numbers", "phone_number_id"),
        belongs_to("contacts", "contact_id"),
        Index("ix_conversations_newest", "tenant_id", text("last_message_at desc"), text("id desc")),
        Index(
            "ix_conversations_unread",
            "tenant_id",
            text("last_message_at desc"),
            text("id desc"),
            postgresql_where=text("unread_count > 0"),
        ),
    )

    phone_number_id: Mapped[uuid.UUID]
    contact_id: Mapped[uuid.UUID]
    unread_count: Mapped[int] = mapped_column(default=0)
    last_message_at: Mapped[dt.datetime] = mapped_column(default=now)
    last_message_preview: Mapped[str] = mapped_column(default="")
    last_message_state: Mapped[str] = mapped_column(default="received")
    last_message_id: Mapped[uuid.UUID | None]
    last_inbound_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    contact: Mapped[Contact] = relationship(viewonly=True)
    phone_number: Mapped[PhoneNumber] = relationship(viewonly=True)


class Message(TenantModel):
    """One message either way. Inbound ones are `received`; outbound ones walk through STATES."""

    __table_args__ = (
        belongs_to("conversations", "conversation_id"),
        belongs_to("phone_numbers", "phone_number_id"),
        UniqueConstraint("tenant_id", "phone_number_id", "wamid"),
        UniqueConstraint("tenant_id", "conversation_id", "client_id"),
        one_of("direction", ("inbound", "outbound")),
        one_of("state", STATES),
        Index(
            "ix_messages_thread", "tenant_id", "conversation_id", text("occurred_at desc"), text("id desc")
        ),
        Index(
            "ix_messages_outbox",
            "tenant_id",
            "phone_number_id",
            "id",
            postgresql_where=text("state in ('queued', 'claimed', 'dispatching')"),
        ),
    )

    conversation_id: Mapped[uuid.UUID]
    phone_number_id: Mapped[uuid.UUID]
    direction: Mapped[str]
    type: Mapped[str] = mapped_column(default="text")
    body: Mapped[str] = mapped_column(default="")
    content: Mapped[dict[str, Any] | None]
    state: Mapped[str]
    wamid: Mapped[str | None]
    client_id: Mapped[uuid.UUID | None]
    author_id: Mapped[uuid.UUID | None]
    occurred_at: Mapped[dt.datetime] = mapped_column(default=now)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    next_attempt_at: Mapped[dt.datetime | None]
    lease_until: Mapped[dt.datetime | None]
    fence: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[dict[str, Any] | None]
    conversation: Mapped[Conversation] = relationship(viewonly=True)
    author: Mapped[User | None] = relationship(
        viewonly=True, primaryjoin="foreign(Message.author_id) == User.id", lazy="joined"
    )


class SendAttempt(TenantModel):
    """One try at handing a message to Meta. Its id, signed, comes back in every status webhook."""

    __table_args__ = (
        belongs_to("messages", "message_id", ondelete="CASCADE"),
        Index("ix_send_attempts_message", "tenant_id", "message_id"),
    )

    message_id: Mapped[uuid.UUID]
    started_at: Mapped[dt.datetime] = mapped_column(default=now)
    finished_at: Mapped[dt.datetime | None]
    outcome: Mapped[str | None]
    error: Mapped[dict[str, Any] | None]


class MessageEvent(TenantModel):
    """A status as Meta told it. All are kept, also those that came late or twice removed nothing."""

    __table_args__ = (
        belongs_to("messages", "message_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "message_id", "status", "occurred_at"),
    )

    message_id: Mapped[uuid.UUID]
    status: Mapped[str]
    occurred_at: Mapped[dt.datetime]
    received_at: Mapped[dt.datetime] = mapped_column(default=now)
    pricing: Mapped[dict[str, Any] | None]
    errors: Mapped[list[dict[str, Any]] | None]


class OrphanStatus(TenantModel):
    """A status that came before the message it speaks of; joined to it when that appears."""

    __tablename__ = "orphan_statuses"
    __table_args__ = (
        belongs_to("phone_numbers", "phone_number_id"),
        UniqueConstraint("tenant_id", "phone_number_id", "wamid", "status", "occurred_at"),
    )

    phone_number_id: Mapped[uuid.UUID]
    wamid: Mapped[str]
    status: Mapped[str]
    occurred_at: Mapped[dt.datetime]
    received_at: Mapped[dt.datetime] = mapped_column(default=now)
    pricing: Mapped[dict[str, Any] | None]
    errors: Mapped[list[dict[str, Any]] | None]
