"""Background jobs of automations: taking runs on, what begins by time, and deleting what is old."""

from __future__ import annotations

import uuid

from sqlalchemy import select

from app.tenancy import database_now, db, in_turn, job, later, platform_scope, sweep

from . import names  # noqa: F401  registers what parts refer to
from .models import ACTIVE_STATES, Automation, AutomationRun, AutomationTrace, forget_old
from .runner import advance
from .timers import begin_by_date, begin_without_reply

AT_ONCE = 1_000
FORGOTTEN_AT_ONCE = 5_000


@job("automation.advance", seconds=120)
def advance_run(run_id: str) -> None:
    advance(uuid.UUID(run_id))


@sweep(every=5)
def find_due_runs() -> None:
    """Enqueues the runs whose wait is over, and those that a worker left behind."""
    with platform_scope("automations that go on now"):
        due = AutomationRun.state.in_(ACTIVE_STATES), AutomationRun.next_at <= database_now()
        query = in_turn(select(AutomationRun.tenant_id, AutomationRun.id).where(*due), AutomationRun.next_at, AT_ONCE)
        for tenant_id, run_id in db.session.execute(query):
            later("automation.advance", run_id, tenant_id=tenant_id)


@job("automation.begin_by_time", seconds=120)
def begin_by_time() -> None:
    begin_without_reply()
    begin_by_date()


@sweep(every=30)
def find_timers() -> None:
    """Where an automation begins by time, its business looks for what is due."""
    with platform_scope("businesses with automations that begin by time"):
        by_time = Automation.is_on, Automation.removed_at.is_(None), Automation.trigger_kind.in_(("no_reply", "date"))
        for tenant_id in set(db.session.scalars(select(Automation.tenant_id).where(*by_time))):
            later("automation.begin_by_time", tenant_id=tenant_id)


@sweep(every=3600)
def forget_old_runs() -> None:
    """Has traces older than 30 days and runs that ended long ago deleted, by a job of each business."""
    with platform_scope("businesses with automations"):
        for tenant_id in db.session.scalars(select(AutomationTrace.tenant_id).distinct()):
            later("automation.forget", tenant_id=tenant_id)


@job("automation.forget", seconds=120)
def forget() -> None:
    if forget_old(FORGOTTEN_AT_ONCE):
        later("automation.forget")
