"""A message that was undone is one line, its words are in the composer again, and the customer waits as before."""

from __future__ import annotations

from sqlalchemy import select

from app.inbox.conversations import Conversation, Message
from app.tenancy import db, tenant_scope
from tests.client import FRAGMENT, Browser
from tests.simulated import Road
from tests.world import World


def undo(browser: Browser, talk: Conversation, world: World, body: str, **headers: str) -> str:
    browser.post(f"~/inbox/{talk.id}/messages", {"body": body}, headers=FRAGMENT)
    with tenant_scope(world.bakery.id):
        sent = db.session.scalars(select(Message).where(Message.body == body)).one()
    return browser.post(f"~/inbox/{talk.id}/messages/{sent.id}/cancellation", headers=headers).text


def test_it_is_one_line_in_the_thread(ann: Browser, carla: Conversation, world: World) -> None:
    shown = undo(ann, carla, world, "oops", **FRAGMENT)
    assert "Not sent:" in shown and "bubble" not in shown
    page = ann.get(f"~/inbox/{carla.id}").text
    assert page.count('data-testid="undone"') == 1 and "oops" in page


def test_without_javascript_its_words_are_the_draft_again(ann: Browser, carla: Conversation, world: World) -> None:
    undo(ann, carla, world, "oops")
    assert ">oops</textarea>" in ann.get(f"~/inbox/{carla.id}").text.replace("\n", "")


def test_the_list_shows_the_message_before_it_again(ann: Browser, road: Road, world: World) -> None:
    talk = road.customer_writes("Is it ready?")
    undo(ann, talk, world, "oops", **FRAGMENT)
    row = ann.get("~/inbox/list?view=all", headers=FRAGMENT).text
    assert "Is it ready?" in row and "oops" not in row


def test_the_customer_waits_again_since_they_wrote(ann: Browser, road: Road, world: World) -> None:
    talk = road.customer_writes("Is it ready?")
    undo(ann, talk, world, "oops", **FRAGMENT)
    with tenant_scope(world.bakery.id):
        waiting = Conversation.get_or_404(talk.id)
        wrote = db.session.scalars(select(Message).where(Message.body == "Is it ready?")).one()
        assert waiting.waiting_since == wrote.occurred_at
