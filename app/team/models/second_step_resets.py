from __future__ import annotations

import datetime as dt
import uuid
from typing import ClassVar, Self

from sqlalchemy import ForeignKey, Index, Select, select, text
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from app.tenancy import GlobalModel, User, db, now, one_of, uuid7

from .people import PlatformAdmin
from .second_steps import SecondStep, lock


class NotNeeded(Exception):
    """The person has no two-step sign-in, or a reset of it waits already."""


class NotBySelf(Exception):
    """A reset needs a second admin: neither the one who asked for it, nor the one it is for."""


class SecondStepReset(GlobalModel):
    """An admin asks to turn off somebody's lost second step; a second admin approves. Needs a platform scope."""

    __tablename__ = "second_step_resets"
    STATES: ClassVar[tuple[str, ...]] = ("waiting", "done", "withdrawn")
    __table_args__ = (
        one_of("state", STATES),
        Index(
            "uq_second_step_resets_waiting",
            text("coalesce(user_id, platform_admin_id)"),
            unique=True,
            postgresql_where=text("state = 'waiting'"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    platform_admin_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("platform_admins.id", ondelete="CASCADE"))
    state: Mapped[str]
    reason: Mapped[str]
    by_id: Mapped[uuid.UUID]
    by_name: Mapped[str]
    approved_by_name: Mapped[str] = mapped_column(default="")
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    finished_at: Mapped[dt.datetime | None]
    user: Mapped[User | None] = relationship()
    platform_admin: Mapped[PlatformAdmin | None] = relationship()

    @classmethod
    def ask(cls, who: User | PlatformAdmin, reason: str, *, by: PlatformAdmin) -> Self:
        """Raises `NotNeeded`, or `NotBySelf` for one's own."""
        if by.id == who.id:
            raise NotBySelf
        if lock(who).second_step_at is None or db.session.scalar(cls.waiting_for(who)):
            raise NotNeeded
        made = cls(state="waiting", reason=reason, by_id=by.id, by_name=by.name)
        if who.is_platform_admin:
            made.platform_admin_id = who.id
        else:
            made.user_id = who.id
        db.session.add(made)
        db.session.flush()
        return made

    @classmethod
    def waiting_for(cls, who: User | PlatformAdmin) -> Select[Self]:
        mine = (cls.platform_admin_id if who.is_platform_admin else cls.user_id) == who.id
        return select(cls).where(mine, cls.state == "waiting")

    @classmethod
    def newest_first(cls) -> Select[Self]:
        people = joinedload(cls.user), joinedload(cls.platform_admin)
        return select(cls).options(*people).order_by((cls.state == "waiting").desc(), cls.id.desc())

    @property
    def who(self) -> User | PlatformAdmin:
        who = self.platform_admin if self.platform_admin_id else self.user
        assert who
        return who

    def approve(self, *, by: PlatformAdmin) -> bool:
        """Turns it off and ends the person's sessions. False if it waited no more. Raises `NotBySelf`."""
        if not self.is_waiting():
            return False
        if by.id in (self.by_id, self.who.id):
            raise NotBySelf
        self.state, self.approved_by_name, self.finished_at = "done", by.name, now()
        if lock(self.who).second_step_at:
            SecondStep.turn_off(self.who, kind="reset")
        return True

    def withdraw(self) -> bool:
        if not self.is_waiting():
            return False
        self.state, self.finished_at = "withdrawn", now()
        return True

    def is_waiting(self) -> bool:
        """Reads it again, locked: two admins may press a button at once."""
        db.session.refresh(self, with_for_update={"of": SecondStepReset})
        return self.state == "waiting"
