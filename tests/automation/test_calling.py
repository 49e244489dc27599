"""HTTP both ways: the step that calls another program, and the address by which a program begins an automation."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from app.automation.calling import MOST_BYTES
from app.automation.models import AutomationRun, AutomationSettings
from app.contacts.models import Contact
from app.egress import Egress, Page, Refused, Unreachable
from app.extensions import outside
from app.tenancy import Tenant, db, now, platform_scope, refuse_inside_transaction, tenant_scope
from tests.api.conftest import Caller, caller
from tests.automation.conftest import Shop, keyword, reply
from tests.client import Browser

__all__ = ["caller"]

URL = "https://program.example.com/offer"


class Program(Egress):
    """Another program, and what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.answer: Page | Exception = Page(200, {}, b"{}", True)
        self.requested: list[tuple[dict[str, str], dict[str, Any]]] = []

    def exchange(
        self, method: str, url: str, headers: dict[str, str], content: bytes | None = None, **options: Any
    ) -> Page:
        refuse_inside_transaction()
        self.requested.append((headers, json.loads(content or b"")))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def program(app: Flask) -> Iterator[Program]:
    usual, program = outside().egress, Program()
    outside().egress = program
    yield program
    outside().egress = usual


def call(**more: Any) -> dict[str, Any]:
    return {"kind": "http", "url": URL, "failed": [reply("It failed")]} | more


def test_values_of_the_answer_are_used(shop: Shop, program: Program) -> None:
    program.answer = Page(200, {}, b'{"offer": {"prices": [{"eur": 12.5}]}, "ok": true}', True)
    step = call(send=["said = {{answer}}"], take=["price = offer.prices.0.eur", "ok = ok", "none = a.b"])
    shop.rule("message", step, reply("{{price}} {{ok}} {{none|nothing}}"))
    shop.write("Bread")
    assert shop.sent() == ["12.5 yes nothing"]
    ((_headers, sent),) = program.requested
    assert sent["values"] == {"said": "Bread"} and sent["contact"]["phone"] == "16505551234"


def test_the_request_is_signed(shop: Shop, program: Program) -> None:
    from standardwebhooks.webhooks import Webhook

    shop.rule("message", call())
    shop.write()
    ((headers, sent),) = program.requested
    with tenant_scope(shop.id):
        secret = AutomationSettings.signing_secret()
    assert Webhook(secret).verify(json.dumps(sent), headers)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Unreachable("ReadTimeout"), "no answer within 10 seconds"),
        (Refused("not a public address"), "not public"),
        (Page(302, {}, b"", True), "error: 302"),
        (Page(500, {}, b"{}", True), "error: 500"),
        (Page(200, {}, b"x" * MOST_BYTES, False), "longer than 64 kB"),
        (Page(200, {}, b"<html>", True), "not a JSON object"),
        (Page(200, {}, b"[" * 100_000, True), "not a JSON object"),
        (Page(200, {}, b"\xff\xfe", True), "not a JSON object"),
    ],
)
def test_whatever_comes_back_the_run_goes_on(
    shop: Shop, program: Program, ann: Browser, answer: Page | Exception, words: str
) -> None:
    program.answer = answer
    shop.rule("message", call(), reply("Bye"))
    shop.write()
    assert shop.sent() == ["It failed", "Bye"] and len(program.requested) == 1
    assert words in ann.get(f"~/automation/runs/{shop.run.id}").text


def test_no_connection_is_made_to_an_address_inside(shop: Shop) -> None:
    outside().egress, usual = Egress(lambda host, port: ["10.0.0.1"]), outside().egress
    shop.rule("message", call())
    shop.write()
    outside().egress = usual
    assert shop.sent() == ["It failed"]


def test_a_call_that_was_interrupted_is_not_made_again(shop: Shop, program: Program) -> None:
    shop.rule("message", call(), reply("Bye"))
    shop.write(works=False)
    shop.hear()
    program.exchange = lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt)  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        shop.advance(shop.run.id)
    del program.exchange
    program.answer = Page(200, {}, b"{}", True)
    shop.advance(shop.run.id)
    assert shop.run.waits_for == "call" and program.requested == []
    with tenant_scope(shop.id):
        AutomationRun.get_or_404(shop.run.id).next_at = now()
    shop.advance(shop.run.id)
    assert shop.sent() == ["It failed", "Bye"] and program.requested == []


def test_a_test_calls_no_other_server(shop: Shop, program: Program, ann: Browser) -> None:
    shop.write()
    shop.rule("message", call(), reply("Bye"))
    page = ann.post("~/automation/test", {"text": "Hi", "conversation": str(shop.talk.id)}).text
    assert "a test makes no calls" in page and program.requested == []


