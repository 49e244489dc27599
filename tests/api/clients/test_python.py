"""The Python client: held to the document, against a running API, and what it does when answers fail."""

from __future__ import annotations

import ast
import datetime as dt
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from flask import Flask
from standardwebhooks import Webhook

from app.api.document import document
from clients.python import switchboard_client
from clients.python.switchboard_client import (
    InvalidWebhook,
    Switchboard,
    SwitchboardError,
    main,
    verify_webhook,
)
from tests.api.clients.conftest import Live

SOURCE = pathlib.Path(switchboard_client.__file__).read_text()


def calls() -> Iterator[tuple[str, str, set[str]]]:
    """Method, path and parameters of every call in the client's methods."""
    client = next(node for node in ast.parse(SOURCE).body if getattr(node, "name", "") == "Switchboard")
    for method in (node for node in ast.walk(client) if isinstance(node, ast.FunctionDef)):
        names = {
            key.value
            for node in ast.walk(method)
            if isinstance(node, ast.Dict)
            for key in node.keys
            if isinstance(key, ast.Constant) and isinstance(key.value, str)
        }
        words = [node.value for node in ast.walk(method) if isinstance(node, ast.Constant)]
        paths = [word for word in words if isinstance(word, str) and re.fullmatch(r"/[a-z/_{}-]+", word)]
        verbs = [word for word in words if word in ("GET", "POST", "PUT", "PATCH", "DELETE")] or ["GET"]
        filters = {name for name in names if name.startswith(("filter[", "created_"))}
        if paths and method.name not in ("__init__", "call"):
            yield verbs[0], paths[0], filters


def test_every_call_of_the_client_is_in_the_document(app: Flask) -> None:
    paths, made = document()["paths"], list(calls())
    assert len(made) > 20
    assert [(verb, path) for verb, path, _ in made if verb.lower() not in paths.get(path, {})] == []


def test_every_filter_of_the_client_is_in_the_document(app: Flask) -> None:
    paths = document()["paths"]
    for verb, path, filters in calls():
        parameters = {each["name"] for each in paths[path][verb.lower()].get("parameters", [])}
        assert filters <= parameters, path


@pytest.mark.parametrize("name", ["Message", "Conversation", "Event"])
def test_the_types_have_the_members_of_the_document(app: Flask, name: str) -> None:
    shape = document()["components"]["schemas"][f"{name}Shape"]["properties"]
    assert set(getattr(switchboard_client, name).__annotations__) <= shape.keys()


def test_a_message_is_sent_and_its_ticks_are_read(live: Live) -> None:
    with Switchboard(live.key, live.url) as api:
        sent = api.send_text({"conversation_id": str(live.talk.id)}, "Your bread is ready.")
        assert sent["state"] == "queued"
        live.deliver_until_read(sent["id"])
        assert api.message(sent["id"])["state"] == "read"
        assert [one["text"] for one in api.messages(direction="outbound")] == ["Your bread is ready."]
        statuses = api.story(sent["id"])["statuses"]
    assert [status["status"] for status in statuses] == ["sent", "delivered", "read"]


def test_a_conversation_is_worked_on(live: Live) -> None:
    with Switchboard(live.key, live.url) as api:
        one = next(iter(api.conversations(is_unreplied=True, include="contact")))
        assert one["contact"] and one["contact"]["name"] == "Carla"
        until = dt.datetime.now(dt.UTC) + dt.timedelta(hours=2)
        assert api.set_state(one["id"], "snoozed", until=until)["state"] == "snoozed"
        assert api.assign(one["id"], assignee_id=None)["assignee_id"] is None
        api.add_note(one["id"], "Prefers rye")
        assert [note["body"] for note in api.notes(one["id"])] == ["Prefers rye"]
        assert api.upsert_contact("phone", "+1 650 555 1234", name="Carla B.")["name"] == "Carla B."
        assert [each["name"] for each in api.contacts(phone="+1 650 555 1234")] == ["Carla B."]
        assert len(list(api.numbers())) == 1


