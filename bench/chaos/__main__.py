"""`make chaos`: everything that can break is broken while messages come in and go out; then all is compared.

`python -m bench.chaos [INBOUND [OUTBOUND]]` harms something every two seconds until the work is done;
`python -m bench.chaos quick` does each kind of harm once, and moves a few appointments; `python -m bench.chaos
appointments` moves more of them while workers and two clocks are killed. `SEED=…` throws the same dice again.
"""

from __future__ import annotations

import os
import pathlib
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psycopg
from flask import Flask, current_app

from app import create_app
from app.config import Settings
from bench.chaos.appointments import APPOINTMENTS, SECONDS, MovingAppointments
from bench.chaos.database import Database
from bench.chaos.findings import KINDS, show
from bench.chaos.harm import END_LEASES, Harms
from bench.chaos.hostile import HostileCustomer
from bench.chaos.inbound import Inbound
from bench.chaos.outbound import MESSAGES, Outbound
from bench.chaos.recovery import Recovery, Watch
from dev.stack import Stack

QUICK = (600, 250)
# Appointments, seconds, and how long a process lives on average.
QUICK_MOVES = (8, 5.0, 2.5)
DONE_WHEN = (10_000, 5_000)
# Work comes in while harm is done.
QUICK_SECONDS = 25
EACH_A_SECOND = 100
START_SECONDS = 120
# With nothing new for so long, what is left is stuck: longer than a lease, a sweep and a retry of a webhook.
PATIENCE = 90
UNDER_WAY = """
    select (select count(*) from webhook_events where drained_at is null),
        (select count(*) from messages where state in ('queued', 'dispatching')), (select count(*) from message_events)
"""


def main(arguments: list[str], seed: int) -> int:
    if arguments[:1] == ["appointments"]:
        return move_appointments(arguments[1:], seed)
    quick = arguments == ["quick"]
    inbound, outbound = QUICK if quick else [*map(int, arguments), *DONE_WHEN[len(arguments) :]][:2]
    with started() as stack:
        chaos = Chaos(stack, inbound, outbound, seed, quick)
        failed = chaos.run()
        return failed or (move_a_few(chaos, seed) if quick else 0)


def move_a_few(chaos: Chaos, seed: int) -> int:
    """A short run of what `move_appointments` does, beside what is there already."""
    chaos.outbound.behave()
    chaos.stack.start("other_clock", "python -m app.clock")
    count, seconds, every = QUICK_MOVES
    started = time.monotonic()
    moving = MovingAppointments(
        chaos.stack,
        app_here(),
        chaos.database,
        int(count),
        random.Random(seed),
        outbound=chaos.outbound,
        every=every,
        is_short=True,
    )
    failed = bool(moving.run(seconds))
    print(f"  appointments took {time.monotonic() - started:.1f} s")
    return int(failed)


def move_appointments(arguments: list[str], seed: int) -> int:
    """Appointments move while their reminders are sent, with two senders and two clocks that are killed in turn."""
    count, seconds = [*map(float, arguments), *[APPOINTMENTS, SECONDS][len(arguments) :]]
    with started(other_clock="python -m app.clock") as stack:
        database = Database(stack.postgres.url(database="switchboard"))
        print(f"seed {seed}: {count:.0f} appointments, {seconds:.0f} s", flush=True)
        moving = MovingAppointments(stack, app_here(), database, int(count), random.Random(seed))
        return int(bool(moving.run(seconds)))


