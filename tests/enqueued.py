"""What waits in Redis for the workers, which no test runs unless it says so."""

from __future__ import annotations

from flask import Flask
from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer

from app.extensions import outside
from app.tenancy.lanes import LANES


class Enqueued:
    def __init__(self, app: Flask) -> None:
        self.redis = outside(app).redis

    @property
    def jobs(self) -> list[Job]:
        return [job for lane in LANES for job in Queue(lane, connection=self.redis, serializer=JSONSerializer).jobs]

    @property
    def names(self) -> list[str]:
        return [str(job.func_name) for job in self.jobs]

    def clear(self) -> None:
        self.redis.flushdb()
