"""Who changed the team and its API keys. Owners see it; no one can change it."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import Select, select
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import TenantModel, User, db, now, of_tenant, one_of

TEAM_CHANGES = (
    "role",
    "removal",
    "invitation",
    "joining",
    "key_creation",
    "key_name",
    "key_scopes",
    "key_networks",
    "key_expiry",
    "key_renewal",
    "key_revocation",
    "second_step_rule",
    "second_step_reset",
)


class TeamChange(TenantModel):
    """One change, with the names as they were then. `about` is whom or which API key it was about.

    `old` and `new` are roles; of a rule “required” or “optional”; of a key they are names, times, or scopes or
    networks with a space between them.
    """

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

    @property
    def added(self) -> list[str]:
        """Of scopes or networks: what only `new` has."""
        return [word for word in self.new.split() if word not in self.old.split()]

    @property
    def removed(self) -> list[str]:
        return [word for word in self.old.split() if word not in self.new.split()]

    @property
    def time(self) -> dt.datetime | None:
        """Of an expiry or a renewal: the new end of the key, or the end of its old secret."""
        return dt.datetime.fromisoformat(self.new) if self.new else None

    @classmethod
    def newest_first(cls) -> Select[TeamChange]:
        return select(cls).order_by(cls.id.desc())
