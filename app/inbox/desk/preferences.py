"""How one agent likes the desk: other keys than ours, and the view they begin with."""

from __future__ import annotations

import uuid

from sqlalchemy import UniqueConstraint, select, true
from sqlalchemy.orm import Mapped, mapped_column

from app.team.models.teams import of_member
from app.tenancy import Membership, TenantModel, db


class DeskPreference(TenantModel):
    __table_args__ = (UniqueConstraint("tenant_id", "user_id"), of_member("user_id"))

    user_id: Mapped[uuid.UUID]
    # `command=key`, those that differ from ours.
    keys: Mapped[list[str]] = mapped_column(default=list)
    first_view: Mapped[str] = mapped_column(default="all")
    # Else only with Ctrl or Cmd, and Enter starts a new line.
    enter_sends: Mapped[bool] = mapped_column(default=True, server_default=true())

    @classmethod
    def of(cls, member: Membership) -> DeskPreference:
        found = db.session.scalar(select(cls).where(cls.user_id == member.user_id))
        return found or cls(user_id=member.user_id, keys=[], first_view="all", enter_sends=True)

    @property
    def remapped(self) -> dict[str, str]:
        return dict(pair.split("=", 1) for pair in self.keys)
