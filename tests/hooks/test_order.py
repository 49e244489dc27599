"""Sequence, order, batches and replays."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import update

from app.hooks.deliveries import WebhookDelivery
from app.hooks.endpoints import WebhookEndpoint
from app.hooks.jobs import deliver, enqueue_due_deliveries, replay
from app.tenancy import Actor, db, first_id, happened, now, tenant_scope, uuid7
from app.tenancy.happenings import HappeningCursor
from tests.enqueued import Enqueued
from tests.world import World, conversation

from .conftest import Hooks
from .receivers import Receiver


def sequences(receiver: Receiver, talk: object = None) -> list[int]:
    """Of one conversation, as they came."""
    mine = [got.json for got in receiver.got if not talk or got.json["data"]["conversation"]["id"] == str(talk)]
    return [event["sequence"] for event in mine]


def test_each_conversation_counts_its_events_without_gaps(hooks: Hooks, receiver: Receiver) -> None:
    hooks.add()
    other = conversation(hooks.number, wa_id="16505550002", name="Dora")
    hooks.happens(times=2)
    hooks.happens(talk=other)
    hooks.happens()
    hooks.send()
    assert sorted(sequences(receiver, hooks.talk.id)) == [1, 2, 3] and sequences(receiver, other.id) == [1]


def test_an_event_of_no_conversation_has_no_sequence(hooks: Hooks, receiver: Receiver) -> None:
    hooks.add()
    with tenant_scope(hooks.tenant.id):
        happened("contact.created", hooks.talk.contact_id, source="inbox")
    hooks.hear()
    hooks.send()
    assert "sequence" not in receiver.got[0].json and receiver.got[0].json["data"]["contact"]["name"] == "Carla"


def test_two_webhooks_get_the_same_id_and_sequence(hooks: Hooks, receiver: Receiver) -> None:
    hooks.add()
    hooks.add()
    hooks.happens()
    hooks.send()
    first, second = receiver.got
    assert first.id == second.id and first.json == second.json


def test_in_order_a_failed_event_holds_the_later_ones_of_its_conversation_only(
    hooks: Hooks, receiver: Receiver
) -> None:
    hooks.add(is_ordered=True)
    other = conversation(hooks.number, wa_id="16505550002", name="Dora")
    receiver.answer_with(500, 200)
    hooks.happens(times=3)
    hooks.send()
    assert sequences(receiver) == [1]
    hooks.happens(talk=other, times=3)
    hooks.happens(times=2)
    hooks.send()
    assert sequences(receiver, hooks.talk.id) == [1] and sequences(receiver, other.id) == [1, 2, 3]
    hooks.make_due()
    hooks.send()
    assert sequences(receiver, hooks.talk.id) == [1, 1, 2, 3, 4, 5] and set(hooks.states) == {"delivered"}


def test_one_that_failed_for_good_lets_the_next_go(hooks: Hooks, receiver: Receiver) -> None:
    hooks.add(is_ordered=True)
    hooks.happens(times=2)
    first = hooks.deliveries()[0].id
    with tenant_scope(hooks.tenant.id):
        db.session.execute(update(WebhookDelivery).where(WebhookDelivery.id == first).values(tries=99))
    receiver.answer_with(500, 200)
    hooks.send()
    assert sequences(receiver) == [1, 2] and hooks.states == ["failed", "delivered"]


def test_a_batch_has_the_events_of_one_conversation_under_one_id(hooks: Hooks, receiver: Receiver) -> None:
    endpoint = hooks.add(batch_seconds=30)
    other = conversation(hooks.number, wa_id="16505550002", name="Dora")
    hooks.happens(times=2)
    hooks.happens(talk=other)
    hooks.happens()
    hooks.send()
    assert receiver.got == []
    receiver.answer_with(500, 200)
    hooks.make_due()
    hooks.send()
    hooks.make_due()
    hooks.send()
    batches = {got.id: got.verified(hooks.secret(endpoint)) for got in receiver.got}
    assert len(receiver.got) == 3 and all(id.startswith("bat_") for id in batches)
    results = sorted([event["sequence"] for event in batch["events"]] for batch in batches.values())
    assert results == [[1], [1, 2, 3]] and {batch["type"] for batch in batches.values()} == {"batch"}


def test_what_happens_after_a_batch_was_sent_is_the_next_batch(hooks: Hooks, receiver: Receiver) -> None:
    hooks.add(batch_seconds=30)
    for _ in range(2):
        hooks.happens()
        hooks.make_due()
        hooks.send()
    assert [[event["sequence"] for event in got.json["events"]] for got in receiver.got] == [[1], [2]]


def test_a_full_batch_does_not_wait(hooks: Hooks, receiver: Receiver) -> None:
    hooks.add(batch_seconds=60)
    hooks.happens()
    hooks.happens(times=120)
    hooks.send()
    assert [len(got.json["events"]) for got in receiver.got] == [121]


def test_batches_are_in_order_too(hooks: Hooks, receiver: Receiver) -> None:
    hooks.add(batch_seconds=30, is_ordered=True)
    receiver.answer_with(500, 200)
    hooks.happens()
    hooks.make_due()
    hooks.send()
    hooks.happens()
    hooks.happens()
    hooks.send()
    assert len(receiver.got) == 1
    hooks.make_due()
    hooks.send()
    assert [[event["sequence"] for event in got.json["events"]] for got in receiver.got] == [[1], [1], [2, 3]]


@pytest.mark.parametrize("is_ordered", [False, True])
def test_a_full_batch_that_has_to_wait_collects_no_more(hooks: Hooks, receiver: Receiver, is_ordered: bool) -> None:
    endpoint = hooks.add(batch_seconds=30, is_ordered=is_ordered)
    receiver.answer_with(500)
    hooks.happens()
    hooks.make_due()
    hooks.send()
    with tenant_scope(hooks.tenant.id):
        WebhookEndpoint.get_or_404(endpoint.id).rests_until = now() + dt.timedelta(hours=6)
    for _ in range(5):
        hooks.happens(times=60)
    assert [len(one.event_ids) for one in hooks.deliveries()] == [1, 120, 120, 60]
    with tenant_scope(hooks.tenant.id):
        WebhookEndpoint.get_or_404(endpoint.id).rests_until = None
    receiver.reset()
    for _ in range(3):
        hooks.make_due()
        hooks.send()
    arrived = [event["sequence"] for got in receiver.got for event in got.json["events"]]
    assert (arrived if is_ordered else sorted(arrived)) == list(range(1, 302)) and set(hooks.states) == {"delivered"}


def test_only_the_chosen_events_of_the_chosen_number_come(hooks: Hooks, receiver: Receiver, world: World) -> None:
    hooks.add(types=["conversation.resolved"], phone_number_id=hooks.number.id)
    hooks.add(types=["conversation.resolved"], phone_number_id=uuid7())
    hooks.happens("conversation.reopened")
    hooks.happens("conversation.resolved")
    hooks.send()
    assert receiver.types == ["conversation.resolved"]


def test_what_happened_before_a_webhook_existed_is_not_sent(hooks: Hooks, receiver: Receiver) -> None:
    hooks.add(types=["contact.created"])
    with tenant_scope(hooks.tenant.id):
        happened("conversation.resolved", hooks.talk.id)
    hooks.add()
    hooks.hear()
    hooks.send()
    assert receiver.got == []


def test_a_webhook_for_test_keys_gets_nothing_real(hooks: Hooks, receiver: Receiver) -> None:
    hooks.add(is_test=True)
    hooks.happens()
    hooks.send()
    assert receiver.got == []


def test_one_is_sent_again_under_the_same_id(hooks: Hooks, receiver: Receiver) -> None:
    hooks.add()
    hooks.happens()
    hooks.send()
    only = hooks.deliveries()[0].id
    with tenant_scope(hooks.tenant.id):
        WebhookDelivery.get_or_404(only).replay()
    hooks.send()
    assert len(receiver.got) == 2 and receiver.got[0].id == receiver.got[1].id and hooks.states == ["delivered"]


def test_a_stretch_of_time_is_sent_again_with_what_was_missed(hooks: Hooks, receiver: Receiver) -> None:
    endpoint = hooks.add()
    hooks.happens()
    hooks.send()
    since = now() - dt.timedelta(minutes=1)
    with tenant_scope(hooks.tenant.id):
        WebhookEndpoint.get_or_404(endpoint.id).disable("member")
    hooks.happens(times=2)
    hooks.send()
    assert len(receiver.got) == 1
    with tenant_scope(hooks.tenant.id):
        WebhookEndpoint.get_or_404(endpoint.id).enable()
    replay(hooks.tenant.id, str(endpoint.id), str(first_id(since)), str(first_id(now() + dt.timedelta(minutes=1))))
    hooks.send()
    assert sorted(sequences(receiver)) == [1, 1, 2, 3] and len({got.id for got in receiver.got}) == 3


def test_a_replay_stays_within_its_time(hooks: Hooks, receiver: Receiver) -> None:
    endpoint = hooks.add()
    hooks.happens()
    hooks.send()
    later = now() + dt.timedelta(minutes=1)
    replay(hooks.tenant.id, str(endpoint.id), str(first_id(later)), str(first_id(later + dt.timedelta(hours=1))))
    hooks.send()
    assert len(receiver.got) == 1


def test_the_subscriber_may_hear_of_it_twice(hooks: Hooks, receiver: Receiver) -> None:
    hooks.add()
    hooks.happens()
    with tenant_scope(hooks.tenant.id):
        HappeningCursor.locked("webhooks").since = None
    hooks.hear()
    hooks.happens()
    hooks.send()
    assert sorted(sequences(receiver)) == [1, 2]


def test_what_redis_lost_is_found_by_the_sweep(hooks: Hooks, receiver: Receiver, enqueued: Enqueued) -> None:
    hooks.add()
    hooks.happens()
    enqueued.clear()
    enqueue_due_deliveries()
    assert enqueued.names == ["hooks.deliver"]
    deliver()
    assert receiver.types == ["conversation.resolved"]


def test_a_test_event_goes_to_this_webhook_alone(hooks: Hooks, receiver: Receiver) -> None:
    endpoint = hooks.add(types=["contact.created"])
    hooks.add()
    with tenant_scope(hooks.tenant.id):
        WebhookEndpoint.get_or_404(endpoint.id).send_test(by=Actor.system("tests"))
    hooks.send()
    assert receiver.types == ["webhook.test"] and receiver.got[0].verified(hooks.secret(endpoint))
