"""Test keys: the same answers and webhooks, and nothing reaches Meta."""

from __future__ import annotations

import datetime as dt
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from flask import Flask
from sqlalchemy import select

from app.api.rates import Limit
from app.billing.usage import Usage
from app.extensions import outside
from app.inbox.api.shapes import MessageShape
from app.inbox.conversations import Conversation, Message
from app.inbox.outbound.jobs import deliver
from app.message_templates.jobs import compare_hourly, fetch_templates
from app.message_templates.jobs import submit as submit_template
from app.message_templates.models import MessageTemplate, TemplateList
from app.message_templates.versions import Content
from app.meta.graph import GraphClient
from app.meta.pretend import MAGIC_NUMBERS, is_pretended
from app.platform.board import Board, tenants_named
from app.sandboxes import models as sandboxes
from app.sandboxes import subscribers
from app.sandboxes.jobs import copy_templates, enqueue_webhooks, open_sandbox, post_webhooks
from app.stories.failures import Failures
from app.stories.story import messages_like
from app.tenancy import Actor, Tenant, db, platform_scope, refuse_inside_transaction, sandbox_id, tenant_scope
from app.tenancy.happenings import Happening
from app.tenancy.jobs import deliver_happenings
from app.tenancy.models import TenantSlug
from app.wabas.jobs import check, enqueue_checks
from app.wabas.models import PhoneNumber, Waba
from app.webhook_events.models import WebhookEvent
from app.webhook_events.search import Search
from app.webhooks.drain import drain_batch
from tests.api.conftest import Caller, MakeCaller, text_to
from tests.client import Browser
from tests.enqueued import Enqueued
from tests.inbox.test_first_messages import template
from tests.world import World

GRETA = "+1 650 555 0100"


class NoNetwork(httpx.BaseTransport):
    """Refuses everything, and remembers who tried."""

    def __init__(self) -> None:
        self.tried: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.tried.append(str(request.url))
        raise httpx.ConnectError("there is no network", request=request)


@pytest.fixture
def no_network(app: Flask) -> NoNetwork:
    wire = NoNetwork()
    outside().graph = GraphClient("https://graph.facebook.com", "v25.0", "1", "secret", transport=wire)
    outside().graph.before_call = refuse_inside_transaction
    return wire


@pytest.fixture
def tester(caller: MakeCaller, no_network: NoNetwork, monkeypatch: pytest.MonkeyPatch) -> Caller:
    """A program of Bakery's with a test key. Nothing has to be waited for, and no one can be called."""
    monkeypatch.setattr(sandboxes, "PAUSE", dt.timedelta())
    monkeypatch.setattr(subscribers, "REVIEW", dt.timedelta())
    return caller(kind="test")


@pytest.fixture
def sandbox(world: World) -> uuid.UUID:
    return sandbox_id(world.bakery.id)


def work_off(tenant: uuid.UUID, times: int = 4) -> None:
    """Runs what is due in a sandbox, and so many of its webhooks after each other."""
    deliver()
    for _ in range(times):
        post_webhooks(str(tenant))
        while drain_batch():
            pass


def write(tester: Caller, sender: str = GRETA, text: str = "Rye?", **more: Any) -> str:
    answer = tester.post("/test/inbound", {"from": sender, "type": "text", "text": {"body": text}} | more)
    assert answer.status_code == 202, answer.json
    return str(answer.json["wamid"])  # type: ignore[index]


def received(tester: Caller, sandbox: uuid.UUID, sender: str = GRETA) -> dict[str, Any]:
    """A customer's message, as it is read once it has arrived."""
    wamid = write(tester, sender)
    work_off(sandbox, 1)
    return tester.get(f"/messages?filter[wamid]={wamid}").json["data"][0]  # type: ignore[index,no-any-return]


def sent_to(tester: Caller, sandbox: uuid.UUID, phone: str, times: int = 4) -> dict[str, Any]:
    """A reply to somebody who has just written, as it is read after its webhooks."""
    talk = received(tester, sandbox, phone)["conversation_id"]
    answer = tester.post("/messages", text_to(uuid.UUID(talk)))
    assert answer.status_code == 202, answer.json
    work_off(sandbox, times)
    return tester.get(f"/messages/{answer.json['id']}").json  # type: ignore[index,return-value]


