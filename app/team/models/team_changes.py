"""Who changed the team: roles, removals, invitations. Owners see it; no one can change it."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import Select, select
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import TenantModel, User, db, now, of_tenant, one_of

TEAM_CHANGES = ("role", "removal", "invitation", "joining")


class TeamChange(TenantModel):
    """One change, with the names as they were then. `about` is whom it was about, `old` and `new` are roles."""

    __table_args__ = (of_tenant(), one_of("kind", TEAM_CHANGES))

    by_id: Mapped[uuid.UUID]
    by_name: Mapped[str]
    kind: Mapped[str]
    about: Mapped[str]
    old: Mapped[str] = mapped_column(default="")
    new: Mapped[str] = mapped_column(default="")
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def record(cls, kind: str, about: str, *, by: User, old: str = "", new: str = "") -> None:
        db.session.add(cls(by_id=by.id, by_name=by.name, kind=kind, about=about, old=old, new=new))

    @classmethod
    def newest_first(cls) -> Select[TeamChange]:
        return select(cls).order_by(cls.id.desc())
