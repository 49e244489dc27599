"""Whom to tell of what, in which browser, and what waits to be told."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
import zoneinfo
from typing import Self

from sqlalchemy import ColumnElement, ForeignKey, Index, Select, UniqueConstraint, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import vault
from app.inbox.models import Conversation
from app.tenancy import Membership, TenantModel, belongs_to, current_tenant_id, db, now, one_of, uuid7

from .push import Target

KINDS = ("message", "mention", "assignment", "closing", "test")
ABOUT = ("all", "mine_and_unassigned", "mine", "none")
DIGESTS = ("off", "hourly", "daily")
DAILY_AT = dt.time(8)
MOST_BROWSERS = 20
# How long after a try the next one follows; after the last of them it is given up.
PAUSES = (dt.timedelta(seconds=10), dt.timedelta(minutes=1), dt.timedelta(minutes=10))
LEASE = dt.timedelta(seconds=60)
# What could not be told for so long is no news any more; the inbox shows it.
STALE = dt.timedelta(hours=4)
# A browser that took nothing for so long is gone.
PATIENCE = dt.timedelta(days=14)


class NotificationRule(TenantModel):
    """What one member wants to be told, and when not. Without a row, the defaults hold."""

    __table_args__ = (
        belongs_to("memberships", "membership_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "membership_id"),
        one_of("about", ABOUT),
        one_of("digest", DIGESTS),
        Index("ix_notification_rules_digest", "next_digest_at", postgresql_where=text("digest <> 'off'")),
    )

    membership_id: Mapped[uuid.UUID]
    about: Mapped[str]
    mentions: Mapped[bool]
    closing: Mapped[bool]
    # Ids of numbers this member wants to hear nothing of; a number that is new is heard.
    muted_numbers: Mapped[list[str]]
    preview: Mapped[bool]
    sound: Mapped[bool]
    quiet_from: Mapped[dt.time | None]
    quiet_until: Mapped[dt.time | None]
    time_zone: Mapped[str]
    digest: Mapped[str]
    digest_sent_at: Mapped[dt.datetime | None]
    next_digest_at: Mapped[dt.datetime | None]
    membership: Mapped[Membership] = relationship(viewonly=True)

    @classmethod
    def of(cls, membership: Membership) -> NotificationRule:
        found = db.session.scalar(select(cls).where(cls.membership_id == membership.id))
        return found or cls.usual(membership)

    @classmethod
    def usual(cls, membership: Membership) -> NotificationRule:
        """What holds for a member who has chosen nothing yet. It is stored once they do."""
        return cls(
            membership_id=membership.id,
            about="mine_and_unassigned",
            mentions=True,
            closing=True,
            muted_numbers=[],
            preview=True,
            sound=True,
            time_zone="UTC",
            digest="off",
        )

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)

    def is_quiet(self, at: dt.datetime) -> bool:
        """Whether it is in the quiet hours, which may go over midnight."""
        begin, end, clock = self.quiet_from, self.quiet_until, at.astimezone(self.zone).time()
        if begin is None or end is None or begin == end:
            return False
        return begin <= clock < end if begin < end else clock >= begin or clock < end

    def quiet_ends(self, at: dt.datetime) -> dt.datetime:
        assert self.quiet_until is not None
        return self.next_at(self.quiet_until, at)

    def next_at(self, clock: dt.time, after: dt.datetime) -> dt.datetime:
        """When it is next so late where this member lives."""
        local = after.astimezone(self.zone)
        today = dt.datetime.combine(local.date(), clock, self.zone)
        tomorrow = dt.datetime.combine(local.date() + dt.timedelta(days=1), clock, self.zone)
        return (today if today > local else tomorrow).astimezone(dt.UTC)

    def wants(self, kind: str, conversation: Conversation, user_id: uuid.UUID) -> bool:
        if kind in ("mention", "assignment"):
            return self.mentions
        return self.hears(conversation, user_id) and (kind != "closing" or self.closing)

    def hears(self, conversation: Conversation, user_id: uuid.UUID) -> bool:
        """Whether this conversation is one of those the member cares for."""
        if str(conversation.phone_number_id) in self.muted_numbers:
            return False
        holder = getattr(conversation, "assignee_id", None)
        match self.about:
            case "all":
                return True
            case "mine_and_unassigned":
                return holder in (None, user_id)
            case "mine":
                return holder == user_id
        return False

    def change_digest(self, digest: str, at: dt.datetime) -> None:
        self.digest = digest
        self.next_digest_at = self.next_digest_after(at)

    def next_digest_after(self, at: dt.datetime) -> dt.datetime:
        return self.next_at(DAILY_AT, at) if self.digest == "daily" else at

    def mute(self, numbers: list[str]) -> None:
        self.muted_numbers = sorted(numbers)


class PushSubscription(TenantModel):
    """One browser of one member. It sleeps while that member is not signed in there."""

    __table_args__ = (
        belongs_to("memberships", "membership_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "membership_id", "endpoint_hash"),
        Index("ix_push_subscriptions_session", "session_id"),
    )

    membership_id: Mapped[uuid.UUID]
    session_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_sessions.id", ondelete="SET NULL"))
    # An address that anybody may call who knows it, so it is kept like a password.
    endpoint_hash: Mapped[str]
    target_ciphertext: Mapped[bytes]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    told_at: Mapped[dt.datetime | None]
    failing_since: Mapped[dt.datetime | None]
    device: Mapped[str] = mapped_column(default="")
    membership: Mapped[Membership] = relationship(viewonly=True, lazy="joined", innerjoin=True)

    @classmethod
    def of(cls, membership: Membership) -> Select[Self]:
        return select(cls).where(cls.membership_id == membership.id).order_by(cls.created_at.desc(), cls.id)

    @classmethod
    def awake(cls) -> Select[Self]:
        return select(cls).where(cls.session_id.is_not(None))

    @classmethod
    def keep(cls, membership: Membership, target: Target, *, session_id: uuid.UUID, device: str) -> Self:
        """This member's browser at this address: the one that is known, or a new one."""
        here = digest(target.endpoint)
        known = db.session.scalar(cls.of(membership).where(cls.endpoint_hash == here))
        mine = known or cls(id=uuid7(), tenant_id=current_tenant_id(), membership_id=membership.id)
        mine.reach_at(target, session_id=session_id, device=device)
        db.session.add(mine)
        db.session.flush()
        mine.drop_oldest()
        return mine

    def reach_at(self, target: Target, *, session_id: uuid.UUID, device: str) -> None:
        self.endpoint_hash = digest(target.endpoint)
        self.target = target
        self.session_id, self.device, self.failing_since = session_id, device, None

    def drop_oldest(self) -> None:
        """Nobody works in that many browsers."""
        mine = select(PushSubscription.id).where(PushSubscription.membership_id == self.membership_id)
        kept = mine.order_by(PushSubscription.created_at.desc(), PushSubscription.id).limit(MOST_BROWSERS)
        old = delete(PushSubscription).where(
            PushSubscription.membership_id == self.membership_id, PushSubscription.id.not_in(kept)
        )
        db.session.execute(old)

    @property
    def target(self) -> Target:
        return Target(**json.loads(vault.decrypt(self.target_ciphertext, self.place("target"))))

    @target.setter
    def target(self, value: Target) -> None:
        self.target_ciphertext = vault.encrypt(value.as_json(), self.place("target"))

    @property
    def is_asleep(self) -> bool:
        return self.session_id is None

    def took_it(self) -> None:
        self.told_at, self.failing_since = now(), None

    def took_nothing(self) -> None:
        """It is forgotten when that lasts."""
        self.failing_since = self.failing_since or now()
        if self.failing_since < now() - PATIENCE:
            db.session.delete(self)