def statuses_of(sandbox: uuid.UUID, message: dict[str, Any]) -> list[str]:
    """What happened to a message, in order."""
    with tenant_scope(sandbox):
        mine = select(Happening.kind).where(Happening.subject_id == uuid.UUID(message["id"])).order_by(Happening.id)
        return list(db.session.scalars(mine))


def test_a_test_key_says_that_it_pretends(tester: Caller) -> None:
    me = tester.get("/me").json
    assert me and (me["kind"], me["tenant"]["slug"]) == ("test", "bakery")


def test_a_message_is_sent_delivered_and_read(tester: Caller, sandbox: uuid.UUID) -> None:
    message = sent_to(tester, sandbox, GRETA)
    assert (message["state"], message["is_test"]) == ("read", True)
    happened = ["message.queued", "message.sent", "message.delivered", "message.read"]
    assert statuses_of(sandbox, message) == happened


def test_no_byte_leaves(tester: Caller, sandbox: uuid.UUID, no_network: NoNetwork) -> None:
    message = sent_to(tester, sandbox, GRETA)
    tester.post(f"/conversations/{message['conversation_id']}/typing")
    with tenant_scope(sandbox):
        waba = db.session.scalars(select(Waba)).one()
    check(str(sandbox), str(waba.id))
    fetch_templates(str(sandbox), str(waba.id))
    assert no_network.tried == []
    with tenant_scope(sandbox):
        assert db.session.scalars(select(PhoneNumber)).one().is_connected


def test_a_live_key_still_calls_meta(shop: Caller, carla: Conversation, no_network: NoNetwork, tester: Caller) -> None:
    shop.post("/messages", text_to(carla))
    deliver()
    assert len(no_network.tried) == 1


def test_webhooks_come_one_after_the_other(tester: Caller, sandbox: uuid.UUID) -> None:
    assert [sent_to(tester, sandbox, GRETA, times)["state"] for times in (1, 2, 3)] == ["sent", "delivered", "read"]


def test_the_next_webhook_waits(
    tester: Caller, sandbox: uuid.UUID, enqueued: Enqueued, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandboxes, "PAUSE", dt.timedelta(hours=1))
    assert sent_to(tester, sandbox, GRETA)["state"] == "sent"
    enqueued.clear()
    enqueue_webhooks()
    assert enqueued.names == []


def test_what_redis_lost_is_enqueued_again(tester: Caller, sandbox: uuid.UUID, enqueued: Enqueued) -> None:
    write(tester)
    enqueued.clear()
    enqueue_webhooks()
    assert enqueued.names == ["sandboxes.post_webhooks"]


@pytest.mark.parametrize(
    ("last", "state", "code"),
    [
        ("01", "delivered", None),
        ("02", "failed", 131026),
        ("03", "failed", 131047),
        ("05", "failed", 131049),
        ("06", "unknown", 131000),
        ("07", "failed", 131050),
        ("42", "read", None),
    ],
)
def test_numbers_behave_as_described(
    tester: Caller, sandbox: uuid.UUID, last: str, state: str, code: int | None
) -> None:
    message = sent_to(tester, sandbox, f"+165055501{last}")
    assert message["state"] == state
    assert (message["error"] or {}).get("code") == code


def test_a_pair_is_refused_once(tester: Caller, sandbox: uuid.UUID) -> None:
    message = sent_to(tester, sandbox, "+16505550104")
    assert (message["state"], message["error"]["code"]) == ("queued", 131056)
    with tenant_scope(sandbox):
        Message.get_or_404(message["id"]).next_attempt_at = None
    work_off(sandbox)
    assert tester.get(f"/messages/{message['id']}").json["state"] == "read"  # type: ignore[index]


def test_every_number_is_described() -> None:
    assert len({one.digits for one in MAGIC_NUMBERS}) == len(MAGIC_NUMBERS) == 8
    assert all(one.words.endswith(".") for one in MAGIC_NUMBERS)


