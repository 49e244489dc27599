from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable

import pytest
from sqlalchemy import delete, text, update

from app.contacts.models import ContactIdentity
from app.inbox.conversations import Conversation, Message, OrphanStatus, WindowClosed
from app.inbox.conversations.statuses import adopt_orphans
from app.inbox.outbound import outbox
from app.inbox.outbound.pace import PAIR_BURST, SHARE
from app.tenancy import db, now, platform_scope, tenant_scope
from app.wabas.jobs import probe
from app.wabas.models import PhoneNumber
from tests.simulated import Road


def test_a_reply_reaches_the_customer_and_its_ticks_turn_blue(road: Road) -> None:
    conversation = road.customer_writes()
    message = road.reply(conversation, "Yes, until six.")
    road.deliver()
    road.until(lambda: road.state_of(message) == "delivered")
    road.meta.post("reads", phone_number_id=road.number.meta_id, **{"from": "16505551234"})
    road.until(lambda: road.state_of(message) == "read")
    assert [json.loads(sent["body"])["body"] for sent in road.meta.accepted()] == ["Yes, until six."]


def test_the_same_client_id_is_the_same_message(road: Road) -> None:
    conversation, client_id = road.customer_writes(), uuid.uuid4()
    first, second = (road.reply(conversation, "once", client_id) for _ in range(2))
    road.deliver()
    assert first.id == second.id
    assert len(road.meta.accepted()) == 1


def test_a_number_of_which_a_message_cannot_be_made_stops_no_other(road: Road) -> None:
    stall = road.another_number("+1 555 078 3882")
    broken = road.reply(road.customer_writes("Hello", number=stall), "Broken")
    sent = road.reply(road.customer_writes("Hi", wa_id="16505551235"), "Yes")
    with tenant_scope(road.world.bakery.id):
        db.session.execute(update(Message).where(Message.id == broken.id).values(type="template", content={"raw": 5}))
    road.deliver()
    assert [json.loads(one["body"])["body"] for one in road.meta.accepted()] == ["Yes"]
    assert (road.state_of(broken), road.state_of(sent)) == ("queued", "accepted")


