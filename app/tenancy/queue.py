"""Jobs on RQ. Redis only rings the bell; what is to be done stands in Postgres.

A job is a function named in `JOBS`; a worker runs nothing else. Its arguments are a tenant's id and ids of its rows.
"""

from __future__ import annotations

import functools
import inspect
import threading
import time
from collections.abc import Callable
from typing import Any

import redis as redis_client
import rq
import structlog
from rq.serializers import JSONSerializer

from app.extensions import redis

from .scope import after_commit, current_tenant_id, tenant_scope

log = structlog.get_logger()

LANES = ("inbound", "outbound", "default")
BELL_SECONDS = 5
JOBS: dict[str, Job] = {}
# Set when this process was asked to stop: a job that could go on for long ends early.
stopping = threading.Event()
SWEEPS: list[Callable[[], object]] = []


class Job:
    """A function that a worker may run. `later` asks for it once the transaction is committed."""

    deaf_until = 0.0

    def __init__(self, function: Callable[..., object], lane: str, per_tenant: bool, seconds: int) -> None:
        functools.update_wrapper(self, function)
        self.function, self.lane, self.per_tenant, self.seconds = function, lane, per_tenant, seconds
        self.name = f"{function.__module__}.{function.__qualname__}"
        self.signature = inspect.signature(function)

    def __call__(self, *ids: Any) -> object:
        """Runs the job here and now; a tenant's job takes the tenant's id first and works in its scope."""
        if not self.per_tenant:
            return self.function(*ids)
        tenant_id, *rest = ids
        with tenant_scope(tenant_id):
            return self.function(*rest)

    def later(self, *ids: object) -> None:
        """Enqueues the job after the commit, for the current tenant if it is a tenant's job."""
        arguments = [str(id) for id in ids]
        if self.per_tenant:
            arguments.insert(0, str(current_tenant_id()))
        after_commit(lambda: self.ring(*arguments))

    def ring(self, *arguments: str) -> None:
        """Puts the job in its lane unless it already waits there. A lost bell is rung again by the sweeper."""
        bell = ":".join(["bell", self.name, *arguments])
        if time.monotonic() < Job.deaf_until:
            return
        try:
            if redis.set(bell, 1, nx=True, ex=BELL_SECONDS):
                rq.Queue(self.lane, connection=redis, serializer=JSONSerializer).enqueue_call(
                    self.name, args=(*arguments,), timeout=self.seconds, result_ttl=0, failure_ttl=3600
                )
        except redis_client.RedisError as error:
            # Whoever rings next need not wait for Redis as well; the sweeper makes up for it.
            Job.deaf_until = time.monotonic() + 2
            log.warning("bell not rung", job=self.name, error=type(error).__name__)

    def answer(self, *arguments: str) -> object:
        """What the worker calls: the bell is silenced first, so that a later change rings it again."""
        redis.delete(":".join(["bell", self.name, *arguments]))
        return self(*arguments)


def job(lane: str = "default", *, per_tenant: bool = True, seconds: int = 60) -> Callable[[Callable[..., Any]], Job]:
    """Lets workers run the decorated function; `seconds` is its time limit."""

    def register(function: Callable[..., Any]) -> Job:
        made = Job(function, lane, per_tenant, seconds)
        JOBS[made.name] = made
        return made

    return register


def sweep(function: Callable[[], object]) -> Callable[[], object]:
    """Has the clock call this every few seconds. It must be safe to run twice at once."""
    SWEEPS.append(function)
    return function
