"""Automations that begin when a customer answers a notification."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from app.inbox.conversations import Conversation, Message
from app.meta import outgoing
from app.notifications.models import Notification, SentNotification
from app.tenancy import Actor, tenant_scope
from tests.automation.conftest import Shop, reply
from tests.notifications.notifications import notification
from tests.world import World

SENT = "wamid.notified"


@pytest.fixture
def shop(world: World) -> Shop:
    """A notification went to Carla."""
    made = Shop(world)
    made.write("Hello")
    paid, other = notification(made.number), notification(made.number, "shipped")
    with tenant_scope(made.id):
        talk = Conversation.get_or_404(made.talk.id)
        by = Actor.system("test")
        message = talk.send(outgoing.text("We got 500,000 XOF"), by=by, client_id=uuid.uuid4())
        message.wamid, message.state = SENT, "delivered"
        SentNotification.add(Notification.get_or_404(paid.id), message, by)
        made.ids = {"paid": str(paid.id), "other": str(other.id)}  # type: ignore[attr-defined]
    return made


def answer(shop: Shop, title: str = "Thanks", to: str = SENT) -> Message:
    button: dict[str, Any] = {"type": "button", "button": {"payload": title, "text": title}}
    return shop.write(context={"from": "15550783881", "id": to}, **button)


def rule(shop: Shop, **trigger: Any) -> None:
    shop.rule({"kind": "notification_answered", **trigger}, reply("You are welcome"))


@pytest.mark.parametrize(
    "trigger",
    [{}, {"notification": "paid"}, {"words": "thanks"}, {"notification": "paid", "words": "Thanks"}],
    ids=["any", "this one", "a button", "both"],
)
def test_an_answer_begins_it(shop: Shop, trigger: dict[str, str]) -> None:
    rule(shop, **named(shop, trigger))
    answer(shop)
    assert shop.sent() == ["You are welcome"]


@pytest.mark.parametrize("trigger", [{"notification": "other"}, {"words": "No"}], ids=["another", "another button"])
def test_another_answer_does_not_and_says_why(shop: Shop, trigger: dict[str, str]) -> None:
    rule(shop, **named(shop, trigger))
    answer(shop)
    assert shop.sent() == [] and shop.why == ["trigger"]


@pytest.mark.parametrize("to", ["wamid.another", ""])
def test_what_answers_no_notification_begins_nothing(shop: Shop, to: str) -> None:
    rule(shop)
    answer(shop, to=to) if to else shop.write("Thanks")
    assert shop.sent() == [] and shop.why == ["trigger"]


def named(shop: Shop, trigger: dict[str, str]) -> dict[str, str]:
    ids = shop.ids  # type: ignore[attr-defined]
    return {name: ids.get(value, value) for name, value in trigger.items()}
