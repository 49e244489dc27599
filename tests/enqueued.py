"""What waits in Redis for the workers, which no test runs unless it says so."""

from __future__ import annotations

from flask import Flask, current_app
from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer

from app.extensions import outside
from app.inbox.outbound.jobs import release_scheduled
from app.tenancy.lanes import LANES
from app.tenancy.queue import JOBS


class Enqueued:
    def __init__(self, app: Flask) -> None:
        self.redis = outside(app).redis

    @property
    def jobs(self) -> list[Job]:
        return [job for lane in LANES for job in Queue(lane, connection=self.redis, serializer=JSONSerializer).jobs]

    @property
    def names(self) -> list[str]:
        return [str(job.func_name) for job in self.jobs]

    def count(self, name: str) -> int:
        """How many wait of this name, whatever the simulated Meta's webhooks enqueue meanwhile."""
        return self.names.count(name)

    def clear(self) -> None:
        self.redis.flushdb()

    def run(self, name: str) -> None:
        """Runs those that wait of this name, as a worker would."""
        for waiting in self.jobs:
            if waiting.func_name == name:
                JOBS[name].start(*waiting.args)
                waiting.delete()


def release_due() -> None:
    """What the clock and the workers do with scheduled messages that are due."""
    release_scheduled()
    Enqueued(current_app).run("outbound.release")
