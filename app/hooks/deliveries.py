"""What was sent to which webhook, how often it was tried, and what came back. The row is the outbox."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterable, Sequence
from typing import Any, Self

from sqlalchemy import Index, Select, UniqueConstraint, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Uuid

from app.tenancy import TenantModel, belongs_to, current_tenant_id, database_now, db, later, now, one_of, uuid7, uuid7s

from .events import OutgoingEvent, public_id

STATES = ("waiting", "delivered", "failed", "cancelled")
# How long after each try the next one follows, three days in all; each up to a fifth longer, by chance.
RETRY_SECONDS = (5, 30, 120, 600, 3_600, 10_800, 28_800, 86_400, 86_400, 43_200)
# Longer than a request may take, so that a lease outlives its call.
LEASE = dt.timedelta(seconds=60)
# So many events of a conversation go out at once, however many seconds they are collected for.
FULL_BATCH = 100
BATCH = "batch"
RETENTION = dt.timedelta(days=30)


class WebhookDelivery(TenantModel):
    """One event, or a batch of one conversation's, for one webhook.

    `next_attempt_at` is when it is due, and while it is being sent when its lease ends: who dies with it has it sent
    again. Null: an earlier one of its conversation has to arrive first. `attempts` is the fence.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        belongs_to("webhook_endpoints", "endpoint_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "endpoint_id", "event_id"),
        one_of("state", STATES),
        Index("ix_webhook_deliveries_log", "tenant_id", "endpoint_id", "id"),
        Index("ix_webhook_deliveries_type", "tenant_id", "endpoint_id", "type", "id"),
        Index(
            "ix_webhook_deliveries_due",
            "tenant_id",
            "endpoint_id",
            "next_attempt_at",
            postgresql_where=text("state = 'waiting'"),
        ),
        Index(
            "ix_webhook_deliveries_open",
            "tenant_id",
            "endpoint_id",
            "state",
            "id",
            postgresql_where=text("state <> 'delivered'"),
        ),
        Index(
            "ix_webhook_deliveries_ordered",
            "tenant_id",
            "endpoint_id",
            "conversation_id",
            "sequence",
            postgresql_where=text("state = 'waiting' and is_ordered"),
        ),
        Index(
            "uq_webhook_deliveries_collecting",
            "tenant_id",
            "endpoint_id",
            "conversation_id",
            unique=True,
            postgresql_where=text("is_collecting"),
        ),
    )

    endpoint_id: Mapped[uuid.UUID]
    # The first event, which names the delivery, and all of them.
    event_id: Mapped[uuid.UUID]
    event_ids: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(Uuid))
    type: Mapped[str]
    conversation_id: Mapped[uuid.UUID | None]
    sequence: Mapped[int | None]
    is_ordered: Mapped[bool] = mapped_column(default=False)
    is_collecting: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    # Tries since it was last queued, which is when the schedule of retries begins anew.
    tries: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[dt.datetime | None] = mapped_column(default=now)
    # What came back last, for the log.
    status: Mapped[int | None]
    error: Mapped[str] = mapped_column(default="")
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    finished_at: Mapped[dt.datetime | None]

    @classmethod
    def single(cls, endpoint_id: uuid.UUID, event: OutgoingEvent) -> Self:
        return cls(id=uuid7(), endpoint_id=endpoint_id, event_id=event.id, event_ids=[event.id], type=event.type)

    @classmethod
    def of(cls, endpoint_id: uuid.UUID) -> Select[Self]:
        """Newest first."""
        return select(cls).where(cls.endpoint_id == endpoint_id).order_by(cls.id.desc())

    @property
    def webhook_id(self) -> str:
        """The `webhook-id` of its requests: the event's id, of a batch a name of its own. The same for every try."""
        return f"bat_{self.id.hex}" if self.type == BATCH else public_id(self.event_id)

    @property
    def is_batch(self) -> bool:
        return self.type == BATCH

    @property
    def tried(self) -> list[DeliveryAttempt]:
        """Its attempts, the newest first."""
        mine = select(DeliveryAttempt).where(DeliveryAttempt.delivery_id == self.id)
        return list(db.session.scalars(mine.order_by(DeliveryAttempt.id.desc()).limit(MOST_SHOWN)))

    def replay(self) -> None:
        """Queues it once more, under the same `webhook-id`."""
        values = {"tenant": current_tenant_id(), "ids": [self.id], "now": database_now()}
        db.session.execute(REPLAY, values)
        later("hooks.deliver")


MOST_SHOWN = 50


class DeliveryAttempt(TenantModel):
    """One request to a webhook, and the beginning of its answer."""

    __table_args__ = (
        belongs_to("webhook_deliveries", "delivery_id", ondelete="CASCADE"),
        Index("ix_delivery_attempts_delivery", "tenant_id", "delivery_id", "id"),
    )

    delivery_id: Mapped[uuid.UUID]
    number: Mapped[int]
    # Without its signature.
    headers: Mapped[dict[str, Any]]
    size: Mapped[int]
    status: Mapped[int | None]
    answer: Mapped[str]
    # Why there is no status: a key of `words.ERRORS`.
    error: Mapped[str]
    milliseconds: Mapped[int]
    at: Mapped[dt.datetime] = mapped_column(default=now)


