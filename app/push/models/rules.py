"""What one member wants to be notified of, and when not."""

from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo

from sqlalchemy import Index, UniqueConstraint, select, text, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.inbox.conversations import Conversation
from app.tenancy import Membership, TenantModel, belongs_to, db, one_of

ABOUT = ("all", "mine_and_unassigned", "mine", "none")
DIGESTS = ("off", "hourly", "daily")
DAILY_AT = dt.time(8)


class NotificationRule(TenantModel):
    """Without a row, the usual holds."""

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
    # Those who may write or approve templates hear of reviews, rejections and pauses.
    templates: Mapped[bool] = mapped_column(default=True, server_default=true())
    # Ids of muted numbers; a new number is not muted.
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
        rule = db.session.scalar(select(cls).where(cls.membership_id == membership.id))
        return rule or cls.usual(membership)

    @classmethod
    def usual(cls, membership: Membership) -> NotificationRule:
        """What holds for a member who has chosen nothing yet. It is stored once they do."""
        return cls(
            membership_id=membership.id,
            about="mine_and_unassigned",
            mentions=True,
            closing=True,
            templates=True,
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
        return self.covers(conversation, user_id) and (kind != "closing" or self.closing)

    def covers(self, conversation: Conversation, user_id: uuid.UUID) -> bool:
        """Whether this conversation is one of those the member cares for."""
        if str(conversation.phone_number_id) in self.muted_numbers:
            return False
        holder = conversation.assignee_id
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
