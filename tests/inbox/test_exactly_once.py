"""A message goes out at most once, and each has one fate, whatever is lost, late or done twice."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psycopg
import pytest
import rq
from flask import Flask
from rq.serializers import JSONSerializer
from sqlalchemy import text

from app.config import Settings
from app.extensions import outside
from app.inbox.conversations import Conversation, Message
from app.inbox.outbound import outbox
from app.inbox.outbound.jobs import deliver, mark_read
from app.inbox.outbound.lanes import Lane
from app.inbox.outbound.outbox import park_abandoned
from app.inbox.outbound.outcomes import Outcomes
from app.meta.errors import NO_ANSWER, MetaError
from app.meta.messages import Accepted
from app.tenancy import Actor, db, platform_scope, tenant_scope, uuid7
from app.wabas.models import PhoneNumber
from tests.arrivals import arrive, graph_answering
from tests.client import Browser
from tests.posts import status
from tests.simulated import Road
from tests.world import World, conversation


@pytest.fixture
def waiting(world: World) -> Message:
    """A message in the outbox."""
    bakery, _ = world.connect_numbers()
    talk = conversation(bakery)
    with tenant_scope(world.bakery.id):
        return Conversation.get_or_404(talk.id).reply("Hello", by=Actor.agent(world.ann), client_id=uuid.uuid4())


def lane(message: Message) -> Lane:
    return Lane(PhoneNumber.get_or_404(message.phone_number_id))


def accepted(wamid: str) -> Accepted:
    return Accepted(wamid, wa_id=None, user_id=None, message_status=None)


def words(road: Road) -> list[str]:
    return [json.loads(sent["body"])["body"] for sent in road.meta.accepted()]


def outcomes() -> set[str | None]:
    with platform_scope("tests"):
        return set(db.session.scalars(text("select outcome from send_attempts")))


@pytest.mark.parametrize("kind", ["drop-after-accept", "accept-then-500", "accept-then-502"])
def test_a_message_whose_response_was_lost_is_settled_by_its_webhook_and_not_resent(road: Road, kind: str) -> None:
    message = road.reply(road.customer_writes(), "once")
    road.meta.post("knobs", status_before_answer=0, delay=60)
    road.meta.post("faults", edge="messages", kind=kind)
    road.deliver()
    assert road.state_of(message) == "unknown"
    road.deliver()
    road.meta.post("clock", advance=60)
    road.until(lambda: road.state_of(message) == "delivered")
    assert words(road) == ["once"]


def test_it_is_written_down_before_a_byte_is_sent(waiting: Message, superuser_url: str) -> None:
    seen: list[Any] = []

    def meta(request: httpx.Request) -> httpx.Response:
        with psycopg.connect(superuser_url) as other:
            query = "select state, (select count(*) from send_attempts) from messages where direction = 'outbound'"
            seen.extend(other.execute(query).fetchall())
        return httpx.Response(200, json={"messages": [{"id": "wamid.1"}]})

    graph_answering(meta)
    deliver()
    assert seen == [("dispatching", 1)]


@pytest.mark.parametrize("answer", [accepted("wamid.late"), MetaError(NO_ANSWER)], ids=["accepted", "refused"])
def test_whoever_comes_back_late_changes_nothing(waiting: Message, answer: Accepted | MetaError) -> None:
    with tenant_scope(waiting.tenant_id):
        slow = lane(waiting)
        (parcel,) = slow.claim_due(1)
        db.session.execute(text("update messages set state = 'unknown' where tenant_id = :t"), {"t": waiting.tenant_id})
        Message.get_or_404(waiting.id).retry()
        db.session.flush()
        (again,) = lane(waiting).claim_due(1)
        Outcomes(slow, [(parcel, answer)]).record()
        message = db.session.get(Message, (waiting.tenant_id, waiting.id), populate_existing=True)
    assert message and (message.state, message.wamid, message.fence) == ("dispatching", None, again.fence)


def test_a_sender_that_was_stopped_for_long_sends_nothing_and_the_message_waits_again(waiting: Message) -> None:
    requested: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requested.append(request.url.path)
        return httpx.Response(500)

    graph_answering(answer)
    with tenant_scope(waiting.tenant_id):
        going = lane(waiting)
        (parcel,) = going.claim_due(1)
    with platform_scope("tests"):
        db.session.execute(text("update messages set lease_until = now() where state = 'dispatching'"))
        park_abandoned()
    late = dataclasses.replace(parcel, starts_before=time.monotonic() - 1)
    with tenant_scope(waiting.tenant_id):
        Outcomes(going, [(late, late.send(outside().graph, going.token, going.meta_id, going.throttle))]).record()
        assert Message.get_or_404(waiting.id).state == "queued" and requested == []


def test_an_answer_that_comes_before_the_second_try_makes_it_needless(waiting: Message) -> None:
    with tenant_scope(waiting.tenant_id):
        slow = lane(waiting)
        (parcel,) = slow.claim_due(1)
        again = text("update messages set state = 'queued', may_repeat = false where tenant_id = :tenant")
        db.session.execute(again, {"tenant": waiting.tenant_id})
        Outcomes(slow, [(parcel, accepted("wamid.late"))]).record()
    with tenant_scope(waiting.tenant_id):
        assert Message.get_or_404(waiting.id).state == "accepted"


def test_a_status_and_the_answer_at_the_same_moment_take_turns(
    app: Flask, waiting: Message, settings: Settings, superuser_url: str
) -> None:
    """A status refers to its message, which keeps others from writing the wamid: neither waits for the other."""
    with tenant_scope(waiting.tenant_id):
        going = lane(waiting)
        (parcel,) = going.claim_due(1)

    def settle() -> None:
        with app.app_context(), tenant_scope(waiting.tenant_id):
            Outcomes(going, [(parcel, accepted("wamid.1"))]).record()

    with ThreadPoolExecutor(1) as pool, psycopg.connect(settings.database_url) as drain:
        drain.execute("select set_config('app.tenant_id', %s, true)", [str(waiting.tenant_id)])
        drain.execute(NEW_STATUS, [str(waiting.tenant_id), str(uuid7()), str(waiting.id)])
        settling = pool.submit(settle)
        with psycopg.connect(superuser_url, autocommit=True) as looking:
            while not settling.done() and not looking.execute(WAITS).fetchone():
                time.sleep(0.02)
        drain.execute("update messages set state = 'delivered' where id = %s", [str(waiting.id)])
        drain.commit()
        settling.result(20)
    with tenant_scope(waiting.tenant_id):
        message = Message.get_or_404(waiting.id)
    assert (message.state, message.wamid) == ("delivered", "wamid.1")


NEW_STATUS = """
    insert into message_events (tenant_id, id, message_id, status, occurred_at, received_at)
    values (%s, %s, %s, 'delivered', now(), now())
