"""The platform's credit line, as shared with the business that owns a WABA."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Self

from sqlalchemy import UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import TenantModel, belongs_to, db, now

from .models import Waba


class CreditLineShare(TenantModel):
    """The platform's credit line as shared with a WABA's owner; `allocation_config_id` revokes it."""

    __table_args__ = (belongs_to("wabas", "waba_id"), UniqueConstraint("tenant_id", "waba_id"))

    waba_id: Mapped[uuid.UUID]
    credit_line_id: Mapped[str]
    allocation_config_id: Mapped[str]
    currency: Mapped[str]
    verified_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def of(cls, waba: Waba) -> Self | None:
        return db.session.scalar(select(cls).where(cls.waba_id == waba.id))

    @classmethod
    def record(cls, waba: Waba, credit_line_id: str, allocation_config_id: str, currency: str) -> Self:
        """Meta has shared the line with this WABA's owner."""
        share = cls.of(waba) or cls(waba_id=waba.id, credit_line_id=credit_line_id)
        if share.allocation_config_id != allocation_config_id:
            share.created_at = now()
        share.credit_line_id, share.allocation_config_id = credit_line_id, allocation_config_id
        share.currency = currency
        db.session.add(share)
        db.session.flush()
        return share
