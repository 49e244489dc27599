"""Webhooks as Meta sent them, before their tenant is known. Only the platform's role reads them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ForeignKey, Identity, Index, Select, UniqueConstraint, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from app.meta.events import address_in
from app.tenancy import GlobalModel, database_now, db, later, now, one_of

KINDS = ("unreadable", "unrouted", "failed")
SAME_CHANGE = "uq_held_changes_webhook_event_id_position"


class WebhookEvent(GlobalModel):
    """The body of one webhook exactly as it was signed; deleted after 30 days."""

    __tablename__ = "webhook_events"
    __table_args__ = (
        Index("ix_webhook_events_turns", "address", "id", postgresql_where=text("drained_at is null")),
        Index("ix_webhook_events_received", "received_at"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    body: Mapped[bytes]
    # The number (else the WABA) it is for, read without parsing the body; decides whose turn it is.
    address: Mapped[str] = mapped_column(server_default="")
    received_at: Mapped[dt.datetime] = mapped_column(server_default=text("clock_timestamp()"))
    drained_at: Mapped[dt.datetime | None]
    # How often it was processed to the end.
    drains: Mapped[int] = mapped_column(server_default=text("0"))

    @classmethod
    def arrive(cls, bodies: Sequence[bytes]) -> None:
        """Stores webhooks that were made here, as the door stores Meta's, and enqueues the drain."""
        rows = [{"body": body, "address": address_in(body)} for body in bodies]
        if rows:
            db.session.execute(ARRIVE, rows)
            later("webhooks.drain")

    @classmethod
    def backlog(cls) -> Select[int, dt.datetime | None]:
        """How many wait to be processed, and since when the oldest."""
        return select(func.count(), func.min(cls.received_at)).where(cls.drained_at.is_(None))


# The app's role may add webhooks and not read them, so nothing is returned.
ARRIVE = text("insert into webhook_events (body, address) values (:body, :address)")


class HeldChange(GlobalModel):
    """A change that could not be processed: unreadable, of an unclaimed number, or failed. Never dropped.

    `position` is its index among the changes of its webhook, so that processing it again finds the same row.
    """

    __tablename__ = "held_changes"
    __table_args__ = (
        one_of("kind", KINDS),
        UniqueConstraint("webhook_event_id", "position"),
        Index("ix_held_changes_unrouted", "phone_number_meta_id", postgresql_where=text("released_at is null")),
        Index(
            "ix_held_changes_reason",
            "kind",
            "reason",
            "id",
            postgresql_where=text("released_at is null and discarded_at is null"),
        ),
        Index("ix_held_changes_replay", "replay_id", postgresql_where=text("replay_id is not null")),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    webhook_event_id: Mapped[int]
    position: Mapped[int | None]
    tries: Mapped[int] = mapped_column(server_default=text("1"))
    kind: Mapped[str]
    # A key of `unreadable.REASONS`, and the fact that its sentence names.
    reason: Mapped[str]
    detail: Mapped[str] = mapped_column(default="", server_default="")
    field: Mapped[str] = mapped_column(default="")
    phone_number_meta_id: Mapped[str] = mapped_column(default="")
    waba_meta_id: Mapped[str] = mapped_column(default="")
    tenant_id: Mapped[uuid.UUID | None]
    payload: Mapped[bytes]
    received_at: Mapped[dt.datetime] = mapped_column(default=now)
    released_at: Mapped[dt.datetime | None]
    replay_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("replays.id", ondelete="SET NULL"))
    discarded_at: Mapped[dt.datetime | None]
    discarded_by: Mapped[str] = mapped_column(default="", server_default="")
    discard_reason: Mapped[str] = mapped_column(default="", server_default="")

    @classmethod
    def hold(cls, rows: Sequence[dict[str, Any]]) -> None:
        """Holds these changes. One that was held before is the same again, unless somebody has discarded it."""
        if not rows:
            return
        new = insert(cls)
        columns = ("kind", "reason", "detail", "field", "phone_number_meta_id", "waba_meta_id", "tenant_id", "payload")
        anew = {name: new.excluded[name] for name in columns} | {"released_at": None, "tries": cls.tries + 1}
        again = cls.discarded_at.is_(None)
        db.session.execute(new.on_conflict_do_update(SAME_CHANGE, set_=anew, where=again), rows)

    @classmethod
    def release(cls, webhook_event_ids: Sequence[int]) -> None:
        """Releases what posts that are drained again had held; what still fails is held again."""
        if webhook_event_ids:
            db.session.execute(RELEASE, {"ids": webhook_event_ids, "now": database_now()})

    @classmethod
    def counts(cls) -> Select[str, int]:
        """How many are held now, by kind."""
        held = select(cls.kind, func.count()).where(cls.released_at.is_(None), cls.discarded_at.is_(None))
        return held.group_by(cls.kind).order_by(cls.kind)

    @property
    def state(self) -> str:
        if self.discarded_at:
            return "discarded"
        return "understood" if self.released_at else "held"

    def discard(self, reason: str, *, by: str) -> None:
        """Removes it from the held changes; it stays listed among the discarded."""
        if self.state == "held":
            self.discarded_at, self.discarded_by, self.discard_reason = now(), by, reason


RELEASE = text("""
    update held_changes set released_at = :now
    where webhook_event_id = any(:ids) and released_at is null and discarded_at is null
""")