"""
WAITS = "select 1 from pg_locks where not granted and locktype = 'transactionid'"


def test_statuses_that_came_before_the_answer_count(waiting: Message) -> None:
    arrive(status("wamid.early", "sent"), status("wamid.early", "delivered"))
    with tenant_scope(waiting.tenant_id):
        going = lane(waiting)
        (parcel,) = going.claim_due(1)
        Outcomes(going, [(parcel, accepted("wamid.early"))]).record()
    with tenant_scope(waiting.tenant_id):
        assert Message.get_or_404(waiting.id).state == "delivered"


def test_the_customer_sees_that_a_message_was_read(road: Road) -> None:
    talk = road.customer_writes()
    mark_read(road.world.bakery.id, talk.id)
    (seen,) = road.meta.get("messages")["messages"]
    assert seen["status"] == "read"


def test_a_backlog_stays_under_metas_limit(road: Road) -> None:
    road.meta.post("limits", phone_number_id=road.number.meta_id, throughput=20)
    with tenant_scope(road.world.bakery.id):
        PhoneNumber.get_or_404(road.number.id).is_on_biz_app = True
    talks = [road.customer_writes(wa_id=f"1650555{n:04}") for n in range(10)]
    for n in range(60):
        road.reply(talks[n % 10], f"{n}")
    road.deliver()
    assert sorted(words(road), key=int) == [str(n) for n in range(60)]
    with platform_scope("tests"):
        refused = db.session.scalar(text("select count(*) from send_attempts where outcome <> 'accepted'"))
    # At once, two in three would be refused. A machine that pauses hands over what was due meanwhile in one go.
    assert refused is not None and refused <= 3


def test_sixty_messages_to_one_person_arrive_in_order_and_delay_no_one_else(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Half of what this Meta allows: in a hurry of a tenth of a second, a busy machine would be too fast by accident.
    monkeypatch.setitem(outbox.PAIR, "interval", dt.timedelta(seconds=0.2))
    monkeypatch.setitem(outbox.PAIR, "tolerance", dt.timedelta(seconds=8.8))
    road.meta.post("knobs", pair_every=0.1)
    eager, other = road.customer_writes(), road.customer_writes(wa_id="16505559999", name="Otto")
    for n in range(60):
        road.reply(eager, str(n))
    road.reply(other, "hello Otto")
    while len(words(road)) < 61:
        road.deliver()
    assert [incoming for incoming in words(road) if incoming != "hello Otto"] == [str(n) for n in range(60)]
    assert words(road).index("hello Otto") < 46
    assert outcomes() == {"accepted"}


def test_a_reply_without_the_pages_token_is_not_taken(ann: Browser, world: World) -> None:
    bakery, _ = world.connect_numbers()
    talk = conversation(bakery)
    form = {"body": "forged", "client_id": str(uuid.uuid4())}
    assert ann.client.post(f"/t/bakery/inbox/{talk.id}/messages", data=form).status_code == 400
    with tenant_scope(world.bakery.id):
        assert db.session.query(Message).count() == 0


def test_what_a_reply_leaves_in_redis_are_ids(ann: Browser, world: World) -> None:
    bakery, _ = world.connect_numbers()
    talk = conversation(bakery)
    ann.post(f"~/inbox/{talk.id}/messages", data={"body": "Hello", "client_id": str(uuid.uuid4())})
    (job,) = rq.Queue("outbound", connection=outside().redis, serializer=JSONSerializer).jobs
    assert [str(uuid.UUID(argument)) for argument in job.args] == job.args
