"""Customers who came by an advertisement: until when nothing is charged, and what is said of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from app.inbox.conversations import Conversation, Message
from app.meta.outgoing import Outgoing
from app.tenancy import Actor, db, now, tenant_scope
from tests.arrivals import arrive, conversation
from tests.client import FRAGMENT, Browser
from tests.posts import message, status
from tests.simulated import Road
from tests.world import World

AD = {"source_url": "https://fb.me/1", "source_id": "1", "source_type": "ad", "headline": "Rye bread"}
FREE: dict[str, Any] = {
    "pricing": {"billable": False, "pricing_model": "PMP", "type": "free_entry_point", "category": "service"}
}


@pytest.fixture
def came(world: World) -> Conversation:
    """Carla wrote from an advertisement a moment ago."""
    world.connect_numbers()
    arrive(message(type="text", text={"body": "Is it fresh?"}, referral=AD))
    return conversation(world)


def answered(world: World, talk: Conversation) -> None:
    with tenant_scope(world.bakery.id):
        sent = Message.outbound(
            Conversation.get_or_404(talk.id), Outgoing("text", "Yes"), by=Actor.agent(world.ann), client_id=talk.id
        )
        sent.wamid, sent.state = "wamid.answer", "accepted"
        db.session.add(sent)


def free_entry(until: dt.datetime, kind: str = "referral_conversion") -> dict[str, Any]:
    origin = {"type": kind}
    return FREE | {"conversation": {"id": "1", "expiration_timestamp": str(int(until.timestamp())), "origin": origin}}


def page(browser: Browser, talk: Conversation) -> str:
    return str(browser.get(f"~/inbox/{talk.id}", headers=FRAGMENT).text)


def test_an_answer_within_a_day_is_worth_something(ben: Browser, came: Conversation) -> None:
    assert "Reply now for 72 free hours" in page(ben, came)
    assert "Reply by" in ben.get("~/inbox/list").text


def test_after_a_day_without_an_answer_nothing_is_promised(ben: Browser, world: World, came: Conversation) -> None:
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(came.id).entry_at = now() - dt.timedelta(hours=24, minutes=1)
    assert "then free" not in page(ben, came)


def test_it_ends_when_whatsapp_says(ben: Browser, world: World, came: Conversation) -> None:
    answered(world, came)
    until = now().replace(microsecond=0) + dt.timedelta(days=7)
    arrive(status("wamid.answer", "sent", **free_entry(until)))
    assert conversation(world).free_until == until
    assert "Free for 167 h" in page(ben, came) and "Messages are free until" in ben.get("~/inbox/list").text


def test_without_an_end_it_lasts_three_days_from_the_first_free_answer(world: World, came: Conversation) -> None:
    answered(world, came)
    first = int(now().timestamp()) - 60
    arrive(status("wamid.answer", "sent", at=first, **FREE))
    arrive(status("wamid.answer", "delivered", at=first + 50, **FREE))
    assert conversation(world).free_until == dt.datetime.fromtimestamp(first, dt.UTC) + dt.timedelta(hours=72)


def test_what_whatsapp_says_wins_and_stays(world: World, came: Conversation) -> None:
    answered(world, came)
    until = now().replace(microsecond=0) + dt.timedelta(days=5)
    arrive(status("wamid.answer", "delivered", **FREE))
    arrive(status("wamid.answer", "sent", **free_entry(until)))
    arrive(status("wamid.answer", "read", **FREE))
    assert conversation(world).free_until == until


@pytest.mark.parametrize(
    "more",
    [
        {"pricing": FREE["pricing"] | {"type": "regular"}},
        {"pricing": FREE["pricing"] | {"type": "free_customer_service"}},
        {"conversation": {"origin": {"type": "service"}, "expiration_timestamp": "99999999999"}},
        {"conversation": {"origin": {"type": "referral_conversion"}, "expiration_timestamp": "99999999999"}},
    ],
)
def test_nothing_else_is_free(world: World, came: Conversation, more: dict[str, Any]) -> None:
    answered(world, came)
    arrive(status("wamid.answer", "sent", **more))
    assert conversation(world).free_until is None


def test_in_a_closed_window_templates_are_free_and_words_still_cannot_go(
    ben: Browser, world: World, came: Conversation
) -> None:
    with tenant_scope(world.bakery.id):
        row = Conversation.get_or_404(came.id)
        row.last_inbound_at, row.free_until = now() - dt.timedelta(days=2), now() + dt.timedelta(days=1)
    shown = page(ben, came)
    assert "Templates are free until" in shown and "only templates can be sent" in shown
    assert ben.post(f"~/inbox/{came.id}/messages", {"body": "Hello"}, headers=FRAGMENT).status_code == 422


def test_who_came_by_themselves_gets_no_such_mark(ben: Browser, carla: Conversation) -> None:
    assert "chip-blue" not in page(ben, carla) and "Messages are free" not in ben.get("~/inbox/list").text


def test_on_the_road_an_answer_makes_it_free(road: Road) -> None:
    number, who = road.ids["phone_number_id"], {"from": "16505551234", "name": "Carla"}
    wamid = road.meta.post("inbound", phone_number_id=number, text="Fresh?", referral=True, **who)["wamid"]
    road.until(lambda: road.message_with(wamid) is not None)
    talk = conversation(road.world)
    road.reply(talk, "Yes")
    road.deliver()
    road.until(lambda: conversation(road.world).free_until is not None)
    left = conversation(road.world).free_left
    assert dt.timedelta(hours=71) < left <= dt.timedelta(hours=72)
