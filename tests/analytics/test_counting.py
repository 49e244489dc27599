"""Counting: what is noted as stale, that counting twice changes nothing, and what was there before."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest

from app.analytics import jobs
from app.analytics.jobs import enqueue_backfills, enqueue_recounts, recount
from app.analytics.models import Fact, MessageCount, ReportProgress, StaleConversation, StaleQuarter
from app.analytics.recount import EPOCH
from app.analytics.subscribers import note_conversations
from app.analytics.timeline import Entry, Timeline
from app.contacts.models import Contact
from app.inbox.conversations import Message
from app.people.merges import ContactMerge
from app.tenancy import db, happened, now, tenant_scope, uuid7
from tests.arrivals import arrive, of_field
from tests.enqueued import Enqueued
from tests.happenings import deliver_to_subscriber
from tests.posts import message
from tests.world import World

from .conftest import Bakery, berlin


def rows(bakery: Bakery) -> list[tuple[Any, ...]]:
    """All facts and counts, without their ids."""
    facts: list[tuple[Any, ...]] = []
    with bakery.scope():
        for model in (Fact, MessageCount):
            names = [column.name for column in model.__table__.c if column.name not in ("id", "tenant_id")]
            found = db.session.execute(db.select(*(getattr(model, name) for name in names)))
            facts += sorted((tuple(row) for row in found), key=str)
    return facts


def hear(bakery: Bakery) -> None:
    deliver_to_subscriber("reports", bakery.tenant.id)


@pytest.fixture
def counted(bakery: Bakery) -> Bakery:
    """What was there before is counted."""
    bakery.hears(berlin(5, "10:00"))
    bakery.says(berlin(5, "10:10"), bakery.ben)
    bakery.count()
    return bakery


def test_counting_again_changes_nothing(counted: Bakery) -> None:
    before = rows(counted)
    counted.count()
    assert rows(counted) == before and before


def test_a_conversation_that_cannot_be_counted_holds_up_no_other(
    bakery: Bakery, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = {name: bakery.hears(berlin(5, "10:00"), name) for name in ("Ada", "Bea", "Cid")}
    read = Timeline.read

    def stumble(self: Timeline, entries: list[Entry]) -> Any:
        if any(one.id == ids["Bea"] for one in entries):
            raise ValueError("a bug")
        return read(self, entries)

    monkeypatch.setattr(Timeline, "read", stumble)
    bakery.count()
    with bakery.scope():
        counted = set(db.session.scalars(db.select(Fact.conversation_id)))
    assert counted == {bakery.talks[name].id for name in ("Ada", "Cid")}


def test_a_message_that_arrives_is_counted_once_however_often_it_is_heard_of(counted: Bakery, world: World) -> None:
    arrive(message("Rye?", wa_id="4915112345678", at=time.time() - 60))
    with counted.scope():
        # The database's clock is not the one of this test.
        db.session.execute(db.update(Message).where(Message.body == "Rye?").values(created_at=now()))
    for _ in range(2):
        hear(counted)
        with counted.scope():
            arrived = db.session.scalars(db.select(Message).where(Message.body == "Rye?")).one()
            happened("message.read", arrived.id, conversation_id=arrived.conversation_id)
        recount(counted.tenant.id)
    with counted.scope():
        report = counted.report(30)
        assert (report.received(), report.fact("opened").count) == (1, 1)
        assert not db.session.scalars(db.select(StaleQuarter)).all()


def test_a_status_counts_on_the_day_of_its_message_and_leaves_other_days_alone(counted: Bakery) -> None:
    sent = counted.says(berlin(20, "10:00"), counted.ben, state="sent")
    counted.count()
    with counted.scope():
        Message.get_or_404(sent).state = "read"
        db.session.flush()
        happened("message.read", sent, conversation_id=counted.talk().id)
    hear(counted)
    recount(counted.tenant.id)
    with counted.scope():
        assert counted.report(20).funnel.counts["read"] == 1 and counted.report(30).funnel.counts["read"] == 0
        assert counted.report(5).received() == 1


def test_what_happens_later_leaves_what_was_counted_before_as_it_was(counted: Bakery) -> None:
    """Business hours change: what was counted by the old ones stays."""
    counted.hears(berlin(28, "10:00"))
    reply = counted.says(berlin(30, "11:00"), counted.ben)
    counted.open_from("08:00–08:05", first_response_minutes=30)
    with counted.scope():
        happened("message.queued", reply, conversation_id=counted.talk().id)
    hear(counted)
    recount(counted.tenant.id)
    with counted.scope():
        assert counted.report(5).fact("first_response").timing.open_median == 600
        assert counted.report(30).fact("next_response").timing.open_median == 10 * 60


def test_a_message_that_comes_late_is_put_where_it_belongs(counted: Bakery) -> None:
    counted.says(berlin(29, "10:30"), counted.ben)
    counted.count()
    late = counted.hears(berlin(29, "10:00"))
    with counted.scope():
        about = {"conversation_id": counted.talk().id, "phone_number_id": counted.number.id, "type": "text"}
        happened("message.received", late, **about)
    hear(counted)
    recount(counted.tenant.id)
    with counted.scope():
        assert counted.report(29).fact("next_response").timing.median == 30 * 60


def test_two_conversations_that_are_merged_are_counted_as_one(counted: Bakery) -> None:
    counted.hears(berlin(5, "11:00"), "Carla again")
    counted.count()
    first, second = counted.talk(), counted.talk("Carla again")
    with counted.scope():
        one, two = Contact.get_or_404(first.contact_id), Contact.get_or_404(second.contact_id)
        ContactMerge.merge(one, two, by=counted.ann)
    hear(counted)
    recount(counted.tenant.id)
    with counted.scope():
        assert counted.report(5).fact("opened").count == 1 and counted.report(5).received() == 2


def test_the_past_is_counted_a_piece_at_a_time_and_goes_on_where_it_stopped(
    bakery: Bakery, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in (5, 12, 29):
        bakery.hears(berlin(day, "10:00"), f"Customer {day}")
    monkeypatch.setattr(jobs, "CONVERSATIONS_AT_ONCE", 2)
    recount(bakery.tenant.id)
    with bakery.scope():
        assert not db.session.scalars(db.select(ReportProgress)).one().is_complete
        assert [bakery.report(day).received() for day in (29, 5)] == [1, 0]
    for _ in range(5):
        recount(bakery.tenant.id)
    with bakery.scope():
        assert db.session.scalars(db.select(ReportProgress)).one().is_complete
        assert [bakery.report(day).fact("opened").count for day in (5, 12, 29)] == [1, 1, 1]
        assert [bakery.report(day).received() for day in (5, 12, 29)] == [1, 1, 1]


def test_what_was_sent_in_a_year_is_counted_again_a_piece_at_a_time(
    counted: Bakery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Merging two contacts makes all of their days stale, and no one else's."""
    for day in (6, 7, 8, 9):
        counted.says(berlin(day, "10:10"), counted.ben)
    counted.says(berlin(12, "10:00"), counted.ben, "Somebody else")
    monkeypatch.setattr(jobs, "QUARTERS_AT_ONCE", 2)
    for left in ((7, 8, 9), (9,), ()):
        with counted.scope():
            if len(left) == 3:
                note_conversations({counted.talk().id: EPOCH, counted.talk("Somebody else").id: now()}.items())
        recount(counted.tenant.id)
        with counted.scope():
            stale = db.session.scalars(db.select(StaleQuarter.quarter).order_by(StaleQuarter.quarter)).all()
            assert stale == [berlin(day, "10:00") for day in left]


