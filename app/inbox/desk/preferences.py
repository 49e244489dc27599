"""One agent's preferences: keys that differ from ours, the view the inbox opens with, whether Enter sends."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import UniqueConstraint, select, true
from sqlalchemy.orm import Mapped, mapped_column

from app.team.models.teams import of_member
from app.tenancy import Membership, TenantModel, User, db

UNDO_SECONDS = (0, 5, 10)
USUAL_SECONDS = 5
# Short messages wait so long for the next one, and go out as one with it.
MERGE_SECONDS = 20


class DeskPreference(TenantModel):
    """The preferences of one member."""

    __table_args__ = (UniqueConstraint("tenant_id", "user_id"), of_member("user_id"))

    user_id: Mapped[uuid.UUID]
    # `command=key`, only for those that differ from ours.
    keys: Mapped[list[str]] = mapped_column(default=list)
    first_view: Mapped[str] = mapped_column(default="all")
    # False: Ctrl+Enter or Cmd+Enter sends, and Enter starts a new line.
    enter_sends: Mapped[bool] = mapped_column(default=True, server_default=true())
    # For how long they can take back what they send: one of UNDO_SECONDS, or MERGE_SECONDS.
    undo_seconds: Mapped[int] = mapped_column(default=USUAL_SECONDS, server_default="5")

    @classmethod
    def get_or_new(cls, member: Membership) -> DeskPreference:
        """The member's row, or the defaults as a row that has not been added."""
        saved = db.session.scalar(select(cls).where(cls.user_id == member.user_id))
        return saved or cls(
            user_id=member.user_id, keys=[], first_view="all", enter_sends=True, undo_seconds=USUAL_SECONDS
        )

    @classmethod
    def seconds_of(cls, user: User) -> int:
        seconds = db.session.scalar(select(cls.undo_seconds).where(cls.user_id == user.id))
        return USUAL_SECONDS if seconds is None else seconds

    @classmethod
    def undo_of(cls, user: User) -> dt.timedelta:
        """For how long somebody can take back what they send."""
        seconds = cls.seconds_of(user)
        return dt.timedelta(seconds=USUAL_SECONDS if seconds == MERGE_SECONDS else seconds)

    @classmethod
    def merging_of(cls, user: User) -> dt.timedelta | None:
        """For how long somebody's short messages wait for the next one; None where each goes out alone."""
        return dt.timedelta(seconds=MERGE_SECONDS) if cls.seconds_of(user) == MERGE_SECONDS else None

    @property
    def custom_keys(self) -> dict[str, str]:
        """The key of each command that has another one than ours."""
        return dict(pair.split("=", 1) for pair in self.keys)
