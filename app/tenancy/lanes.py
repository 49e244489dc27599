"""Lanes of jobs, in which tenants take turns: what one enqueues a thousand times delays the others by one job at most.

Of several workers of a lane one at most is busy with a tenant, so that long jobs of one leave a worker to the others.
And one at least is left to those who had no long job lately, so that long jobs of several do not take all workers.

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
from rq.worker_registration import WORKERS_BY_QUEUE_KEY

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
# KEYS: the lane, who has turns, the jobs that workers have taken, the lane's workers. ARGV: the job that RQ has taken,
# how long a tenant counts as busy, in milliseconds. That job goes back, and the one whose turn it is comes instead: of
# a tenant that no worker of this lane is busy with, and of one that had long jobs only while another worker is left.
# Without any list, as after a loss, RQ's order holds.
NEXT = """
local busy, slow = false, KEYS[1] .. ':slow'
local time = redis.call('time')
local at = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('zremrangebyscore', slow, '-inf', at)
local room = redis.call('zcard', slow) < math.max(1, redis.call('scard', KEYS[4]) - 1)
for _ = 1, redis.call('llen', KEYS[2]) do
    local tenant = redis.call('lpop', KEYS[2])
    local waiting, running = KEYS[1] .. ':of:' .. tenant, KEYS[1] .. ':busy:' .. tenant
    local is_slow = redis.call('exists', KEYS[1] .. ':long:' .. tenant) == 1
    if redis.call('exists', running) == 1 or (is_slow and not room) then
        busy = true
        redis.call('rpush', KEYS[2], tenant)
    else
        local job = redis.call('lpop', waiting)
        if redis.call('exists', waiting) == 1 then redis.call('rpush', KEYS[2], tenant) end
        if job then
            if tenant ~= 'platform' then redis.call('set', running, job, 'px', ARGV[2]) end
            if is_slow then redis.call('zadd', slow, at + ARGV[2], tenant) end
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
# KEYS: that a worker is busy with a tenant, those of the busy ones that had long jobs. ARGV: the tenant, for how long.
SIGN = """
redis.call('pexpire', KEYS[1], ARGV[2])
redis.call('zadd', KEYS[2], 'xx', redis.call('time')[1] * 1000 + ARGV[2], ARGV[1])
"""
# How long a tenant counts as busy after the last sign of the worker, and how often it gives one.
BUSY_SECONDS, SIGN_SECONDS = 15, 5
# A job that takes longer is a long one, as where a server of the tenant's own hangs; and how long that is remembered.
LONG_SECONDS, LONG_REMEMBERED = 8, 300
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
        taken_key = IntermediateQueue.get_intermediate_queue_key(queue_key)
        workers_key = WORKERS_BY_QUEUE_KEY % queue_key.removeprefix(cls.redis_queue_namespace_prefix)
        keys = queue_key, turns_of(queue_key), taken_key, workers_key
        for _ in range(LOOKS if timeout else 1):
            if (taken := super().lmove(connection, queue_key, timeout)) is None:
                return None
            if job := connection.eval(NEXT, len(keys), *keys, taken[1], BUSY_SECONDS * 1000):
                return queue_key, job
            time.sleep(LOOK_SECONDS if timeout else 0)
        if timeout:
            # As after a wait in vain: the worker gives a sign of life and waits again. With None it would end.
            raise DequeueTimeout(timeout, [queue_key])
        return None

    @contextlib.contextmanager
    def busy(self, job_id: str) -> Iterator[None]:
        """While a job runs, no other worker of this lane takes one of its tenant. Soon after a worker died, one may."""
        tenant, ended, began = tenant_of(job_id), threading.Event(), time.monotonic()
        sign = threading.Thread(target=self.give_signs, args=(tenant, ended), daemon=True, name="busy")
        sign.start()
        try:
            yield
        finally:
            ended.set()
            with contextlib.suppress(RedisError):
                if tenant != PLATFORM and time.monotonic() - began >= LONG_SECONDS:
                    self.connection.set(f"{self.key}:long:{tenant}", 1, ex=LONG_REMEMBERED)
                if tenant != PLATFORM:
                    self.connection.zrem(f"{self.key}:slow", tenant)
                self.connection.delete(f"{self.key}:busy:{tenant}")

    def give_signs(self, tenant: str, ended: threading.Event) -> None:
        keys = f"{self.key}:busy:{tenant}", f"{self.key}:slow"
        while not ended.wait(SIGN_SECONDS):
            with contextlib.suppress(RedisError):
                self.connection.eval(SIGN, len(keys), *keys, tenant, BUSY_SECONDS * 1000)
