"""Background jobs of the tenancy: happenings are delivered to subscribers, and the old ones go."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence

from sqlalchemy import select

from .database import db, now
from .happenings import SUBSCRIBERS, HappeningCursor, active_tenants, behind, empty_oldest
from .models import Tenant
from .queue import job, later, sweep
from .transactions import commit, platform_scope

TOGETHER = 500
# For how long one job goes on with a backlog: who is quick with a page gets through many in its turn.
TURN_SECONDS = 0.5


@job("happenings.deliver", seconds=120)
def deliver_happenings(name: str) -> None:
    """Hands one subscriber what has happened in this tenant since last time, a page and a transaction at a time."""
    subscriber, end = SUBSCRIBERS[name], time.monotonic() + TURN_SECONDS
    while HappeningCursor.locked(name).deliver(subscriber):
        if time.monotonic() >= end:
            later("happenings.deliver", name)
            return
        commit()


@sweep(every=15)
def deliver_what_is_behind() -> None:
    """Enqueues what Redis lost, what failed and is due again, and moves on cursors that nothing of theirs has moved."""
    with platform_scope("happenings that a subscriber has not had"):
        deliver_to(active_tenants())


@sweep(every=3600)
def deliver_what_was_lost_longer_ago() -> None:
    with platform_scope("happenings of any tenant that a subscriber has not had"):
        tenant_ids = list(db.session.scalars(select(Tenant.id).order_by(Tenant.id)))
        for first in range(0, len(tenant_ids), TOGETHER):
            deliver_to(tenant_ids[first : first + TOGETHER])


def deliver_to(tenant_ids: Sequence[uuid.UUID]) -> None:
    for tenant_id, name in behind(tenant_ids):
        later("happenings.deliver", name, tenant_id=tenant_id)


@sweep(every=3600)
def empty_old_happenings() -> None:
    with platform_scope("happenings that are too old"):
        empty_oldest(now())
