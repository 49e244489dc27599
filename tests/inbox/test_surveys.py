"""What happens around an answer: the ring while one waits, the question afterwards."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from flask import Flask

from app.contacts.consents import Consent
from app.hours.models import ServicePolicy
from app.inbox.conversations import Conversation, Message
from app.inbox.conversations.activities import Activity
from app.inbox.inbound.surveys import counts
from app.message_templates.models import MessageTemplate
from app.meta.contents import Offer
from app.tenancy import Actor, db, now, tenant_scope
from tests import world as people
from tests.arrivals import arrive, conversation, messages
from tests.client import Browser
from tests.posts import message
from tests.simulated import Road
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
        Conversation.get_or_404(talk.id).put("resolved", by=Actor.agent(world.ben))


def questions(world: World) -> list[Any]:
    return [one for one in messages(world) if one.body == QUESTION]


def answer(world: World, score: str) -> None:
    (question,) = questions(world)
    with tenant_scope(world.bakery.id):
        db.session.merge(question).wamid = "wamid.question"
    tapped = {"type": "button_reply", "button_reply": {"id": f"survey-{score}", "title": score}}
    arrive(message(type="interactive", interactive=tapped, context={"id": "wamid.question"}))


def test_the_question_and_its_buttons_are_in_the_customers_language(world: World, talk: Conversation) -> None:
    with tenant_scope(world.bakery.id):
        ServicePolicy.current().wordings = {"fr": {"survey_question": "Comment cela s'est-il passé avec nous ?"}}
        Conversation.get_or_404(talk.id).language = "fr"
    resolve(world)
    (question,) = [one for one in messages(world) if "passé" in one.body]
    assert isinstance(question.holds, Offer)
    assert [button.title for button in question.holds.buttons] == ["😊 Bien", "😐 Moyen", "🙁 Mal"]


def test_a_resolved_conversation_is_followed_by_the_question(world: World, talk: Conversation) -> None:
    resolve(world)
    (question,) = questions(world)
    assert question.state == "queued" and [button.title for button in question.holds.buttons] == [
        "😊 Good",
        "😐 Fair",
        "🙁 Bad",
    ]


def test_no_one_is_asked_twice_in_a_week(world: World, talk: Conversation) -> None:
    resolve(world)
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(talk.id).put("open", by=Actor.agent(world.ben))
    resolve(world)
    assert len(questions(world)) == 1


def test_no_one_is_asked_when_the_window_is_closed(world: World, talk: Conversation) -> None:
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(talk.id).last_inbound_at = now() - dt.timedelta(days=2)
    resolve(world)
    assert questions(world) == []


def late(world: World, **ago: int) -> None:
    with tenant_scope(world.bakery.id):
        row = Conversation.get_or_404(conversation(world).id)
        row.last_inbound_at = now() - dt.timedelta(**ago)


def choose_template(world: World, *titles: str, category: str = "UTILITY", status: str = "APPROVED") -> None:
    """The business chose a template with these quick replies, best first, for the time after the window."""
    buttons = [{"type": "QUICK_REPLY", "text": title} for title in titles]
    with tenant_scope(world.bakery.id):
        waba_id = Conversation.get_or_404(conversation(world).id).phone_number.waba_id
        asking = MessageTemplate(waba_id=waba_id, meta_id="1", name="how_was_it", language="en", category=category)
        asking.status, asking.parameter_format = status, "POSITIONAL"
        asking.components = [{"type": "BODY", "text": QUESTION}, {"type": "BUTTONS", "buttons": buttons}]
        policy = ServicePolicy.current()
        policy.survey_template = "how_was_it|en"
        db.session.add_all([asking, policy])


def tap(world: World, payload: str, wamid: str = "wamid.tap") -> None:
    (question,) = questions(world)
    with tenant_scope(world.bakery.id):
        db.session.merge(question).wamid = "wamid.question"
    arrive(
        message(type="button", button={"payload": payload, "text": "x"}, context={"id": "wamid.question"}, wamid=wamid)
    )


def follow_up(world: World) -> None:
    with tenant_scope(world.bakery.id):
        ServicePolicy.current().survey_reopens = True


def test_after_the_window_the_chosen_template_asks(world: World, talk: Conversation) -> None:
    late(world, days=2)
    choose_template(world, "Great", "Okay", "Bad")
    resolve(world)
    (question,) = questions(world)
    payloads = [part["parameters"][0]["payload"] for part in question.content["raw"]["components"]]
    assert question.type == "template" and payloads == ["survey-good", "survey-fair", "survey-bad"]


@pytest.mark.parametrize("status", ["PAUSED", "REJECTED"])
def test_a_template_that_may_not_be_sent_asks_no_customer(world: World, talk: Conversation, status: str) -> None:
    late(world, days=2)
    choose_template(world, "Great", "Bad", status=status)
    resolve(world)
    assert questions(world) == []


def test_who_wrote_long_ago_is_not_asked_out_of_nowhere(world: World, talk: Conversation) -> None:
    late(world, days=8)
    choose_template(world, "Great", "Bad")
    resolve(world)
    assert questions(world) == []


def test_who_refused_such_messages_is_not_asked(world: World, talk: Conversation) -> None:
    late(world, days=2)
    choose_template(world, "Great", "Bad", category="MARKETING")
    with tenant_scope(world.bakery.id):
        db.session.add(Consent(contact_id=talk.contact_id, purpose="marketing", is_granted=False, source="message"))
    resolve(world)
    assert questions(world) == []


def test_a_person_is_asked_once_in_a_week_whichever_number_they_write_to(world: World, talk: Conversation) -> None:
    resolve(world)
    with tenant_scope(world.bakery.id):
        stall = people.number(world.bakery, "302290129340398", "306540352242922", "+1 555 078 3899")
        other = Conversation(phone_number_id=stall.id, contact_id=talk.contact_id, last_inbound_at=now())
        db.session.add(other)
        db.session.flush()
        other.put("resolved", by=Actor.agent(world.ben))
    assert len(questions(world)) == 1


def test_after_a_week_they_are_asked_again(world: World, talk: Conversation) -> None:
    resolve(world)
    with tenant_scope(world.bakery.id):
        db.session.execute(db.update(Message).values(occurred_at=now() - dt.timedelta(days=7, minutes=1)))
        db.session.execute(db.update(Message).values(client_id=uuid.uuid4()))
        Conversation.get_or_404(talk.id).put("open", by=Actor.agent(world.ben))
    resolve(world)
    assert len(questions(world)) == 2


def test_a_question_does_not_count_as_the_first_answer_of_what_comes_next(world: World, talk: Conversation) -> None:
    resolve(world)
    assert conversation(world).answered_at is None


def test_a_quick_reply_of_the_template_counts_like_a_button(world: World, talk: Conversation) -> None:
    late(world, days=2)
    choose_template(world, "Great", "Bad")
    resolve(world)
    tap(world, "survey-bad")
    with tenant_scope(world.bakery.id):
        assert counts() == {"bad": 1, "fair": 0, "good": 0}
    assert conversation(world).state == "resolved"


def test_a_bad_answer_is_in_the_queue_where_the_business_wants_that(world: World, talk: Conversation) -> None:
    follow_up(world)
    resolve(world)
    answer(world, "bad")
    assert conversation(world).state == "open" and conversation(world).waiting_since
    with tenant_scope(world.bakery.id):
        assert db.session.query(Activity).filter_by(kind="unhappy").count() == 1


def test_a_bad_answer_that_comes_twice_opens_it_once(world: World, talk: Conversation) -> None:
    follow_up(world)
    resolve(world)
    answer(world, "bad")
    resolve(world)
    answer(world, "bad")
    assert conversation(world).state == "resolved"


def test_a_good_answer_opens_nothing_all_the_same(world: World, talk: Conversation) -> None:
    follow_up(world)
    resolve(world)
    answer(world, "good")
    assert conversation(world).state == "resolved"


def test_the_template_is_asked_tapped_and_counted_on_the_road(road: Road) -> None:
    talk = road.customer_writes()
    choose_template(road.world, "Great", "Bad")
    buttons = [{"type": "QUICK_REPLY", "text": title} for title in ("Great", "Bad")]
    parts = [{"type": "BODY", "text": QUESTION}, {"type": "BUTTONS", "buttons": buttons}]
    road.meta.post("templates", waba_id=road.ids["waba_id"], name="how_was_it", components=parts, language="en")
    late(road.world, days=2)
    with tenant_scope(road.world.bakery.id):
        Conversation.get_or_404(talk.id).put("resolved", by=Actor.agent(road.world.ben))
    road.deliver()
    (sent,) = road.meta.accepted()
    number = road.ids["phone_number_id"]
    road.meta.post("answers", phone_number_id=number, **{"from": "16505551234"}, wamid=sent["wamid"], option=1)
    road.until(lambda: rating_counts(road.world)["bad"] == 1)


def rating_counts(world: World) -> dict[str, int]:
    with tenant_scope(world.bakery.id):
        return counts()


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


@pytest.mark.parametrize(("minutes", "place_call"), [(5, "wait-good"), (40, "wait-soon"), (70, "wait-late")])
def test_a_ring_shows_the_state_of_the_wait(
    app: Flask, world: World, talk: Conversation, minutes: int, place_call: str
) -> None:
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(talk.id).waiting_since = now() - dt.timedelta(minutes=minutes)
    assert place_call in Browser(app, "bakery").signed_in_as(world.ben).get("~/inbox/").text


def test_after_the_first_answer_the_other_target_counts(app: Flask, world: World, talk: Conversation) -> None:
    with tenant_scope(world.bakery.id):
        row = Conversation.get_or_404(talk.id)
        row.answered(by=Actor.agent(world.ben))
        row.waiting_since = now() - dt.timedelta(minutes=15)
    assert "wait-late" in Browser(app, "bakery").signed_in_as(world.ben).get("~/inbox/").text
