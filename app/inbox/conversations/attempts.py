"""What became of our messages: each try at handing one over, each status that Meta reported."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterable
from typing import Any, cast

from sqlalchemy import ColumnElement, Index, UniqueConstraint, literal, select, text, union_all
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import TenantModel, belongs_to, current_tenant_id, database_now, db, now

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

    @classmethod
    def begin(cls, attempts: Iterable[tuple[uuid.UUID, uuid.UUID, float]]) -> None:
        """Records tries before they are made: the id of each, its message, and in how many seconds it starts."""
        at = database_now()
        rows = [
            {"id": str(id), "message": str(message_id), "at": (at + dt.timedelta(seconds=wait)).isoformat()}
            for id, message_id, wait in attempts
        ]
        db.session.execute(BEGIN, {"tenant": current_tenant_id(), "rows": json.dumps(rows)})

    @classmethod
    def finish(cls, ids: Iterable[uuid.UUID], outcome: str, error: dict[str, Any] | None = None) -> None:
        """Records how these tries ended."""
        ended = {"attempts": [str(id) for id in ids], "outcome": outcome, "error": json.dumps(error) if error else None}
        db.session.execute(FINISH, {"tenant": current_tenant_id(), "now": database_now()} | ended)


BEGIN = text("""
    insert into send_attempts (tenant_id, id, message_id, started_at)
    select :tenant, id, message, at
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, message uuid, at timestamptz)
    on conflict do nothing
""")
FINISH = text("""
    update send_attempts set finished_at = :now, outcome = :outcome, error = cast(:error as jsonb)
    where tenant_id = :tenant and id = any(cast(:attempts as uuid[]))
""")


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
