"""Kinds of harm, and who does them every now and then."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Self

import redis

from bench.chaos.database import Database
from bench.chaos.hostile import HostileCustomer
from dev.stack import Stack

EVERY = 2.0
STOPPED_SECONDS = 4
# What a stopped worker held is free again when it wakes; nor is what another had in flight at that moment.
LEASES_END_AFTER = STOPPED_SECONDS / 2
END_LEASES = "update messages set lease_until = clock_timestamp() where state = 'dispatching'"
# What must go on after each kind of harm.
AFFECTED = {
    "web": (),
    "worker": ("drained", "accepted"),
    "second": ("accepted",),
    "clock": ("drained", "accepted"),
    "redis": ("drained", "accepted"),
    "postgres": ("stored", "drained", "accepted"),
    "door": ("stored",),
    "customer": ("stored", "drained", "accepted"),
}


@dataclass
class Harm:
    kind: str
    began: float
    over: float = float("inf")

    @property
    def victim(self) -> str:
        return self.kind.split()[-1]


class Harms:
    """Does one kind after the other in an order the dice decide, each as often as any other."""

    def __init__(
        self, stack: Stack, database: Database, dice: random.Random, hostile: HostileCustomer, *, once: bool
    ) -> None:
        self.stack, self.database, self.dice, self.once = stack, database, dice, once
        self.done: list[Harm] = []
        self.enough = threading.Event()
        self.trouble: BaseException | None = None
        self.thread = threading.Thread(target=self.run)
        self.later: list[threading.Timer] = []
        self.kinds: dict[str, Callable[[], object]] = {
            **{f"kill {name}": partial(self.kill, name) for name in ("web", "door", "worker", "second", "clock")},
            **{f"stop {name}": partial(self.stop, name) for name in ("web", "door", "worker", "second")},
            "hostile customer": hostile.strike,
            "empty redis": self.empty_redis,
            "kill redis": self.kill_redis,
            "crash postgres": partial(self.stack.postgres.restart, signal.SIGQUIT),
            "restart postgres": partial(self.stack.postgres.restart, signal.SIGINT),
        }

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if not self.once:
            self.enough.set()
        self.thread.join()
        for timer in self.later:
            timer.join()
        if self.trouble:
            raise self.trouble

    def run(self) -> None:
        try:
            for kind in self.order():
                if self.enough.wait(self.dice.uniform(0.75, 1.25) * EVERY):
                    return
                self.do(kind)
        except BaseException as error:
            self.trouble = error

    def order(self) -> Iterator[str]:
        while True:
            yield from self.dice.sample([*self.kinds], len(self.kinds))
            if self.once:
                return

    def do(self, kind: str) -> None:
        harm = Harm(kind, time.time())
        self.done.append(harm)
        self.kinds[kind]()
        if kind.startswith("stop"):
            harm.over = harm.began + STOPPED_SECONDS
        else:
            harm.over = time.time()

    def kill(self, name: str) -> None:
        self.stack.parts[name].kill()
        time.sleep(self.dice.uniform(0, 0.5))
        self.stack.parts[name].start()

    def stop(self, name: str) -> None:
        """Pauses a process and resumes it later; other harm goes on meanwhile."""
        group = self.stack.parts[name].process.pid
        os.killpg(group, signal.SIGSTOP)
        self.after(LEASES_END_AFTER, self.end_leases)
        self.after(STOPPED_SECONDS, partial(self.wake, group))

    def after(self, seconds: float, do: Callable[[], object]) -> None:
        self.later.append(threading.Timer(seconds, do))
        self.later[-1].start()

    def wake(self, group: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGCONT)

    def end_leases(self) -> None:
        with contextlib.suppress(Exception):
            self.database.change(END_LEASES)

    def empty_redis(self) -> None:
        with contextlib.suppress(redis.RedisError):
            redis.Redis.from_url(self.stack.redis.url()).flushall()

    def kill_redis(self) -> None:
        self.stack.redis.kill()
        time.sleep(self.dice.uniform(0, 0.5))
        self.stack.redis.start()
