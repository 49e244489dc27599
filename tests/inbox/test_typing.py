"""Typing, as customers see it; and for how long each agent can take back what they send."""

from __future__ import annotations

import datetime as dt
import json
import uuid

import httpx
import pytest

from app.inbox.conversations import Conversation, Message
from app.inbox.outbound.jobs import show_typing
from app.tenancy import db, now, tenant_scope
from tests.arrivals import graph_answering
from tests.client import FRAGMENT, Browser
from tests.enqueued import Enqueued
from tests.world import World

TYPING = "outbound.show_typing"


def types(browser: Browser, talk: Conversation, doing: str = "types") -> None:
    assert browser.post(f"~/inbox/{talk.id}/company", {"doing": doing}, headers=FRAGMENT).status_code == 200


def reply(browser: Browser, talk: Conversation) -> None:
    form = {"body": "Yes", "client_id": str(uuid.uuid4())}
    assert browser.post(f"~/inbox/{talk.id}/messages", form, headers=FRAGMENT).status_code == 200


def test_the_customer_sees_that_somebody_types(world: World, carla: Conversation) -> None:
    requested: list[dict[str, object]] = []
    graph_answering(lambda request: requested.append(json.loads(request.content)) or httpx.Response(200, json={}))  # type: ignore[func-returns-value]
    show_typing(str(world.bakery.id), str(carla.id))
    (request,) = requested
    assert request["typing_indicator"] == {"type": "text"} and request["status"] == "read"


def test_it_is_asked_for_once_in_a_while(ann: Browser, ben: Browser, carla: Conversation, enqueued: Enqueued) -> None:
    for browser in (ben, ben, ann):
        types(browser, carla)
    assert enqueued.names.count(TYPING) == 1
    enqueued.clear()
    types(ben, carla)
    reply(ben, carla)
    types(ben, carla)
    assert TYPING in enqueued.names


@pytest.mark.parametrize("doing", ["notes", "looks", "left"])
def test_a_note_is_nothing_that_a_customer_sees(
    ben: Browser, carla: Conversation, enqueued: Enqueued, doing: str
) -> None:
    types(ben, carla, doing)
    assert TYPING not in enqueued.names


@pytest.mark.parametrize("receipts", ["never", "on_reply"])
def test_where_opening_shows_no_blue_ticks_typing_shows_none(
    ann: Browser, ben: Browser, carla: Conversation, enqueued: Enqueued, receipts: str
) -> None:
    ann.post(f"~/inbox/numbers/{carla.phone_number_id}", {"read_receipts": receipts, "team": ""})
    types(ben, carla)
    assert TYPING not in enqueued.names


def test_a_business_turns_it_off(ann: Browser, ben: Browser, carla: Conversation, enqueued: Enqueued) -> None:
    assert ben.post("~/inbox/settings", {}).status_code == 403
    assert ann.post("~/inbox/settings", {}).status_code == 303
    types(ben, carla)
    assert TYPING not in enqueued.names
    ann.post("~/inbox/settings", {"shows_typing": "1"})
    types(ben, carla)
    assert TYPING in enqueued.names


@pytest.mark.parametrize("changed", [{"state": "spam"}, {"last_inbound_at": now() - dt.timedelta(days=2)}])
def test_where_nothing_can_be_sent_nothing_is_shown(
    world: World, ben: Browser, carla: Conversation, enqueued: Enqueued, changed: dict[str, object]
) -> None:
    with tenant_scope(world.bakery.id):
        for name, value in changed.items():
            setattr(Conversation.get_or_404(carla.id), name, value)
    types(ben, carla)
    assert TYPING not in enqueued.names


@pytest.mark.parametrize("seconds", [0, 5, 10])
def test_each_agent_chooses_how_long_they_can_undo(
    world: World, ann: Browser, ben: Browser, carla: Conversation, seconds: int
) -> None:
    assert ben.post("~/inbox/shortcuts", {"first_view": "all", "undo_for": str(seconds)}).status_code == 303
    reply(ben, carla)
    reply(ann, carla)
    with tenant_scope(world.bakery.id):
        query = db.select(Message).where(Message.direction == "outbound").order_by(Message.id)
        bens, anns = db.session.scalars(query).all()
    assert held(bens) == pytest.approx(seconds, abs=1) and held(anns) == pytest.approx(5, abs=1)


def held(message: Message) -> float:
    return (message.next_attempt_at - message.created_at).total_seconds() if message.next_attempt_at else 0


def test_a_time_that_is_no_choice_is_refused(ben: Browser) -> None:
    assert ben.post("~/inbox/shortcuts", {"first_view": "all", "undo_for": "3600"}).status_code == 422
