"""Automations beside forms and the assistant."""

from __future__ import annotations

import pytest

from app.assistant.assistant import Assistant, Setup
from app.assistant.engagements import Engagement
from app.assistant.gate import is_elsewhere
from app.assistant.situations import Talk
from app.inbox.conversations import Conversation, Message
from app.tenancy import Actor, db, happened, tenant_scope
from app.whatsapp_flows.models import WhatsappFlow
from tests.automation.conftest import Shop, keyword, reply
from tests.world import World

TO_ASSISTANT = {"kind": "assistant"}


@pytest.fixture
def shop(world: World) -> Shop:
    return Shop(world)


def form(shop: Shop, status: str = "PUBLISHED") -> str:
    part = {"kind": "short", "label": "City", "name": "city", "hint": "", "required": False, "options": []}
    screens = [{"title": "Address", "button": "Send", "parts": [part]}]
    with tenant_scope(shop.id):
        flow = WhatsappFlow.begin(shop.number.waba_id, "Address", ["OTHER"], screens, by=Actor.system("test"))
        flow.newest.status, flow.newest.meta_id = status, "990011"
        return str(flow.id)


def offer(form_id: str) -> dict[str, str]:
    return {"kind": "form", "form": form_id, "text": "Where to?", "button": "Fill in"}


def assistant(shop: Shop, mode: str) -> None:
    with tenant_scope(shop.id):
        made = Assistant.get_or_make()
        made.publish(made.save(Setup(name="Robin"), by=Actor.agent(shop.world.ann)))
        made.mode = mode


def test_a_form_is_sent(shop: Shop) -> None:
    shop.rule(keyword("order"), offer(form(shop)))
    shop.write("order")
    with tenant_scope(shop.id):
        sent = db.session.scalars(db.select(Message).where(Message.author_kind == "automation")).one()
    assert sent.raw["action"]["parameters"]["flow_id"] == "990011" and shop.sent() == ["Where to?"]


def test_a_form_that_is_not_published_is_a_result_with_words(shop: Shop) -> None:
    shop.rule(keyword("order"), offer(form(shop, "DRAFT")))
    shop.write("order")
    assert shop.sent() == [] and shop.results() == ["refused"]
    assert "not published" in shop.steps()[0].words


@pytest.mark.parametrize("wanted", ["", "this", "other"])
def test_a_form_that_comes_back_begins_an_automation(shop: Shop, wanted: str) -> None:
    this = form(shop)
    trigger = {
        "kind": "form_sent",
        "form": {"": "", "this": this, "other": "0198f2c0-0000-7000-8000-000000000001"}[wanted],
    }
    shop.write("Hi")
    shop.rule(trigger, reply("Thank you"))
    with tenant_scope(shop.id):
        facts = {"conversation_id": shop.talk.id, "contact_id": shop.talk.contact_id, "message_id": shop.talk.id}
        happened("flow.completed", shop.talk.id, **facts, flow_id=this, flow_version=1)
    shop.work()
    assert shop.sent() == ([] if wanted == "other" else ["Thank you"])


def test_the_assistant_gets_the_conversation_and_the_message(shop: Shop) -> None:
    assistant(shop, "alone")
    shop.rule(keyword("help"), TO_ASSISTANT)
    shop.write("help")
    assert shop.talk.handled_by == "assistant" and shop.run.reason == "assistant"
    with tenant_scope(shop.id):
        engagement = Engagement.of(shop.talk.id)
    assert engagement and engagement.due_at


def test_where_the_assistant_is_off_people_get_it(shop: Shop) -> None:
    shop.rule(keyword("help"), TO_ASSISTANT)
    shop.write("help")
    assert shop.talk.handled_by == "person" and shop.run.reason == "handed_over"


def test_the_assistant_is_quiet_while_an_automation_waits_for_a_reply(shop: Shop) -> None:
    assistant(shop, "alone")
    shop.rule(keyword("order"), {"kind": "ask", "question": "How many?"}, reply("Noted"))
    shop.write("order")
    with tenant_scope(shop.id):
        assert is_elsewhere(Conversation.get_or_404(shop.talk.id), Setup(name="Robin")) == "automation"


@pytest.mark.parametrize(("stops", "left"), [(True, []), (False, ["Do you have rye bread?"])])
def test_a_greeting_leaves_the_question_to_the_assistant(shop: Shop, stops: bool, left: list[str]) -> None:
    """One beside which other automations may run greets; another has answered."""
    shop.rule({"kind": "first_message"}, reply("Welcome"), stops=stops)
    shop.write("Do you have rye bread?")
    with tenant_scope(shop.id):
        unanswered = Talk.of(Conversation.get_or_404(shop.talk.id)).unanswered
        assert shop.sent() == ["Welcome"] and [one.words for one in unanswered] == left


def test_an_automatic_reply_is_no_first_response(shop: Shop) -> None:
    shop.rule(keyword("hours"), reply("From seven to six"))
    shop.write("hours")
    assert shop.sent() == ["From seven to six"] and shop.talk.answered_at is None
    shop.reply_as_ann()
    assert shop.talk.answered_at
