from __future__ import annotations

import itertools
import re
import uuid

import pytest
from sqlalchemy import func, select

from app.inbox.conversations import Message, MessageEvent, OrphanStatus, SendAttempt
from app.inbox.conversations.callback import callback_of
from app.meta.outgoing import Outgoing
from app.tenancy import Actor, db, platform_scope, tenant_scope
from app.webhook_events.models import WebhookEvent
from app.webhooks.drain import drain_batch
from tests.client import FRAGMENT, Browser
from tests.posts import post, status
from tests.world import World, conversation


@pytest.fixture
def sent(world: World) -> Message:
    """A message Meta has taken."""
    bakery, _ = world.connect_numbers()
    talk = conversation(bakery)
    with tenant_scope(world.bakery.id):
        message = Message.outbound(talk, Outgoing("text", "Hello"), by=Actor.agent(world.ann), client_id=uuid.uuid4())
        message.state, message.wamid = "accepted", "wamid.hello"
        db.session.add(message)
    return message


def arrive(*bodies: bytes) -> None:
    with platform_scope("tests"):
        db.session.add_all(WebhookEvent(body=body) for body in bodies)
    drain_batch()


def state(message: Message) -> str:
    with tenant_scope(message.tenant_id):
        return Message.get_or_404(message.id).state


@pytest.mark.parametrize("order", list(itertools.permutations(["sent", "delivered", "read", "failed"])))
def test_in_whatever_order_statuses_come_the_last_word_is_the_same(sent: Message, order: tuple[str, ...]) -> None:
    for name in order:
        arrive(post(status("wamid.hello", name)), post(status("wamid.hello", name)))
    assert state(sent) == "read"


def test_ticks_never_go_back(sent: Message) -> None:
    seen = []
    for name in ("read", "sent", "delivered"):
        arrive(post(status("wamid.hello", name)))
        seen.append(state(sent))
    assert seen == ["read", "read", "read"]


def test_every_status_is_stored_once(sent: Message) -> None:
    body = post(status("wamid.hello", "delivered", at=1_790_000_000))
    arrive(body, body)
    arrive(body)
    with tenant_scope(sent.tenant_id):
        assert db.session.scalar(select(func.count()).select_from(MessageEvent)) == 1


def test_a_failure_says_why_in_plain_words(sent: Message) -> None:
    error = {"code": 131047, "title": "Re-engagement message", "error_data": {"details": "24 hours"}}
    arrive(post(status("wamid.hello", "failed", errors=[error])))
    with tenant_scope(sent.tenant_id):
        facts = Message.get_or_404(sent.id).error
    assert facts and facts["code"] == 131047 and facts["title"] and facts["fix"]


def test_a_message_whose_answer_was_lost_is_found_by_its_attempt(sent: Message) -> None:
    with tenant_scope(sent.tenant_id):
        lost = Message.get_or_404(sent.id)
        lost.state, lost.wamid = "unknown", None
        attempt = SendAttempt(message_id=sent.id)
        db.session.add(attempt)
        db.session.flush()
        data = callback_of(attempt.id)
    arrive(post(status("wamid.found", "sent", biz_opaque_callback_data=data)))
    with tenant_scope(sent.tenant_id):
        results = Message.get_or_404(sent.id)
        assert (results.state, results.wamid) == ("sent", "wamid.found")


def test_a_forged_attempt_finds_nothing(sent: Message) -> None:
    with tenant_scope(sent.tenant_id):
        attempt = SendAttempt(message_id=sent.id)
        db.session.add(attempt)
    forged = f"v1.{attempt.id.hex}.{'0' * 16}"
    arrive(post(status("wamid.forged", "read", biz_opaque_callback_data=forged)))
    assert state(sent) == "accepted"
    with tenant_scope(sent.tenant_id):
        assert db.session.scalars(select(OrphanStatus.wamid)).all() == ["wamid.forged"]


def test_a_status_of_something_unheard_of_is_stored(world: World, sent: Message) -> None:
    arrive(post(status("wamid.other", "delivered")))
    with tenant_scope(world.bakery.id):
        assert db.session.scalars(select(OrphanStatus.status)).all() == ["delivered"]


def test_the_menu_of_a_message_says_when_it_got_how_far(ben: Browser, sent: Message) -> None:
    for name, at in (("read", 1_790_000_120), ("sent", 1_790_000_000), ("delivered", 1_790_000_060)):
        arrive(post(status("wamid.hello", name, at=at)))
    menu = ben.get(f"~/inbox/{sent.conversation_id}/messages/{sent.id}/actions", headers=FRAGMENT).text
    assert re.findall(r"<dt>(\w+)</dt><dd><time datetime=\"[^\"]+T(\d\d:\d\d)", menu)[1:] == [
        ("Sent", "14:13"),
        ("Delivered", "14:14"),
        ("Read", "14:15"),
    ]
    assert f"/stories/{sent.id}" in menu


def test_a_message_that_waits_has_a_menu_without_a_reply(world: World, ben: Browser, sent: Message) -> None:
    with tenant_scope(world.bakery.id):
        message = Message.get_or_404(sent.id)
        message.state, message.wamid = "queued", None
    assert f"{sent.id}/actions" in ben.get(f"~/inbox/{sent.conversation_id}").text
    menu = ben.get(f"~/inbox/{sent.conversation_id}/messages/{sent.id}/actions", headers=FRAGMENT).text
    assert "Copy text" in menu and "data-reply" not in menu
