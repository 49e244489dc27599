"""Sends what is due to the webhooks of all businesses at once, so that a slow one delays no other."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from functools import partial
from queue import Empty
from time import monotonic, sleep

import structlog
from sqlalchemy import text

from app.egress import Egress
from app.tenancy import database_now, db, platform_scope, try_for
from app.tenancy.queue import stopping

from .calls import Call, Caller, Outcome
from .claims import Claimed, Result, claim, settle

log = structlog.get_logger()

IN_FLIGHT = 1024
# Of one business, so that its hanging servers leave room to the others.
OF_TENANT = 256
# A webhook starts with few requests at a time. Each success allows one more, and each failure half as many.
FIRST_WINDOW, LARGEST_WINDOW = 4, 128
BUDGET_SECONDS = 30
POLL_SECONDS, LEFT_OUT_SECONDS = 0.2, 5
# For how long outcomes are collected before they are recorded together where many are under way, and how many at most.
COLLECT_SECONDS, MANY, MOST_TOGETHER = 0.04, 16, 500
# Due so soon that the run goes on until then: a first retry, or a batch.
SOON = dt.timedelta(seconds=2)


@dataclass
class Line:
    """One webhook with something due, as this run sees it."""

    tenant_id: uuid.UUID
    endpoint_id: uuid.UUID
    window: int = FIRST_WINDOW
    in_flight: int = 0
    is_due: bool = True

    @property
    def room(self) -> int:
        return self.window - self.in_flight if self.is_due else 0

    def note(self, outcome: Outcome, *, is_ordered: bool) -> None:
        """A request has ended. In order, that may have made the next one due."""
        self.in_flight -= 1
        self.is_due |= is_ordered
        grown = self.window + 1 if outcome.is_success else self.window // 2
        self.window = max(1, min(grown, LARGEST_WINDOW))


class Deliverer:
    """One run over all webhooks. Several processes may run at once: claims, leases and order are in Postgres."""

    def __init__(self, egress: Egress) -> None:
        self.caller = Caller(egress)
        self.lines: dict[uuid.UUID, Line] = {}
        self.in_flight = 0
        self.polled_at = 0.0
        self.expects_more = False
        # Businesses of which nothing could be claimed, and until when (monotonic) they are left out.
        self.left_out: dict[uuid.UUID, float] = {}

    def run(self) -> bool:
        """Sends until nothing is due soon, at most `BUDGET_SECONDS`. Returns whether the time ran out first."""
        end = monotonic() + BUDGET_SECONDS
        with self.caller:
            while True:
                has_time = monotonic() < end and not stopping.is_set()
                if has_time:
                    self.poll()
                    self.send_due()
                if not self.in_flight and not (has_time and self.has_more):
                    return monotonic() >= end
                self.settle()

    @property
    def has_more(self) -> bool:
        return self.expects_more or any(line.is_due for line in self.lines.values())

    def poll(self) -> None:
        """Finds webhooks that have something due, at most every `POLL_SECONDS`."""
        if monotonic() - self.polled_at < POLL_SECONDS:
            return
        self.polled_at, self.expects_more = monotonic(), False
        for tenant_id, endpoint_id, is_due in waiting_endpoints():
            if self.left_out.get(tenant_id, 0) > monotonic():
                continue
            if is_due:
                self.lines.setdefault(endpoint_id, Line(tenant_id, endpoint_id)).is_due = True
            else:
                self.expects_more = True

    def send_due(self) -> None:
        """Claims and submits, one business after the other; who had a turn is last the next time."""
        tenants: dict[uuid.UUID, list[Line]] = {}
        for line in self.lines.values():
            tenants.setdefault(line.tenant_id, []).append(line)
        for tenant_id, lines in tenants.items():
            rooms = self.rooms_of(lines)
            if not rooms:
                continue
            if (claimed := try_for(tenant_id, partial(claim_sendable, rooms))) is None:
                self.leave_out(tenant_id, lines)
                continue
            for line in lines:
                if line.endpoint_id in rooms:
                    self.note_claim(line, claimed, rooms[line.endpoint_id])
                    self.lines[line.endpoint_id] = self.lines.pop(line.endpoint_id)
            self.in_flight += len(claimed.calls)
            self.caller.submit(claimed.calls)

    def leave_out(self, tenant_id: uuid.UUID, lines: list[Line]) -> None:
        self.left_out[tenant_id] = monotonic() + LEFT_OUT_SECONDS
        for line in lines:
            line.is_due = False

    def rooms_of(self, lines: list[Line]) -> dict[uuid.UUID, int]:
        """How many deliveries of each webhook of one business may be sent now, shared out evenly."""
        free = min(IN_FLIGHT - self.in_flight, OF_TENANT - sum(line.in_flight for line in lines))
        rooms: dict[uuid.UUID, int] = {}
        wanting = sorted((line for line in lines if line.room > 0), key=lambda line: line.room)
        for place, line in enumerate(wanting):
            share = min(line.room, free // (len(wanting) - place))
            if share > 0:
                rooms[line.endpoint_id], free = share, free - share
        return rooms

    def note_claim(self, line: Line, claimed: Claimed, room: int) -> None:
        line.in_flight += sum(call.endpoint_id == line.endpoint_id for call in claimed.calls)
        line.is_due = claimed.counts[line.endpoint_id] == room

    def settle(self) -> None:
        """Records the outcomes of requests that have ended; waits a moment for the first of them."""
        if not self.in_flight:
            sleep(POLL_SECONDS / 4)
            return
        tenants: dict[uuid.UUID, list[Result]] = {}
        for call, outcome in self.finished():
            self.in_flight -= 1
            self.lines[call.endpoint_id].note(outcome, is_ordered=call.parcel.is_ordered)
            tenants.setdefault(call.parcel.tenant_id, []).append((call, outcome))
        for tenant_id, outcomes in tenants.items():
            try_for(tenant_id, partial(settle, outcomes))

    def finished(self) -> list[tuple[Call, Outcome]]:
        done = self.caller.done
        try:
            first = done.get(timeout=POLL_SECONDS / 4)
        except Empty:
            return []
        if self.in_flight > MANY:
            sleep(COLLECT_SECONDS)
        return [first, *(done.get() for _ in range(min(done.qsize(), MOST_TOGETHER)))]


def claim_sendable(rooms: dict[uuid.UUID, int]) -> Claimed:
    """Claims, and settles at once what cannot be sent."""
    claimed = claim(rooms)
    if claimed.unsendable:
        settle(claimed.unsendable)
    return claimed


def waiting_endpoints() -> list[tuple[uuid.UUID, uuid.UUID, bool]]:
    """The active webhooks with something due now (true) or soon (false). One index probe each, however many wait."""
    with platform_scope("which webhooks have something to be sent"):
        at = database_now()
        rows = db.session.execute(WAITING, {"now": at, "soon": at + SOON}).all()
    return [(row.tenant_id, row.id, row.due_at <= at) for row in rows]


# When is the next delivery of each active webhook due, if soon? The lateral is a probe of the index
# ix_webhook_deliveries_due. In a cluster each machine looks at its own tenants.
WAITING = text("""
    select e.tenant_id, e.id, d.due_at from webhook_endpoints e
    cross join lateral (
        select min(d.next_attempt_at) as due_at from webhook_deliveries d
        where d.tenant_id = e.tenant_id and d.endpoint_id = e.id and d.state = 'waiting') d
    where e.state = 'active' and (e.rests_until is null or e.rests_until <= :now) and d.due_at <= :soon
""")
