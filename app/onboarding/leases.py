"""One worker at a time: the holder of an attempt's lease may write to it, and a fence stops whoever lost it."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import ColumnElement, Select, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import TenantModel, database_now, db

# Longer than a step's calls to Meta may take together.
LEASE = dt.timedelta(minutes=3)
# Nothing loaded depends on it: to find out which objects a statement changes takes longer than the statement.
ONLY_THERE = {"synchronize_session": False}


class Leased(TenantModel):
    """A row that is `running` and due goes to the first worker that takes its lease."""

    __abstract__ = True

    state: Mapped[str]
    lease_until: Mapped[dt.datetime | None]
    fence: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[dt.datetime | None]

    def take_lease(self) -> int | None:
        """Takes the lease if it is free and due; the fence under which this worker may write."""
        kind = type(self)
        fence = db.session.scalar(
            update(kind)
            .where(kind.id == self.id, *kind.is_due())
            .values(lease_until=database_now() + LEASE, fence=kind.fence + 1, next_attempt_at=None)
            .returning(kind.fence)
        )
        db.session.refresh(self)
        return fence

    def renew_lease(self, fence: int) -> bool:
        """Prolongs the lease; False where another worker has taken it."""
        kind = type(self)
        mine = kind.id == self.id, kind.fence == fence, kind.lease_until.is_not(None)
        renewed = update(kind).where(*mine).values(lease_until=database_now() + LEASE)
        return db.session.scalar(renewed.returning(kind.id), execution_options=ONLY_THERE) is not None

    @classmethod
    def is_due(cls) -> tuple[ColumnElement[bool], ...]:
        free = or_(cls.lease_until.is_(None), cls.lease_until < database_now())
        due = or_(cls.next_attempt_at.is_(None), cls.next_attempt_at <= database_now())
        return cls.state == "running", free, due

    @classmethod
    def left_running(cls) -> Select[uuid.UUID, uuid.UUID]:
        """Attempts that are due: a worker died, a job was lost, or a wait is over. Needs a platform scope."""
        return select(cls.tenant_id, cls.id).where(*cls.is_due())
