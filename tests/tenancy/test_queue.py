from __future__ import annotations

import pathlib
import pickle
import uuid

import pytest
import redis
import rq
from flask import Flask
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq.exceptions import DequeueTimeout
from rq.serializers import JSONSerializer

from app.extensions import outside
from app.tenancy import current_tenant_id, enqueue, later, tenant_scope
from app.tenancy.lanes import Lane
from app.tenancy.queue import JOBS, LONGEST_PENDING, PENDING_SECONDS, Sweep
from app.worker import RegisteredJob, Worker
from tests.world import World


def work(lane: str) -> None:
    """One worker until the lane is empty."""
    connection = redis.Redis.from_url(outside().settings.redis_url)
    queue = Lane(lane, connection=connection, serializer=JSONSerializer, job_class=RegisteredJob)
    worker = Worker([queue], connection=connection, serializer=JSONSerializer, job_class=RegisteredJob)
    worker.work(burst=True, logging_level="ERROR")


def lane(name: str) -> rq.Queue:
    return rq.Queue(name, connection=outside().redis, serializer=JSONSerializer)


def test_a_worker_runs_the_jobs_it_knows(app: Flask) -> None:
    enqueue("webhooks.drain")
    assert lane("inbound").count == 1
    work("inbound")
    assert lane("inbound").count == 0


def test_a_job_that_waits_is_not_enqueued_twice(app: Flask) -> None:
    for _ in range(5):
        enqueue("webhooks.drain")
    assert lane("inbound").count == 1


def test_what_waits_behind_many_of_its_tenant_is_not_enqueued_again_as_soon(app: Flask, world: World) -> None:
    with tenant_scope(world.bakery.id):
        for _ in range(300):
            later("outbound.mark_read", uuid.uuid4())
    for tenant in (world.bakery, world.shoes):
        with tenant_scope(tenant.id):
            later("outbound.mark_read", tenant.id)
    behind, alone = (f"pending:outbound.mark_read:{one.id}:{one.id}" for one in (world.bakery, world.shoes))
    assert LONGEST_PENDING >= outside().redis.ttl(behind) > 20 > PENDING_SECONDS >= outside().redis.ttl(alone)


def test_a_worker_runs_nothing_else(app: Flask, tmp_path: pathlib.Path) -> None:
    mark = tmp_path / "mark"
    lane("default").enqueue_call("os.mkdir", args=(str(mark),))
    work("default")
    assert not mark.exists()


def test_a_pickled_job_is_not_unpickled(app: Flask, tmp_path: pathlib.Path) -> None:
    mark = tmp_path / "mark"
    job = lane("default").enqueue_call("webhooks.drain")
    outside().redis.hset(f"rq:job:{job.id}", "data", pickle.dumps(mark.mkdir))
    work("default")
    assert not mark.exists()


def test_a_job_with_another_tenants_ids_finds_nothing(app: Flask, world: World) -> None:
    _, shoes = world.connect_numbers()
    lane("default").enqueue_call("wabas.probe", args=(str(world.bakery.id), str(shoes.id)))
    work("default")
    with tenant_scope(world.shoes.id):
        assert type(shoes).get_or_404(shoes.id).probed_at is None


def test_what_is_in_redis_are_names_and_ids_only(app: Flask, world: World) -> None:
    with tenant_scope(world.bakery.id):
        later("outbound.mark_read", number := uuid.uuid4())
    (job,) = lane("default").jobs
    assert (job.func_name, job.args) == ("outbound.mark_read", [str(world.bakery.id), str(number)])


def enqueued_for(*tenants: uuid.UUID) -> None:
    for tenant_id in tenants:
        with tenant_scope(tenant_id):
            later("outbound.mark_read", uuid.uuid4())


