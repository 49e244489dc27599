"""Jobs on RQ. Redis only wakes the workers; the work to do is stored in Postgres.

A job has a name (`"wabas.check"`) that never changes, so that code may move while jobs wait in Redis. A worker runs
nothing but the names in `JOBS`. Arguments are a tenant's id and ids of its rows.
"""

from __future__ import annotations

import functools
import inspect
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import redis as redis_client
import structlog
from rq.serializers import JSONSerializer

from app.extensions import redis

from .lanes import PLATFORM, Lane, job_id, waiting_of
from .scope import after_commit, current_scope, current_tenant_id
from .transactions import tenant_scope

log = structlog.get_logger()

# While a job waits it is not enqueued a second time; should Redis lose it, it may be again after this long. Behind many
# of its tenant it waits for longer, a second for each so many: else a slow lane fills up with what sweeps find again.
# With a sweep's five seconds no lost job waits longer than 30.
PENDING_SECONDS, LONGEST_PENDING, BEFORE_IT = 5, 25, 10
DOWN_SECONDS = 2
JOBS: dict[str, Job] = {}
SWEEPS: dict[str, Sweep] = {}
# Set when this process was asked to stop: a job that could go on for long ends early.
stopping = threading.Event()


class Job:
    """A function that a worker may run, under a name of its own."""

    redis_is_down_until = 0.0

    def __init__(
        self, name: str, function: Callable[..., object], lane: str, *, per_tenant: bool, seconds: int
    ) -> None:
        functools.update_wrapper(self, function)
        self.name, self.function, self.lane = name, function, lane
        self.per_tenant, self.seconds = per_tenant, seconds
        self.signature = inspect.signature(function)

    def __call__(self, *ids: Any) -> object:
        """Runs the job here and now; a tenant's job takes the tenant's id first and works in its scope."""
        if not self.per_tenant:
            return self.function(*ids)
        tenant_id, *rest = ids
        with tenant_scope(tenant_id):
            return self.function(*rest)

    def enqueue(self, *arguments: str) -> None:
        """Puts the job in its lane unless it already waits there. What Redis loses, a sweep enqueues again."""
        enqueue_all([(self, arguments)])

    def put_in_lane(self, *arguments: str) -> None:
        Lane(self.lane, connection=redis, serializer=JSONSerializer).enqueue_call(
            self.name,
            args=arguments,
            timeout=self.seconds,
            result_ttl=0,
            failure_ttl=3600,
            job_id=job_id(self.tenant_of(arguments)),
        )

    def start(self, *arguments: str) -> object:
        """What the worker calls: no longer pending from here on, so that a later change enqueues it again."""
        redis.delete(self.pending_key(arguments))
        return self(*arguments)

    def tenant_of(self, arguments: tuple[str, ...]) -> str:
        return arguments[0] if self.per_tenant else PLATFORM

    def pending_key(self, arguments: tuple[str, ...]) -> str:
        return ":".join(["pending", self.name, *arguments])


def job(
    name: str, lane: str = "default", *, per_tenant: bool = True, seconds: int = 60
) -> Callable[[Callable[..., Any]], Job]:
    """Lets workers run the decorated function under this name; `seconds` is its time limit."""

    def register(function: Callable[..., Any]) -> Job:
        made = Job(name, function, lane, per_tenant=per_tenant, seconds=seconds)
        if name in JOBS and JOBS[name].__module__ != made.__module__:
            raise ValueError(f"two jobs are called {name}")
        JOBS[name] = made
        return made

    return register


def later(name: str, *ids: object, tenant_id: uuid.UUID | None = None) -> None:
    """Enqueues a job after the commit, once however often; a tenant's job for `tenant_id`, else the current tenant."""
    wanted, arguments = JOBS[name], [str(id) for id in ids]
    if wanted.per_tenant:
        arguments.insert(0, str(tenant_id or current_tenant_id()))
    callbacks = current_scope().callbacks
    batch = next((each for each in callbacks if isinstance(each, Batch)), None)
    if batch is None:
        batch = Batch()
        after_commit(batch)
    batch.jobs[wanted, tuple(arguments)] = None


