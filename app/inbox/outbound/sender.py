"""Sends the queued messages of all numbers concurrently, so that one number's backlog delays no other number."""

from __future__ import annotations

import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from queue import Empty, SimpleQueue
from time import monotonic, sleep

import structlog

from app.meta.errors import MetaError
from app.meta.graph import GraphClient
from app.meta.messages import Accepted
from app.tenancy import try_for
from app.tenancy.queue import stopping

from .lanes import Lane, waiting_lanes
from .outcomes import Outcomes
from .parcels import Parcel

log = structlog.get_logger()

IN_FLIGHT = 256
BUDGET_SECONDS = 30
POLL_SECONDS, LEFT_OUT_SECONDS = 0.2, 5
# For how long responses are collected before they are recorded together.
COLLECT_SECONDS = 0.02

Request = Future[Accepted | MetaError]


class Sender:
    """One run over all lanes. Several processes may run at once: leases, pace and order are in Postgres."""

    def __init__(self, graph: GraphClient) -> None:
        self.graph = graph
        self.lanes: dict[uuid.UUID, Lane] = {}
        self.in_flight: dict[Request, tuple[Lane, Parcel]] = {}
        self.done: SimpleQueue[Request] = SimpleQueue()
        # Numbers of which nothing could be claimed, and until when (monotonic) they are left out.
        self.left_out: dict[uuid.UUID, float] = {}
        self.polled_at = 0.0
        self.expects_more = False

    def run(self) -> bool:
        """Sends until no message is due soon, at most `BUDGET_SECONDS`. Returns whether the time ran out first."""
        end = monotonic() + BUDGET_SECONDS
        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            while True:
                has_time = monotonic() < end and not stopping.is_set()
                if has_time:
                    self.poll()
                    self.submit_due(pool)
                if not self.in_flight and not (has_time and self.has_more):
                    return monotonic() >= end
                self.settle(self.idle_seconds() if has_time else POLL_SECONDS)

    @property
    def has_more(self) -> bool:
        return self.expects_more or any(lane.poll_at is not None for lane in self.lanes.values())

    def poll(self) -> None:
        """Opens the lanes of numbers that have something due, at most every `POLL_SECONDS`."""
        if monotonic() - self.polled_at < POLL_SECONDS:
            return
        self.polled_at, self.expects_more = monotonic(), False
        for waiting in waiting_lanes():
            self.expects_more |= waiting.is_soon
            if not waiting.is_due or self.left_out.get(waiting.number_id, 0) > monotonic():
                continue
            if lane := self.lanes.get(waiting.number_id):
                lane.poll_at = monotonic() if lane.poll_at is None else lane.poll_at
                continue
            if lane := try_for(waiting.tenant_id, partial(Lane.open, waiting.number_id)):
                self.lanes[lane.number_id] = lane

    def submit_due(self, pool: ThreadPoolExecutor) -> None:
        for lane in [*self.lanes.values()]:
            room = IN_FLIGHT - len(self.in_flight)
            if room and lane.is_due:
                if (parcels := try_for(lane.tenant_id, partial(lane.claim_due, room))) is None:
                    self.left_out[lane.number_id] = monotonic() + LEFT_OUT_SECONDS
                    del self.lanes[lane.number_id]
                    continue
                lane.throttle.expected += len(parcels)
                for parcel in parcels:
                    request = pool.submit(parcel.send, self.graph, lane.token or "", lane.meta_id, lane.throttle)
                    self.in_flight[request] = lane, parcel
                    request.add_done_callback(self.done.put)
                # The next time the others come first.
                self.lanes[lane.number_id] = self.lanes.pop(lane.number_id)

    def settle(self, seconds: float) -> None:
        """Records the outcomes of finished requests; waits at most `seconds` for the first of them."""
        if not self.in_flight:
            sleep(seconds)
            return
        lanes: dict[uuid.UUID, tuple[Lane, list[tuple[Parcel, Accepted | MetaError]]]] = {}
        for request in self.finished(seconds):
            lane, parcel = self.in_flight.pop(request)
            if bug := request.exception():
                # Meta may have it: the message is of unknown outcome when its lease ends.
                log.error("request without an outcome", message_id=str(parcel.message_id), exc_info=bug)
                lane.land(1)
                continue
            lanes.setdefault(lane.number_id, (lane, []))[1].append((parcel, request.result()))
        for lane, outcomes in lanes.values():
            try_for(lane.tenant_id, Outcomes(lane, outcomes).record)

    def finished(self, seconds: float) -> list[Request]:
        """The requests that have ended; where more are under way, those that end within the next moment too."""
        try:
            first = self.done.get(timeout=seconds)
        except Empty:
            return []
        if len(self.in_flight) > 1:
            sleep(COLLECT_SECONDS)
        return [first, *(self.done.get() for _ in range(self.done.qsize()))]

    def idle_seconds(self) -> float:
        """Seconds until there may be something to claim."""
        polls = [self.polled_at + POLL_SECONDS]
        if len(self.in_flight) < IN_FLIGHT:
            polls += [lane.poll_at for lane in self.lanes.values() if lane.poll_at is not None and lane.has_room]
        return max(0.0, min(polls) - monotonic())