def test_a_message_on_its_way_is_counted_again_until_meta_has_it(counted: Bakery) -> None:
    waiting = counted.says(now(), counted.ben, state="queued", wamid=None)
    with counted.scope():
        happened("message.queued", waiting, conversation_id=counted.talk().id)
    hear(counted)
    recount(counted.tenant.id)
    with counted.scope():
        assert counted.report(30).funnel.counts["unsettled"] == 1
        Message.get_or_404(waiting).state = "accepted"
    recount(counted.tenant.id)
    with counted.scope():
        assert (counted.report(30).funnel.counts["unsettled"], counted.report(30).outbound()) == (0, 1)
        assert not db.session.scalars(db.select(StaleQuarter)).all()


def test_the_clock_enqueues_what_is_stale_and_who_has_no_reports_yet(counted: Bakery, enqueued: Enqueued) -> None:
    enqueued.clear()
    enqueue_recounts()
    assert enqueued.names == []
    with counted.scope():
        db.session.add(StaleQuarter(quarter=berlin(5, "10:00")))
    enqueue_recounts()
    assert [job.args[0] for job in enqueued.jobs] == [str(counted.tenant.id)]
    enqueued.clear()
    enqueue_backfills()
    assert [job.args[0] for job in enqueued.jobs] == [str(counted.world.shoes.id)]


def test_a_conversation_of_somebody_else_is_not_noted(counted: Bakery, world: World) -> None:
    with tenant_scope(world.shoes.id):
        happened("conversation.resolved", counted.talk().id, by=counted.ann)
        happened("message.read", uuid7(), conversation_id=uuid.uuid4())
    deliver_to_subscriber("reports", world.shoes.id)
    with tenant_scope(world.shoes.id):
        assert not db.session.scalars(db.select(StaleConversation)).all()


def test_history_that_is_imported_is_marked_and_counts_nowhere(counted: Bakery) -> None:
    item: dict[str, Any] = {"from": "4915112345678", "id": "wamid.old", "timestamp": str(int(time.time()) - 3600)}
    item |= {"type": "text", "text": {"body": "Open on Sunday?"}, "history_context": {"status": "READ"}}
    threads = [{"id": "4915112345678", "messages": [item]}]
    arrive(
        of_field("history", history=[{"metadata": {"phase": 0, "chunk_order": 1, "progress": 5}, "threads": threads}])
    )
    with counted.scope():
        old = db.session.scalars(db.select(Message).where(Message.body == "Open on Sunday?")).one()
        assert old.content == {"history": True}
    counted.count()
    with counted.scope():
        assert counted.report(30).received() == 0 and not counted.report(30).facts
