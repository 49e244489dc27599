"""What reports are made of: facts about conversations, and counts of messages by quarter of an hour.

Both can be made again from conversations and messages at any time (`recount.py`), and hold no words of customers.
"""

from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo
from typing import Self

from sqlalchemy import Index, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.tenancy import Membership, TenantModel, belongs_to, db, now, of_tenant, one_of
from app.tenancy.actor import KINDS as ACTORS
from app.tenancy.limits import one_at_a_time

KINDS = (
    "opened",
    "reopened",
    "resolved",
    "answer",
    "first_response",
    "next_response",
    "promise",
    "survey",
    "responsible",
)
SCORES = ("bad", "fair", "good")
SENDERS = ("customer", *ACTORS)
# By the reader's clock, and when the business's last day is surely counted.
MAILED_AT, COUNTED_BY = dt.time(8), dt.time(1)


class Fact(TenantModel):
    """One thing that happened to a conversation.

    `answer`: the first reply of anyone, automatic ones too, to a customer who waits; the actor is who replied.
    `first_response` and `next_response`: of a person. `promise`: the target time for a reply came (`at` may be in the
    future); `is_met` says whether it was in time. `resolved`: `is_met` where it was not reopened within a day.
    `responsible`: people no longer have the conversation; the actor is who wrote first. `survey`: the actor is who
    replied last.
    """

    __tablename__ = "report_facts"
    __table_args__ = (
        belongs_to("conversations", "conversation_id", ondelete="CASCADE"),
        one_of("kind", KINDS),
        one_of("actor_kind", ACTORS),
        one_of("score", SCORES),
        Index(
            "ix_report_facts_kind",
            "tenant_id",
            "kind",
            "at",
            "id",
            postgresql_include=[
                *("phone_number_id", "team_id", "actor_kind", "actor_id", "seconds", "open_seconds", "is_met", "score"),
                "conversation_id",
            ],
        ),
        Index("ix_report_facts_conversation", "tenant_id", "conversation_id", "began_at"),
    )

    conversation_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    at: Mapped[dt.datetime]
    # Where in the conversation it began: what is recounted from a moment on begins after it.
    began_at: Mapped[dt.datetime]
    # The message that it is about, where there is one. No foreign key: messages of merged conversations move.
    message_id: Mapped[uuid.UUID | None]
    phone_number_id: Mapped[uuid.UUID]
    # The conversation's team when it was counted.
    team_id: Mapped[uuid.UUID | None]
    actor_kind: Mapped[str | None]
    actor_id: Mapped[uuid.UUID | None]
    # How long it took by the clock, and within business hours as they were when it was counted.
    seconds: Mapped[int | None]
    open_seconds: Mapped[int | None]
    is_met: Mapped[bool | None]
    score: Mapped[str | None]


class MessageCount(TenantModel):
    """How many messages of one kind were written in a quarter of an hour of UTC, and how far they came.

    Days and hours of every time zone are whole quarters. `author_id` is an agent's.
    """

    __tablename__ = "report_message_counts"
    __table_args__ = (
        of_tenant(),
        one_of("sender", SENDERS),
        Index("ix_report_message_counts_quarter", "tenant_id", "quarter"),
    )

    quarter: Mapped[dt.datetime]
    phone_number_id: Mapped[uuid.UUID]
    sender: Mapped[str]
    author_id: Mapped[uuid.UUID | None]
    template_id: Mapped[uuid.UUID | None]
    messages: Mapped[int]
    accepted: Mapped[int]
    sent: Mapped[int]
    delivered: Mapped[int]
    read: Mapped[int]
    replied: Mapped[int]
    failed: Mapped[int]
    # Queued, on their way, or of unconfirmed delivery.
    unsettled: Mapped[int]


class StaleConversation(TenantModel):
    """A conversation whose facts have to be made again, because something happened in it at `since` or later."""

    __tablename__ = "report_stale_conversations"
    __table_args__ = (
        belongs_to("conversations", "conversation_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "conversation_id"),
    )

    conversation_id: Mapped[uuid.UUID]
    since: Mapped[dt.datetime]


class StaleQuarter(TenantModel):
    """A quarter of an hour whose messages have to be counted again."""

    __tablename__ = "report_stale_quarters"
    __table_args__ = (of_tenant(), UniqueConstraint("tenant_id", "quarter"))

    quarter: Mapped[dt.datetime]


class ReportProgress(TenantModel):
    """Up to when a business's reports are counted, and how far back: one per tenant.

    What was there before is counted a piece at a time, from the newest day to `back_to_quarter`, and conversations in
    the order of their ids from `after_conversation_id`; null: that is done.
    """

    __tablename__ = "report_progress"
    __table_args__ = (of_tenant(), UniqueConstraint("tenant_id"))

    counted_at: Mapped[dt.datetime | None]
    after_conversation_id: Mapped[uuid.UUID | None]
    back_to_quarter: Mapped[dt.datetime | None]

    @classmethod
    def locked(cls) -> Self:
        """Until the transaction ends no other job counts for this tenant."""
        one_at_a_time(cls.__tablename__)
        progress = db.session.scalar(select(cls))
        if progress is None:
            progress = cls(after_conversation_id=uuid.UUID(int=0), back_to_quarter=now())
            db.session.add(progress)
        return progress

    @property
    def is_complete(self) -> bool:
        return self.after_conversation_id is None and self.back_to_quarter is None


class ReportSubscription(TenantModel):
    """A member who gets the figures of each week by email, on Monday morning by their own clock."""

    __tablename__ = "report_subscriptions"
    __table_args__ = (
        belongs_to("memberships", "membership_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "membership_id"),
        Index("ix_report_subscriptions_next", "next_at"),
    )

    membership_id: Mapped[uuid.UUID]
    time_zone: Mapped[str]
    language: Mapped[str]
    next_at: Mapped[dt.datetime] = mapped_column()
    membership: Mapped[Membership] = relationship(viewonly=True)

    @classmethod
    def of(cls, membership: Membership) -> Self | None:
        return db.session.scalar(select(cls).where(cls.membership_id == membership.id))

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)

    def next_after(self, at: dt.datetime, business: zoneinfo.ZoneInfo) -> dt.datetime:
        """The next Monday morning; where the business's week is not over by then, as soon as it is."""
        monday = at.astimezone(self.zone).date()
        monday -= dt.timedelta(days=monday.weekday())
        while (moment := self.mailed_on(monday, business)) <= at:
            monday += dt.timedelta(days=7)
        return moment

    def mailed_on(self, monday: dt.date, business: zoneinfo.ZoneInfo) -> dt.datetime:
        mine = dt.datetime.combine(monday, MAILED_AT, self.zone)
        return max(mine, dt.datetime.combine(monday, COUNTED_BY, business)).astimezone(dt.UTC)
