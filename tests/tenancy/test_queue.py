from __future__ import annotations

import pathlib
import pickle
import uuid

import redis
import rq
from flask import Flask
from rq.serializers import JSONSerializer

from app.extensions import outside
from app.tenancy import tenant_scope
from app.tenancy.queue import JOBS
from app.worker import KnownJob, Worker, load_jobs
from tests.world import World


def work(lane: str) -> None:
    """One worker until the lane is empty."""
    load_jobs()
    connection = redis.Redis.from_url(outside().settings.redis_url)
    queue = rq.Queue(lane, connection=connection, serializer=JSONSerializer, job_class=KnownJob)
    worker = Worker([queue], connection=connection, serializer=JSONSerializer, job_class=KnownJob)
    worker.work(burst=True, logging_level="ERROR")


def lane(name: str) -> rq.Queue:
    return rq.Queue(name, connection=outside().redis, serializer=JSONSerializer)


def test_a_worker_runs_the_jobs_it_knows(app: Flask) -> None:
    load_jobs()
    JOBS["app.webhooks.jobs.drain"].ring()
    assert lane("inbound").count == 1
    work("inbound")
    assert lane("inbound").count == 0


def test_a_bell_that_rings_already_is_not_rung_again(app: Flask) -> None:
    load_jobs()
    for _ in range(5):
        JOBS["app.webhooks.jobs.drain"].ring()
    assert lane("inbound").count == 1


def test_a_worker_runs_nothing_else(app: Flask, tmp_path: pathlib.Path) -> None:
    mark = tmp_path / "mark"
    lane("default").enqueue_call("os.mkdir", args=(str(mark),))
    work("default")
    assert not mark.exists()


def test_a_pickled_job_is_not_unpickled(app: Flask, tmp_path: pathlib.Path) -> None:
    mark = tmp_path / "mark"
    job = lane("default").enqueue_call("app.webhooks.jobs.drain")
    outside().redis.hset(f"rq:job:{job.id}", "data", pickle.dumps(mark.mkdir))
    work("default")
    assert not mark.exists()


def test_a_job_with_another_tenants_ids_finds_nothing(app: Flask, world: World) -> None:
    _, shoes = world.connect_numbers()
    load_jobs()
    lane("default").enqueue_call("app.wabas.jobs.probe", args=(str(world.bakery.id), str(shoes.id)))
    work("default")
    with tenant_scope(world.shoes.id):
        assert type(shoes).get_or_404(shoes.id).probed_at is None


def test_what_is_in_redis_are_names_and_ids_only(app: Flask, world: World) -> None:
    load_jobs()
    with tenant_scope(world.bakery.id):
        JOBS["app.inbox.jobs.mark_read"].later(number := uuid.uuid4())
    (job,) = lane("default").jobs
    assert (job.func_name, job.args) == ("app.inbox.jobs.mark_read", [str(world.bakery.id), str(number)])
