"""Blocked customers: out of the inbox at once, then blocked at WhatsApp by a job."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import Index, UniqueConstraint, select, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.inbox.conversations import Conversation
from app.tenancy import Actor, TenantModel, announce, belongs_to, db, now, one_of

REASONS = ("spam", "abuse", "fraud", "asked", "other")
STATES = ("blocking", "blocked", "unblocking", "refused")
PATIENCE = dt.timedelta(minutes=2)


class Block(TenantModel):
    """One contact blocked on one of our numbers. A job syncs it to Meta; `error` is why Meta refused it."""

    __table_args__ = (
        belongs_to("conversations", "conversation_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "conversation_id"),
        one_of("reason", REASONS),
        one_of("state", STATES),
        Index("ix_blocks_waiting", "next_attempt_at", postgresql_where=text("next_attempt_at is not null")),
    )

    conversation_id: Mapped[uuid.UUID]
    reason: Mapped[str]
    state: Mapped[str]
    by_id: Mapped[uuid.UUID | None]
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[dt.datetime | None]
    error: Mapped[dict[str, Any] | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    conversation: Mapped[Conversation] = relationship(viewonly=True)

    @classmethod
    def of(cls, conversation: Conversation) -> Block | None:
        return db.session.scalar(select(cls).where(cls.conversation_id == conversation.id))

    @classmethod
    def put(cls, conversation: Conversation, reason: str, *, by: Actor) -> Block:
        conversation.put("blocked", by=by)
        block = cls.of(conversation) or cls(conversation_id=conversation.id)
        block.reason, block.by_id = reason, by.user_id
        block.wish("blocking")
        db.session.add(block)
        db.session.flush()
        return block

    def lift(self, *, by: Actor) -> None:
        self.conversation.put("open", by=by)
        self.wish("unblocking")

    def wish(self, state: str) -> None:
        """Sets the state that the job syncs to WhatsApp next, even while it is syncing another."""
        self.state, self.error, self.attempts, self.next_attempt_at = state, None, 0, now()

    def settle(self, wished: str) -> None:
        """WhatsApp did what was wished, unless something else has been wished since."""
        if self.state != wished:
            return
        if wished == "unblocking":
            db.session.delete(self)
        else:
            self.state, self.next_attempt_at, self.error = "blocked", None, None
        announce("conversation", self.conversation_id)

    def refuse(self, wished: str, error: dict[str, Any], *, later: bool) -> None:
        if self.state != wished:
            return
        self.error, self.attempts = error, self.attempts + 1
        if later and self.attempts < 10:
            self.next_attempt_at = now() + PATIENCE * self.attempts
        else:
            self.state, self.next_attempt_at = "refused", None
        announce("conversation", self.conversation_id)