class Batch:
    """The jobs of one transaction, for after its commit."""

    def __init__(self) -> None:
        self.jobs: dict[tuple[Job, tuple[str, ...]], None] = {}

    def __call__(self) -> None:
        enqueue_all([*self.jobs])


# Which of these jobs did not wait yet? They do from here on. KEYS: one of each job, then the list of each one's tenant.
# ARGV: for how many seconds at least and at most, and a second more for how many that wait already.
NOTE_PENDING = """
local new, jobs = {}, #KEYS / 2
for place = 1, jobs do
    local waiting = redis.call('llen', KEYS[jobs + place])
    local seconds = math.min(ARGV[1] + math.floor(waiting / ARGV[3]), ARGV[2])
    new[place] = redis.call('set', KEYS[place], 1, 'nx', 'ex', seconds) and 1 or 0
end
return new
"""


def enqueue_all(jobs: Sequence[tuple[Job, tuple[str, ...]]]) -> None:
    """Puts each in its lane unless it already waits there; Redis is asked once for all that do."""
    if time.monotonic() < Job.redis_is_down_until:
        return
    names = [wanted.name for wanted, _ in jobs]
    keys = [wanted.pending_key(arguments) for wanted, arguments in jobs]
    keys += [waiting_of(wanted.lane, wanted.tenant_of(arguments)) for wanted, arguments in jobs]
    try:
        is_new = redis.eval(NOTE_PENDING, len(keys), *keys, PENDING_SECONDS, LONGEST_PENDING, BEFORE_IT)
        for (wanted, arguments), new in zip(jobs, is_new, strict=True):
            if new:
                wanted.put_in_lane(*arguments)
    except redis_client.RedisError as error:
        # The next caller need not wait for Redis as well; the sweep makes up for it.
        Job.redis_is_down_until = time.monotonic() + DOWN_SECONDS
        log.warning("jobs not enqueued", jobs=names, error=type(error).__name__)


def enqueue(name: str, *arguments: str) -> None:
    """Enqueues a job at once: for callers that have no transaction to wait for."""
    JOBS[name].enqueue(*arguments)


class Sweep:
    """A function that the clock calls every so many seconds. It must be safe to run twice at once."""

    def __init__(self, function: Callable[[], object], every: int) -> None:
        self.function, self.every = function, every
        self.name = f"{function.__module__}.{function.__name__}".removeprefix("app.")
        self.ran_at = -float(every)

    def claim(self) -> bool:
        """Whether it is due and no other clock has taken it; without Redis each clock goes by its own watch."""
        try:
            # Half a second early, so that a clock that ticks just as often does not miss every second time.
            return bool(redis.set(f"sweep {self.name}", 1, nx=True, px=self.every * 1000 - 500))
        except redis_client.RedisError:
            return time.monotonic() - self.ran_at >= self.every - 0.5

    def run(self) -> None:
        """Runs it, and notes for `/metrics` and the doctor how long it took and whether it failed."""
        self.ran_at, outcome = time.monotonic(), "ok"
        try:
            self.function()
        except Exception as error:
            outcome = type(error).__name__
            log.exception("sweep failed", sweep=self.name)
        seconds = time.monotonic() - self.ran_at
        try:
            redis.hset("sweeps", self.name, f"{time.time():.0f} {seconds:.3f} {outcome}")
        except redis_client.RedisError:
            log.info("sweep not noted", sweep=self.name, seconds=round(seconds, 3))


def sweep(*, every: int) -> Callable[[Callable[[], object]], Callable[[], object]]:
    """Has one of the clocks call the decorated function every so many seconds."""

    def register(function: Callable[[], object]) -> Callable[[], object]:
        made = Sweep(function, every)
        SWEEPS[made.name] = made
        return function

    return register


@dataclass(frozen=True)
class Run:
    """How a sweep last went: when (seconds since the epoch), how long it took, and whether it failed."""

    at: float
    seconds: float
    failed: bool


def last_runs() -> dict[str, Run]:
    """By the name of the sweep; empty while Redis is unavailable."""
    try:
        noted = cast("dict[bytes, bytes]", redis.hgetall("sweeps"))
    except redis_client.RedisError:
        return {}
    runs = {}
    for name, line in noted.items():
        at, seconds, outcome = line.decode().split()
        runs[name.decode()] = Run(float(at), float(seconds), outcome != "ok")
    return runs
