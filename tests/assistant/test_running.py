"""The way through: a webhook of Meta's, the worker that runs turns, and what reaches Meta."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from sqlalchemy import update

from app.assistant.access import ModelAccess
from app.assistant.assistant import Assistant
from app.assistant.engagements import Engagement, begin_turns
from app.assistant.jobs import enqueue_due_turns, forget_contact, recover_turn
from app.assistant.knowledge import KnowledgeSource
from app.assistant.runner import Runner
from app.assistant.turns import AssistantTurn
from app.assistant.unanswered import UnansweredQuestion
from app.inbox.conversations import Conversation
from app.meta.outgoing.interactive import buttons, flow
from app.people.erasure import erase
from app.tenancy import Actor, db, now, tenant_scope
from app.tenancy.jobs import deliver_happenings
from dev.model import MODEL
from tests.enqueued import Enqueued
from tests.simulated import Road

from .conftest import QUESTIONS, SETUP, Model, Shop


@pytest.fixture
def answering(road: Road, model: Model) -> Road:
    """Bakery answers alone."""
    with tenant_scope(road.world.bakery.id):
        by = Actor.agent(road.world.ann)
        access = ModelAccess(provider="openai", base_url=f"{model.url}/v1", model=MODEL, problem="")
        db.session.add(access)
        for question, words in QUESTIONS.items():
            KnowledgeSource.add("question", question, body=words, by=by)
        assistant = Assistant.get_or_make()
        assistant.publish(assistant.save(SETUP, by=by))
        assistant.switch("alone")
    return road


def deliver_to_assistant(road: Road) -> None:
    for name in ("assistant", "assistant's suggestions", "assistant's conversations"):
        deliver_happenings(road.world.bakery.id, name)


def test_a_webhook_is_answered_through_the_outbox(answering: Road) -> None:
    answering.customer_writes("Do you have rye bread?")
    deliver_to_assistant(answering)
    Runner().run()
    answering.deliver()
    accepted = answering.meta.accepted()
    assert len(accepted) == 1 and "4.20 €" in str(accepted[0]) and "assistant-person" in str(accepted[0])


def test_what_redis_lost_is_found_again(answering: Road, enqueued: Enqueued) -> None:
    answering.customer_writes("Do you have rye bread?")
    deliver_to_assistant(answering)
    enqueued.clear()
    enqueue_due_turns()
    assert "assistant.run" in enqueued.names


def test_reactions_and_history_begin_no_turn(answering: Road) -> None:
    talk = answering.customer_writes("Do you have rye bread?")
    deliver_to_assistant(answering)
    Runner().run()
    answering.deliver()
    wamid = answering.meta.accepted()[0]["wamid"]
    number = answering.number.meta_id
    answering.meta.client.post(
        "/control/api/inbound",
        json={"phone_number_id": number, "from": "16505551234", "type": "reaction", "emoji": "👍", "message_id": wamid},
    )
    answering.until(lambda: True)
    deliver_to_assistant(answering)
    with tenant_scope(answering.world.bakery.id):
        engagement = Engagement.of(talk.id)
        assert engagement and engagement.due_at is None


def test_what_is_due_in_a_moment_is_waited_for(shop: Shop) -> None:
    """So that an answer does not wait for the next sweep."""
    shop.write("Do you have rye bread?")
    with tenant_scope(shop.world.bakery.id):
        db.session.execute(update(Engagement).values(due_at=now() + dt.timedelta(seconds=0.5)))
    Runner().run()
    assert shop.turns()[-1].state == "sent"


def test_messages_that_a_feature_reads_begin_no_turn(shop: Shop) -> None:
    with tenant_scope(shop.world.bakery.id):
        begin_turns([], dt.timedelta())
        assert Engagement.of(shop.carla.id) is None


def test_an_interrupted_turn_is_found_and_made_due(shop: Shop, enqueued: Enqueued) -> None:
    shop.write("Do you have rye bread?")
    with tenant_scope(shop.world.bakery.id):
        over = {"due_at": None, "turn_id": uuid.uuid4(), "lease_until": now() - dt.timedelta(seconds=1)}
        db.session.execute(update(Engagement).values(**over))
    enqueue_due_turns()
    assert "assistant.recover" in enqueued.names
    recover_turn(shop.world.bakery.id, str(shop.carla.id))
    Runner().run()
    assert shop.turns()[-1].state == "sent"


def test_a_turn_that_fails_is_put_off_and_ends_no_other(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def burst(_id: uuid.UUID) -> None:
        raise RuntimeError

    monkeypatch.setattr("app.assistant.runner.answer", burst)
    shop.write("Do you have rye bread?")
    assert Runner().run() is False
    with tenant_scope(shop.world.bakery.id):
        engagement = Engagement.of(shop.carla.id)
        assert engagement and engagement.due_at and engagement.due_at > now() and engagement.attempts == 1


def test_a_persons_own_reply_judges_the_suggestion(shop: Shop) -> None:
    shop.switch("suggests")
    for words, verdict in (
        ("Yes, we bake rye bread daily. A loaf costs 4.20 €.", "right"),
        ("No idea, sorry", "wrong"),
    ):
        shop.ask("Do you have rye bread?")
        shop.reply_by_hand(words)
        deliver_happenings(shop.world.bakery.id, "assistant's suggestions")
        assert shop.turns()[-1].verdict == verdict


@pytest.mark.parametrize("beside", ["form", "buttons"])
def test_what_is_sent_beside_a_suggestion_is_no_edit_of_it(shop: Shop, beside: str) -> None:
    shop.switch("suggests")
    turn = shop.ask("Do you have rye bread?")
    form = flow("Order here", "Order", "6627001")
    outgoing = form if beside == "form" else buttons("Which one?", ["Rye", "Wheat"])
    shop.do(lambda talk: talk.send(outgoing, by=shop.ann, client_id=uuid.uuid4()))
    deliver_happenings(shop.world.bakery.id, "assistant's suggestions")
    assert shop.turns()[-1].id == turn.id and shop.turns()[-1].state == "suggested"
    assert shop.turns()[-1].verdict is None


def test_an_erased_contact_is_gone_from_turns_and_questions(shop: Shop) -> None:
    shop.ask("Can you repair my bicycle?")
    with tenant_scope(shop.world.bakery.id):
        erase(Conversation.get_or_404(shop.carla.id).contact, by=shop.ann)
    deliver_happenings(shop.world.bakery.id, "assistant's memory")
    forget_contact(shop.world.bakery.id, str(shop.carla.contact_id))
    with tenant_scope(shop.world.bakery.id):
        assert db.session.query(AssistantTurn).count() == db.session.query(UnansweredQuestion).count() == 0


def test_no_customers_words_are_logged(shop: Shop, capfd: pytest.CaptureFixture[str]) -> None:
    shop.ask("Do you have rye bread for XENOPHON?")
    captured = capfd.readouterr()
    assert "XENOPHON" not in captured.out + captured.err