def test_two_workers_on_one_lane_send_nothing_twice(road: Road) -> None:
    conversations = [road.customer_writes(wa_id=f"1650555{n:04}", name=f"Customer {n}") for n in range(8)]
    for conversation in conversations:
        for n in range(3):
            road.reply(conversation, f"{n}")
    workers = [threading.Thread(target=in_app(road, road.deliver)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(road.meta.accepted()) == 24


def test_messages_to_one_person_arrive_in_order(road: Road) -> None:
    conversation = road.customer_writes()
    for n in range(10):
        road.reply(conversation, str(n))
    road.deliver()
    assert [json.loads(sent["body"])["body"] for sent in road.meta.accepted()] == [str(n) for n in range(10)]


def test_outside_the_window_nothing_is_queued(road: Road) -> None:
    conversation = road.customer_writes()
    with tenant_scope(road.world.bakery.id):
        Conversation.get_or_404(conversation.id).last_inbound_at = now().replace(year=2020)
    with pytest.raises(WindowClosed):
        road.reply(conversation, "too late")


def test_a_revoked_token_pauses_the_number_and_fails_nothing(road: Road) -> None:
    conversations = [road.customer_writes(wa_id=f"1650555{n:04}") for n in range(8)]
    messages = [road.reply(conversation, "hi") for conversation in conversations]
    road.meta.post("tokens/revoke", token=road.ids["token"])
    road.deliver()
    assert {road.state_of(message) for message in messages} == {"queued"}
    with tenant_scope(road.world.bakery.id):
        assert PhoneNumber.get_or_404(road.number.id).state == "paused"
    assert attempts() <= 5


def test_a_message_whose_worker_died_becomes_unknown_and_is_not_resent(road: Road) -> None:
    message = road.reply(road.customer_writes(), "did it go?")
    with platform_scope("tests"):
        db.session.execute(
            text("update messages set state = 'dispatching', lease_until = now() - interval '1 s' where id = :id"),
            {"id": message.id},
        )
    road.sweep()
    road.deliver()
    assert road.state_of(message) == "unknown"
    assert road.meta.accepted() == []


def attempts() -> int:
    with platform_scope("tests"):
        return int(db.session.scalar(text("select count(*) from send_attempts")))


def in_app(road: Road, function: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        with road.app.app_context():
            function()

    return run


def test_a_paused_number_resumes_once_meta_allows_it(road: Road) -> None:
    message = road.reply(road.customer_writes(), "hi")
    with tenant_scope(road.world.bakery.id):
        PhoneNumber.get_or_404(road.number.id).pause("Meta was cross.", "Wait.")
    road.deliver()
    assert road.state_of(message) == "queued"
    probe(road.world.bakery.id, road.number.id)
    road.deliver()
    assert road.state_of(message) != "queued" and len(road.meta.accepted()) == 1


def test_a_paused_number_whose_token_is_dead_stays_paused(road: Road) -> None:
    road.meta.post("tokens/revoke", token=road.ids["token"])
    with tenant_scope(road.world.bakery.id):
        PhoneNumber.get_or_404(road.number.id).pause("Meta was cross.", "Wait.")
    probe(road.world.bakery.id, road.number.id)
    with tenant_scope(road.world.bakery.id):
        assert PhoneNumber.get_or_404(road.number.id).state == "paused"


def test_a_status_that_came_too_early_is_joined_when_its_message_is_known(road: Road) -> None:
    message = road.reply(road.customer_writes(), "hi")
    with tenant_scope(road.world.bakery.id):
        early = OrphanStatus(phone_number_id=road.number.id, wamid="wamid.early", status="delivered", occurred_at=now())
        db.session.add(early)
        Message.get_or_404(message.id).state = "dispatching"
        adopt_orphans(road.number.id, {"wamid.early": message.id})
    assert road.state_of(message) == "delivered"
    with tenant_scope(road.world.bakery.id):
        assert db.session.query(OrphanStatus).count() == 0


def test_expiring_goes_on_until_all_that_are_late_have_expired(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "EXPIRED_AT_ONCE", 1)
    conversation = road.customer_writes()
    messages = [road.reply(conversation, f"too late {n}") for n in range(3)]
    with tenant_scope(road.world.bakery.id):
        db.session.execute(update(Message).values(expires_at=now()))
    road.sweep()
    assert {road.state_of(message) for message in messages} == {"expired"}


def test_a_message_that_waited_past_the_window_is_not_sent(road: Road) -> None:
    message = road.reply(road.customer_writes(), "too late")
    with tenant_scope(road.world.bakery.id):
        Message.get_or_404(message.id).expires_at = now()
    road.deliver()
    road.sweep()
    assert road.state_of(message) == "expired" and road.meta.accepted() == []


def test_a_message_whose_customer_has_no_address_any_more_fails_alone(road: Road) -> None:
    message = road.reply(road.customer_writes(), "without an address")
    with tenant_scope(road.world.bakery.id):
        db.session.execute(delete(ContactIdentity))
    road.deliver()
    assert road.state_of(message) == "failed" and road.meta.accepted() == []


def test_a_queued_message_can_be_canceled(road: Road) -> None:
    message = road.reply(road.customer_writes(), "a mistake")
    with tenant_scope(road.world.bakery.id):
        assert Message.get_or_404(message.id).cancel()
    road.deliver()
    assert road.meta.accepted() == []
    with tenant_scope(road.world.bakery.id):
        assert not Message.get_or_404(message.id).cancel()


def test_one_person_gets_a_burst_and_then_waits_while_others_do_not(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So slow that their next turn does not come while a busy machine still sends the burst.
    for name, usual in outbox.PAIR.items():
        monkeypatch.setitem(outbox.PAIR, name, usual * 100)
    eager, other = road.customer_writes(), road.customer_writes(wa_id="16505559999", name="Otto")
    for n in range(PAIR_BURST + 3):
        road.reply(eager, str(n))
    road.reply(other, "hello Otto")
    road.deliver()
    sent = [json.loads(row["body"])["body"] for row in road.meta.accepted()]
    assert "hello Otto" in sent
    assert [words for words in sent if words != "hello Otto"] == [str(n) for n in range(PAIR_BURST)]
    assert attempts() == PAIR_BURST + 1


def test_a_number_sends_at_metas_pace(road: Road) -> None:
    with tenant_scope(road.world.bakery.id):
        PhoneNumber.get_or_404(road.number.id).is_on_biz_app = True
    for n in range(30):
        road.reply(road.customer_writes(wa_id=f"1650555{n:04}"), "hi")
    started = time.monotonic()
    road.deliver()
    assert len(road.meta.accepted()) == 30
    assert time.monotonic() - started > (30 - 2) / (20 * SHARE)
