"""The browsers of a member, and how each is reached."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from typing import Self

from sqlalchemy import Index, Select, UniqueConstraint, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.push.web_push import Target
from app.team.models import UserSession
from app.tenancy import Membership, TenantModel, belongs_to, current_tenant_id, db, now, uuid7
from app.tenancy.sealed import Sealed

MOST_BROWSERS = 20
# A browser that took nothing for so long is gone.
PATIENCE = dt.timedelta(days=14)


class PushSubscription(TenantModel):
    """One browser of one member. It sleeps while that member is not signed in there."""

    __table_args__ = (
        belongs_to("memberships", "membership_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "membership_id", "endpoint_hash"),
        Index("ix_push_subscriptions_session", "session_id"),
    )

    membership_id: Mapped[uuid.UUID]
    # No foreign key: in a cluster sessions stay on one machine, apart from tenants' rows.
    session_id: Mapped[uuid.UUID | None]
    # An address that anybody may call who knows it, so it is encrypted like a password.
    endpoint_hash: Mapped[str]
    target = Sealed()
    target_ciphertext: Mapped[bytes]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    notified_at: Mapped[dt.datetime | None] = mapped_column()
    failing_since: Mapped[dt.datetime | None]
    device: Mapped[str] = mapped_column(default="")
    membership: Mapped[Membership] = relationship(viewonly=True, lazy="joined", innerjoin=True)

    @classmethod
    def of(cls, membership: Membership) -> Select[Self]:
        return select(cls).where(cls.membership_id == membership.id).order_by(cls.created_at.desc(), cls.id)

    @classmethod
    def awake(cls, membership: Membership | None = None) -> list[Self]:
        """The browsers in which their members are signed in: this member's, or everybody's."""
        cls.let_sleep()
        mine = cls.of(membership) if membership else select(cls)
        return list(db.session.scalars(mine.where(cls.session_id.is_not(None))))

    @classmethod
    def let_sleep(cls) -> None:
        """Marks the browsers as asleep whose session has ended."""
        query = select(cls.session_id).where(cls.session_id.is_not(None)).distinct()
        used = {session_id for session_id in db.session.scalars(query) if session_id}
        if ended := used - UserSession.open_among(used):
            asleep = update(cls).where(cls.session_id.in_(ended)).values(session_id=None)
            db.session.execute(asleep, execution_options={"synchronize_session": "fetch"})

    @classmethod
    def save(cls, membership: Membership, target: Target, *, session_id: uuid.UUID, device: str) -> Self:
        """Saves this member's browser at this address, new or existing."""
        here = digest(target.endpoint)
        existing = db.session.scalar(cls.of(membership).where(cls.endpoint_hash == here))
        mine = existing or cls(id=uuid7(), tenant_id=current_tenant_id(), membership_id=membership.id)
        mine.reach_at(target, session_id=session_id, device=device)
        db.session.add(mine)
        db.session.flush()
        mine.drop_oldest()
        return mine

    def reach_at(self, target: Target, *, session_id: uuid.UUID, device: str) -> None:
        self.endpoint_hash = digest(target.endpoint)
        self.target = target.as_json()
        self.session_id, self.device, self.failing_since = session_id, device, None

    def drop_oldest(self) -> None:
        """Deletes the oldest browsers beyond the limit per member."""
        mine = select(PushSubscription.id).where(PushSubscription.membership_id == self.membership_id)
        newest = mine.order_by(PushSubscription.created_at.desc(), PushSubscription.id).limit(MOST_BROWSERS)
        old = delete(PushSubscription).where(
            PushSubscription.membership_id == self.membership_id, PushSubscription.id.not_in(newest)
        )
        db.session.execute(old)

    @property
    def destination(self) -> Target:
        return Target(**json.loads(self.target))

    @property
    def is_asleep(self) -> bool:
        return self.session_id is None

    def note_delivery(self) -> None:
        self.notified_at, self.failing_since = now(), None

    def note_failure(self) -> None:
        """It is forgotten when that lasts."""
        self.failing_since = self.failing_since or now()
        if self.failing_since < now() - PATIENCE:
            db.session.delete(self)


def digest(endpoint: str) -> str:
    return hashlib.sha256(endpoint.encode()).hexdigest()
