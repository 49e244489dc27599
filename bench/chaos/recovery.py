"""How long it took until work went on after each harm."""

from __future__ import annotations

import bisect
import statistics
import threading
import time
from collections import defaultdict
from contextlib import suppress
from typing import Self

from app.inbox.outbound.pace import PAIR_BURST, PAIR_SECONDS
from bench.chaos.database import Database
from bench.chaos.findings import Finding
from bench.chaos.harm import AFFECTED, Harm
from bench.report import percentile, table

LONGEST_SECONDS = 30
PULSE = 0.25
# Whether anything could be done right now: posts to drain, and messages that neither limits nor others hold up.
WAITING = f"""
    with heads as (
        select distinct on (tenant_id, conversation_id) * from messages where state in ('queued', 'dispatching')
        order by tenant_id, conversation_id, id
    )
    select exists (select from webhook_events where drained_at is null), exists (
        select from heads h join conversations c on c.tenant_id = h.tenant_id and c.id = h.conversation_id
        where h.state = 'queued' and coalesce(h.next_attempt_at, now()) <= now()
          and coalesce(c.pair_tat, now()) <= now() + interval '{PAIR_SECONDS * (PAIR_BURST - 1)} s'
    )
"""
STORED = "select extract(epoch from received_at)::float from webhook_events"
DRAINED = "select extract(epoch from drained_at)::float from webhook_events where drained_at is not null"


class Watch:
    """Feels twice in a while whether there is something to do."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.busy: dict[str, list[float]] = defaultdict(list)
        self.posting = True
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()

    def run(self) -> None:
        while not self.over.wait(PULSE):
            with suppress(Exception):
                ((drained, accepted),) = self.database.rows(WAITING)
                for lane, is_busy in (("stored", self.posting), ("drained", drained), ("accepted", accepted)):
                    if is_busy:
                        self.busy[lane].append(time.time())

    def first_busy(self, lane: str, since: float) -> float:
        place = bisect.bisect_left(self.busy[lane], since - 2 * PULSE)
        return max(since, self.busy[lane][place]) if place < len(self.busy[lane]) else float("inf")


class Recovery:
    def __init__(self, watch: Watch, database: Database, accepted: list[float]) -> None:
        self.watch = watch
        self.done = {
            "stored": sorted(at for (at,) in database.rows(STORED)),
            "drained": sorted(at for (at,) in database.rows(DRAINED)),
            "accepted": sorted(accepted),
        }

    def waits(self, harm: Harm) -> list[tuple[float, str]]:
        """For how long each kind of work was stuck: from the harm, or the first moment when there was some to do,
        to the first that was done after the harm. Nothing is measured where there was nothing to do."""
        differences_found = []
        for lane in AFFECTED[harm.victim]:
            done, began = self.done[lane], self.watch.first_busy(lane, harm.began)
            place = bisect.bisect_right(done, harm.over)
            next_ = done[place] if place < len(done) else float("inf")
            if began <= next_ and began < float("inf"):
                differences_found.append((next_ - began, lane))
        return differences_found

    def show(self, harms: list[Harm]) -> list[Finding]:
        worst = [(harm, max(waits)) for harm in harms if (waits := self.waits(harm))]
        rows = []
        for kind in sorted({harm.kind for harm in harms}):
            seconds = [wait for harm, (wait, _) in worst if harm.kind == kind]
            rows.append([kind, str(sum(harm.kind == kind for harm in harms)), *self.figures(seconds)])
        title = f"Seconds until work went on, from the harm on (at most {LONGEST_SECONDS})"
        table(title, ["", "times", "min", "median", "p95", "max"], rows)
        return [
            Finding(
                "slow", f"until {lane}", f"{harm.kind}, {harm.began - harms[0].began:.0f} s in", LONGEST_SECONDS, wait
            )
            for harm, (wait, lane) in worst
            if wait > LONGEST_SECONDS
        ]

    @staticmethod
    def figures(seconds: list[float]) -> list[str]:
        if not seconds:
            return ["idle"] * 4
        figures = (min(seconds), statistics.median(seconds), percentile(seconds, 0.95), max(seconds))
        return [f"{figure:.1f}" for figure in figures]