def test_a_customer_who_writes_opens_the_window(tester: Caller, sandbox: uuid.UUID) -> None:
    message = received(tester, sandbox)
    assert (message["direction"], message["text"], message["is_test"]) == ("inbound", "Rye?", True)
    conversation = tester.get(f"/conversations/{message['conversation_id']}").json
    assert conversation and conversation["reply_window_closes_at"]
    assert "message.received" in statuses_of(sandbox, message)


def test_a_customer_taps_a_button(tester: Caller, sandbox: uuid.UUID) -> None:
    talk = received(tester, sandbox)["conversation_id"]
    choice = {"type": "buttons", "to": {"conversation_id": talk}, "buttons": {"body": "Rye?", "buttons": ["Yes"]}}
    requested = tester.post("/messages", choice).json
    work_off(sandbox)
    assert requested
    tap = {
        "from": GRETA,
        "type": "button",
        "button": {"title": "Yes", "payload": "button-1"},
        "reply_to": requested["id"],
    }
    wamid = tester.post("/test/inbound", tap).json["wamid"]  # type: ignore[index]
    work_off(sandbox, 1)
    tapped = tester.get(f"/messages?filter[wamid]={wamid}").json["data"][0]  # type: ignore[index]
    assert (tapped["type"], tapped["text"]) == ("interactive", "Yes")
    assert tapped["reply_to"] == tester.get(f"/messages/{requested['id']}").json["wamid"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [({"from": "0151"}, "/from"), ({"reply_to": str(uuid.uuid4())}, "/reply_to"), ({"text": {}}, "/text/body")],
)
def test_a_customer_who_can_not_be_is_refused(tester: Caller, change: dict[str, Any], pointer: str) -> None:
    answer = tester.post("/test/inbound", {"from": GRETA, "type": "text", "text": {"body": "x"}} | change)
    assert answer.status_code == 422
    assert answer.get_json(force=True)["errors"][0]["pointer"] == pointer


def test_with_a_live_key_no_contact_is_made_up(shop: Caller) -> None:
    answer = shop.post("/test/inbound", {"from": GRETA, "type": "text", "text": {"body": "x"}})
    assert (answer.status_code, answer.get_json(force=True)["code"]) == (403, "test_key_needed")


def test_the_same_customer_s_message_twice_is_one(tester: Caller, sandbox: uuid.UUID) -> None:
    body = {"from": GRETA, "type": "text", "text": {"body": "x"}}
    first, second = (tester.post("/test/inbound", body, Idempotency_Key="k") for _ in range(2))
    assert first.data == second.data and second.headers["Idempotent-Replayed"] == "true"
    work_off(sandbox, 1)
    assert len(tester.get("/messages").json["data"]) == 1  # type: ignore[index]


def test_answers_have_the_same_members(tester: Caller, shop: Caller, carla: Conversation, sandbox: uuid.UUID) -> None:
    live = shop.post("/messages", text_to(carla)).json
    talk = received(tester, sandbox)["conversation_id"]
    test = tester.post("/messages", text_to(uuid.UUID(talk))).json
    assert live and test and list(live) == list(test) == list(MessageShape.model_fields)
    assert (live["is_test"], test["is_test"]) == (False, True)
    for path in ("/me", "/conversations", "/messages", f"/conversations/{uuid.uuid4()}"):
        one, other = shop.get(path), tester.get(path)
        assert (one.status_code, list(one.get_json(force=True))) == (
            other.status_code,
            list(other.get_json(force=True)),
        )


def test_a_test_key_reaches_nothing_real(tester: Caller, shop: Caller, carla: Conversation) -> None:
    real = shop.post("/messages", text_to(carla)).json
    assert real
    for path in (f"/messages/{real['id']}", f"/conversations/{carla.id}"):
        assert tester.get(path).status_code == 404
    assert tester.post("/messages", text_to(carla)).status_code == 422
    to_contact = {"type": "text", "to": {"contact_id": str(carla.contact_id)}, "text": {"body": "x"}}
    assert tester.post("/messages", to_contact).status_code == 422
    assert tester.post("/messages", to_contact | {"from": str(carla.phone_number_id)}).status_code == 422
    assert tester.get("/messages").json == {"data": [], "next": None}


