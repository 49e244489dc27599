from __future__ import annotations

import re

import pytest
from werkzeug.test import TestResponse

from app.inbox.conversations import Conversation, Message
from app.inbox.desk.preferences import DeskPreference
from app.tenancy import db, now, tenant_scope
from tests.client import FRAGMENT, Browser
from tests.world import World, conversation


@pytest.fixture
def carla(world: World) -> Conversation:
    """Carla wrote to Bakery a moment ago, and no one has answered."""
    bakery, _ = world.connect_numbers()
    return written(world, conversation(bakery), "Do you have rye bread?")


@pytest.fixture
def at_once(world: World) -> None:
    """What Ann sends goes out without time to undo it."""
    with tenant_scope(world.bakery.id):
        mine = {"keys": [], "first_view": "all", "enter_sends": True, "undo_seconds": 0}
        db.session.add(DeskPreference(user_id=world.ann.id, **mine))


def written(world: World, talk: Conversation, words: str) -> Conversation:
    with tenant_scope(world.bakery.id):
        incoming = Message(
            conversation_id=talk.id, phone_number_id=talk.phone_number_id, direction="inbound", body=words
        )
        incoming.state, incoming.wamid = "received", f"wamid.{talk.id}.{words[:20]}"
        db.session.add(incoming)
        again = Conversation.get_or_404(talk.id)
        again.last_message_preview, again.last_message_at = words, now()
        again.news_at = again.waiting_since = again.last_inbound_at = now()
    return talk


def undo(browser: Browser, page: str) -> TestResponse:
    """Presses the button “Undo” of a page."""
    address = re.search(r'hx-post="([^"]+/undoing)"', page)
    assert address
    return browser.post(address[1], headers=FRAGMENT)
