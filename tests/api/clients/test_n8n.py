"""The nodes for n8n: their requests are those of the document, and work against a running API."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from standardwebhooks.webhooks import Webhook

from app.api.document import document
from app.tenancy import now
from dev.clients import ROOT, node
from tests.api.clients.conftest import Live
from tests.message_templates.templates import approved

PROGRAM = ROOT / "tests/api/clients/n8n.cjs"
PACKAGE = ROOT / "clients/n8n"
HOOK = {"url": "https://n8n.example/webhook/1", "events": ["message.received"]}
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TRIGGER_ADDRESSES = [
    ("POST", "/webhook-subscriptions"),
    ("GET", "/webhook-subscriptions/x"),
    ("DELETE", "/webhook-subscriptions/x"),
    ("GET", "/event-types"),
    ("GET", "/templates/x/schema"),
    ("GET", "/me"),
]
Play = Callable[..., Any]


def play(verb: str, given: Any = None, **environment: str) -> Any:
    """What n8n does with the nodes."""
    command = [node()[0], str(PROGRAM), verb, json.dumps({} if given is None else given)]
    done = subprocess.run(command, env=os.environ | environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def n8n(live: Live) -> Play:
    return lambda verb, given=None: play(verb, given, **live.environment)


def text_to(live: Live, **more: Any) -> dict[str, Any]:
    to = {"recipientType": "conversation_id", "recipient": str(live.talk.id)}
    return {"resource": "message", "operation": "sendText", **to, "text": "Your bread is ready.", **more}


def test_every_request_is_in_the_document(app: Flask) -> None:
    named = [(method, path) for method, path in play("requests")]
    paths = document()["paths"]
    patterns = [
        (method, re.sub(r"\{\w+\}", "[^/]+", path.removeprefix("/api/v1"))) for path in paths for method in paths[path]
    ]

    def is_there(method: str, path: str) -> bool:
        return any(method.lower() == existing and re.fullmatch(pattern, path) for existing, pattern in patterns)

    assert len(named) >= 15
    assert [one for one in [*named, *TRIGGER_ADDRESSES] if not is_there(*one)] == []


def test_the_package_names_files_that_are_there() -> None:
    package = json.loads((PACKAGE / "package.json").read_text())
    named = [*package["n8n"]["credentials"], *package["n8n"]["nodes"]]
    assert all((PACKAGE / path).is_file() for path in named)
    assert "dependencies" not in package and "n8n-community-node-package" in package["keywords"]


def test_the_credential_is_tested(n8n: Play) -> None:
    assert n8n("credential")["tenant"]["slug"] == "bakery"


def test_a_text_is_sent_and_its_ticks_are_read(live: Live, n8n: Play) -> None:
    [sent] = n8n("run", text_to(live))
    live.deliver_until_read(sent["id"])
    [read] = n8n("run", {"resource": "message", "operation": "get", "messageId": sent["id"]})
    assert (read["state"], read["text"]) == ("read", "Your bread is ready.")


def test_the_same_item_of_an_execution_is_sent_once(live: Live, n8n: Play) -> None:
    [first], [again] = n8n("run", text_to(live)), n8n("run", text_to(live))
    [other] = n8n("run", text_to(live, options={"idempotencyKey": "Bestellung № 7"}))
    assert first["id"] == again["id"] != other["id"]


def test_a_template_is_chosen_and_sent_with_its_variables(live: Live, n8n: Play) -> None:
    approved(live.road.number, "rejected", status="REJECTED")
    template = str(approved(live.road.number).id)
    assert n8n("options", "templateId") == [{"name": "order_update (en_US)", "value": template}]
    [field] = n8n("variables", template)["fields"]
    assert (field["id"], field["required"]) == ("first_name", True)
    values = {"mappingMode": "defineBelow", "value": {"first_name": "Carla"}}
    more = {"operation": "sendTemplate", "templateId": template, "variables": values}
    [sent] = n8n("run", text_to(live, **more))
    assert sent["type"] == "template" and "Carla" in sent["text"]


def test_lists_are_read_to_their_end_with_their_filters(live: Live, n8n: Play) -> None:
    [sent] = n8n("run", text_to(live))
    listing = {"resource": "message", "operation": "list", "filters": {"direction": "outbound"}}
    assert [one["id"] for one in n8n("run", {**listing, "returnAll": True})] == [sent["id"]]
    assert len(n8n("run", {"resource": "message", "operation": "list", "limit": 1})) == 1


def test_a_conversation_is_changed(live: Live, n8n: Play) -> None:
    talk = {"resource": "conversation", "conversationId": str(live.talk.id)}
    [note] = n8n("run", {**talk, "operation": "addNote", "note": "Wants rye."})
    [unassigned] = n8n("run", {**talk, "operation": "assign", "assignTo": "nobody"})
    [resolved] = n8n("run", {**talk, "operation": "setState", "state": "resolved"})
    assert (note["body"], unassigned["assignee_id"], resolved["state"]) == ("Wants rye.", None, "resolved")


def test_a_contact_is_created_by_its_phone_number(n8n: Play) -> None:
    person = {"resource": "contact", "phone": "+49 1511 2345678"}
    [made] = n8n("run", {**person, "operation": "upsert", "name": "Dora", "tags": "Regular, Rye"})
    [read] = n8n("run", {**person, "operation": "getByPhone"})
    assert read["id"] == made["id"] and read["name"] == "Dora"
    assert sorted(tag["name"] for tag in read["tags"]) == ["Regular", "Rye"]


def test_the_trigger_subscribes_checks_and_ends(n8n: Play) -> None:
    def does(verb: str, state: dict[str, str], **more: Any) -> tuple[Any, dict[str, str]]:
        answer = n8n("trigger", {"verb": verb, "state": state, **HOOK, **more})
        return answer["result"], answer["state"]

    assert "message.received" in [one["value"] for one in does("eventTypes", {})[0]]
    is_made, state = does("create", {})
    assert is_made and state["secret"].startswith("whsec_")
    assert does("checkExists", state) == (True, state)
    assert does("delete", state) == (True, {})
    assert does("checkExists", state) == (False, {})


def test_the_trigger_subscribes_anew_for_other_events(n8n: Play) -> None:
    state = n8n("trigger", {"verb": "create", "state": {}, **HOOK})["state"]
    other = {**HOOK, "events": ["message.failed"]}
    assert n8n("trigger", {"verb": "checkExists", "state": state, **other}) == {"result": False, "state": {}}
    assert n8n("trigger", {"verb": "checkExists", "state": state, **HOOK}) == {"result": False, "state": {}}


def test_the_trigger_takes_only_what_is_signed() -> None:
    at, body = now(), json.dumps({"type": "message.received"})
    signature = Webhook(SECRET).sign("evt_1", at, body)
    headers = {"webhook-id": "evt_1", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}
    taken = play("receive", {"secret": SECRET, "headers": headers, "body": body})
    assert taken["workflowData"] == [[{"json": {"type": "message.received"}}]]
    forged = play("receive", {"secret": SECRET, "headers": headers, "body": body.replace("received", "failed")})
    assert forged == {"status": 401, "noWebhookResponse": True}
