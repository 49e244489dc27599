"""Saved views: lists that somebody saved, for themselves or for everyone."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import Select, false, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from app.team.models.teams import of_member
from app.tenancy import Membership, TenantModel, now

MOST = 30


class SavedView(TenantModel):
    """A named list. `is_shared`: everyone sees it; whoever manages the desk may change it as well as its owner."""

    __table_args__ = (of_member("owner_id"),)

    name: Mapped[str]
    owner_id: Mapped[uuid.UUID]
    is_shared: Mapped[bool] = mapped_column(default=False, server_default=false())
    # The query of the list's address (`ConversationList.arguments`).
    arguments: Mapped[dict[str, Any]]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def for_member(cls, member: Membership) -> Select[SavedView]:
        """The member's own and the shared views, at most MOST."""
        mine = or_(cls.is_shared, cls.owner_id == member.user_id)
        return select(cls).where(mine).order_by(cls.name, cls.id).limit(MOST)

    def may_be_changed_by(self, member: Membership) -> bool:
        return self.owner_id == member.user_id or (self.is_shared and member.may("desk.manage"))
