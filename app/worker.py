"""Runs jobs: one process for each lane named, else WORKERS, `python -m app.worker [lane …]`.

A worker runs registered jobs only.
"""

from __future__ import annotations

import signal
import sys
import time
from multiprocessing import get_context
from multiprocessing.context import ForkProcess
from typing import Any, cast

import redis as redis_client
import rq
import structlog
from flask import Flask
from rq.job import Job as RqJob
from rq.serializers import JSONSerializer
from sqlalchemy.orm import configure_mappers

from app import create_app
from app.extensions import outside
from app.garbage import collect_rarely
from app.logs import describe
from app.sockets import redis_options
from app.tenancy.lanes import WORKERS, Lane
from app.tenancy.queue import JOBS, stopping

log = structlog.get_logger()


class RegisteredJob(RqJob):
    """A job by its registered name. RQ itself would import whatever name is in Redis."""

    @property
    def func(self) -> Any:
        return JOBS[cast("str", self.func_name)].start

    success_callback = failure_callback = stopped_callback = None


class Worker(rq.SimpleWorker):
    """Listens to one lane only: RQ can lose a job when a worker of two queues dies."""

    job_class, queue_class = RegisteredJob, Lane
    max_connection_wait_time = 3

    def request_stop(self, signum: int, frame: Any) -> None:
        stopping.set()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def execute_job(self, job: RqJob, queue: rq.Queue) -> None:
        if job.func_name not in JOBS:
            log.error("refused an unknown job", name=str(job.func_name)[:100])
            job.delete()
            return
        with cast("Lane", queue).busy(job.id):
            super().execute_job(job, queue)

    # RQ would log, and store in Redis, what an error quotes.

    def handle_exception(self, job: RqJob, *exc_info: Any) -> None:
        log.error("job failed", job=job.func_name, arguments=job.args, exc_info=exc_info)

    def handle_job_failure(
        self, job: RqJob, queue: rq.Queue, started_job_registry: Any = None, exc_string: str = ""
    ) -> None:
        if error := sys.exception():
            exc_string = describe(error)
        super().handle_job_failure(job, queue, started_job_registry, exc_string)


def run(app: Flask, lane: str) -> None:
    url = outside(app).settings.redis_url
    connection = redis_client.Redis.from_url(url, socket_connect_timeout=3, **redis_options(url))
    with app.app_context():
        queue = Lane(lane, connection=connection, serializer=JSONSerializer, job_class=RegisteredJob)
        worker = Worker([queue], connection=connection, serializer=JSONSerializer, job_class=RegisteredJob)
        worker.log_result_lifespan = False
        worker.work(with_scheduler=False, logging_level="WARNING")


def supervise(lanes: list[str]) -> None:
    """Restarts any worker that ends, until SIGTERM or SIGINT."""
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    # Loaded here once, instead of in each worker, before there is any connection that they would share.
    app = load()
    workers = [start(app, lane) for lane in lanes]
    while not stopping:
        time.sleep(0.3)
        ended = [place for place, process in enumerate(workers) if not process.is_alive()]
        if ended:
            # All at once: without Redis all of them end.
            time.sleep(0.5)
        for place in ended:
            log.warning("worker ended, starting another", lane=lanes[place], code=workers[place].exitcode)
            workers[place] = start(app, lanes[place])
    for process in workers:
        process.terminate()
    for process in workers:
        process.join(20)


def load() -> Flask:
    app = create_app()
    configure_mappers()
    collect_rarely()
    return app


def start(app: Flask, lane: str) -> ForkProcess:
    """Forked, so that all that is loaded is shared, and a worker begins at once."""
    process = get_context("fork").Process(target=work, args=(app, lane))
    process.start()
    return process


def work(app: Flask, lane: str) -> None:
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, signal.SIG_DFL)
    run(app, lane)


if __name__ == "__main__":
    if len(chosen := sys.argv[1:]) == 1:
        work(load(), chosen[0])
    else:
        supervise(chosen or list(WORKERS))
