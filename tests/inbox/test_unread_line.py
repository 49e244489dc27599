"""Where a conversation opens: at the first message its reader has not read, with the line “New messages” above it."""

from __future__ import annotations

import html
import re

import pytest

from app.inbox.conversations import Conversation, Message
from app.tenancy import db, now, tenant_scope
from tests.client import FRAGMENT, Browser
from tests.world import World, conversation

LINE = "data-first-unread"


@pytest.fixture
def talk(world: World) -> Conversation:
    bakery, _ = world.connect_numbers()
    return conversation(bakery)


def arrives(world: World, talk: Conversation, *words: str) -> None:
    with tenant_scope(world.bakery.id):
        for each in words:
            incoming = Message(conversation_id=talk.id, phone_number_id=talk.phone_number_id, direction="inbound")
            incoming.state, incoming.body, incoming.wamid = "received", each, f"wamid.{each}"
            db.session.add(incoming)
            db.session.flush()
        Conversation.get_or_404(talk.id).news_at = now()


def read(browser: Browser, talk: Conversation) -> None:
    browser.post(f"~/inbox/{talk.id}/reading", headers=FRAGMENT)


def around_line(page: str) -> tuple[str, str]:
    """The last bubble above the line, and the first one below."""
    above, below = page.split(LINE)
    texts = r'<p class="bubble-text"[^>]*>([^<]*)</p>'
    return re.findall(texts, above)[-1], re.findall(texts, below)[0]


def test_the_line_is_above_the_first_message_i_have_not_read(
    world: World, ann: Browser, ben: Browser, talk: Conversation
) -> None:
    arrives(world, talk, "first", "second")
    read(ben, talk)
    arrives(world, talk, "third", "fourth")
    assert around_line(ben.get(f"~/inbox/{talk.id}").text) == ("second", "third")
    assert LINE not in ann.get(f"~/inbox/{talk.id}").text.split("first")[1]


def test_with_much_unread_it_opens_at_the_line_and_leads_to_the_end(
    world: World, ben: Browser, talk: Conversation
) -> None:
    arrives(world, talk, *(f"old {n};" for n in range(30)))
    read(ben, talk)
    arrives(world, talk, *(f"new {n};" for n in range(80)))
    page = ben.get(f"~/inbox/{talk.id}").text
    assert around_line(page) == ("old 29;", "new 0;") and "new 79;" not in page
    newest = re.search(r'href="([^"]+latest=1)"', page)
    assert newest and "new 79;" in ben.get(html.unescape(newest[1])).text


def test_the_line_stays_while_the_conversation_is_open(world: World, ben: Browser, talk: Conversation) -> None:
    arrives(world, talk, "first")
    read(ben, talk)
    arrives(world, talk, "second")
    update = re.search(r'hx-get="([^"]+/messages\?from=[^"]+)"', ben.get(f"~/inbox/{talk.id}").text)
    read(ben, talk)
    arrives(world, talk, "third")
    assert update and around_line(ben.get(html.unescape(update[1]), headers=FRAGMENT).text) == ("first", "second")
    assert around_line(ben.get(f"~/inbox/{talk.id}").text) == ("second", "third")


def test_what_is_marked_as_unread_is_new_again(world: World, ben: Browser, talk: Conversation) -> None:
    arrives(world, talk, "first", "second")
    read(ben, talk)
    assert LINE not in ben.get(f"~/inbox/{talk.id}").text
    ben.post(f"~/inbox/{talk.id}/unreading", headers=FRAGMENT)
    assert around_line(ben.get(f"~/inbox/{talk.id}").text) == ("first", "second")
