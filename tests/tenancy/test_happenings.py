"""What happened is written with the change, and reaches each subscriber: all of it, in order, at least once."""

from __future__ import annotations

import pathlib
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import time_machine
from flask import Flask
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from app.inbox.conversations.assignment import HAPPENINGS
from app.tenancy import (
    Actor,
    Happened,
    db,
    happened,
    happened_each,
    now,
    platform_scope,
    subscriber,
    tenant_scope,
)
from app.tenancy.catalogue import KINDS
from app.tenancy.happenings import (
    LATELY,
    PAGE,
    PAUSE,
    SLOTS,
    SUBSCRIBERS,
    TRIES,
    WEEK,
    Happening,
    HappeningCursor,
    empty_oldest,
)
from app.tenancy.jobs import deliver_happenings, deliver_what_is_behind, deliver_what_was_lost_longer_ago
from tests.enqueued import Enqueued
from tests.happenings import deliver_to_subscriber, kinds
from tests.world import World

APP = pathlib.Path(__file__).parents[2] / "app"
ONE, TWO, THREE = (uuid.UUID(int=n) for n in (1, 2, 3))


class Ear:
    """A subscriber that writes down what it hears, and can be made to fail."""

    def __init__(self) -> None:
        self.heard: list[uuid.UUID] = []
        self.refuses: Callable[[Happened], bool] = lambda _: False

    def __call__(self, results: list[Happened]) -> None:
        for one in results:
            if self.refuses(one):
                raise ValueError(one.id)
        self.heard += [one.subject_id for one in results]


@pytest.fixture
def ear(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ear]:
    """A delivery to it is one page."""
    monkeypatch.setattr("app.tenancy.jobs.TURN_SECONDS", 0)
    made = Ear()
    subscriber("ear", "conversation.team", "contact.erased")(made)
    yield made
    del SUBSCRIBERS["ear"]


def happen(world: World, *subjects: uuid.UUID) -> None:
    with tenant_scope(world.bakery.id):
        for subject in subjects:
            happened("contact.erased", subject)


def deliveries(enqueued: Enqueued, world: World) -> int:
    """How many wait for the ear."""
    return [list(job.args) for job in enqueued.jobs].count([str(world.bakery.id), "ear"])


def try_again(world: World) -> None:
    """After the pause that follows a failure."""
    with tenant_scope(world.bakery.id):
        db.session.execute(db.update(HappeningCursor).values(next_attempt_at=now()))
    deliver_to_subscriber("ear", world.bakery.id)


def test_what_happened_reaches_the_subscriber_once_and_in_order(world: World, ear: Ear) -> None:
    happen(world, ONE, TWO)
    deliver_to_subscriber("ear", world.bakery.id)
    happen(world, THREE)
    deliver_to_subscriber("ear", world.bakery.id)
    deliver_to_subscriber("ear", world.bakery.id)
    assert ear.heard == [ONE, TWO, THREE]


def test_what_was_rolled_back_did_not_happen(world: World, ear: Ear) -> None:
    with tenant_scope(world.bakery.id):
        happened("contact.erased", ONE)
        db.session.flush()
        db.session.rollback()
    deliver_to_subscriber("ear", world.bakery.id)
    assert ear.heard == [] and kinds(world.bakery.id) == []


def slow_writer(url: str, world: World) -> psycopg.Connection:
    """A transaction that has written ONE and not committed yet."""
    connection = psycopg.connect(url)
    connection.execute(
        "insert into happenings (tenant_id, id, kind, subject_id, facts, at)"
        " values (%s, uuidv7(), 'contact.erased', %s, '{}', now())",
        (world.bakery.id, ONE),
    )
    return connection


def test_what_is_committed_late_is_not_skipped(world: World, ear: Ear, superuser_url: str) -> None:
    with slow_writer(superuser_url, world) as slow:
        happen(world, TWO)
        deliver_to_subscriber("ear", world.bakery.id)
        assert ear.heard == [TWO]
        slow.commit()
    deliver_to_subscriber("ear", world.bakery.id)
    deliver_to_subscriber("ear", world.bakery.id)
    assert ear.heard == [TWO, ONE]


def test_what_is_committed_while_a_backlog_is_read_is_not_skipped(world: World, ear: Ear, superuser_url: str) -> None:
    with slow_writer(superuser_url, world) as slow:
        with tenant_scope(world.bakery.id):
            happened_each("contact.erased", [(TWO, {})] * (PAGE + 1))
        deliver_to_subscriber("ear", world.bakery.id)
        slow.commit()
    for _ in range(3):
        deliver_to_subscriber("ear", world.bakery.id)
    assert (ear.heard.count(TWO), ear.heard.count(ONE)) == (PAGE + 1, 1)