@contextmanager
def started(**others: str) -> Iterator[Stack]:
    """Everything on this machine, in the context of an app of its own; `others` are further parts."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="switchboard-chaos-", dir="/tmp"))
    folder.chmod(0o755)
    stack = Stack(folder, port=8600, seed="chaos")
    try:
        stack.start_services()
        stack.start("simulator", "python -m simulator --speed 20")
        for name in ("web", "door", "worker", "clock"):
            stack.start(name)
        for name, command in {"second": "python -m app.worker outbound", **others}.items():
            stack.start(name, command)
        for url in (stack.web, stack.door):
            stack.wait_for(f"{url}/healthz", START_SECONDS)
        stack.wait_for(stack.meta, START_SECONDS)
        with create_app(Settings.from_environment(stack.env)).app_context():
            yield stack
    finally:
        stack.stop()
        shutil.rmtree(folder, ignore_errors=True)


def app_here() -> Flask:
    return current_app._get_current_object()  # type: ignore[attr-defined,no-any-return]


class Chaos:
    def __init__(self, stack: Stack, inbound: int, outbound: int, seed: int, quick: bool) -> None:
        self.stack, self.quick = stack, quick
        self.dice = random.Random(seed)
        self.database = Database(stack.postgres.url(database="switchboard"))
        self.rates = [count / QUICK_SECONDS if quick else EACH_A_SECOND for count in (inbound, outbound)]
        self.inbound = Inbound(stack.door, inbound, self.dice, self.rates[0])
        self.outbound = Outbound(stack, outbound, people=40 if quick else 200)
        hostile = HostileCustomer(stack, app_here())
        self.harms = Harms(stack, self.database, random.Random(seed), hostile, once=quick)
        print(f"seed {seed}: {inbound:,} changes in {len(self.inbound.posts):,} posts, {outbound:,} messages out")

    def run(self) -> int:
        self.wait_until_quiet()
        self.outbound.misbehave()
        with Watch(self.database) as watch:
            with self.harms:
                self.work(watch)
            started = time.monotonic()
            self.wait_until_quiet()
        print(f"  all quiet {time.monotonic() - started:.1f} s after the last harm")
        return self.report(watch)

    def work(self, watch: Watch) -> None:
        """Customers and agents write; harm goes on until the last tenth of what goes out."""
        agents = threading.Thread(target=in_app, args=(app_here(), self.outbound.answer, self.dice, self.rates[1]))
        agents.start()
        self.inbound.run()
        watch.posting = False
        agents.join()
        if not self.quick:
            self.wait_while_it_moves(lambda: self.waiting() < self.outbound.count / 10)

    def wait_until_quiet(self) -> None:
        """Until both sides agree, also a moment later."""

        def is_still_quiet() -> bool:
            time.sleep(1.5)
            return self.is_quiet()

        self.wait_while_it_moves(lambda: self.is_quiet() and is_still_quiet())

    def is_quiet(self) -> bool:
        if self.quick:
            self.database.change(END_LEASES)
        undrained = self.database.number("select count(*) from webhook_events where drained_at is null")
        return not undrained and not self.waiting() and self.outbound.is_settled(self.database)

    def waiting(self) -> int:
        return self.database.number("select count(*) from messages where state in ('queued', 'dispatching')")

    def wait_while_it_moves(self, until: Callable[[], bool]) -> None:
        last, since = None, time.monotonic()
        while time.monotonic() - since < PATIENCE:
            with suppress(psycopg.OperationalError):
                if until():
                    return
                if (now := self.database.rows(UNDER_WAY)) != last:
                    last, since = now, time.monotonic()
            time.sleep(0.5)

    def report(self, watch: Watch) -> int:
        harms, out = self.harms.done, self.outbound
        accepted = out.accepted
        recovery = Recovery(watch, self.database, [row["accepted_at"] for row in accepted])
        slow = recovery.show(harms)
        # A short run is also a test, and how busy the machine is proves nothing.
        findings = [] if self.quick else slow
        findings += self.inbound.findings(self.database) + out.findings(self.database, harms)
        unknown = Counter(out.reasons(self.database.rows(MESSAGES), harms).values())
        print(f"\n  posted again until acknowledged: {self.inbound.repeated}; Meta took {len(accepted):,} messages")
        print(f"  unknown, for a person to decide: {unknown.total()} {dict(unknown)}")
        kinds = Counter(finding.kind for finding in findings)
        print("  " + ", ".join(f"{kind}: {kinds[kind]}" for kind in KINDS))
        show(findings)
        return int(bool(findings))


def in_app(app: Flask, work: Callable[..., None], *arguments: object) -> None:
    with app.app_context():
        work(*arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], int(os.environ.get("SEED", time.time()))))