def test_lists_go_on_to_the_last_page() -> None:
    pages = {
        None: {"data": [{"id": "1"}, {"id": "2"}], "next": "a"},
        "a": {"data": [{"id": "3"}], "next": None},
    }
    api = answering(lambda request: httpx.Response(200, json=pages[request.url.params.get("after")]))
    assert [one["id"] for one in api.messages()] == ["1", "2", "3"]


def test_a_refusal_says_what_is_wrong(live: Live) -> None:
    with Switchboard(live.key, live.url) as api, pytest.raises(SwitchboardError) as refused:
        api.send_text({"conversation_id": str(live.talk.id)}, "")
    error = refused.value
    assert (error.status, error.code, error.errors[0]["pointer"]) == (422, "invalid_request", "/text/body")
    assert error.request_id and "/text/body" in str(error)


def answering(answer: Callable[[httpx.Request], httpx.Response], **options: Any) -> Switchboard:
    return Switchboard("sb_live_x", "https://api.example", transport=httpx.MockTransport(answer), **options)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the client would have waited."""
    waited: list[float] = []
    mine, sleep = threading.get_ident(), time.sleep
    # Other threads of the process sleep as well.
    monkeypatch.setattr(
        "time.sleep", lambda wait: waited.append(wait) if threading.get_ident() == mine else sleep(wait)
    )
    return waited


def test_a_request_is_repeated_with_the_same_key_after_the_time_asked_for(waits: list[float]) -> None:
    keys = []

    def answer(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["Idempotency-Key"])
        if len(keys) == 1:
            return httpx.Response(429, headers={"Retry-After": "7"})
        if len(keys) == 2:
            raise httpx.ReadTimeout("lost")
        if len(keys) == 3:
            return httpx.Response(409, json={"code": "in_progress"}, headers={"Retry-After": "1"})
        return httpx.Response(202, json={"id": "m"})

    assert answering(answer).send_text("+4915112345678", "x")["id"] == "m"
    assert len(set(keys)) == 1 and waits[0] == 7 and waits[2] == 1


@pytest.mark.parametrize(
    ("status", "headers", "tries"),
    [(503, {}, 3), (429, {"Retry-After": "3600"}, 1), (409, {}, 1), (422, {}, 1), (500, {}, 3)],
)
def test_what_repeating_does_not_help_is_raised(
    waits: list[float], status: int, headers: dict[str, str], tries: int
) -> None:
    requests = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(status, headers=headers, text="<html>")

    with pytest.raises(SwitchboardError):
        answering(answer, retries=2).send_text("+4915112345678", "x")
    assert len(requests) == tries


def test_a_change_whose_answer_was_lost_is_not_repeated(waits: list[float]) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("lost")

    with pytest.raises(httpx.ReadTimeout):
        answering(answer).call("PATCH", "/contacts/{contact_id}", contact_id="c", body={"name": "x"})
    assert waits == []


def test_a_deletion_whose_answer_was_lost_is_done(waits: list[float]) -> None:
    answers = iter([httpx.Response(502), httpx.Response(404, json={"code": "not_found"})])
    assert answering(lambda _: next(answers)).call("DELETE", "/webhooks/{webhook_id}", webhook_id="w") is None


def test_a_part_of_the_path_stays_one_part() -> None:
    paths = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.raw_path)
        return httpx.Response(200, json={})

    answering(answer).upsert_contact("username", "a/../b?c")
    assert paths == [b"/api/v1/contacts/by/username/a%2F..%2Fb%3Fc"]


def test_events_go_on_after_the_cursor(waits: list[float]) -> None:
    pages = {
        None: {"data": [{"id": "1"}], "next": "a", "has_more": True},
        "a": {"data": [], "next": "b", "has_more": True},
        "b": {"data": [{"id": "2"}], "next": "c", "has_more": False},
    }
    api = answering(lambda request: httpx.Response(200, json=pages[request.url.params.get("after")]))
    events = api.events()
    assert [event["id"] for event in events] == ["1", "2"]
    assert events.cursor == "c"


def test_what_happened_is_read_from_the_events(live: Live) -> None:
    with Switchboard(live.key, live.url) as api:
        events = api.events()
        seen: dict[str, set[str]] = defaultdict(set)

        def has_seen(kind: str) -> bool:
            for event in events:
                seen[event["type"]].add(event["data"].get("message", event)["id"])
            return kind in seen

        # An event is shown once no older transaction is open, in whatever database beside ours.
        live.road.until(lambda: has_seen("message.received"))
        sent = api.send_text({"conversation_id": str(live.talk.id)}, "Your bread is ready.")
        live.deliver_until_read(sent["id"])
        live.road.until(lambda: has_seen("message.read"))
        assert seen["message.read"] == {sent["id"]}


def test_a_webhook_is_created_and_deleted(live: Live) -> None:
    with Switchboard(live.key, live.url) as api:
        made = api.create_webhook("https://shop.example/hooks", types=["message.received"])
        assert made["secret"].startswith("whsec_")
        assert [one["id"] for one in api.webhooks()] == [made["id"]]
        api.delete_webhook(made["id"])
        assert list(api.webhooks()) == []


SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + "AAAQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def signed(body: bytes, at: dt.datetime) -> dict[str, str]:
    signature = Webhook(SECRET).sign("evt_1", at, body.decode())
    return {
        "Webhook-Id": "evt_1",
        "Webhook-Timestamp": str(int(at.timestamp())),
        "Webhook-Signature": f"v1,AAAA {signature}",
    }


def test_a_webhook_signed_by_the_reference_is_verified() -> None:
    body, at = b'{"type":"message.sent"}', dt.datetime(2026, 11, 29, 8, tzinfo=dt.UTC)
    headers = signed(body, at)
    assert verify_webhook(body, headers, [OTHER, SECRET], now=at.timestamp() + 200) == {"type": "message.sent"}
    stamped = headers | {"Webhook-Timestamp": "soon"}
    refused: list[tuple[bytes, dict[str, str], str, float]] = [
        (body, headers, OTHER, 0),
        (body + b" ", headers, SECRET, 0),
        (body, headers, SECRET, 301),
        (body, stamped, SECRET, 0),
        (body, {}, SECRET, 0),
    ]
    for sent, given, secret, late in refused:
        with pytest.raises(InvalidWebhook):
            verify_webhook(sent, given, secret, now=at.timestamp() + late)


def test_the_command_line_sends_and_lists(
    live: Live, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in live.environment.items():
        monkeypatch.setenv(name, value)
    assert main(["send", "--conversation", str(live.talk.id), "--text", "Your bread is ready.", "--json"]) == 0
    sent = json.loads(capsys.readouterr().out)
    live.deliver_until_read(sent["id"])
    assert main(["messages", "--limit", "1"]) == 0
    assert "→ read" in capsys.readouterr().out
    assert main(["me"]) == 0 and '"slug": "bakery"' in capsys.readouterr().out
    assert main(["send", "--to", "0151", "--text", "x"]) == 1
    assert "/to/phone" in capsys.readouterr().err


def test_the_command_line_ends_quietly_where_its_output_is_not_read_on(live: Live) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-c", "import sys, switchboard_client; sys.exit(switchboard_client.main(['me']))"]
    done = subprocess.run(
        command,
        cwd=pathlib.Path(switchboard_client.__file__).parent,
        env=os.environ | live.environment,
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_the_command_line_asks_for_its_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SWITCHBOARD_KEY", raising=False)
    assert main(["me"]) == 1
    assert "SWITCHBOARD_KEY" in capsys.readouterr().err
