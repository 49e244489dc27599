"""Views that somebody put together and kept, for themselves or for everybody."""

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
    __table_args__ = (of_member("owner_id"),)

    name: Mapped[str]
    owner_id: Mapped[uuid.UUID]
    is_shared: Mapped[bool] = mapped_column(default=False, server_default=false())
    # What stands in the address of the list.
    arguments: Mapped[dict[str, Any]]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def for_member(cls, member: Membership) -> Select[SavedView]:
        mine = or_(cls.is_shared, cls.owner_id == member.user_id)
        return select(cls).where(mine).order_by(cls.name, cls.id).limit(MOST)

    def may_be_changed_by(self, member: Membership) -> bool:
        return self.owner_id == member.user_id or (self.is_shared and member.may("desk.manage"))