def address(shop: Shop, ann: Browser, *steps: Any) -> str:
    rule = shop.rule("webhook", *steps)
    page = ann.post(f"~/automation/{rule.id}/address")
    results = re.search(r"/automation-hooks/[\w-]+", page.text)
    assert page.status_code == 201 and results
    assert results[0] not in ann.get(f"~/automation/{rule.id}").text
    return results[0]


def post(browser: Browser, path: str, body: Any) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return browser.client.post(path, data=data, content_type="application/json")


def test_another_program_begins_it(shop: Shop, ann: Browser, browser: Browser) -> None:
    shop.write()
    path = address(shop, ann, reply("Your order {{order}} is ready"))
    answer = post(browser, path, {"phone": "+1 650 555 1234", "order": "66"})
    assert answer.status_code == 202 and answer.json == {"begun": True, "why": "begun"}
    shop.work()
    assert shop.sent() == ["Your order 66 is ready"]


def test_the_same_id_again_begins_nothing(shop: Shop, ann: Browser, browser: Browser) -> None:
    shop.write()
    path = address(shop, ann, reply("Hi"))
    for _ in range(2):
        answer = post(browser, path, {"phone": "+16505551234", "id": "order-66"})
    assert answer.json == {"begun": False, "why": "once"} and len(shop.runs()) == 1


def test_somebody_new_becomes_a_contact(shop: Shop, ann: Browser, browser: Browser) -> None:
    path = address(shop, ann, {"kind": "note", "text": "New"})
    assert post(browser, path, {"phone": "+491711234567"}).status_code == 202
    with tenant_scope(shop.id):
        assert Contact.with_number("491711234567")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "not_json"),
        (b"[]", 400, "not_json"),
        (b"[" * 60_000, 400, "not_json"),
        (b"x" * 70_000, 413, "too_large"),
        ({}, 422, "no_contact"),
        ({"phone": 5}, 422, "no_contact"),
        ({"phone": "hello"}, 422, "no_contact"),
        ({"contact_id": str(uuid.uuid4())}, 422, "no_contact"),
        ({"phone": "+16505551234", "phone_number_id": str(uuid.uuid4())}, 422, "no_number"),
    ],
)
def test_what_says_nothing_usable_begins_nothing(
    shop: Shop, ann: Browser, browser: Browser, body: Any, status: int, code: str
) -> None:
    answer = post(browser, address(shop, ann, reply("Hi")), body)
    assert (answer.status_code, answer.json["code"]) == (status, code) and shop.runs() == []


def test_an_old_address_an_unknown_one_and_one_that_is_off(shop: Shop, ann: Browser, browser: Browser) -> None:
    path = address(shop, ann, reply("Hi"))
    rule = shop.rule(keyword("x"), reply("Hi"))
    assert rule and post(browser, "/automation-hooks/nothing", {}).status_code == 404
    with tenant_scope(shop.id):
        from app.automation.models import Automation

        hooked = db.session.scalars(db.select(Automation).where(Automation.trigger_kind == "webhook")).one()
        hooked.switch(is_on=False)
        hooked_id = hooked.id
    assert post(browser, path, {"phone": "+16505551234"}).status_code == 409
    ann.post(f"~/automation/{hooked_id}/address")
    assert post(browser, path, {"phone": "+16505551234"}).status_code == 404


def test_of_a_closed_business_nothing_begins(shop: Shop, ann: Browser, browser: Browser) -> None:
    path = address(shop, ann, reply("Hi"))
    with platform_scope("tests"):
        db.session.get_one(Tenant, shop.id).closed_at = now()
    assert post(browser, path, {"phone": "+16505551234"}).status_code == 404 and shop.runs() == []


def read(answer: Any) -> dict[str, Any]:
    return json.loads(answer.get_data())  # type: ignore[no-any-return]


def test_programs_list_switch_and_read_runs(shop: Shop, caller: Any) -> None:
    rule = shop.rule("message", reply("Hi"))
    shop.write()
    program: Caller = caller()
    (listed,) = read(program.get("/automations"))["data"]
    assert (listed["name"], listed["is_on"], listed["trigger"]) == ("Welcome", True, "message")
    assert read(program.patch(f"/automations/{rule.id}", {"is_on": False}))["is_on"] is False
    (run,) = read(program.get(f"/automation-runs?filter[automation_id]={rule.id}"))["data"]
    steps = read(program.get(f"/automation-runs/{run['id']}"))["steps"]
    assert [step["result"] for step in steps] == ["sent"]


def test_one_that_is_not_published_is_not_switched_on(shop: Shop, caller: Any, ann: Browser) -> None:
    id = ann.post("~/automation/", {"starter": "welcome"}).location.rsplit("/", 1)[1]
    answer = caller().patch(f"/automations/{id}", {"is_on": True})
    assert (answer.status_code, answer.json["code"]) == (409, "not_published")
