"""Webhooks and events by program."""

from __future__ import annotations

import datetime as dt
import threading
import time
import uuid
from typing import Any

import jsonschema
import pytest
from flask import Flask
from sqlalchemy import text
from standardwebhooks.webhooks import WebhookVerificationError

from app.hooks.endpoints import MOST_SECRETS
from app.hooks.event_types import TEST, event_types
from app.hooks.events import schema_of
from app.hooks.jobs import replay
from app.tenancy import Tenant, commit, db, happened, now, tenant_scope
from tests.api.conftest import Caller, MakeCaller
from tests.enqueued import Enqueued
from tests.world import World, conversation

from .conftest import Hooks
from .receivers import URL, Receiver


def test_a_webhook_is_created_and_signs_with_the_secret_in_the_answer(
    shop: Caller, hooks: Hooks, receiver: Receiver
) -> None:
    answer = shop.post("/webhooks", {"url": URL, "types": ["conversation.resolved"]})
    made = answer.json
    assert answer.status_code == 201 and made
    hooks.happens()
    hooks.send()
    assert receiver.got[0].verified(made["secret"])["type"] == "conversation.resolved"
    read = shop.get(f"/webhooks/{made['id']}").json
    assert read == {name: value for name, value in made.items() if name != "secret"}
    assert shop.get("/webhooks").json["data"] == [read]  # type: ignore[index]


@pytest.mark.parametrize(
    "body",
    [
        {"url": "https://10.0.0.1/"},
        {"url": "http://shop.example/"},
        {"url": URL, "types": []},
        {"url": URL, "types": ["nothing.happened"]},
        {"url": URL, "types": ["webhook.test"]},
        {"url": URL, "batch_seconds": 61},
        {"url": URL, "phone_number_id": str(uuid.uuid4())},
        {"url": URL, "is_test": True},
        {"url": URL, "tenant_id": str(uuid.uuid4())},
        {},
    ],
)
def test_a_webhook_that_makes_no_sense_is_refused(shop: Caller, hooks: Hooks, body: dict[str, Any]) -> None:
    answer = shop.post("/webhooks", body)
    assert answer.status_code == 422 and shop.get("/webhooks").json["data"] == []  # type: ignore[index]


def test_it_is_changed_disabled_enabled_and_deleted(shop: Caller, hooks: Hooks) -> None:
    path = f"/webhooks/{shop.post('/webhooks', {'url': URL}).json['id']}"  # type: ignore[index]
    changed = shop.patch(path, {"types": ["message.read"], "batch_seconds": 5}).json
    assert changed and (changed["types"], changed["batch_seconds"], changed["url"]) == (["message.read"], 5, URL)
    assert shop.patch(path, {"types": None}).json["types"] is None  # type: ignore[index]
    assert shop.patch(path, {"url": None}).status_code == 422
    assert shop.put(f"{path}/state", {"state": "disabled"}).json["reason"] == "member"  # type: ignore[index]
    assert shop.post(f"{path}/test-events").status_code == 409
    assert shop.put(f"{path}/state", {"state": "active"}).json["state"] == "active"  # type: ignore[index]
    assert shop.delete(path).status_code == 204
    assert shop.get(path).status_code == shop.delete(path).status_code == 404


def test_a_new_secret_signs_beside_the_old_one(shop: Caller, hooks: Hooks, receiver: Receiver) -> None:
    made = shop.post("/webhooks", {"url": URL}).json
    assert made
    new = shop.post(f"/webhooks/{made['id']}/secret").json
    assert new and new["secret"] != made["secret"]
    hooks.happens()
    hooks.send()
    assert receiver.got[0].verified(new["secret"]) == receiver.got[0].verified(made["secret"])


def test_secrets_that_are_changed_twice_in_a_day_all_sign(shop: Caller, hooks: Hooks, receiver: Receiver) -> None:
    made = shop.post("/webhooks", {"url": URL}).json
    assert made
    newer = [shop.post(f"/webhooks/{made['id']}/secret").json for _ in range(2)]
    shop.post(f"/webhooks/{made['id']}/test-events")
    hooks.send()
    for one in (made, *newer):
        assert one and receiver.got[0].verified(one["secret"])["type"] == "webhook.test"


def test_old_secrets_are_ended_at_once(shop: Caller, hooks: Hooks, receiver: Receiver) -> None:
    made = shop.post("/webhooks", {"url": URL}).json
    assert made
    newest = shop.post(f"/webhooks/{made['id']}/secret").json
    assert newest and newest["old_secrets_sign_until"]
    assert shop.delete(f"/webhooks/{made['id']}/old-secrets").status_code == 204
    assert shop.get(f"/webhooks/{made['id']}").json["old_secrets_sign_until"] is None  # type: ignore[index]
    shop.post(f"/webhooks/{made['id']}/test-events")
    hooks.send()
    assert receiver.got[0].verified(newest["secret"])
    with pytest.raises(WebhookVerificationError):
        receiver.got[0].verified(made["secret"])


