"""Sending later, parking until the customer writes, and thinking again, as pages."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from flask import Flask

from app.inbox.conversations import Conversation, Message
from app.message_templates.models import MessageTemplate
from app.tenancy import db, now, tenant_scope
from tests import world as people
from tests.arrivals import arrive, messages
from tests.client import FRAGMENT, Browser
from tests.posts import message
from tests.world import World

DAY = dt.timedelta(days=1)


@pytest.fixture
def talk(world: World) -> Conversation:
    number, _ = world.connect_numbers()
    return people.conversation(number)


@pytest.fixture
def ben(app: Flask, world: World) -> Browser:
    return Browser(app, "bakery").signed_in_as(world.ben)


def tomorrow() -> str:
    return f"{now() + DAY:%Y-%m-%dT%H:%M}"


def only(world: World) -> Message:
    (results,) = messages(world)
    return results


def later(ben: Browser, talk: Conversation, **data: Any) -> Any:
    return ben.post(f"~/inbox/{talk.id}/later", data={"body": "See you", "at": tomorrow(), "zone": "UTC"} | data)


def close_window(world: World, talk: Conversation) -> None:
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(talk.id).last_inbound_at = now() - 2 * DAY


def test_a_scheduled_text_waits_for_its_time_and_shows_it(world: World, ben: Browser, talk: Conversation) -> None:
    assert later(ben, talk).status_code == 303
    assert only(world).state == "scheduled"
    assert "Scheduled for" in ben.get(f"~/inbox/{talk.id}").text
    assert "See you" in ben.get("~/inbox/scheduled").text


def test_a_time_is_meant_by_the_clock_of_whoever_chose_it(world: World, ben: Browser, talk: Conversation) -> None:
    later(ben, talk, at="2027-01-15T09:00", zone="America/Sao_Paulo")
    assert only(world).send_at == dt.datetime(2027, 1, 15, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"at": "2020-01-01T10:00"}, "This time is in the past."),
        ({"at": ""}, "Enter a date and a time."),
        ({"at": "2099-01-01T10:00"}, "within one year"),
        ({"body": " "}, "Enter a message."),
    ],
)
def test_a_wrong_time_is_explained_and_the_text_stays(
    world: World, ben: Browser, talk: Conversation, wrong: dict[str, str], words: str
) -> None:
    answer = later(ben, talk, **wrong)
    assert answer.status_code == 422 and words in answer.text
    assert wrong.get("body") or "See you" in answer.text
    assert messages(world) == []


def test_a_template_without_gaps_can_be_chosen_for_a_closed_window(
    world: World, ben: Browser, talk: Conversation
) -> None:
    with tenant_scope(world.bakery.id):
        waba_id = Conversation.get_or_404(talk.id).phone_number.waba_id
        facts = {"category": "UTILITY", "status": "APPROVED", "parameter_format": "POSITIONAL", "language": "en_US"}
        hello = [{"type": "BODY", "text": "Hello again"}]
        db.session.add(MessageTemplate(waba_id=waba_id, meta_id="1", name="hello", components=hello, **facts))
        db.session.flush()
        template_id = db.session.query(MessageTemplate.id).scalar()
    assert "Send the template “Hello”" in ben.get(f"~/inbox/{talk.id}/later").text
    later(ben, talk, instead=str(template_id))
    assert (only(world).instead or {})["body"] == "Hello again"
    assert "Hello again" in ben.get(f"~/inbox/{talk.id}").text


def test_another_time_can_be_chosen(world: World, ben: Browser, talk: Conversation) -> None:
    later(ben, talk)
    address = f"~/inbox/{talk.id}/messages/{only(world).id}/time"
    assert ben.post(address, data={"at": "2020-01-01T10:00", "zone": "UTC"}).status_code == 422
    assert ben.post(address, data={"at": "2027-02-01T10:00", "zone": "UTC"}).status_code == 303
    assert only(world).send_at == dt.datetime(2027, 2, 1, 10, tzinfo=dt.UTC)


def test_it_can_be_sent_at_once_after_all(world: World, ben: Browser, talk: Conversation) -> None:
    later(ben, talk)
    ben.post(f"~/inbox/{talk.id}/messages/{only(world).id}/release")
    assert only(world).state == "queued"


def test_a_text_for_a_closed_window_waits_until_the_customer_writes(
    world: World, ben: Browser, talk: Conversation
) -> None:
    close_window(world, talk)
    assert "send when they reply" in ben.get(f"~/inbox/{talk.id}").text
    ben.post(f"~/inbox/{talk.id}/later", data={"body": "Your cake is ready", "parks": "y"})
    assert only(world).state == "scheduled" and only(world).send_at is None
    assert "as soon as the customer writes" in ben.get("~/inbox/scheduled").text
    arrive(message("hi"))
    states = {one.body: one.state for one in messages(world)}
    assert states == {"Your cake is ready": "queued", "hi": "received"}


def test_a_reply_is_held_for_a_moment_and_can_be_undone(world: World, ben: Browser, talk: Conversation) -> None:
    shown = ben.post(f"~/inbox/{talk.id}/messages", data={"body": "oops"}, headers=FRAGMENT)
    assert "Undo" in shown.text
    answer = ben.post(f"~/inbox/{talk.id}/messages/{only(world).id}/cancellation", headers=FRAGMENT)
    assert 'data-state="cancelled"' in answer.text and only(world).state == "cancelled"
