"""The access log: who of the platform read a tenant's messages, and why. Its owner sees it; no one can change it."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import Select, select
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import TenantModel, db, now, of_tenant, one_of

from .people import PlatformAdmin

LOOK_KINDS = ("message", "post", "journal")


class Look(TenantModel):
    """One access to a message, to a whole webhook event with the tenant's part in it, or to a journal's message id."""

    __table_args__ = (of_tenant(), one_of("kind", LOOK_KINDS))

    platform_admin_id: Mapped[uuid.UUID]
    name: Mapped[str]
    kind: Mapped[str]
    subject: Mapped[str]
    reason: Mapped[str]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def record(cls, admin: PlatformAdmin, tenant_id: uuid.UUID, kind: str, subject: str, reason: str) -> None:
        look = cls(tenant_id=tenant_id, platform_admin_id=admin.id, name=admin.name, kind=kind, subject=subject)
        look.reason = reason
        db.session.add(look)

    @classmethod
    def newest_first(cls, before: uuid.UUID | None = None) -> Select[Look]:
        query = select(cls).order_by(cls.id.desc())
        return query.where(cls.id < before) if before else query
