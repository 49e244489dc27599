"""The assistant's part in one conversation: when its next turn is due, which worker has it, and the pinned version."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Self

from sqlalchemy import Index, UniqueConstraint, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql.functions import coalesce

from app.tenancy import TenantModel, belongs_to, current_tenant_id, db, enqueue, now, uuid7
from app.tenancy.scope import after_commit

# While a customer goes on writing, the turn waits: at most so long after the first message.
PATIENCE = dt.timedelta(seconds=15)
# A worker that has a turn longer than this has died.
LEASE = dt.timedelta(minutes=3)
MOST_ATTEMPTS = 3
# An older message gets no answer by itself.
FRESH = dt.timedelta(minutes=10)


class Engagement(TenantModel):
    __table_args__ = (
        belongs_to("conversations", "conversation_id", ondelete="CASCADE"),
        belongs_to("assistant_versions", "version_id"),
        UniqueConstraint("tenant_id", "conversation_id"),
        Index("ix_engagements_due", "due_at", postgresql_where=text("due_at is not null")),
        Index("ix_engagements_leased", "lease_until", postgresql_where=text("lease_until is not null")),
    )

    conversation_id: Mapped[uuid.UUID]
    # Pinned with the first turn, until people take over or it is resolved.
    version_id: Mapped[uuid.UUID | None]
    language: Mapped[str] = mapped_column(default="")
    # When the next turn is due, and until when it may be put off.
    due_at: Mapped[dt.datetime | None]
    latest_at: Mapped[dt.datetime | None]
    # The turn that a worker has, and until when it has it.
    turn_id: Mapped[uuid.UUID | None]
    lease_until: Mapped[dt.datetime | None]
    disclosed_at: Mapped[dt.datetime | None]
    # How often in a row it has asked back.
    asked_back: Mapped[int] = mapped_column(default=0)
    # How many workers died of the question that is due.
    attempts: Mapped[int] = mapped_column(default=0)

    @classmethod
    def of(cls, conversation_id: uuid.UUID) -> Self | None:
        return db.session.scalar(select(cls).where(cls.conversation_id == conversation_id))

    @classmethod
    def get_or_make(cls, conversation_id: uuid.UUID) -> Self:
        made = insert(cls).values(new_row(conversation_id)).on_conflict_do_nothing()
        db.session.execute(made)
        return db.session.scalars(select(cls).where(cls.conversation_id == conversation_id)).one()

    @classmethod
    def postpone(cls, conversation_ids: Iterable[uuid.UUID], wait: dt.timedelta) -> None:
        """A customer wrote: the turn is due a moment after the last message, and not long after the first."""
        at = now()
        rows = [new_row(id) | {"due_at": at + wait, "latest_at": at + PATIENCE} for id in sorted({*conversation_ids})]
        if not rows:
            return
        new = insert(cls).values(rows)
        latest = coalesce(cls.latest_at, new.excluded.latest_at)
        soonest = coalesce(cls.latest_at, new.excluded.due_at)
        values = {"due_at": func.least(new.excluded.due_at, soonest), "latest_at": latest, "attempts": 0}
        key = ["tenant_id", "conversation_id"]
        db.session.execute(new.on_conflict_do_update(index_elements=key, set_=values))

    @property
    def is_due(self) -> bool:
        """Whether there is a turn to be made and no worker has it."""
        at = now()
        return bool(self.due_at and self.due_at <= at and not (self.lease_until and self.lease_until > at))

    def claim(self, turn_id: uuid.UUID) -> bool:
        """Takes the turn that is due, unless another worker has it. Called with the row locked."""
        if not self.is_due:
            return False
        self.turn_id, self.lease_until = turn_id, now() + LEASE
        self.due_at = self.latest_at = None
        return True

    def wait(self, pause: dt.timedelta) -> None:
        """The turn is due a little later. Called with the row locked."""
        if self.due_at:
            self.due_at = now() + pause

    def put_off(self) -> None:
        """What is due here failed before it was claimed: tried again in a while, a few times."""
        if self.lease_until is None and self.due_at:
            self.attempts += 1
            self.due_at = now() + LEASE if self.attempts < MOST_ATTEMPTS else None

    def is_mine(self, turn_id: uuid.UUID) -> bool:
        """Whether this turn still has the conversation and nothing newer is due. Called with the row locked."""
        return self.turn_id == turn_id and self.due_at is None

    def release(self) -> None:
        self.turn_id = self.lease_until = None
        self.attempts = 0

    def leave(self) -> None:
        """People have it, or it is resolved: the next turn begins anew, with the version that is live then."""
        self.version_id, self.disclosed_at, self.asked_back, self.language = None, None, 0, ""


def begin_turns(conversation_ids: Iterable[uuid.UUID], wait: dt.timedelta) -> None:
    """Has a turn made in each conversation after this time."""
    Engagement.postpone(conversation_ids, wait)
    after_commit(lambda: enqueue("assistant.run"))


def new_row(conversation_id: uuid.UUID) -> dict[str, object]:
    values = {"tenant_id": current_tenant_id(), "id": uuid7(), "conversation_id": conversation_id, "language": ""}
    return values | {"asked_back": 0, "attempts": 0}
