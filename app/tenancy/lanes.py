"""Lanes of jobs, in which tenants take turns: what one enqueues a thousand times delays the others by one job at most.

Of several workers of a lane one at most is busy with a tenant, so that long jobs of one leave a worker to the others.

A lane is an RQ queue, so what waits, RQ's tools and its care for jobs of dead workers stay as they are. Beside it, each
tenant has a list of its own and the lane a list of those whose turn comes next. Whichever job RQ would have taken, a
worker gets the first one of the tenant in front, who then goes to the back.
"""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import rq
from redis import Redis, RedisError
from rq.exceptions import DequeueTimeout
from rq.intermediate_queue import IntermediateQueue

LANES = ("inbound", "outbound", "hooks", "assistant", "crm", "files", "default")
# The processes of `python -m app.worker`: two where a tenant can have much to do at once.
WORKERS = ("inbound", "inbound", "outbound", "hooks", "assistant", "crm", "files", "files", "default", "default")
# For jobs of no tenant.
PLATFORM = "platform"

# KEYS: the lane, who has turns. ARGV: tenant, job.
PUSH = """
redis.call('rpush', KEYS[1] .. ':of:' .. ARGV[1], ARGV[2])
if not redis.call('lpos', KEYS[2], ARGV[1]) then redis.call('rpush', KEYS[2], ARGV[1]) end
return redis.call('rpush', KEYS[1], ARGV[2])
"""
# KEYS: the lane, who has turns, the jobs that workers have taken. ARGV: the job that RQ has taken, how long a tenant
# counts as busy, in milliseconds. That job goes back, and the one whose turn it is comes in its place: of a tenant that
# no worker of this lane is busy with. Without any list, as after a loss, RQ's order holds.
NEXT = """
local busy = false
for _ = 1, redis.call('llen', KEYS[2]) do
    local tenant = redis.call('lpop', KEYS[2])
    local waiting, running = KEYS[1] .. ':of:' .. tenant, KEYS[1] .. ':busy:' .. tenant
    if redis.call('exists', running) == 1 then
        busy = true
        redis.call('rpush', KEYS[2], tenant)
    else
        local job = redis.call('lpop', waiting)
        if redis.call('exists', waiting) == 1 then redis.call('rpush', KEYS[2], tenant) end
        if job then
            if tenant ~= 'platform' then redis.call('set', running, job, 'px', ARGV[2]) end
            if job ~= ARGV[1] then
                redis.call('lpush', KEYS[1], ARGV[1])
                redis.call('lrem', KEYS[1], 1, job)
                redis.call('lrem', KEYS[3], 1, ARGV[1])
                redis.call('rpush', KEYS[3], job)
            end
            return job
        end
    end
end
if not busy then return ARGV[1] end
redis.call('lrem', KEYS[3], 1, ARGV[1])
redis.call('lpush', KEYS[1], ARGV[1])
return false
"""
# How long a tenant counts as busy after the last sign of the worker, and how often it gives one.
BUSY_SECONDS, SIGN_SECONDS = 15, 5
# How often a worker looks again when all that wait are busy elsewhere, and for how long before RQ's own housekeeping.
LOOK_SECONDS, LOOKS = 0.05, 600


def job_id(tenant: str) -> str:
    """A new job id that contains its tenant."""
    return f"{tenant}_{uuid.uuid4().hex}"


def tenant_of(job_id: str) -> str:
    return job_id.rpartition("_")[0] or PLATFORM


def waiting_of(lane: str, tenant: str) -> str:
    """The key of the list of what waits of a tenant, which PUSH writes and NEXT reads."""
    return f"{Lane.redis_queue_namespace_prefix}{lane}:of:{tenant}"


def turns_of(lane_key: str) -> str:
    return f"{lane_key}:turns"


class Lane(rq.Queue):
    def push_job_id(self, job_id: str, pipeline: Any = None, at_front: bool = False) -> None:  # noqa: ARG002  RQ's own signature
        connection = self.connection if pipeline is None else pipeline
        connection.eval(PUSH, 2, self.key, turns_of(self.key), tenant_of(job_id), job_id)

    @classmethod
    def lmove(cls, connection: Redis, queue_key: str, timeout: int | None) -> Any:
        """The lane and the next job in turn. Needs Redis 6.2 or newer.

        When no job may run: None without a timeout, else it raises `DequeueTimeout` after it.
        """
        keys = (queue_key, turns_of(queue_key), IntermediateQueue.get_intermediate_queue_key(queue_key))
        for _ in range(LOOKS if timeout else 1):
            if (taken := super().lmove(connection, queue_key, timeout)) is None:
                return None
            if job := connection.eval(NEXT, 3, *keys, taken[1], BUSY_SECONDS * 1000):
                return queue_key, job
            time.sleep(LOOK_SECONDS if timeout else 0)
        if timeout:
            # As after a wait in vain: the worker gives a sign of life and waits again. With None it would end.
            raise DequeueTimeout(timeout, [queue_key])
        return None

    @contextlib.contextmanager
    def busy(self, job_id: str) -> Iterator[None]:
        """While a job runs, no other worker of this lane takes one of its tenant. Soon after a worker died, one may."""
        key, ended = f"{self.key}:busy:{tenant_of(job_id)}", threading.Event()
        sign = threading.Thread(target=self.give_signs, args=(key, ended), daemon=True, name="busy")
        sign.start()
        try:
            yield
        finally:
            ended.set()
            with contextlib.suppress(RedisError):
                self.connection.delete(key)

    def give_signs(self, key: str, ended: threading.Event) -> None:
        while not ended.wait(SIGN_SECONDS):
            with contextlib.suppress(RedisError):
                self.connection.pexpire(key, BUSY_SECONDS * 1000)
