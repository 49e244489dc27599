"""What happens around an answer: the ring while one waits, the question afterwards."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from flask import Flask

from app.inbox.models import Conversation
from app.inbox.surveys import counts
from app.service.models import ServicePolicy
from app.tenancy import db, now, tenant_scope
from tests import world as people
from tests.arrivals import arrive, conversation, messages
from tests.client import Browser
from tests.posts import message
from tests.world import World

QUESTION = "Were you happy with us?"


@pytest.fixture
def talk(world: World) -> Conversation:
    number, _ = world.connect_numbers()
    with tenant_scope(world.bakery.id):
        db.session.add(ServicePolicy(survey_question=QUESTION, first_response_minutes=60, next_response_minutes=10))
    return people.conversation(number)


def resolve(world: World) -> None:
    talk = conversation(world)
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(talk.id).put("resolved", by=world.ben)


def asked(world: World) -> list[Any]:
    return [one for one in messages(world) if one.body == QUESTION]


def answer(world: World, score: str) -> None:
    (question,) = asked(world)
    with tenant_scope(world.bakery.id):
        db.session.merge(question).wamid = "wamid.question"
    tapped = {"type": "button_reply", "button_reply": {"id": f"survey-{score}", "title": score}}
    arrive(message(type="interactive", interactive=tapped, context={"id": "wamid.question"}))


def test_a_resolved_conversation_is_followed_by_the_question(world: World, talk: Conversation) -> None:
    resolve(world)
    (question,) = asked(world)
    assert question.state == "queued" and [button.title for button in question.holds.buttons] == [
        "😊 Good",
        "😐 Fair",
        "🙁 Bad",
    ]


def test_nobody_is_asked_twice_in_a_week(world: World, talk: Conversation) -> None:
    resolve(world)
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(talk.id).put("open", by=world.ben)
    resolve(world)
    assert len(asked(world)) == 1


def test_nobody_is_asked_when_the_window_is_closed(world: World, talk: Conversation) -> None:
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(talk.id).last_inbound_at = now() - dt.timedelta(days=2)
    resolve(world)
    assert asked(world) == []


def test_an_answer_counts_and_opens_nothing(world: World, talk: Conversation) -> None:
    resolve(world)
    answer(world, "good")
    assert conversation(world).state == "resolved" and conversation(world).waiting_since is None
    with tenant_scope(world.bakery.id):
        assert counts() == {"bad": 0, "fair": 0, "good": 1}


def test_somebody_elses_button_is_no_answer(world: World, talk: Conversation) -> None:
    tapped = {"type": "button_reply", "button_reply": {"id": "survey-bad", "title": "Bad"}}
    arrive(message(type="interactive", interactive=tapped, context={"id": "wamid.other"}))
    with tenant_scope(world.bakery.id):
        assert counts()["bad"] == 0


@pytest.mark.parametrize(("minutes", "ring"), [(5, "wait-good"), (40, "wait-soon"), (70, "wait-late")])
def test_a_ring_tells_how_the_wait_stands(
    app: Flask, world: World, talk: Conversation, minutes: int, ring: str
) -> None:
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(talk.id).waiting_since = now() - dt.timedelta(minutes=minutes)
    assert ring in Browser(app, "bakery").signed_in_as(world.ben).get("~/inbox/").text


def test_after_the_first_answer_the_other_target_counts(app: Flask, world: World, talk: Conversation) -> None:
    with tenant_scope(world.bakery.id):
        row = Conversation.get_or_404(talk.id)
        row.answered()
        row.waiting_since = now() - dt.timedelta(minutes=15)
    assert "wait-late" in Browser(app, "bakery").signed_in_as(world.ben).get("~/inbox/").text
