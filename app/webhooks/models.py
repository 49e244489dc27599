"""What Meta posted, before anybody knows whose it is. Only the platform's role reads it."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import GlobalModel, now, one_of


class WebhookEvent(GlobalModel):
    """A body exactly as it was posted and signed. It stays here for 30 days."""

    __tablename__ = "webhook_events"
    __table_args__ = (
        Index("ix_webhook_events_waiting", "id", postgresql_where=text("drained_at is null")),
        Index("ix_webhook_events_received", "received_at"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    body: Mapped[bytes]
    received_at: Mapped[dt.datetime] = mapped_column(server_default=text("clock_timestamp()"))
    drained_at: Mapped[dt.datetime | None]


class HeldChange(GlobalModel):
    """A change that could not be carried out: unreadable, of a number nobody owns, or failing. Never dropped."""

    __tablename__ = "held_changes"
    __table_args__ = (
        one_of("kind", ("unreadable", "unrouted", "failed")),
        Index("ix_held_changes_unrouted", "phone_number_meta_id", postgresql_where=text("released_at is null")),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    webhook_event_id: Mapped[int]
    kind: Mapped[str]
    reason: Mapped[str]
    field: Mapped[str] = mapped_column(default="")
    phone_number_meta_id: Mapped[str] = mapped_column(default="")
    waba_meta_id: Mapped[str] = mapped_column(default="")
    tenant_id: Mapped[uuid.UUID | None]
    payload: Mapped[bytes]
    received_at: Mapped[dt.datetime] = mapped_column(default=now)
    released_at: Mapped[dt.datetime | None]
