"""What became of our messages: each try at handing one over, each status that Meta reported."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, cast

from sqlalchemy import ColumnElement, Index, UniqueConstraint, literal, select, text, union_all
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import TenantModel, belongs_to, db, now

from .states import RANKS

# A reply within those that a number has free each month (Meta: `pricing.type` of a status, since October 2026).
FREE_REPLY = "(pricing ->> 'type') = 'free_customer_service'"


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
    """A status as Meta reported it. All are stored, also those that came late; one that came twice changes nothing."""

    __table_args__ = (
        belongs_to("messages", "message_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "message_id", "status", "occurred_at"),
        Index("ix_message_events_free", "tenant_id", "occurred_at", postgresql_where=text(FREE_REPLY)),
    )

    message_id: Mapped[uuid.UUID]
    status: Mapped[str]
    occurred_at: Mapped[dt.datetime]
    received_at: Mapped[dt.datetime] = mapped_column(default=now)
    pricing: Mapped[dict[str, Any] | None]
    errors: Mapped[list[dict[str, Any]] | None]


def is_free_reply() -> ColumnElement[bool]:
    """In the words of the partial index `ix_message_events_free`."""
    return cast("ColumnElement[bool]", text(FREE_REPLY))


def progress_of(message_id: uuid.UUID) -> list[tuple[str, dt.datetime]]:
    """How far a message of ours got and when, in order: `accepted` by our clock, the statuses by Meta's."""
    accepted = select(literal("accepted"), SendAttempt.finished_at).where(
        SendAttempt.message_id == message_id, SendAttempt.outcome == "accepted", SendAttempt.finished_at.is_not(None)
    )
    statuses = select(MessageEvent.status, MessageEvent.occurred_at).where(MessageEvent.message_id == message_id)
    first: dict[str, dt.datetime] = {}
    steps: Any = db.session.execute(union_all(accepted, statuses))
    for row in steps:
        if row[0] in RANKS:
            first[row[0]] = min(row[1], first.get(row[0], row[1]))
    return sorted(first.items(), key=lambda step: RANKS[step[0]])


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
