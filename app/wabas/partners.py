"""Accounts that clients have shared with us, as Meta tells us: before, or without, any tenant's browser."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Self

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from app.meta.events import AccountUpdate, Event
from app.tenancy import GlobalModel, db
from app.tenancy.models import WabaRoute

SHARED, UNSHARED = ("PARTNER_ADDED", "PARTNER_APP_INSTALLED"), ("PARTNER_REMOVED", "PARTNER_APP_UNINSTALLED")


class PartnerWaba(GlobalModel):
    __tablename__ = "partner_wabas"

    meta_id: Mapped[str] = mapped_column(primary_key=True)
    owner_business_id: Mapped[str]
    shared_at: Mapped[dt.datetime]
    removed_at: Mapped[dt.datetime | None]

    @classmethod
    def note(cls, events: Iterable[Event]) -> None:
        """What Meta says of sharing. Needs a platform scope; in order of ids, so that two drains never wait in
        a circle."""
        told = [event for event in events if isinstance(event, AccountUpdate) and event.waba_id]
        for event in sorted(told, key=lambda event: (str(event.waba_id), event.timestamp)):
            if event.event in SHARED and event.owner_business_id:
                cls.share(event)
            elif event.event in UNSHARED and "phone_number" not in event.value:
                db.session.execute(
                    cls.__table__.update()  # type: ignore[attr-defined]
                    .where(cls.meta_id == event.waba_id, cls.shared_at <= event.timestamp)
                    .values(removed_at=event.timestamp)
                )

    @classmethod
    def share(cls, event: AccountUpdate) -> None:
        row = {"meta_id": event.waba_id, "owner_business_id": event.owner_business_id, "shared_at": event.timestamp}
        new = insert(cls).values(row)
        fresh = {"shared_at": func.greatest(cls.shared_at, event.timestamp), "removed_at": None}
        known = fresh | {"owner_business_id": event.owner_business_id}
        db.session.execute(new.on_conflict_do_update(index_elements=["meta_id"], set_=known))

    @classmethod
    def orphans(cls) -> Select[Self]:
        """Shared with us, and connected by no tenant. Needs a platform scope."""
        owned = select(WabaRoute.meta_id).where(WabaRoute.meta_id == cls.meta_id).exists()
        return select(cls).where(~owned, cls.removed_at.is_(None)).order_by(cls.shared_at.desc()).limit(50)
