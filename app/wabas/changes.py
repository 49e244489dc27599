"""A number's history: each change of its quality, limit, name and so on, with its moment."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Self

from sqlalchemy import Index, Select, UniqueConstraint, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import TenantModel, belongs_to, current_tenant_id, db, now, uuid7

BEGINNING = dt.datetime.fromtimestamp(0, dt.UTC)


class NumberChange(TenantModel):
    """`kind` is a column of the number's, or `alert` for a notice of Meta's."""

    __table_args__ = (
        belongs_to("phone_numbers", "phone_number_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "phone_number_id", "kind", "new", "occurred_at", name="uq_number_changes_once"),
        Index("ix_number_changes_recent", "tenant_id", "phone_number_id", "occurred_at"),
    )

    phone_number_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    old: Mapped[str] = mapped_column(default="")
    new: Mapped[str]
    occurred_at: Mapped[dt.datetime]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def record(cls, number_id: uuid.UUID, kind: str, old: str, new: str, at: dt.datetime) -> None:
        """Stores a change; the same one a second time changes nothing."""
        row = {"tenant_id": current_tenant_id(), "id": uuid7(), "phone_number_id": number_id, "kind": kind}
        row |= {"old": old, "new": new, "occurred_at": at, "created_at": now()}
        db.session.execute(insert(cls).values(row).on_conflict_do_nothing())

    @classmethod
    def newest_at(cls, number_id: uuid.UUID, kind: str) -> dt.datetime:
        newest = select(func.max(cls.occurred_at)).where(cls.phone_number_id == number_id, cls.kind == kind)
        return db.session.scalar(newest) or BEGINNING

    @classmethod
    def of(cls, number_id: uuid.UUID, since: dt.datetime) -> Select[Self]:
        recent = select(cls).where(cls.phone_number_id == number_id, cls.occurred_at > since)
        return recent.order_by(cls.occurred_at.desc(), cls.id.desc())