def test_so_many_secrets_sign_and_no_more(shop: Caller, hooks: Hooks) -> None:
    made = shop.post("/webhooks", {"url": URL}).json
    assert made
    answers = [shop.post(f"/webhooks/{made['id']}/secret") for _ in range(MOST_SECRETS)]
    assert [answer.status_code for answer in answers] == [201] * (MOST_SECRETS - 1) + [409]
    assert answers[-1].json and answers[-1].json["code"] == "too_many_secrets"
    shop.delete(f"/webhooks/{made['id']}/old-secrets")
    assert shop.post(f"/webhooks/{made['id']}/secret").status_code == 201


def test_the_log_tells_of_each_attempt_and_sends_again(
    shop: Caller, hooks: Hooks, receiver: Receiver, enqueued: Enqueued
) -> None:
    made = shop.post("/webhooks", {"url": URL}).json
    assert made
    path = f"/webhooks/{made['id']}/deliveries"
    receiver.answer_with(500, 200)
    sent = shop.post(f"/webhooks/{made['id']}/test-events").json
    hooks.send()
    assert shop.get(f"{path}?filter[state]=delivered").json["data"] == []  # type: ignore[index]
    one = shop.get(f"{path}/{sent['id']}").json  # type: ignore[index]
    assert one and one["webhook_id"] == receiver.got[0].id and one["tried"][0]["status"] == 500
    assert shop.post(f"{path}/{one['id']}/replays").status_code == 202
    hooks.send()
    span = {"since": (now() - dt.timedelta(hours=1)).isoformat(), "until": (now() + dt.timedelta(hours=1)).isoformat()}
    enqueued.clear()
    assert shop.post(f"/webhooks/{made['id']}/replays", span).status_code == 202
    [job] = [job for job in enqueued.jobs if job.func_name == "hooks.replay"]
    replay(*job.args)
    hooks.send()
    assert len(receiver.got) == 3 and len({got.id for got in receiver.got}) == 1


def test_what_tools_without_code_need(shop: Caller, hooks: Hooks, receiver: Receiver) -> None:
    made = shop.post("/webhook-subscriptions", {"target_url": URL, "event": "conversation.resolved"})
    assert made.status_code == 201 and made.json and made.json["id"]
    hooks.happens()
    hooks.send()
    assert receiver.got[0].verified(made.json["secret"])
    [sample] = shop.get("/webhook-subscriptions/samples?event=conversation.resolved").json["data"]  # type: ignore[index]
    assert sample["data"].keys() >= receiver.got[0].json["data"].keys()
    assert shop.get("/webhook-subscriptions/samples?event=nothing").status_code == 422
    assert shop.delete(f"/webhook-subscriptions/{made.json['id']}").status_code == 204
    assert shop.get(f"/webhook-subscriptions/{made.json['id']}").status_code == 404
    for body in (
        {"target_url": URL, "event": "x"},
        {"target_url": URL, "event": "note.added", "events": ["note.added"]},
    ):
        assert shop.post("/webhook-subscriptions", body).status_code == 422


def test_a_test_key_has_webhooks_of_its_own(shop: Caller, caller: MakeCaller, hooks: Hooks, receiver: Receiver) -> None:
    pretending = caller(kind="test")
    made = pretending.post("/webhooks", {"url": URL}).json
    assert made and made["is_test"] and shop.get(f"/webhooks/{made['id']}").status_code == 404
    hooks.happens()
    hooks.send()
    assert receiver.got == []


def test_a_teams_key_manages_no_webhooks(world: World, caller: MakeCaller, hooks: Hooks) -> None:
    team = caller(kind="team")
    for answer in (team.get("/webhooks"), team.post("/webhooks", {"url": URL})):
        assert (answer.status_code, answer.get_json(force=True)["code"]) == (403, "not_for_team_keys")


def test_webhooks_of_another_business_do_not_exist(
    world: World, shop: Caller, caller: MakeCaller, hooks: Hooks
) -> None:
    made = shop.post("/webhooks", {"url": URL}).json
    assert made
    stranger = caller(world.shoes)
    delivery = shop.post(f"/webhooks/{made['id']}/test-events").json
    for path in ("", "/deliveries", f"/deliveries/{delivery['id']}"):  # type: ignore[index]
        assert stranger.get(f"/webhooks/{made['id']}{path}").status_code == 404
    assert stranger.delete(f"/webhooks/{made['id']}").status_code == 404
    assert stranger.post(f"/webhooks/{made['id']}/secret").status_code == 404
    assert stranger.get("/events").json["data"] == []  # type: ignore[index]


