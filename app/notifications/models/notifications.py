"""What waits to be told, and what was."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Self

from sqlalchemy import ColumnElement, Index, UniqueConstraint, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.inbox.conversations import Conversation
from app.tenancy import TenantModel, belongs_to, current_tenant_id, db, now, one_of, uuid7

from .browsers import PushSubscription

KINDS = ("message", "mention", "assignment", "closing", "test")
# How long after a try the next one follows; after the last of them it is given up.
PAUSES = (dt.timedelta(seconds=10), dt.timedelta(minutes=1), dt.timedelta(minutes=10))
LEASE = dt.timedelta(seconds=60)
# What could not be told for so long is no news any more; the inbox shows it.
STALE = dt.timedelta(hours=4)


class Notification(TenantModel):
    """What one browser is still to be told. Of a kind there is one for each conversation: the newest replaces it."""

    __table_args__ = (
        belongs_to("push_subscriptions", "subscription_id", ondelete="CASCADE"),
        belongs_to("conversations", "conversation_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "subscription_id", "conversation_id", "kind"),
        one_of("kind", KINDS),
        Index("ix_notifications_due", "next_attempt_at"),
    )

    subscription_id: Mapped[uuid.UUID]
    conversation_id: Mapped[uuid.UUID | None]
    kind: Mapped[str]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    next_attempt_at: Mapped[dt.datetime] = mapped_column(default=now)
    attempts: Mapped[int] = mapped_column(default=0)
    subscription: Mapped[PushSubscription] = relationship(viewonly=True, lazy="joined", innerjoin=True)
    conversation: Mapped[Conversation | None] = relationship(viewonly=True)

    @classmethod
    def put(cls, kind: str, subscription: PushSubscription, conversation: Conversation | None) -> None:
        at = now()
        values = {"tenant_id": current_tenant_id(), "id": uuid7(), "subscription_id": subscription.id, "kind": kind}
        values |= {"conversation_id": conversation and conversation.id, "attempts": 0}
        fresh = {"created_at": at, "next_attempt_at": at}
        again = {"attempts": 0, **fresh}
        made = insert(cls).values(**values, **fresh)
        key = ["tenant_id", "subscription_id", "conversation_id", "kind"]
        db.session.execute(made.on_conflict_do_update(index_elements=key, set_=again))

    @classmethod
    def claim(cls, limit: int) -> list[Self]:
        """Takes what is due. Whoever dies with it has it tried again when the lease ends."""
        due = select(cls).where(cls.next_attempt_at <= now()).order_by(cls.next_attempt_at)
        mine = db.session.scalars(due.limit(limit).with_for_update(of=cls, skip_locked=True)).all()
        for one in mine:
            one.attempts += 1
            one.next_attempt_at = now() + LEASE
        return list(mine)

    @property
    def is_news(self) -> bool:
        """Whether it is still worth telling: nobody has dealt with it meanwhile, and the member is signed in there."""
        if self.created_at < now() - STALE or self.subscription.is_asleep:
            return False
        match self.kind, self.conversation:
            case "message", Conversation(unread_count=count):
                return count > 0
            case "closing", Conversation(waiting_since=since):
                return since is not None
        return True

    def is_done(self) -> None:
        """Unless something newer has taken its place meanwhile."""
        db.session.execute(delete(Notification).where(*self.unchanged()))

    def try_later(self) -> None:
        if self.attempts > len(PAUSES):
            self.is_done()
            return
        pause = PAUSES[self.attempts - 1]
        db.session.execute(update(Notification).where(*self.unchanged()).values(next_attempt_at=now() + pause))

    def unchanged(self) -> tuple[ColumnElement[bool], ...]:
        return Notification.id == self.id, Notification.created_at == self.created_at


class ToldConversation(TenantModel):
    """Up to where a conversation's news was told, and for which window it was told that it closes."""

    __table_args__ = (
        belongs_to("conversations", "conversation_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "conversation_id"),
    )

    conversation_id: Mapped[uuid.UUID]
    inbound_at: Mapped[dt.datetime | None]
    unread_count: Mapped[int] = mapped_column(default=0)
    closing_of: Mapped[dt.datetime | None]

    @classmethod
    def note(cls, conversation: Conversation, kind: str) -> None:
        """This much of it was told, to whoever wanted to hear it."""
        told = {"inbound_at": conversation.last_inbound_at, "unread_count": conversation.unread_count}
        if kind == "closing":
            told = {"closing_of": conversation.last_inbound_at}
        mine = {"tenant_id": conversation.tenant_id, "id": uuid7(), "conversation_id": conversation.id}
        made = insert(cls).values({"unread_count": 0} | mine | told)
        db.session.execute(made.on_conflict_do_update(index_elements=["tenant_id", "conversation_id"], set_=told))
