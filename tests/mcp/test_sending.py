"""Nothing is sent without a preview that somebody has seen."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from app.inbox.conversations import Conversation, Message
from app.mcp import sending
from app.message_templates.models import MessageTemplate
from app.tenancy import db, now, sandbox_id, tenant_scope
from app.wabas.models import PhoneNumber
from tests.enqueued import Enqueued
from tests.inbox.test_first_messages import template
from tests.mcp.conftest import Assistant, MakeAssistant
from tests.world import World, conversation


def count(world: World) -> int:
    with tenant_scope(world.bakery.id):
        return db.session.query(Message).filter_by(direction="outbound").count()


def reply(carla: Conversation, text: str = "Your bread is ready.") -> dict[str, Any]:
    return {"conversation_id": str(carla.id), "text": text}


def test_a_preview_sends_nothing(assistant: Assistant, carla: Conversation, world: World, enqueued: Enqueued) -> None:
    preview = assistant.data("send_reply", **reply(carla))
    assert preview["to"]["name"] == "Carla" and preview["from_number"]["display_number"] == "+1 555 078 3881"
    assert preview["price"]["text"] and preview["preview_token"]
    assert count(world) == 0 and "outbound.deliver" not in enqueued.names


def test_the_same_token_again_is_the_same_message(assistant: Assistant, carla: Conversation, world: World) -> None:
    token = assistant.data("send_reply", **reply(carla))["preview_token"]
    sent = [assistant.data("send_reply", **reply(carla), preview_token=token)["message_id"] for _ in range(2)]
    assert sent[0] == sent[1] and count(world) == 1


def test_a_token_written_in_another_way_is_the_same_token(
    assistant: Assistant, carla: Conversation, world: World
) -> None:
    """Base64 passes over what is none of its characters, so a signature has many spellings."""
    token = assistant.data("send_reply", **reply(carla))["preview_token"]
    for spelling in (token, f"{token}!!!!"):
        assert assistant.data("send_reply", **reply(carla), preview_token=spelling)["is_sent"]
    assert count(world) == 1


def test_one_token_many_times_at_once_is_one_message(assistant: Assistant, carla: Conversation, world: World) -> None:
    token = assistant.data("send_reply", **reply(carla))["preview_token"]

    def send(_: int) -> str:
        return str(assistant.data("send_reply", **reply(carla), preview_token=token)["message_id"])

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(send, range(8)))) == 1
    assert count(world) == 1


def test_what_is_sent_waits_for_a_worker(assistant: Assistant, carla: Conversation, enqueued: Enqueued) -> None:
    token = assistant.data("send_reply", **reply(carla))["preview_token"]
    assert assistant.data("send_reply", **reply(carla), preview_token=token)["state"] == "queued"
    assert "outbound.deliver" in enqueued.names


def test_a_token_that_was_changed_sends_nothing(assistant: Assistant, carla: Conversation, world: World) -> None:
    token = assistant.data("send_reply", **reply(carla))["preview_token"]
    for bad in (token[:-1], token + "x", "", "é", "x" * 900):
        assert assistant.refusal("send_reply", **reply(carla), preview_token=bad) == "preview_token_invalid"
    assert count(world) == 0


def test_a_token_is_for_its_own_words(assistant: Assistant, carla: Conversation, world: World) -> None:
    token = assistant.data("send_reply", **reply(carla))["preview_token"]
    code = assistant.refusal("send_reply", **reply(carla, "Give me your card."), preview_token=token)
    assert code == "preview_token_invalid" and count(world) == 0


def test_a_token_is_of_its_own_key(
    assistant: Assistant, make_assistant: MakeAssistant, carla: Conversation, world: World
) -> None:
    token = make_assistant().data("send_reply", **reply(carla))["preview_token"]
    assert assistant.refusal("send_reply", **reply(carla), preview_token=token) == "preview_token_invalid"
    assert count(world) == 0


def test_a_preview_is_good_for_ten_minutes(
    assistant: Assistant, carla: Conversation, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = assistant.data("send_reply", **reply(carla))["preview_token"]
    monkeypatch.setattr(sending, "now", lambda: now() + dt.timedelta(minutes=10, seconds=1))
    assert assistant.refusal("send_reply", **reply(carla), preview_token=token) == "preview_expired"
    assert count(world) == 0


def test_a_preview_says_why_it_would_be_refused(assistant: Assistant, carla: Conversation, world: World) -> None:
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(carla.id).last_inbound_at = now() - dt.timedelta(hours=25)
    preview = assistant.data("send_reply", **reply(carla))
    assert not preview["can_be_sent"] and preview["refusal"]["code"] == "window_closed"
    assert "preview_token" not in preview


@pytest.fixture
def hello(world: World, number: PhoneNumber) -> MessageTemplate:
    return template(world, number.waba_id)


def test_a_template_goes_to_a_new_number_in_two_steps(
    assistant: Assistant, hello: MessageTemplate, world: World
) -> None:
    given = {"template_id": str(hello.id), "variables": {"1": "Hanna"}, "phone": "+49 151 12345678", "name": "Hanna"}
    preview = assistant.data("send_template", **given)
    assert preview["text"] == "Hello Hanna, your bread is ready." and preview["to"]["phone"] == "+4915112345678"
    with tenant_scope(world.bakery.id):
        assert db.session.query(Conversation).count() == 0
    sent = assistant.data("send_template", **given, preview_token=preview["preview_token"])
    assert sent["text"] == preview["text"] and count(world) == 1


def test_a_template_that_was_changed_since_is_not_sent(
    assistant: Assistant, hello: MessageTemplate, carla: Conversation, world: World
) -> None:
    given = {"template_id": str(hello.id), "variables": {"1": "Carla"}, "conversation_id": str(carla.id)}
    token = assistant.data("send_template", **given)["preview_token"]
    with tenant_scope(world.bakery.id):
        MessageTemplate.get_or_404(hello.id).components = [{"type": "BODY", "text": "Bye {{1}}, we are closing."}]
    assert assistant.refusal("send_template", **given, preview_token=token) == "preview_outdated"
    assert count(world) == 0


def test_a_suggestion_is_a_note_and_no_message(assistant: Assistant, carla: Conversation, world: World) -> None:
    note = assistant.data("suggest_reply", **reply(carla))
    assert note["body"].startswith("Suggested reply") and note["by"]["name"] == "Shop"
    assert count(world) == 0


def test_a_test_key_previews_and_sends_in_the_sandbox(make_assistant: MakeAssistant, world: World) -> None:
    pretending = make_assistant(kind="test")
    pretending.data("search_conversations")
    with tenant_scope(sandbox_id(world.bakery.id)):
        number = db.session.scalars(select(PhoneNumber)).one()
    talk = conversation(number)
    preview = pretending.data("send_reply", **reply(talk))
    assert pretending.data("send_reply", **reply(talk), preview_token=preview["preview_token"])["is_sent"]
    assert count(world) == 0
