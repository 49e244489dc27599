"""Hands over what waits on every number at once, so that one number's backlog is nobody else's wait."""

from __future__ import annotations

import datetime as dt
import uuid
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from time import monotonic, sleep

from sqlalchemy import text

from app.crypto import Undecryptable
from app.meta.errors import MetaError
from app.meta.graph import GraphClient
from app.meta.messages import Accepted
from app.tenancy import db, platform_scope, tenant_scope
from app.tenancy.queue import stopping
from app.wabas.models import CONNECT_AGAIN, PhoneNumber
from app.words import N_

from .outbox import Lane, Parcel

# httpx slows down beyond about 64 requests at a time.
IN_FLIGHT = 64
BUDGET_SECONDS = 30
LOOK_SECONDS = 0.2
# Worth staying for: what an agent may still take back.
NEAR = dt.timedelta(seconds=6)

NO_ACCESS = N_("We have no access to this number any more.")
UNREADABLE = N_("Our access to this number cannot be opened with the keys of this installation.")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A number with messages: whether any is due, and whether one soon will be."""

    tenant_id: uuid.UUID
    number_id: uuid.UUID
    is_due: bool
    is_near: bool


class Sender:
    """One run of it. Several processes may run at once: claims, pace and order are kept in Postgres."""

    def __init__(self, graph: GraphClient) -> None:
        self.graph = graph
        self.lanes: dict[uuid.UUID, Lane] = {}
        self.flying: dict[Future[Accepted | MetaError], tuple[Lane, Parcel]] = {}
        self.looked_at = 0.0
        self.stays = False

    def run(self) -> bool:
        """Sends until nothing waits that could go soon. Returns whether its time ran out first."""
        end = monotonic() + BUDGET_SECONDS
        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            while True:
                goes_on = monotonic() < end and not stopping.is_set()
                if goes_on:
                    self.look_around()
                    self.pick_up(pool)
                if not self.flying and not (goes_on and self.has_more):
                    return monotonic() >= end
                self.settle(self.nap() if goes_on else LOOK_SECONDS)

    @property
    def has_more(self) -> bool:
        return self.stays or any(lane.look_at is not None for lane in self.lanes.values())

    def look_around(self) -> None:
        """Which numbers have something to send that nobody here knows of yet."""
        if monotonic() - self.looked_at < LOOK_SECONDS:
            return
        self.looked_at, self.stays = monotonic(), False
        for waiting in lanes_waiting():
            self.stays |= waiting.is_near
            if waiting.is_due:
                self.attend(waiting)

    def attend(self, waiting: Waiting) -> None:
        if lane := self.lanes.get(waiting.number_id):
            lane.look_at = monotonic() if lane.look_at is None else lane.look_at
            return None
        with tenant_scope(waiting.tenant_id):
            number = PhoneNumber.get_or_404(waiting.number_id)
            try:
                lane = Lane(number)
            except Undecryptable:
                return number.pause(UNREADABLE, CONNECT_AGAIN)
            if lane.token is None:
                return number.pause(NO_ACCESS, CONNECT_AGAIN)
            self.lanes[number.id] = lane
            return None

    def pick_up(self, pool: ThreadPoolExecutor) -> None:
        for lane in [*self.lanes.values()]:
            room = IN_FLIGHT - len(self.flying)
            if room and lane.is_due:
                with tenant_scope(lane.tenant_id):
                    parcels = lane.pick_up(room)
                for parcel in parcels:
                    self.flying[pool.submit(parcel.hand_over, self.graph, lane.token, lane.meta_id)] = lane, parcel

    def settle(self, nap: float) -> None:
        """Writes down what came of those that are back; waits for them, if there is nothing else to do."""
        if not self.flying:
            sleep(nap)
            return
        done = wait(self.flying, nap, FIRST_COMPLETED).done
        back = [(*self.flying.pop(future), future.result()) for future in done]
        for lane in {lane.number_id: lane for lane, _, _ in back}.values():
            with tenant_scope(lane.tenant_id):
                for whose, parcel, outcome in back:
                    if whose is lane:
                        lane.settle(parcel, outcome)

    def nap(self) -> float:
        """Seconds until there may be something to pick up."""
        looks = [self.looked_at + LOOK_SECONDS]
        if len(self.flying) < IN_FLIGHT:
            looks += [lane.look_at for lane in self.lanes.values() if lane.look_at is not None and lane.has_room]
        return max(0.0, min(looks) - monotonic())


def lanes_waiting() -> list[Waiting]:
    """Every connected number with messages in the outbox, however many they are: a few probes for each."""
    with platform_scope("who has messages waiting?"):
        rows = db.session.execute(WAITING, {"near": NEAR}).all()
    return [Waiting(*row) for row in rows]


WAITING = text("""
    with recursive lanes as (
        (select tenant_id, phone_number_id from messages where state = 'queued'
         order by tenant_id, phone_number_id limit 1)
        union all
        select m.* from lanes l cross join lateral (
            select tenant_id, phone_number_id from messages
            where state = 'queued' and (tenant_id, phone_number_id) > (l.tenant_id, l.phone_number_id)
            order by tenant_id, phone_number_id limit 1) m
    )
    select l.tenant_id, l.phone_number_id,
        exists (select from messages m where m.tenant_id = l.tenant_id and m.phone_number_id = l.phone_number_id
            and m.state = 'queued' and m.next_attempt_at is null)
        or exists (select from messages m where m.tenant_id = l.tenant_id and m.phone_number_id = l.phone_number_id
            and m.state = 'queued' and m.next_attempt_at <= clock.now),
        exists (select from messages m where m.tenant_id = l.tenant_id and m.phone_number_id = l.phone_number_id
            and m.state = 'queued' and m.next_attempt_at > clock.now and m.next_attempt_at < clock.now + :near)
    from (select clock_timestamp() as now) clock cross join lanes l
    join phone_numbers p on p.tenant_id = l.tenant_id and p.id = l.phone_number_id and p.state = 'connected'
""")
