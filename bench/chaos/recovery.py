"""How long it took until work went on after each harm."""

from __future__ import annotations

import bisect
import statistics
import threading
import time
from collections import defaultdict
from contextlib import suppress
from typing import Self

from app.inbox.pace import PAIR_BURST, PAIR_SECONDS
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

    def was_busy(self, lane: str, since: float, until: float) -> bool:
        place = bisect.bisect_left(self.busy[lane], since)
        return place < len(self.busy[lane]) and self.busy[lane][place] <= until


class Recovery:
    def __init__(self, watch: Watch, database: Database, accepted: list[float]) -> None:
        self.watch = watch
        self.done = {
            "stored": sorted(at for (at,) in database.rows(STORED)),
            "drained": sorted(at for (at,) in database.rows(DRAINED)),
            "accepted": sorted(accepted),
        }

    def seconds(self, harm: Harm) -> float | None:
        """From the harm to the first work done after it, of the slowest of all that it stopped."""
        waits = [wait for lane in AFFECTED[harm.victim] if (wait := self.wait(harm, lane)) is not None]
        return max(waits, default=None)

    def wait(self, harm: Harm, lane: str) -> float | None:
        """Nothing is measured where there was nothing to do."""
        done = self.done[lane]
        place = bisect.bisect_right(done, harm.over)
        next_ = done[place] if place < len(done) else float("inf")
        return next_ - harm.began if self.watch.was_busy(lane, harm.began - 2 * PULSE, next_) else None

    def show(self, harms: list[Harm]) -> list[Finding]:
        measured: dict[str, list[float]] = defaultdict(list)
        for harm in harms:
            if (seconds := self.seconds(harm)) is not None:
                measured[harm.kind].append(seconds)
        counts = {kind: sum(harm.kind == kind for harm in harms) for kind in sorted({harm.kind for harm in harms})}
        rows = [[kind, str(count), *self.figures(measured[kind])] for kind, count in counts.items()]
        title = f"Seconds until work went on, from the harm on (at most {LONGEST_SECONDS})"
        table(title, ["", "times", "min", "median", "p95", "max"], rows)
        return [
            Finding("slow", "recovery", kind, LONGEST_SECONDS, worst)
            for kind, seconds in measured.items()
            if (worst := max(seconds, default=0)) > LONGEST_SECONDS
        ]

    @staticmethod
    def figures(seconds: list[float]) -> list[str]:
        if not seconds:
            return ["idle"] * 4
        figures = (min(seconds), statistics.median(seconds), percentile(seconds, 0.95), max(seconds))
        return [f"{figure:.1f}" for figure in figures]