def test_a_live_key_reaches_nothing_of_a_test(shop: Caller, tester: Caller, sandbox: uuid.UUID) -> None:
    pretended = received(tester, sandbox)
    for path in (f"/messages/{pretended['id']}", f"/conversations/{pretended['conversation_id']}"):
        assert shop.get(path).status_code == 404
    assert shop.post("/messages", text_to(uuid.UUID(pretended["conversation_id"]))).status_code == 422
    assert shop.get("/messages").json == {"data": [], "next": None}


def test_another_business_has_another_sandbox(tester: Caller, caller: MakeCaller, world: World) -> None:
    theirs = caller(world.shoes, kind="test")
    message = received(tester, sandbox_id(world.bakery.id))
    assert theirs.get(f"/messages/{message['id']}").status_code == 404
    assert theirs.get("/conversations").json == {"data": [], "next": None}


def test_the_sandbox_is_made_once(caller: MakeCaller, world: World, sandbox: uuid.UUID, no_network: NoNetwork) -> None:
    callers = [caller(kind="test") for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        assert {answer.status_code for answer in pool.map(lambda one: one.get("/messages"), callers)} == {200}
    with tenant_scope(sandbox):
        numbers = db.session.scalars(select(PhoneNumber)).all()
        assert [(one.display_number, one.state) for one in numbers] == [("+1 650 555 0199", "connected")]
        assert is_pretended(numbers[0].meta_id) and is_pretended(numbers[0].waba.meta_id)


def test_a_live_key_makes_no_sandbox(shop: Caller, sandbox: uuid.UUID, enqueued: Enqueued) -> None:
    shop.get("/messages")
    assert "sandboxes.open" not in enqueued.names
    with tenant_scope(sandbox):
        assert db.session.get(Tenant, sandbox) is None


def test_tests_take_no_request_from_what_is_live(shop: Caller, tester: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.api.rates.TENANT", Limit("tenant", 0.01, 1))
    assert [each.get("/me").status_code for each in (tester, tester, shop)] == [200, 429, 200]


def test_a_new_test_key_has_its_sandbox_made(
    tester: Caller, world: World, sandbox: uuid.UUID, enqueued: Enqueued
) -> None:
    assert enqueued.names == ["sandboxes.open"]
    for _ in range(2):
        open_sandbox(str(world.bakery.id))
    assert "sandboxes.copy_templates" in enqueued.names
    with tenant_scope(sandbox):
        assert db.session.query(PhoneNumber).count() == 1


def test_the_same_request_twice_is_one_message(tester: Caller, sandbox: uuid.UUID) -> None:
    talk = received(tester, sandbox)["conversation_id"]
    first, second = (tester.post("/messages", text_to(uuid.UUID(talk)), Idempotency_Key="k") for _ in range(2))
    assert first.status_code == 202 and first.data == second.data


def test_the_template_of_the_business_is_sent(tester: Caller, world: World, number: PhoneNumber) -> None:
    hello = template(world, number.waba_id)
    tester.get("/me")
    copy_templates(str(world.bakery.id))
    part = {"id": str(hello.id), "variables": {"1": "Hanna"}}
    answer = tester.post("/messages", {"type": "template", "to": {"phone": GRETA}, "template": part})
    assert answer.status_code == 202, answer.json
    assert answer.json and answer.json["text"] == "Hello Hanna, your bread is ready."
    work_off(sandbox_id(world.bakery.id))
    assert tester.get(f"/messages/{answer.json['id']}").json["state"] == "read"  # type: ignore[index]


def test_a_template_that_changes_is_copied_again(
    tester: Caller, world: World, number: PhoneNumber, enqueued: Enqueued, sandbox: uuid.UUID
) -> None:
    hello = template(world, number.waba_id)
    tester.get("/me")
    copy_templates(str(world.bakery.id))
    with tenant_scope(world.bakery.id):
        MessageTemplate.get_or_404(hello.id).turn("PAUSED", source="webhook")
    enqueued.clear()
    deliver_happenings(str(world.bakery.id), "sandboxes")
    assert "sandboxes.copy_templates" in enqueued.names
    copy_templates(str(world.bakery.id))
    with tenant_scope(sandbox):
        assert MessageTemplate.get_or_404(hello.id).status == "PAUSED"
        assert db.session.scalars(select(TemplateList)).one().fetched_at


def test_without_a_sandbox_nothing_is_copied(world: World, number: PhoneNumber, sandbox: uuid.UUID) -> None:
    template(world, number.waba_id)
    copy_templates(str(world.bakery.id))
    with tenant_scope(sandbox):
        assert db.session.query(MessageTemplate).count() == 0


@pytest.mark.parametrize(("name", "status"), [("bread_ready", "APPROVED"), ("bread_rejected", "REJECTED")])
def test_a_template_is_reviewed(tester: Caller, sandbox: uuid.UUID, name: str, status: str) -> None:
    made = submitted(tester, sandbox, name)
    submit_template(str(sandbox), str(made[1]))
    deliver_happenings(str(sandbox), "reviews in sandboxes")
    work_off(sandbox, 1)
    with tenant_scope(sandbox):
        assert MessageTemplate.get_or_404(made[0]).status == status


def submitted(tester: Caller, sandbox: uuid.UUID, name: str) -> tuple[uuid.UUID, uuid.UUID]:
    tester.get("/me")
    body = [{"type": "BODY", "text": "Your bread is ready."}]
    with tenant_scope(sandbox):
        waba = db.session.scalars(select(Waba)).one()
        by = Actor("api", tester.key.id, "Shop")
        made = MessageTemplate.begin(waba.id, name, "en", Content("UTILITY", False, body), by=by)
        db.session.flush()
        version = made.version_to_edit(by)
        version.leave(by, is_edit=False)
    return made.id, version.id


def test_the_template_of_the_business_takes_a_name_back(
    tester: Caller, world: World, number: PhoneNumber, sandbox: uuid.UUID
) -> None:
    hello = template(world, number.waba_id)
    with tenant_scope(world.bakery.id):
        MessageTemplate.get_or_404(hello.id).name = "later"
    submitted(tester, sandbox, hello.name)
    with tenant_scope(world.bakery.id):
        MessageTemplate.get_or_404(hello.id).name = hello.name
    copy_templates(str(world.bakery.id))
    with tenant_scope(sandbox):
        assert [one.id for one in db.session.scalars(select(MessageTemplate))] == [hello.id]


def test_no_list_and_no_figure_shows_a_sandbox(tester: Caller, world: World, sandbox: uuid.UUID) -> None:
    message = sent_to(tester, sandbox, "+16505550102")
    with platform_scope("tests"):
        board = Board.load()
        assert (board.tenants, board.numbers, board.outbox_waiting) == (2, {}, 0)
        assert {one.id for one in db.session.scalars(tenants_named("", None))} == {world.bakery.id, world.shoes.id}
        assert [*db.session.execute(Failures().page()), *Failures().by_reason(), *Failures().to_retry()] == []
        for words in (message["id"], message["wamid"], "16505550102"):
            assert messages_like(words) == []
        assert Search().page().posts == []
        assert db.session.query(TenantSlug).filter_by(tenant_id=sandbox).count() == 0
        assert db.session.query(WebhookEvent).count() == 2


def test_nothing_of_a_test_is_billed(tester: Caller, sandbox: uuid.UUID) -> None:
    sent_to(tester, sandbox, GRETA)
    with tenant_scope(sandbox):
        assert db.session.query(Usage).count() == 0


def test_sweeps_leave_sandboxes_alone(tester: Caller, enqueued: Enqueued) -> None:
    tester.get("/me")
    enqueued.clear()
    for sweep in (enqueue_checks, compare_hourly):
        sweep()
    assert enqueued.names == []


def test_no_one_enters_a_sandbox(tester: Caller, ann: Browser, sandbox: uuid.UUID) -> None:
    tester.get("/me")
    assert ann.get(f"/t/{sandbox}/inbox/").status_code == 404