def digest(endpoint: str) -> str:
    return hashlib.sha256(endpoint.encode()).hexdigest()


class Notification(TenantModel):
    """What one browser is still to be told. There is one for each conversation: the newest replaces what waits."""

    __table_args__ = (
        belongs_to("push_subscriptions", "subscription_id", ondelete="CASCADE"),
        belongs_to("conversations", "conversation_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "subscription_id", "conversation_id"),
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
        again = {"kind": kind, "attempts": 0, **fresh}
        made = insert(cls).values(**values, **fresh)
        key = ["tenant_id", "subscription_id", "conversation_id"]
        db.session.execute(made.on_conflict_do_update(index_elements=key, set_=again))

    @classmethod
    def claim(cls, limit: int) -> list[Self]:
        """Takes what is due. Whoever dies with it has it tried again when the lease ends."""
        due = select(cls).where(cls.next_attempt_at <= func.clock_timestamp()).order_by(cls.next_attempt_at)
        mine = db.session.scalars(due.limit(limit).with_for_update(of=cls, skip_locked=True)).all()
        for one in mine:
            one.attempts += 1
            one.next_attempt_at = now() + LEASE
        return list(mine)

    @property
    def is_news(self) -> bool:
        """Whether it is still worth telling: nobody has read it meanwhile, and the member is signed in there."""
        if self.created_at < now() - STALE or self.subscription.is_asleep:
            return False
        return self.kind != "message" or bool(self.conversation and self.conversation.unread_count)

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
