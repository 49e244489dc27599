"""Closes a whole business: asked for with a reason, approved by a second admin, then step by step.

What changes a closure and its balance takes the ledger's lock first: two admins may press a button at once.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Self

import structlog
from sqlalchemy import Index, Select, select, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.billing.guard import balance_to_guard
from app.billing.ledger import Ledger
from app.tenancy import (
    Tenant,
    TenantModel,
    commit,
    current_tenant_id,
    database_now,
    db,
    later,
    now,
    of_tenant,
    one_of,
)
from app.wabas.offboarding import Offboarding

from .steps import STEPS, ClosureStep, NotYet

log = structlog.get_logger()

STATES = ("requested", "waiting", "running", "done", "withdrawn", "reopened")
OPEN = ("requested", "waiting", "running")
# Longer than a step takes between two commits; what waits for Meta or for a send is looked at again sooner.
LEASE, AGAIN = dt.timedelta(minutes=3), dt.timedelta(seconds=10)


class SameAdmin(Exception):
    """Closing needs a second admin: not the one who asked for it."""


class AlreadyOpen(Exception):
    """The business is closed, or is being closed."""


class Closure(TenantModel):
    """Asked for by an owner (`requested`) or an admin; runs once a second admin has approved it.

    Each step may run twice, and the process be killed between any two: it continues with the first that is not done.
    """

    __table_args__ = (
        of_tenant(),
        one_of("state", STATES),
        Index(
            "uq_closures_open",
            "tenant_id",
            unique=True,
            postgresql_where=text("state in ('requested', 'waiting', 'running')"),
        ),
        Index("ix_closures_running", "next_attempt_at", postgresql_where=text("state = 'running'")),
    )

    state: Mapped[str]
    # What an owner wrote who asked for it.
    wish: Mapped[str] = mapped_column(default="")
    wished_by_name: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    by_id: Mapped[uuid.UUID | None]
    by_name: Mapped[str] = mapped_column(default="")
    approved_by_name: Mapped[str] = mapped_column(default="")
    next_attempt_at: Mapped[dt.datetime] = mapped_column(default=now)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    finished_at: Mapped[dt.datetime | None]
    steps: Mapped[list[ClosureStep]] = relationship(viewonly=True, order_by=ClosureStep.position)

    @classmethod
    def newest_first(cls) -> Select[Self]:
        return select(cls).order_by(cls.id.desc())

    @classmethod
    def open_one(cls) -> Self | None:
        """The one of the current tenant that is asked for or under way, locked."""
        return db.session.scalar(select(cls).where(cls.state.in_(OPEN)).with_for_update(of=cls))

    @classmethod
    def request(cls, wish: str, *, by_name: str) -> Self:
        """An owner asks for it. Nothing happens before the operator agrees. Raises `AlreadyOpen`."""
        balance = Ledger().balance
        if cls.open_one() or (balance and balance.is_closed):
            raise AlreadyOpen
        closure = cls(state="requested", wish=wish, wished_by_name=by_name)
        db.session.add(closure)
        db.session.flush()
        return closure

    @classmethod
    def ask(cls, reason: str, *, by_id: uuid.UUID, by_name: str) -> Self:
        """An admin asks for it, also because an owner has. It waits for a second admin. Raises `AlreadyOpen`."""
        balance, closure = Ledger().balance, cls.open_one()
        if (balance and balance.is_closed) or (closure and closure.state != "requested"):
            raise AlreadyOpen
        closure = closure or cls()
        closure.state, closure.reason, closure.by_id, closure.by_name = "waiting", reason, by_id, by_name
        db.session.add(closure)
        db.session.flush()
        return closure

    def approve(self, *, by_id: uuid.UUID, by_name: str) -> bool:
        """A second admin agrees: no message is queued from here on, and the steps begin. Raises `SameAdmin`.

        Returns whether it was still waiting for that, as `withdraw` and `reopen` do.
        """
        balance = balance_to_guard()
        if self.refresh_locked().state != "waiting":
            return False
        if by_id == self.by_id:
            raise SameAdmin
        self.state, self.approved_by_name, self.next_attempt_at = "running", by_name, now()
        db.session.add_all(
            ClosureStep(closure_id=self.id, position=place, name=name) for place, name in enumerate(STEPS)
        )
        balance.stage = "closed"
        later("closing.go", self.id)
        return True

    def withdraw(self) -> bool:
        if self.refresh_locked().state not in ("requested", "waiting"):
            return False
        self.state, self.finished_at = "withdrawn", database_now()
        return True

    def retry(self) -> None:
        """Asks Meta again for what it has refused, and goes on."""
        if self.refresh_locked().state != "running":
            return
        for failed in db.session.scalars(select(Offboarding).where(Offboarding.state == "failed")):
            failed.retry()
        self.next_attempt_at = now()
        later("closing.go", self.id)

    def go(self) -> None:
        """Runs the steps that are left. One that has to wait is looked at again."""
        if self.refresh_locked().state != "running" or self.next_attempt_at > now():
            return
        self.next_attempt_at = now() + LEASE
        commit()
        for step in self.steps:
            if step.done_at:
                continue
            try:
                STEPS[step.name].run(step, self.reason, self.by_name)
            except NotYet:
                self.next_attempt_at = now() + AGAIN
                return
            step.done_at = database_now()
            commit()
        self.state, self.finished_at = "done", database_now()
        log.info("business closed", closure_id=str(self.id))

    def reopen(self) -> bool:
        """Members get in again. Numbers, plan, keys and webhooks stay ended: each is begun anew."""
        balance = balance_to_guard()
        if self.refresh_locked().state != "done":
            return False
        self.state, self.finished_at = "reopened", database_now()
        balance.stage = "open"
        db.session.get_one(Tenant, current_tenant_id()).closed_at = None
        return True

    @property
    def next_step(self) -> ClosureStep | None:
        return next((step for step in self.steps if not step.done_at), None)
