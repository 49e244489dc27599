"""How many of its thousand free replies a number has used this month."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest

from app.inbox.conversations import Conversation, Message
from app.meta.outgoing import Outgoing
from app.numbers.free_replies import free_replies_of
from app.tenancy import Actor, db, now, tenant_scope
from tests.arrivals import arrive
from tests.client import Browser
from tests.posts import status
from tests.world import World, conversation

FREE = {"billable": False, "pricing_model": "PMP", "type": "free_customer_service", "category": "service"}
PAID = FREE | {"billable": True, "type": "regular"}


@pytest.fixture
def talk(world: World) -> Conversation:
    bakery, _ = world.connect_numbers()
    return conversation(bakery)


def reply(world: World, talk: Conversation, *names: str, pricing: dict[str, Any], **more: Any) -> None:
    """A reply for which Meta reported these statuses."""
    wamid = f"wamid.{uuid.uuid4()}"
    with tenant_scope(world.bakery.id):
        message = Message.outbound(talk, Outgoing("text", "Hello"), by=Actor.agent(world.ann), client_id=uuid.uuid4())
        message.state, message.wamid = "accepted", wamid
        db.session.add(message)
    arrive(*(status(wamid, name, pricing=pricing, **more) for name in names))


def test_each_reply_that_arrived_free_counts_once(world: World, ann: Browser, talk: Conversation) -> None:
    reply(world, talk, "sent", "delivered", "read", pricing=FREE)
    reply(world, talk, "sent", "read", pricing=FREE)
    reply(world, talk, "sent", pricing=FREE)
    reply(world, talk, "delivered", pricing=FREE | {"type": "free_entry_point"})
    for page in ("~/numbers", f"~/numbers/{talk.phone_number_id}"):
        assert "2 of 1,000 free replies this month" in ann.get(page).text


def test_last_month_is_not_this_month(world: World, talk: Conversation) -> None:
    reply(world, talk, "delivered", pricing=FREE, at=(now().replace(day=1) - dt.timedelta(days=2)).timestamp())
    with tenant_scope(world.bakery.id):
        assert free_replies_of([talk.phone_number_id])[talk.phone_number_id].free == 0


def test_what_is_charged_after_them_is_shown(world: World, ann: Browser, talk: Conversation) -> None:
    reply(world, talk, "delivered", pricing=PAID)
    page = ann.get(f"~/numbers/{talk.phone_number_id}").text
    assert "All 1,000 free replies of this month are used" in page and "1 more was charged" in page