def order_of_work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Runs what waits; the tenants in the order in which their jobs ran."""
    ran: list[str] = []
    monkeypatch.setattr(JOBS["outbound.mark_read"], "function", lambda *_: ran.append(str(current_tenant_id())))
    work("default")
    return ran


def test_tenants_take_turns(app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    bakery, shoes = world.bakery.id, world.shoes.id
    enqueued_for(bakery, bakery, bakery, bakery, shoes, shoes)
    expected = [bakery, shoes, bakery, shoes, bakery, bakery]
    assert order_of_work(monkeypatch) == [str(tenant) for tenant in expected]


def test_what_waits_is_counted_right_whoever_had_their_turn(app: Flask, world: World) -> None:
    enqueued_for(world.bakery.id, world.bakery.id, world.shoes.id)
    waiting = lane("default").job_ids
    for left in (2, 1, 0):
        _, job = Lane.lmove(outside().redis, lane("default").key, None)
        outside().redis.delete(*outside().redis.keys("rq:queue:default:busy:*"))
        assert lane("default").count == left and job.decode() not in lane("default").job_ids
    assert set(lane("default").intermediate_queue.get_job_ids()) == set(waiting)
    assert not outside().redis.keys("rq:queue:default:of:*")


def test_one_worker_at_most_is_busy_with_a_tenant(app: Flask, world: World) -> None:
    enqueued_for(world.bakery.id, world.bakery.id, world.shoes.id)
    redis, key = outside().redis, lane("default").key
    taken = [Lane.lmove(redis, key, None) for _ in range(3)]
    owners = [one and one[1].decode().rpartition("_")[0] for one in taken]
    assert owners == [str(world.bakery.id), str(world.shoes.id), None]
    assert lane("default").count == 1
    with Lane("default", connection=redis).busy(taken[0][1].decode()):
        assert Lane.lmove(redis, key, None) is None
    assert Lane.lmove(redis, key, None) is not None


def test_tenants_with_long_jobs_leave_a_worker_to_the_others(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis, key, slow = outside().redis, lane("default").key, [uuid.uuid4(), uuid.uuid4()]
    redis.sadd("rq:workers:default", "one", "two")
    monkeypatch.setattr("app.tenancy.lanes.LONG_SECONDS", 0)
    for tenant in slow:
        with Lane("default", connection=redis).busy(f"{tenant}_job"):
            pass
    enqueued_for(*slow, world.bakery.id)
    taken = [Lane.lmove(redis, key, None) for _ in range(3)]
    owners = [one and one[1].decode().rpartition("_")[0] for one in taken]
    assert owners == [str(slow[0]), str(world.bakery.id), None]
    with Lane("default", connection=redis).busy(taken[0][1].decode()):
        pass
    assert Lane.lmove(redis, key, None)[1].decode().startswith(str(slow[1]))


def test_a_worker_alone_takes_those_with_long_jobs_too(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    redis, slow = outside().redis, uuid.uuid4()
    monkeypatch.setattr("app.tenancy.lanes.LONG_SECONDS", 0)
    with Lane("default", connection=redis).busy(f"{slow}_job"):
        pass
    enqueued_for(slow)
    assert Lane.lmove(redis, lane("default").key, None)


def test_a_worker_that_waits_for_a_busy_tenant_waits_on(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.tenancy.lanes.LOOKS", 2)
    enqueued_for(world.bakery.id, world.bakery.id)
    key = lane("default").key
    assert Lane.lmove(outside().redis, key, 1)
    with pytest.raises(DequeueTimeout):
        Lane.lmove(outside().redis, key, 1)
    assert lane("default").count == 1


def test_a_tenant_whose_worker_died_is_busy_for_seconds_only(app: Flask, world: World) -> None:
    enqueued_for(world.bakery.id)
    Lane.lmove(outside().redis, lane("default").key, None)
    assert 0 < outside().redis.pttl(f"{lane('default').key}:busy:{world.bakery.id}") <= 15_000


def test_when_redis_has_lost_whose_turn_it_is_every_job_still_runs(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueued_for(world.bakery.id, world.shoes.id, world.bakery.id)
    outside().redis.delete("rq:queue:default:turns", f"rq:queue:default:of:{world.shoes.id}")
    assert len(order_of_work(monkeypatch)) == 3


def test_a_sweep_is_claimed_by_one_clock_at_a_time(app: Flask) -> None:
    ran: list[int] = []
    first, second = Sweep(lambda: ran.append(1), 60), Sweep(lambda: ran.append(2), 60)
    assert first.claim() and not second.claim()


def test_what_a_sweep_took_and_how_it_ended_is_noted(app: Flask) -> None:
    failing = Sweep(lambda: 1 // 0, 5)
    failing.run()
    noted = outside().redis.hget("sweeps", failing.name)
    assert isinstance(noted, bytes) and noted.decode().endswith(" ZeroDivisionError")


def test_without_redis_a_clock_goes_by_its_own_watch(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    single = Sweep(lambda: None, 60)
    monkeypatch.setattr(outside(), "redis", redis.Redis(port=9, retry=Retry(NoBackoff(), 0)))
    assert single.claim()
    single.run()
    assert not single.claim()
