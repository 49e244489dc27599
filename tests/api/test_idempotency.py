"""The same POST again: while the first is at work, after it failed, after a week, and with odd keys."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update

from app.api.idempotency import PATIENCE, IdempotentRequest
from app.api.jobs import forget_idempotent_requests
from app.inbox.conversations import Conversation
from app.tenancy import db, now, tenant_scope
from tests.api.conftest import Caller, MakeCaller, text_to
from tests.world import World

Change = Callable[..., None]


@pytest.fixture
def change(world: World) -> Change:
    """Changes the row of the only request that was made with a key."""

    def change(**values: object) -> None:
        with tenant_scope(world.bakery.id):
            db.session.execute(update(IdempotentRequest).values(values))

    return change


def test_what_is_still_at_work_is_in_progress(shop: Caller, carla: Conversation, change: Change) -> None:
    shop.post("/messages", text_to(carla), Idempotency_Key="x")
    change(status=None)
    answer = shop.post("/messages", text_to(carla), Idempotency_Key="x")
    assert (answer.status_code, answer.get_json(force=True)["code"]) == (409, "in_progress")
    assert int(answer.headers["Retry-After"]) > 0


def test_a_clock_ten_minutes_ahead_takes_nothing_for_abandoned(
    shop: Caller, carla: Conversation, change: Change
) -> None:
    shop.post("/messages", text_to(carla), Idempotency_Key="x")
    change(status=None)
    with time_machine.travel(now() + dt.timedelta(minutes=10)):
        assert shop.post("/messages", text_to(carla), Idempotency_Key="x").status_code == 409


def test_what_a_process_left_when_it_died_is_executed(shop: Caller, carla: Conversation, change: Change) -> None:
    shop.post(f"/conversations/{carla.id}/notes", {"body": "Rye"}, Idempotency_Key="x")
    change(status=None, created_at=now() - PATIENCE - dt.timedelta(seconds=1))
    answer = shop.post(f"/conversations/{carla.id}/notes", {"body": "Rye"}, Idempotency_Key="x")
    assert answer.status_code == 201 and "Idempotent-Replayed" not in answer.headers
    assert len(shop.get(f"/conversations/{carla.id}/notes").json["data"]) == 1  # type: ignore[index]


def test_after_a_week_a_key_is_new(shop: Caller, change: Change) -> None:
    shop.post("/tags", {"name": "VIP"}, Idempotency_Key="x")
    change(created_at=now() - dt.timedelta(days=8))
    forget_idempotent_requests()
    assert shop.post("/tags", {"name": "Rye"}, Idempotency_Key="x").status_code == 201


def test_a_message_is_not_sent_again_after_a_week_either(shop: Caller, carla: Conversation, change: Change) -> None:
    first = shop.post("/messages", text_to(carla), Idempotency_Key="x").json
    change(created_at=now() - dt.timedelta(days=8))
    forget_idempotent_requests()
    second = shop.post("/messages", text_to(carla), Idempotency_Key="x").json
    assert first and second and second["id"] == first["id"]
    assert shop.post("/messages", text_to(carla, "Another"), Idempotency_Key="x").status_code == 422


def test_a_key_is_of_one_api_key_and_one_call(caller: MakeCaller, shop: Caller, carla: Conversation) -> None:
    other, body = caller(), {"body": "Rye"}
    path = f"/conversations/{carla.id}/notes"
    answers = [shop.post(path, body, Idempotency_Key="x"), other.post(path, body, Idempotency_Key="x")]
    answers.append(shop.post("/messages", text_to(carla), Idempotency_Key="x"))
    assert [answer.status_code for answer in answers] == [201, 201, 202]
    assert not any("Idempotent-Replayed" in answer.headers for answer in answers)


@pytest.mark.parametrize("key", ["x" * 255, "a,b", '"quoted"', "a;b=c", "~", "../../x", "%00", "'--"])
def test_any_printable_key_will_do(shop: Caller, carla: Conversation, key: str) -> None:
    for replayed in (None, "true"):
        answer = shop.post("/messages", text_to(carla), Idempotency_Key=key)
        assert (answer.status_code, answer.headers.get("Idempotent-Replayed")) == (202, replayed)


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "\xe9", "a\tb"])
def test_a_key_that_cannot_be_is_refused(shop: Caller, carla: Conversation, key: str) -> None:
    answer = shop.post("/messages", text_to(carla), Idempotency_Key=key)
    assert (answer.status_code, answer.get_json(force=True)["code"]) == (400, "invalid_idempotency_key")


def test_what_failed_on_our_side_is_executed_when_it_comes_again(
    app: Flask, shop: Caller, carla: Conversation, monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    path, body = f"/conversations/{carla.id}/notes", {"body": "Rye"}
    with monkeypatch.context() as patched:
        patched.setattr("app.inbox.api.conversations.Note.write", fail)
        patched.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
        assert shop.post(path, body, Idempotency_Key="x").status_code == 500
    assert shop.post(path, body, Idempotency_Key="x").status_code == 201
    with tenant_scope(world.bakery.id):
        assert [row.status for row in db.session.scalars(select(IdempotentRequest))] == [201]
