"""The lanes of numbers: which have something to send."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import text

from app.tenancy import database_now, db, platform_scope

# Due so soon that it is worth waiting for: what an agent may still undo.
SOON = dt.timedelta(seconds=6)


@dataclass(frozen=True, slots=True)
class WaitingLane:
    """A number with queued messages: whether any is due now, and whether one will be within `SOON`."""

    tenant_id: uuid.UUID
    number_id: uuid.UUID
    is_due: bool
    is_soon: bool


def waiting_lanes() -> list[WaitingLane]:
    """Returns the connected numbers with messages due now or soon. Costs a few index probes each, however many wait."""
    with platform_scope("which numbers have messages to send"):
        at = database_now()
        due = {(row.tenant_id, row.id) for row in db.session.execute(DUE, {"now": at})}
        soon = {(row.tenant_id, row.id) for row in db.session.execute(DUE_SOON, {"now": at, "soon": at + SOON})}
    return [WaitingLane(*ids, is_due=ids in due, is_soon=ids in soon) for ids in sorted(due | soon)]


# Which connected numbers have a queued message that is due? Each `exists` is a probe of the index ix_messages_due
# (tenant_id, phone_number_id, next_attempt_at) where state = 'queued', so a backlog is not read. `next_attempt_at`
# null: due now. In a cluster each machine looks at its own tenants.
DUE = text("""
    select p.tenant_id, p.id from phone_numbers p
    where p.state = 'connected' and (
        exists (select from messages m where m.tenant_id = p.tenant_id and m.phone_number_id = p.id
            and m.state = 'queued' and m.next_attempt_at is null)
        or exists (select from messages m where m.tenant_id = p.tenant_id and m.phone_number_id = p.id
            and m.state = 'queued' and m.next_attempt_at <= :now))
""")
# And which have one that will be due before :soon?
DUE_SOON = text("""
    select p.tenant_id, p.id from phone_numbers p
    where p.state = 'connected' and exists (
        select from messages m where m.tenant_id = p.tenant_id and m.phone_number_id = p.id
          and m.state = 'queued' and m.next_attempt_at > :now and m.next_attempt_at < :soon)
""")