def test_events_are_read_in_order_and_go_on_where_one_stopped(shop: Caller, hooks: Hooks) -> None:
    happens(hooks.tenant, hooks, times=5)
    first = shop.get("/events?limit=3").json
    assert first and len(first["data"]) == 3 and first["has_more"]
    second = shop.get(f"/events?limit=3&after={first['next']}").json
    assert second and len(second["data"]) == 2 and not second["has_more"]
    assert shop.get(f"/events?after={second['next']}").json["data"] == []  # type: ignore[index]
    happens(hooks.tenant, hooks, "conversation.reopened")
    third = shop.get(f"/events?after={second['next']}").json
    assert third and [event["type"] for event in third["data"]] == ["conversation.reopened"]
    ids = [event["id"] for page in (first, second, third) for event in page["data"]]
    assert len(set(ids)) == 6
    jsonschema.validate(without_nulls(first["data"][0]), schema_of("conversation.resolved"))


def without_nulls(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if value is not None}


def happens(tenant: Tenant, hooks: Hooks, kind: str = "conversation.resolved", times: int = 1) -> None:
    for _ in range(times):
        with tenant_scope(tenant.id):
            happened(kind, hooks.talk.id)
    settle(tenant)


def settle(tenant: Tenant) -> None:
    """Until no transaction is open that began before the last event: tests beside this one have some, too."""
    end = time.monotonic() + 30
    while not is_settled(tenant):
        assert time.monotonic() < end
        time.sleep(0.05)


def is_settled(tenant: Tenant) -> bool:
    with tenant_scope(tenant.id):
        oldest = db.session.scalars(text("select pg_snapshot_xmin(pg_current_snapshot())::text::bigint")).one()
        mine = {"tenant": tenant.id}
        last = db.session.scalar(text("select max(xact) from happenings where tenant_id = :tenant"), mine)
        return bool(last is None or last < oldest)


def test_what_commits_later_is_never_skipped(app: Flask, shop: Caller, hooks: Hooks) -> None:
    """A transaction that began first, and ends last: nothing after it is given out before it has ended."""
    has_written, may_commit = threading.Event(), threading.Event()

    def slow() -> None:
        with app.app_context(), tenant_scope(hooks.tenant.id):
            happened("conversation.pending", hooks.talk.id)
            db.session.flush()
            has_written.set()
            may_commit.wait(10)
            commit()

    thread = threading.Thread(target=slow)
    thread.start()
    assert has_written.wait(10)
    with tenant_scope(hooks.tenant.id):
        happened("conversation.resolved", hooks.talk.id)
    early = shop.get("/events").json
    may_commit.set()
    thread.join()
    settle(hooks.tenant)
    late = shop.get(f"/events?after={early['next']}").json  # type: ignore[index]
    seen = [event["type"] for page in (early, late) for event in page["data"]]  # type: ignore[index]
    assert seen == ["conversation.pending", "conversation.resolved"]


def test_events_are_filtered_by_type_conversation_and_time(shop: Caller, hooks: Hooks) -> None:
    other = conversation(hooks.number, wa_id="16505550002", name="Dora")
    happens(hooks.tenant, hooks)
    happens(hooks.tenant, hooks, "conversation.reopened")
    with tenant_scope(hooks.tenant.id):
        happened("conversation.resolved", other.id)
    settle(hooks.tenant)

    def types(query: str) -> list[str]:
        return [event["type"] for event in shop.get(f"/events?{query}").json["data"]]  # type: ignore[index]

    assert types("filter[type]=conversation.reopened") == ["conversation.reopened"]
    assert shop.get("/events?filter[type]=conversation.reopned").status_code == 422
    assert types(f"filter[conversation_id]={other.id}") == ["conversation.resolved"]
    future = (now() + dt.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    past = (now() - dt.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert types(f"created_after={future}") == [] and len(types(f"created_after={past}")) == 3


@pytest.mark.parametrize("cursor", ["x", "W10", "WzEsMl0", "WyIxIiwiMiJd", "WzEsICIwIl0", "é", "A" * 600])
def test_a_cursor_that_is_none_is_refused(shop: Caller, hooks: Hooks, cursor: str) -> None:
    assert shop.get(f"/events?after={cursor}").status_code == 422


def test_a_teams_key_sees_no_events_of_other_numbers(caller: MakeCaller, hooks: Hooks) -> None:
    happens(hooks.tenant, hooks)
    assert caller(kind="team").get("/events").json["data"] == []  # type: ignore[index]


def test_the_catalogue_has_each_type_with_its_schema(shop: Caller) -> None:
    types = {one["type"]: one for one in shop.get("/event-types").json["data"]}  # type: ignore[index]
    assert types.keys() == event_types().keys() - {TEST}
    assert types["message.received"]["json_schema"]["properties"]["data"]
