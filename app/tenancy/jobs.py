"""Background jobs of the tenancy: happenings are delivered to subscribers, and the old ones go."""

from __future__ import annotations

from .database import db, now
from .happenings import BEHIND, SUBSCRIBERS, HappeningCursor, empty_oldest
from .queue import job, later, sweep
from .transactions import platform_scope


@job("happenings.deliver", seconds=120)
def deliver_happenings(name: str) -> None:
    """Hands one subscriber what has happened in this tenant since last time, a page at a time."""
    subscriber = SUBSCRIBERS[name]
    if HappeningCursor.locked(name).deliver(subscriber):
        later("happenings.deliver", name)


@sweep(every=15)
def deliver_what_is_behind() -> None:
    """Enqueues what Redis lost, what failed and is due again, and moves on cursors that nothing of theirs has moved."""
    with platform_scope("happenings that a subscriber has not had"):
        for row in db.session.execute(BEHIND, {"names": list(SUBSCRIBERS), "now": now()}).all():
            later("happenings.deliver", row.name, tenant_id=row.tenant_id)


@sweep(every=3600)
def empty_old_happenings() -> None:
    with platform_scope("happenings older than they are kept"):
        empty_oldest(now())