def test_a_backlog_is_read_in_pages_one_after_the_other(world: World, ear: Ear, enqueued: Enqueued) -> None:
    subjects = [uuid.UUID(int=n) for n in range(PAGE + 10)]
    with tenant_scope(world.bakery.id):
        happened_each("contact.erased", [(subject, {}) for subject in subjects])
    deliver_to_subscriber("ear", world.bakery.id)
    assert len(ear.heard) == PAGE and deliveries(enqueued, world) == 1
    deliver_to_subscriber("ear", world.bakery.id)
    assert ear.heard == subjects


def test_a_job_goes_on_with_a_backlog_for_its_turn(
    world: World, ear: Ear, enqueued: Enqueued, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.tenancy.jobs.TURN_SECONDS", 600)
    with tenant_scope(world.bakery.id):
        happened_each("contact.erased", [(TWO, {})] * (2 * PAGE + 10))
    enqueued.clear()
    deliver_to_subscriber("ear", world.bakery.id)
    assert len(ear.heard) == 2 * PAGE + 10 and deliveries(enqueued, world) == 0


@pytest.fixture
def stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a million were thirty."""
    monkeypatch.setattr("app.tenancy.happenings.PAGE", 2)
    monkeypatch.setattr("app.tenancy.happenings.STRETCH", 5)


@pytest.mark.usefixtures("stretches")
def test_a_long_backlog_is_read_in_stretches_each_row_once_and_in_order(world: World, ear: Ear) -> None:
    subjects = [uuid.UUID(int=n) for n in range(30)]
    for subject in subjects:
        happen(world, subject)
        if subject is subjects[0]:
            deliver_to_subscriber("ear", world.bakery.id)
    for _ in range(25):
        deliver_to_subscriber("ear", world.bakery.id)
    assert ear.heard == subjects


@pytest.mark.usefixtures("stretches")
def test_after_a_stretch_comes_the_next_one_until_all_is_read(world: World, ear: Ear) -> None:
    happen(world, ONE)
    deliver_to_subscriber("ear", world.bakery.id)
    for _ in range(12):
        happen(world, TWO)
    while is_more(world):
        assert len(ear.heard) <= 13
    assert len(ear.heard) == 13


def is_more(world: World) -> bool:
    """Delivers a page. Returns whether another one is to follow."""
    with tenant_scope(world.bakery.id):
        return HappeningCursor.locked("ear").deliver(SUBSCRIBERS["ear"])


@pytest.mark.usefixtures("stretches")
def test_what_is_committed_late_is_not_skipped_by_a_stretch(world: World, ear: Ear, superuser_url: str) -> None:
    happen(world, THREE)
    deliver_to_subscriber("ear", world.bakery.id)
    with slow_writer(superuser_url, world) as slow:
        for _ in range(12):
            happen(world, TWO)
        # As far as the end of a stretch.
        for _ in range(4):
            deliver_to_subscriber("ear", world.bakery.id)
        slow.commit()
    for _ in range(12):
        deliver_to_subscriber("ear", world.bakery.id)
    assert (ear.heard.count(TWO), ear.heard.count(ONE), len(ear.heard)) == (12, 1, 14)


def test_what_a_subscriber_cannot_take_is_tried_again_and_holds_back_only_what_follows(world: World, ear: Ear) -> None:
    ear.refuses = lambda one: one.subject_id == TWO
    happen(world, ONE, TWO, THREE)
    deliver_to_subscriber("ear", world.bakery.id)
    assert ear.heard == [ONE]
    deliver_to_subscriber("ear", world.bakery.id)
    assert ear.heard == [ONE]
    ear.refuses = lambda _: False
    try_again(world)
    assert ear.heard == [ONE, TWO, THREE]


def test_what_a_subscriber_never_takes_is_passed_over_in_the_end(world: World, ear: Ear) -> None:
    ear.refuses = lambda one: one.subject_id == TWO
    happen(world, ONE, TWO, THREE)
    deliver_to_subscriber("ear", world.bakery.id)
    for _ in range(TRIES - 1):
        try_again(world)
    assert ear.heard == [ONE, THREE]
    with tenant_scope(world.bakery.id):
        cursor = db.session.scalars(db.select(HappeningCursor)).one()
        assert (cursor.passed_over, cursor.error) == (1, "ValueError")


def test_what_a_failing_subscriber_wrote_is_undone(world: World, ear: Ear) -> None:
    def write_and_fail(one: Happened) -> bool:
        happened("contact.merged", one.subject_id, other_id=ONE)
        db.session.flush()
        return True

    ear.refuses = write_and_fail
    happen(world, TWO)
    deliver_to_subscriber("ear", world.bakery.id)
    assert kinds(world.bakery.id) == ["contact.erased"]


def test_a_delivery_is_enqueued_for_those_who_subscribe_to_the_kind(world: World, ear: Ear, enqueued: Enqueued) -> None:
    with tenant_scope(world.bakery.id):
        happened("tag.added", ONE, tag_id=TWO)
    assert deliveries(enqueued, world) == 0
    happen(world, ONE)
    assert deliveries(enqueued, world) == 1


def test_what_redis_lost_is_enqueued_again(world: World, ear: Ear, enqueued: Enqueued) -> None:
    happen(world, ONE)
    enqueued.clear()
    deliver_what_is_behind()
    assert deliveries(enqueued, world) == 1
    deliver_to_subscriber("ear", world.bakery.id)
    enqueued.clear()
    deliver_what_is_behind()
    assert deliveries(enqueued, world) == 0


def test_who_was_reading_a_backlog_goes_on_after_a_loss(
    world: World, ear: Ear, enqueued: Enqueued, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.tenancy.happenings.PAGE", 1)
    deliver_to_subscriber("ear", world.bakery.id)
    happen(world, ONE, TWO)
    deliver_happenings(world.bakery.id, "ear")
    enqueued.clear()
    deliver_what_is_behind()
    assert deliveries(enqueued, world) == 1


def test_what_was_lost_longer_ago_is_enqueued_by_the_sweep_of_all_tenants(
    world: World, ear: Ear, enqueued: Enqueued, superuser_url: str
) -> None:
    deliver_to_subscriber("ear", world.bakery.id)
    happen(world, ONE)
    with psycopg.connect(superuser_url) as connection:
        connection.execute("update happenings set at = at - %s", (LATELY * 2,))
    enqueued.clear()
    deliver_what_is_behind()
    assert deliveries(enqueued, world) == 0
    deliver_what_was_lost_longer_ago()
    assert deliveries(enqueued, world) == 1


@pytest.fixture
def workers(app: Flask, superuser_url: str) -> Iterator[psycopg.Connection]:
    """The transactions that another machine of a cluster has prepared, as Citus answers it."""
    made = """
        create table prepared (gid text);
        create function run_command_on_workers(command text, out success bool, out result text) returns setof record
        language sql security definer as $$ select true, string_agg(gid, ',') from prepared $$"""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute(made)
        yield connection
        connection.execute("drop function run_command_on_workers; drop table prepared")


def test_a_cursor_waits_for_what_another_machine_has_not_committed_yet(
    world: World, ear: Ear, workers: psycopg.Connection
) -> None:
    workers.execute("insert into prepared values ('citus_1')")
    happen(world, ONE)
    deliver_to_subscriber("ear", world.bakery.id)
    assert ear.heard == []
    workers.execute("delete from prepared")
    with time_machine.travel(now() + PAUSE, tick=True):
        deliver_to_subscriber("ear", world.bakery.id)
    assert ear.heard == [ONE]


def test_what_is_prepared_after_the_snapshot_is_not_waited_for(
    world: World, ear: Ear, workers: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers.execute("insert into prepared values ('citus_1')")
    next_one = "update prepared set gid = 'citus_' || floor(random() * 1000000)"
    monkeypatch.setattr("app.tenancy.happenings.time.sleep", lambda _: workers.execute(next_one))
    happen(world, ONE)
    deliver_to_subscriber("ear", world.bakery.id)
    assert ear.heard == [ONE]


def test_a_new_subscriber_hears_of_the_last_hour(world: World, ear: Ear, superuser_url: str) -> None:
    happen(world, ONE, TWO)
    with psycopg.connect(superuser_url) as connection:
        connection.execute("update happenings set at = at - interval '2 h' where subject_id = %s", (ONE,))
    deliver_to_subscriber("ear", world.bakery.id)
    assert ear.heard == [TWO]


def test_facts_that_the_catalogue_does_not_have_are_refused(world: World) -> None:
    with tenant_scope(world.bakery.id):
        mistaken: list[dict[str, Any]] = [{}, {"tag_id": ONE, "name": "VIP"}]
        for facts in mistaken:
            with pytest.raises(ValidationError):
                happened("tag.added", ONE, **facts)
        with pytest.raises(ValidationError):
            happened_each("tag.added", [(ONE, {"tag": "VIP"})])


def test_who_did_it_and_the_facts_come_as_they_were_written(world: World, ear: Ear) -> None:
    got: list[Happened] = []
    subscriber("ear", "conversation.team")(got.extend)
    by = Actor("api", TWO, "Website")
    with tenant_scope(world.bakery.id):
        happened("conversation.team", ONE, by=by, team_id=THREE)
    deliver_to_subscriber("ear", world.bakery.id)
    assert [(one.actor, one.facts.team_id, one.subject_id) for one in got] == [(by, THREE, ONE)]


def test_next_door_nothing_of_it_is_seen(world: World, ear: Ear) -> None:
    happen(world, ONE)
    deliver_to_subscriber("ear", world.shoes.id)
    assert ear.heard == [] and kinds(world.shoes.id) == []
    with tenant_scope(world.shoes.id):
        mine = {"tenant": world.bakery.id}
        assert db.session.scalar(text("select count(*) from happenings where tenant_id = :tenant"), mine) == 0


@pytest.mark.parametrize("statement", ["update happenings set kind = ''", "delete from happenings"])
def test_what_happened_cannot_be_changed(world: World, statement: str) -> None:
    happen(world, ONE)
    with pytest.raises(ProgrammingError, match="permission denied"), tenant_scope(world.bakery.id):
        db.session.execute(text(statement))


def test_the_partitions_cannot_be_reached_past_the_policies(world: World) -> None:
    for scope in (tenant_scope(world.bakery.id), platform_scope("test")):
        with pytest.raises(ProgrammingError, match="permission denied"), scope:
            db.session.execute(text("select * from happening_slots.slot_0"))


def test_the_oldest_partition_is_emptied_before_it_is_written_again(world: World, superuser_url: str) -> None:
    happen(world, ONE, TWO)
    next_slot = (int(now().timestamp()) // WEEK + 1) % SLOTS
    with psycopg.connect(superuser_url) as connection:
        old = "update happenings set slot = %s, at = at - interval '36 days' where subject_id = %s"
        connection.execute(old, (next_slot, ONE))
    with platform_scope("test"):
        assert empty_oldest(now()) == next_slot
    with tenant_scope(world.bakery.id):
        assert db.session.scalars(db.select(Happening.subject_id)).all() == [TWO]


def test_a_partition_that_holds_something_young_is_not_emptied(world: World, superuser_url: str) -> None:
    happen(world, ONE, TWO)
    next_slot = (int(now().timestamp()) // WEEK + 1) % SLOTS
    with psycopg.connect(superuser_url) as connection:
        connection.execute("update happenings set slot = %s", (next_slot,))
        connection.execute("update happenings set at = at - interval '36 days' where subject_id = %s", (ONE,))
    with platform_scope("test"):
        assert empty_oldest(now()) is None
    with tenant_scope(world.bakery.id):
        assert db.session.scalars(db.select(Happening.subject_id)).all() == [TWO]


def test_after_a_restore_into_another_cluster_nothing_is_skipped(world: World, ear: Ear) -> None:
    happen(world, ONE)
    deliver_to_subscriber("ear", world.bakery.id)
    with tenant_scope(world.bakery.id):
        db.session.execute(db.update(HappeningCursor).values(since="900000000:900000000:"))
    happen(world, TWO)
    deliver_to_subscriber("ear", world.bakery.id)
    assert TWO in ear.heard


def test_a_delivery_waits_for_the_one_before_it(world: World, ear: Ear, superuser_url: str) -> None:
    """Else what was committed while the first read would wait for the next sweep."""
    deliver_to_subscriber("ear", world.bakery.id)
    happen(world, ONE)
    heard: list[str] = []

    def deliver_from_inside(_: Happened) -> bool:
        with psycopg.connect(superuser_url) as other:
            other.execute("set lock_timeout = '50ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                other.execute("select 1 from happening_cursors for update")
        heard.append("locked")
        return False

    ear.refuses = deliver_from_inside
    deliver_happenings(world.bakery.id, "ear")
    assert heard == ["locked"]


def test_every_kind_of_the_catalogue_happens_and_no_state_lacks_one() -> None:
    code = "".join(file.read_text() for file in APP.rglob("*.py") if file.name != "catalogue.py")
    climbing = {f"message.{status}" for status in ("sent", "delivered", "read", "failed")}
    states = {kind for state, kind in HAPPENINGS.items() if state != "merged"}
    assert states <= KINDS.keys()
    assert [kind for kind in KINDS.keys() - states - climbing if f'"{kind}"' not in code] == []