def queue(rows: Sequence[dict[str, Any]]) -> None:
    """Inserts deliveries of one event each, for any endpoints, with one statement. Rows that exist stay as they are."""
    insert(SINGLES, rows)


def collect(rows: Sequence[dict[str, Any]]) -> None:
    """Adds events to the batches that their conversations are collecting, or begins new ones."""
    insert(CLOSE_FULL, rows)
    insert(BATCHES, rows)


def insert(statement: Any, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        at = database_now()
        ids = uuid7s(len(rows))
        made = [row | {"id": id} for row, id in zip(rows, ids, strict=True)]
        values = {"tenant": current_tenant_id(), "rows": json.dumps(made), "now": at, "full": FULL_BATCH}
        db.session.execute(statement, values)


SINGLES = text("""
    insert into webhook_deliveries (tenant_id, id, endpoint_id, event_id, event_ids, type, conversation_id, sequence,
        is_ordered, is_collecting, state, attempts, tries, next_attempt_at, error, created_at)
    select :tenant, id, endpoint, event, array[event], type, conversation, sequence, is_ordered, false, 'waiting', 0, 0,
        due, '', :now
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, endpoint uuid, event uuid, type text,
        conversation uuid, sequence bigint, is_ordered boolean, due timestamptz)
    on conflict do nothing
""")
# A batch that is full collects no more, however long it waits for its webhook: another one begins behind it. Index:
# uq_webhook_deliveries_collecting.
CLOSE_FULL = text("""
    update webhook_deliveries d set is_collecting = false
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(endpoint uuid, conversation uuid)
    where d.tenant_id = :tenant and d.endpoint_id = r.endpoint and d.conversation_id = r.conversation
      and d.is_collecting and cardinality(d.event_ids) >= :full
""")
# One row for each webhook and conversation. Where one collects already, its events are joined to that; a full batch is
# due at once. Index: uq_webhook_deliveries_collecting.
BATCHES = text("""
    insert into webhook_deliveries (tenant_id, id, endpoint_id, event_id, event_ids, type, conversation_id, sequence,
        is_ordered, is_collecting, state, attempts, tries, next_attempt_at, error, created_at)
    select :tenant, id, endpoint, event, events, 'batch', conversation, sequence, is_ordered, true, 'waiting', 0, 0,
        due, '', :now
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, endpoint uuid, event uuid, events uuid[],
        conversation uuid, sequence bigint, is_ordered boolean, due timestamptz)
    on conflict (tenant_id, endpoint_id, conversation_id) where is_collecting do update
        set event_ids = webhook_deliveries.event_ids || excluded.event_ids,
            next_attempt_at = case
                when cardinality(webhook_deliveries.event_ids || excluded.event_ids) >= :full
                    and webhook_deliveries.next_attempt_at is not null then :now
                else webhook_deliveries.next_attempt_at end
""")
# Queues these deliveries again. What had ended is out of its conversation's order; what is held back stays so.
REPLAY = text("""
    update webhook_deliveries set state = 'waiting', tries = 0, finished_at = null, is_collecting = false,
        next_attempt_at = case when state = 'waiting' and next_attempt_at is null then null else :now end,
        is_ordered = is_ordered and state = 'waiting'
    where tenant_id = :tenant and id = any(:ids)
""")


def cancel_waiting(endpoint_id: uuid.UUID, most: int) -> int:
    """Cancels the first of what waits for a webhook that is no longer active. Returns how many."""
    values = {"tenant": current_tenant_id(), "endpoint": endpoint_id, "most": most, "now": database_now()}
    return len(db.session.execute(CANCEL, values).all())


# What waits for a disabled webhook, a part at a time. Index: ix_webhook_deliveries_open.
CANCEL = text("""
    with chosen as (
        select d.id from webhook_deliveries d
        where d.tenant_id = :tenant and d.endpoint_id = :endpoint and d.state = 'waiting'
        order by d.id limit :most for update skip locked
    )
    update webhook_deliveries d set state = 'cancelled', finished_at = :now, is_collecting = false
    from chosen where d.tenant_id = :tenant and d.id = chosen.id
    returning d.id
""")


def release_next(conversations: Iterable[tuple[uuid.UUID, uuid.UUID]]) -> None:
    """Makes the earliest waiting delivery of each of these (endpoint, conversation) due, if it was held back."""
    rows = [{"endpoint": str(endpoint), "conversation": str(talk)} for endpoint, talk in conversations]
    if rows:
        values = {"tenant": current_tenant_id(), "rows": json.dumps(rows), "now": database_now()}
        db.session.execute(RELEASE, values)


# The first waiting delivery of each conversation. Index: ix_webhook_deliveries_ordered.
RELEASE = text("""
    update webhook_deliveries d set next_attempt_at = :now
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(endpoint uuid, conversation uuid)
    cross join lateral (
        select e.id from webhook_deliveries e
        where e.tenant_id = :tenant and e.endpoint_id = r.endpoint and e.conversation_id = r.conversation
          and e.state = 'waiting' and e.is_ordered
        order by e.sequence limit 1) first
    where d.tenant_id = :tenant and d.id = first.id and d.next_attempt_at is null
""")
