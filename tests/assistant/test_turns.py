"""Turns: one answer to what a customer asks, and silence where it is right. Each failure that others had is a test."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
import time_machine
from sqlalchemy import update

from app.assistant import answering
from app.assistant.access import ModelAccess
from app.assistant.engagements import Engagement
from app.assistant.engine import decide
from app.assistant.helps import help_with
from app.assistant.turns import AssistantTurn
from app.assistant.unanswered import UnansweredQuestion
from app.billing.balances import Balance
from app.entry_points.models import EntryPoint
from app.hours.models import ServicePolicy
from app.inbox.conversations import Conversation, Message
from app.inbox.desk.notes import Note
from app.tenancy import Actor, db, now, tenant_scope
from app.tenancy.presence import come_online
from app.wabas.models import PhoneNumber

from .conftest import Shop


def test_a_question_is_answered_from_the_knowledge(shop: Shop) -> None:
    turn = shop.ask("Do you have rye bread today?")
    assert turn.state == "sent" and turn.passages[0]["title"] == "Do you have rye bread?"
    assert "4.20 €" in shop.sent()[0].body and shop.sent()[0].author_kind == "assistant"
    assert shop.talk().handled_by == "assistant"


def test_the_first_answer_says_that_it_is_no_person_and_offers_one(shop: Shop) -> None:
    shop.ask("Do you have rye bread?")
    first = shop.sent()[0]
    assert first.body.startswith("I'm the automated assistant of Bakery. I'm not a person.")
    reply = first.raw["action"]["buttons"][0]["reply"]
    assert reply == {"id": "assistant-person", "title": "Talk to a person"}
    shop.ask("When are you open?")
    assert "not a person" not in shop.sent()[1].body and shop.sent()[1].type == "text"


def test_after_a_day_without_a_word_it_says_so_again(shop: Shop) -> None:
    shop.ask("Do you have rye bread?")
    with tenant_scope(shop.world.bakery.id):
        db.session.execute(update(Engagement).values(disclosed_at=now() - dt.timedelta(hours=25)))
    shop.ask("When are you open?")
    assert "not a person" in shop.sent()[1].body


def test_the_disclosure_is_in_the_language_of_the_customer(shop: Shop) -> None:
    turn = shop.ask("Hola, ¿tienen medialunas los domingos?")
    assert turn.language == "es" and shop.sent()[0].body.startswith("Soy el asistente automático de Bakery.")


# A.1 #1: the bot talks over the human.


def test_a_reply_of_a_person_takes_the_conversation_away(shop: Shop) -> None:
    shop.ask("Do you have rye bread?")
    shop.reply_by_hand("I'll look for you.")
    turn = shop.ask("When are you open?")
    assert turn.state == "silent" and turn.reason == "with_person" and len(shop.sent()) == 2


def test_a_person_who_answers_while_the_model_thinks_wins(shop: Shop) -> None:
    shop.write("Do you have rye bread?")
    work = claimed(shop)
    shop.reply_by_hand("Yes, until six.")
    turn = finished(shop, work)
    assert turn.state == "superseded" and turn.reason == "answered"
    assert [message.body for message in shop.sent()] == ["Yes, until six."]


@pytest.mark.parametrize("by", [Actor.phone(), Actor("api", uuid.uuid4(), "ERP")], ids=["phone", "key"])
def test_the_phone_and_a_key_count_as_people(shop: Shop, by: Actor) -> None:
    shop.ask("Do you have rye bread?")
    shop.reply_by_hand("Written elsewhere", by=by)
    assert shop.ask("When are you open?").reason == "with_person"


# A.1 #2: what must not count as a person's reply.


def test_a_note_and_a_reaction_do_not_silence_it(shop: Shop) -> None:
    shop.ask("Do you have rye bread?")
    shop.do(lambda talk: Note.write(talk, "Regular customer", by=shop.ann, client_id=uuid.uuid4()))
    with tenant_scope(shop.world.bakery.id):
        incoming = db.session.query(Message).filter_by(direction="inbound").first()
        assert incoming
        Conversation.get_or_404(shop.carla.id).react(incoming, "👍", by=shop.ann)
    assert shop.ask("When are you open?").state == "sent"


# A.1 #3 and #4: hand-over is an action of its own, and the customer gets a message.


def test_a_hand_over_is_announced_noted_and_shown(shop: Shop) -> None:
    shop.ask("Do you have rye bread?")
    turn = shop.ask("I want to talk to a person please")
    assert turn.state == "handed_over" and turn.reason == "asked_for_person"
    assert "Somebody from the team will reply here" in shop.sent()[-1].body
    assert "The customer asked for a person" in shop.notes()[0] and "rye bread" in shop.notes()[0]
    assert shop.talk().is_with_person and shop.talk().waiting_since is not None


def test_a_model_that_only_says_that_it_hands_over_does_not(shop: Shop) -> None:
    shop.use_model("scripted-obeys")
    turn = shop.ask("rye bread «I am transferring you to a colleague now.»")
    assert turn.action == "answer" and not shop.talk().is_with_person


def test_a_hand_over_at_night_says_that_the_business_is_closed(shop: Shop) -> None:
    closed_now(shop)
    shop.ask("agent please")
    assert "closed at the moment" in shop.sent()[-1].body


# A.1 #5: neither a loop of hand-overs nor silence for ever.


def test_what_was_before_the_resolution_is_forgotten(shop: Shop) -> None:
    shop.ask("I want to talk to a person")
    shop.do(lambda talk: talk.put("resolved", by=shop.ann))
    turn = shop.ask("Do you have rye bread?")
    assert turn.state == "sent"
    assert "talk to a person" not in shop.model.requested[-1]["asked"]


def test_the_time_of_people_is_marked_with_its_end(shop: Shop) -> None:
    shop.ask("Do you have rye bread?")
    shop.reply_by_hand("Let me look.")
    shop.do(lambda talk: talk.release(by=shop.ann))
    assert shop.ask("And when are you open?").state == "sent"
    facts = shop.model.requested[-1]["asked"]
    assert "people of the team answered" in facts and "you answer again" in facts


# A.1 #6: duplicates, and old messages.


def test_three_quick_messages_get_one_answer(shop: Shop) -> None:
    for words in ("Hello", "I have a question", "Do you have rye bread?"):
        shop.write(words)
    shop.think()
    shop.think()
    assert len(shop.sent()) == 1 and len(shop.model.requested) == 1


def test_each_message_puts_the_turn_off_for_a_while(shop: Shop) -> None:
    with tenant_scope(shop.world.bakery.id):
        Engagement.postpone([shop.carla.id], dt.timedelta(seconds=4))
        first = due(shop)
        for _ in range(10):
            Engagement.postpone([shop.carla.id], dt.timedelta(seconds=400))
        assert first and due(shop) and dt.timedelta() < due(shop) - first <= dt.timedelta(seconds=12)


def test_a_message_that_comes_while_the_model_thinks_gets_the_one_answer(shop: Shop) -> None:
    shop.write("Do you have rye bread?")
    work = claimed(shop)
    shop.write("And when are you open?")
    assert finished(shop, work).reason == "newer"
    shop.think()
    assert len(shop.sent()) == 1


def test_two_workers_make_one_turn(shop: Shop) -> None:
    shop.write("Do you have rye bread?")
    first, second = claimed(shop), claimed(shop)
    assert first and second is None


def test_an_old_message_gets_no_answer(shop: Shop) -> None:
    turn = shop.ask("Do you have rye bread?", ago=11 * 60)
    assert turn.reason == "old" and shop.sent() == []


# Killed between any two steps.


def test_a_worker_that_died_while_thinking_is_followed_by_one_answer(shop: Shop) -> None:
    shop.write("Do you have rye bread?")
    claimed(shop)
    lose_lease(shop)
    assert shop.think().state == "sent" and len(shop.sent()) == 1


def test_a_worker_that_comes_back_after_its_lease_sends_nothing(shop: Shop) -> None:
    shop.write("Do you have rye bread?")
    late = claimed(shop)
    lose_lease(shop)
    shop.think()
    assert finished(shop, late).state == "superseded" and len(shop.sent()) == 1


def test_a_question_that_kills_workers_is_given_to_people(shop: Shop) -> None:
    shop.write("Do you have rye bread?")
    for _ in range(2):
        claimed(shop)
        lose_lease(shop)
    assert shop.think().reason == "interrupted" and shop.talk().is_with_person


# A.1 #7: two bots.


def test_two_bots_stop_within_ten_messages(shop: Shop) -> None:
    for _ in range(10):
        if shop.talk().is_with_person:
            break
        shop.ask("Do you have rye bread?")
    assert shop.talk().is_with_person and shop.turns()[-1].reason == "loop"
    assert len(shop.sent()) + shop.count <= 10


def test_it_answers_only_so_often_in_an_hour(shop: Shop) -> None:
    shop.set_up(most_per_hour=2)
    for words in ("Do you have rye bread?", "When are you open?", "Do you deliver croissants?"):
        turn = shop.ask(words)
    assert turn.reason == "hourly" and turn.state == "handed_over"


def test_it_answers_only_so_often_in_a_conversation(shop: Shop) -> None:
    shop.set_up(most_turns=1)
    shop.ask("Do you have rye bread?")
    assert shop.ask("When are you open?").reason == "turns"


def test_two_hundred_messages_in_a_minute_get_an_answer_now_and_then(shop: Shop) -> None:
    """At most one for each wait of fifteen seconds, and never more than the limit of an hour."""
    shop.set_up(debounce_seconds=4)
    with time_machine.travel(now(), tick=False) as clock:
        for number in range(200):
            shop.write(f"Do you have rye bread? {number}", waits=dt.timedelta(seconds=4))
            shop.think_if_due()
            clock.shift(dt.timedelta(seconds=0.3))
        clock.shift(dt.timedelta(seconds=15))
        shop.think_if_due()
    answers = [turn for turn in shop.turns() if turn.state == "sent"]
    assert 1 <= len(answers) <= 5 and len(shop.model.requested) <= 5


# A.1 #8: hours.


def test_outside_hours_only_it_is_quiet_while_the_business_is_open(shop: Shop) -> None:
    shop.set_up(hours="closed")
    assert shop.ask("Do you have rye bread?").reason == "business_hours"
    closed_now(shop)
    assert shop.ask("When are you open?").state == "sent"


def test_while_somebody_of_the_team_is_online_it_is_quiet_where_that_was_chosen(shop: Shop) -> None:
    shop.set_up(hours="nobody_online")
    assert shop.ask("Do you have rye bread?").state == "sent"
    come_online(shop.world.bakery.id, shop.world.ben.id)
    assert shop.ask("When are you open?").reason == "somebody_online"


# A.1 #9: a person by choice.


@pytest.mark.parametrize(
    "words",
    [
        "Human!",
        "¿Puedo hablar con alguien?",
        "quero um atendente",
        "un conseiller svp",
        "Mit einem Menschen bitte",
        "موظف",
    ],
)
def test_people_are_called_in_six_languages_without_a_model(shop: Shop, words: str) -> None:
    assert shop.ask(words).reason == "asked_for_person" and shop.model.requested == []


def test_a_tap_on_the_button_calls_a_person(shop: Shop) -> None:
    tapped = {"raw": {"type": "button_reply", "button_reply": {"id": "assistant-person", "title": "x"}}}
    assert shop.ask("x", type="interactive", content=tapped).reason == "asked_for_person"


@pytest.mark.parametrize(("words", "why"), [("Call an ambulance", "emergency"), ("This is a scam", "anger")])
def test_emergencies_and_anger_are_for_people(shop: Shop, words: str, why: str) -> None:
    assert shop.ask(words).reason == why


def test_topics_of_the_business_are_for_people(shop: Shop) -> None:
    shop.set_up(topics=["allergy"])
    assert shop.ask("I have an allergy. Is rye bread fine?").reason == "topic"


# A.1 #10: the language.


def test_an_answer_in_another_language_is_held_back(shop: Shop) -> None:
    shop.use_model("scripted-obeys")
    shop.set_up(languages=["en"])
    turn = shop.ask("rye bread «Sí, tenemos pan de centeno todos los días y también los domingos para usted»")
    assert turn.reason == "wrong_language" and turn.state == "handed_over"


def test_only_allowed_languages_are_answered_in(shop: Shop) -> None:
    shop.set_up(languages=["en"])
    assert shop.ask("Hola, ¿tienen medialunas los domingos?").language == "en"


# Nothing found.


def test_what_the_knowledge_does_not_have_asks_no_model(shop: Shop) -> None:
    turn = shop.ask("Can you repair my bicycle?")
    assert turn.reason == "nothing_found" and turn.state == "handed_over" and shop.model.requested == []
    assert "ask a colleague" in shop.sent()[0].body


def test_questions_without_an_answer_are_counted(shop: Shop) -> None:
    for _ in range(2):
        shop.ask("Can you repair my bicycle?")
        shop.do(lambda talk: talk.put("resolved", by=shop.ann))
    with tenant_scope(shop.world.bakery.id):
        question = db.session.query(UnansweredQuestion).one()
        assert question.count == 2 and "bicycle" in question.question


def test_a_question_that_goes_on_is_understood_with_the_one_before(shop: Shop) -> None:
    shop.ask("Do you have rye bread?")
    assert shop.ask("And how much is it?").state == "sent"


def test_a_greeting_is_greeted_and_thanks_need_no_answer(shop: Shop) -> None:
    assert shop.ask("Guten Morgen!").reply == "Guten Tag. Wie kann ich Ihnen helfen?"
    assert shop.ask("Danke 😊").state == "silent" and shop.model.requested == []


# A provider that is unavailable.


@pytest.mark.parametrize(
    ("word", "problem"),
    [
        ("[429]", "too_many_requests"),
        ("[500]", "provider_error"),
        ("[prose]", "not_json"),
        ("[half]", "half_answer"),
        ("[cut]", "cut_off"),
    ],
)
def test_a_provider_in_trouble_means_that_people_get_it_at_once(shop: Shop, word: str, problem: str) -> None:
    turn = shop.ask(f"Do you have rye bread? {word}")
    assert turn.state == "handed_over" and turn.reason == "model_away" and turn.problem == problem
    with tenant_scope(shop.world.bakery.id):
        access = ModelAccess.current()
        assert access and access.problem == problem


def test_a_provider_that_is_not_there_means_that_people_get_it(shop: Shop) -> None:
    with tenant_scope(shop.world.bakery.id):
        access = ModelAccess.current()
        assert access
        access.base_url = "https://127.0.0.1/v1"
    assert shop.ask("Do you have rye bread?").problem == "address_refused" and shop.talk().is_with_person


# Money.


def test_what_it_cost_is_on_the_turn_and_ends_with_the_budget(shop: Shop) -> None:
    turn = shop.ask("Do you have rye bread?")
    assert turn.cost == turn.input_tokens + 2 * turn.output_tokens > 0
    shop.set_up(money_per_day=turn.cost)
    assert shop.ask("When are you open?").reason == "budget" and len(shop.model.requested) == 1


def test_what_one_conversation_may_cost_ends_there_and_begins_anew_once_it_is_resolved(shop: Shop) -> None:
    turn = shop.ask("Do you have rye bread?")
    shop.set_up(money_per_conversation=turn.cost)
    assert shop.ask("When are you open?").reason == "conversation_budget" and shop.talk().is_with_person
    shop.do(lambda talk: talk.put("resolved", by=shop.ann))
    assert shop.ask("When are you open?").state == "sent"


# Where.


def test_it_answers_customers_who_came_by_its_entry_point(shop: Shop) -> None:
    with tenant_scope(shop.world.bakery.id):
        place = EntryPoint.create("Door", PhoneNumber.get_or_404(shop.number.id), kind="qr")
        Conversation.get_or_404(shop.carla.id).entry_point_id = place.id
        place_id = place.id
    shop.set_up(entry_points=[place_id])
    assert shop.ask("Do you have rye bread?").state == "sent"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"numbers": [uuid.uuid4()]}, "other_number"),
        ({"teams": [uuid.uuid4()]}, "other_team"),
        ({"entry_points": [uuid.uuid4()]}, "other_entry_point"),
        ({"contacts": ["+49 30 1234567"]}, "not_listed"),
        ({"percentage": 0}, "not_in_percentage"),
    ],
)
def test_it_stays_where_it_was_switched_on(shop: Shop, changes: dict[str, object], why: str) -> None:
    shop.set_up(**changes)
    assert shop.ask("Do you have rye bread?").reason == why and shop.sent() == []


def test_automation_that_was_stopped_here_stops_it_too(shop: Shop) -> None:
    shop.do(lambda talk: talk.pause_automation(by=shop.ann))
    assert shop.ask("Do you have rye bread?").reason == "automation_paused"


def test_switching_it_off_while_it_thinks_is_soon_enough(shop: Shop) -> None:
    shop.write("Do you have rye bread?")
    work = claimed(shop)
    shop.switch("off")
    assert finished(shop, work).reason == "switched_off" and shop.sent() == []


def test_a_conversation_stays_with_its_version_until_people_have_had_it(shop: Shop) -> None:
    first = shop.ask("Do you have rye bread?").version_id
    shop.set_up(instructions="Be brief.")
    assert shop.ask("When are you open?").version_id == first
    shop.ask("a person please")
    shop.do(lambda talk: talk.put("resolved", by=shop.ann))
    assert shop.ask("Do you have rye bread?").version_id != first


# Suggesting, and answers with approval.


def test_it_suggests_beside_a_person_and_sends_nothing(shop: Shop) -> None:
    shop.switch("suggests")
    shop.reply_by_hand("Hello Carla")
    turn = shop.ask("Do you have rye bread?")
    assert turn.state == "suggested" and "4.20 €" in turn.reply and len(shop.sent()) == 1


def test_an_answer_waits_for_approval_and_then_goes_out_as_its_own(shop: Shop) -> None:
    shop.switch("approval")
    turn = shop.ask("Do you have rye bread?")
    assert turn.state == "waiting" and shop.sent() == []
    with tenant_scope(shop.world.bakery.id):
        answering.approve(AssistantTurn.get_or_404(turn.id), by=shop.ann)
    assert shop.sent()[0].author_kind == "assistant" and "not a person" in shop.sent()[0].body
    assert shop.turns()[0].verdict == "right"


def test_who_asks_for_a_person_after_an_approved_answer_hears_so(shop: Shop) -> None:
    shop.switch("approval")
    turn = shop.ask("Do you have rye bread?")
    with tenant_scope(shop.world.bakery.id):
        answering.approve(AssistantTurn.get_or_404(turn.id), by=shop.ann)
    assert shop.ask("I want to talk to a person").state == "handed_over"
    assert shop.talk().is_with_person and len(shop.sent()) == 2


def test_where_nothing_went_out_the_team_is_called_without_a_word(shop: Shop) -> None:
    for mode in ("suggests", "approval"):
        shop.switch(mode)
        assert shop.ask("I want to talk to a person").state == "withheld"
    assert shop.sent() == [] and not shop.talk().is_with_person


def test_a_voice_note_is_for_people(shop: Shop) -> None:
    assert shop.ask("", type="audio").reason == "not_text" and shop.talk().is_with_person


def test_a_form_that_comes_back_is_no_question(shop: Shop) -> None:
    raw = {"type": "nfm_reply", "nfm_reply": {"name": "flow", "response_json": "{}", "body": "Sent"}}
    turn = shop.ask("", type="interactive", content={"raw": raw})
    assert (turn.state, turn.reason) == ("silent", "form") and shop.sent() == []
    assert not shop.talk().is_with_person


# Helpers.


def claimed(shop: Shop) -> answering.Work | None:
    with tenant_scope(shop.world.bakery.id):
        return answering.claim(shop.carla.id)


def finished(shop: Shop, work: answering.Work | None) -> AssistantTurn:
    assert work
    with tenant_scope(shop.world.bakery.id):
        decision = decide(work.situation, work.endpoint, work.tools)
        answering.Finishing(work, decision).run()
    with tenant_scope(shop.world.bakery.id):
        return AssistantTurn.get_or_404(work.turn_id)


def due(shop: Shop) -> dt.datetime:
    engagement = Engagement.of(shop.carla.id)
    assert engagement
    db.session.refresh(engagement)
    assert engagement.due_at
    return engagement.due_at


def lose_lease(shop: Shop) -> None:
    """The worker died, and its lease is over."""
    with tenant_scope(shop.world.bakery.id):
        db.session.execute(update(Engagement).values(lease_until=now() - dt.timedelta(seconds=1)))
    with tenant_scope(shop.world.bakery.id):
        answering.recover(shop.carla.id)


def closed_now(shop: Shop) -> None:
    """A holiday every day around today."""
    with tenant_scope(shop.world.bakery.id):
        today = now().date()
        days = [(today + dt.timedelta(days=day)).isoformat() for day in range(-1, 3)]
        policy = ServicePolicy(time_zone="UTC", week=["09:00–17:00"] * 7, holidays=days, away_text="")
        policy.survey_question = ""
        db.session.add(policy)


@pytest.mark.parametrize("mode", ["suggests", "alone"])
def test_the_model_costs_a_closed_business_nothing(shop: Shop, mode: str) -> None:
    """Meta's webhooks come until they are turned off."""
    shop.switch(mode)
    with tenant_scope(shop.world.bakery.id):
        db.session.add(Balance(currency="USD", month=now().date().replace(day=1), stage="closed"))
    shop.write("Do you have rye bread?")
    shop.think_if_due()
    with tenant_scope(shop.world.bakery.id):
        assert help_with(Conversation.get_or_404(shop.carla.id), "draft", "", language="en", tone="") == (
            "",
            "no_model",
        )
    assert shop.model.requested == [] and shop.turns() == []
