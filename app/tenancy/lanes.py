"""Lanes of jobs, in which tenants take turns: what one enqueues a thousand times delays the others by one job at most.

A lane is an RQ queue, so what waits, RQ's tools and its care for jobs of dead workers stay as they are. Beside it, each
tenant has a list of its own and the lane a list of those whose turn comes next. Whichever job RQ would have taken, a
worker gets the first one of the tenant in front, who then goes to the back.
"""

from __future__ import annotations

import uuid
from typing import Any

import rq
from redis import Redis
from rq.intermediate_queue import IntermediateQueue

LANES = ("inbound", "outbound", "files", "default")
# For jobs of no tenant.
PLATFORM = "platform"

# KEYS: the lane, who has turns. ARGV: tenant, job.
PUSH = """
redis.call('rpush', KEYS[1] .. ':of:' .. ARGV[1], ARGV[2])
if not redis.call('lpos', KEYS[2], ARGV[1]) then redis.call('rpush', KEYS[2], ARGV[1]) end
return redis.call('rpush', KEYS[1], ARGV[2])
"""
# KEYS: the lane, who has turns, the jobs that workers have taken. ARGV: the job that RQ has taken. That one goes back,
# and the job whose turn it is comes in its place. Without any list, as after a loss, RQ's order holds.
NEXT = """
local tenant = redis.call('lpop', KEYS[2])
while tenant do
    local waiting = KEYS[1] .. ':of:' .. tenant
    local job = redis.call('lpop', waiting)
    if redis.call('exists', waiting) == 1 then redis.call('rpush', KEYS[2], tenant) end
    if job then
        if job ~= ARGV[1] then
            redis.call('lpush', KEYS[1], ARGV[1])
            redis.call('lrem', KEYS[1], 1, job)
            redis.call('lrem', KEYS[3], 1, ARGV[1])
            redis.call('rpush', KEYS[3], job)
        end
        return job
    end
    tenant = redis.call('lpop', KEYS[2])
end
return ARGV[1]
"""


def job_id(tenant_id: str | None) -> str:
    """A new id for a job, which says whose it is."""
    return f"{tenant_id or PLATFORM}_{uuid.uuid4().hex}"


def turns_of(lane_key: str) -> str:
    return f"{lane_key}:turns"


class Lane(rq.Queue):
    def push_job_id(self, job_id: str, pipeline: Any = None, at_front: bool = False) -> None:  # noqa: ARG002  RQ's own signature
        connection = self.connection if pipeline is None else pipeline
        tenant = job_id.rpartition("_")[0] or PLATFORM
        connection.eval(PUSH, 2, self.key, turns_of(self.key), tenant, job_id)

    @classmethod
    def lmove(cls, connection: Redis, queue_key: str, timeout: int | None) -> Any:
        """The lane and the job whose turn it is; None when nothing waits. Needs Redis 6.2 or newer."""
        taken = super().lmove(connection, queue_key, timeout)
        if taken is None:
            return None
        keys = (queue_key, turns_of(queue_key), IntermediateQueue.get_intermediate_queue_key(queue_key))
        return queue_key, connection.eval(NEXT, 3, *keys, taken[1])
