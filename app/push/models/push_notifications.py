"""What waits to be pushed to a browser."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Self

from sqlalchemy import ColumnElement, Index, UniqueConstraint, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.inbox.conversations import Conversation
from app.inbox.desk.notes import Mention
from app.message_templates.models import MessageTemplate
from app.tenancy import TenantModel, belongs_to, current_tenant_id, db, now, one_of, uuid7

from .browsers import PushSubscription

KINDS = ("message", "mention", "assignment", "closing", "template", "test")
# How long after a try the next one follows; after the last of them it is given up.
PAUSES = (dt.timedelta(seconds=10), dt.timedelta(minutes=1), dt.timedelta(minutes=10))
LEASE = dt.timedelta(seconds=60)
# What could not be pushed for so long is no news any more; the inbox shows it.
STALE = dt.timedelta(hours=4)


class PushNotification(TenantModel):
    """What one browser is still to be sent. Of a kind there is one for each conversation or template: the newest
    replaces it."""

    __table_args__ = (
        belongs_to("push_subscriptions", "subscription_id", ondelete="CASCADE"),
        belongs_to("conversations", "conversation_id", ondelete="CASCADE"),
        belongs_to("message_templates", "template_id", ondelete="CASCADE"),
        # Its usual name would be longer than Postgres allows.
        UniqueConstraint(
            "tenant_id", "subscription_id", "conversation_id", "kind", name="uq_push_notifications_newest"
        ),
        UniqueConstraint("tenant_id", "subscription_id", "template_id"),
        one_of("kind", KINDS),
        Index("ix_push_notifications_due", "next_attempt_at"),
    )

    subscription_id: Mapped[uuid.UUID]
    conversation_id: Mapped[uuid.UUID | None]
    template_id: Mapped[uuid.UUID | None]
    kind: Mapped[str]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    next_attempt_at: Mapped[dt.datetime] = mapped_column(default=now)
    attempts: Mapped[int] = mapped_column(default=0)
    subscription: Mapped[PushSubscription] = relationship(viewonly=True, lazy="joined", innerjoin=True)
    conversation: Mapped[Conversation | None] = relationship(viewonly=True)
    template: Mapped[MessageTemplate | None] = relationship(viewonly=True)

    @classmethod
    def put(
        cls,
        kind: str,
        subscription: PushSubscription,
        conversation: Conversation | None,
        due: dt.datetime | None = None,
    ) -> None:
        """Queues it for when it is due, or at once."""
        at = now()
        values = {"tenant_id": current_tenant_id(), "id": uuid7(), "subscription_id": subscription.id, "kind": kind}
        values |= {"conversation_id": conversation and conversation.id, "attempts": 0}
        fresh = {"created_at": at, "next_attempt_at": due or at}
        again = {"attempts": 0, **fresh}
        made = insert(cls).values(**values, **fresh)
        key = ["tenant_id", "subscription_id", "conversation_id", "kind"]
        db.session.execute(made.on_conflict_do_update(index_elements=key, set_=again))

    @classmethod
    def put_about_template(cls, subscription: PushSubscription, template_id: uuid.UUID) -> None:
        """Queues it at once. What it says is read from the template when it is pushed."""
        at = now()
        values = {"tenant_id": current_tenant_id(), "id": uuid7(), "subscription_id": subscription.id}
        fresh = {"attempts": 0, "created_at": at, "next_attempt_at": at}
        made = insert(cls).values(**values, kind="template", template_id=template_id, **fresh)
        key = ["tenant_id", "subscription_id", "template_id"]
        db.session.execute(made.on_conflict_do_update(index_elements=key, set_=fresh))

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
        """Whether it is still unread and unhandled, and the member is signed in there."""
        if self.created_at < now() - STALE or self.subscription.is_asleep:
            return False
        user_id = self.subscription.membership.user_id
        match self.kind, self.conversation:
            case "message", Conversation(unread_count=count) as conversation:
                return count > 0 and conversation.is_active
            case "closing", Conversation(waiting_since=since) as conversation:
                return since is not None and conversation.is_active
            case "assignment", Conversation(assignee_id=assignee_id):
                return assignee_id == user_id
            case "mention", Conversation(id=conversation_id):
                return Mention.unseen(conversation_id, user_id)
        return True

    def finish(self) -> None:
        """Unless something newer has taken its place meanwhile."""
        db.session.execute(delete(PushNotification).where(*self.unchanged()))

    def retry_later(self) -> None:
        if self.attempts > len(PAUSES):
            self.finish()
            return
        pause = PAUSES[self.attempts - 1]
        db.session.execute(update(PushNotification).where(*self.unchanged()).values(next_attempt_at=now() + pause))

    def unchanged(self) -> tuple[ColumnElement[bool], ...]:
        return PushNotification.id == self.id, PushNotification.created_at == self.created_at
