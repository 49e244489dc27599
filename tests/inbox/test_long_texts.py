"""Long texts and lists: a bubble shows the beginning, a page of its own the whole, a section what it can hold."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select

from app.inbox.conversations import Conversation, Message
from app.inbox.conversations.changes import MOST_CHANGES, MessageChange
from app.inbox.desk.notes import Note
from app.inbox.desk.thread import FIRST, HEAVIEST
from app.meta.payload import MOST_CHARACTERS, bounded
from app.shortening import FEW, LONGEST, shortened
from app.tenancy import db, tenant_scope
from tests.arrivals import arrive
from tests.client import FRAGMENT, Browser
from tests.posts import message
from tests.world import World


def newest(world: World) -> Message:
    with tenant_scope(world.bakery.id):
        return db.session.scalars(select(Message).order_by(Message.id.desc())).first()  # type: ignore[return-value]


def test_a_long_text_is_cut_and_its_page_has_all_of_it(ann: Browser, world: World, carla: Conversation) -> None:
    arrive(message("word " * 2_000 + "the end"))
    thread = ann.get(f"~/inbox/{carla.id}").text
    assert "the end" not in thread and "Show all" in thread
    page = f"~/inbox/{carla.id}/messages/{newest(world).id}"
    assert "the end" in ann.get(page).text
    assert "the end" in ann.get(page, headers=FRAGMENT).text


def test_what_is_short_is_shown_whole(ann: Browser, carla: Conversation) -> None:
    arrive(message("word " * (LONGEST // 5)))
    assert "Show all" not in ann.get(f"~/inbox/{carla.id}").text


FAMILY, FLAG, KEYCAP = "\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea", "1\ufe0f\u20e3"


@pytest.mark.parametrize("text", ["e\u0301" * 5_000, FAMILY * 3_000, FLAG * 3_000, KEYCAP * 3_000])
def test_no_accent_and_no_emoji_is_cut_apart(text: str) -> None:
    cut = shortened(text).removesuffix("…")
    assert text.startswith(cut) and len(cut) > LONGEST - 100
    assert len(cut) % {"e": 2, "\U0001f469": 3, "\U0001f1e9": 2, "1": 3}[text[0]] == 0


def test_a_text_of_many_lines_is_cut() -> None:
    assert shortened("a\n" * 1_000).count("\n") < 70


def test_a_card_shows_its_first_numbers_and_the_page_the_others(
    ann: Browser, world: World, carla: Conversation
) -> None:
    phones = [{"phone": f"+1 555 {n:04}"} for n in range(3 * FEW)]
    arrive(message(type="contacts", contacts=[{"name": {"formatted_name": "Eve"}, "phones": phones}]))
    thread = ann.get(f"~/inbox/{carla.id}").text
    assert "+1 555 0009" in thread and "+1 555 0010" not in thread and "Show all" in thread
    assert "+1 555 0029" in ann.get(f"~/inbox/{carla.id}/messages/{newest(world).id}").text


def test_many_marks_are_plain_after_the_first(ann: Browser, carla: Conversation) -> None:
    arrive(message("*a* " * 400))
    bubble = ann.get(f"~/inbox/{carla.id}").text
    assert 40 < bubble.count("<strong>a</strong>") <= 120


def test_a_long_note_has_a_page_of_its_own(ann: Browser, world: World, carla: Conversation) -> None:
    ann.post(f"~/inbox/{carla.id}/notes", {"body": "word " * 1_500 + "the end"})
    assert "the end" not in ann.get(f"~/inbox/{carla.id}").text
    with tenant_scope(world.bakery.id):
        note = db.session.scalars(select(Note)).one()
    assert "the end" in ann.get(f"~/inbox/{carla.id}/notes/{note.id}").text


def test_a_section_holds_no_more_than_it_may_weigh_and_leads_to_the_rest(
    ann: Browser, world: World, carla: Conversation
) -> None:
    facts = {f"key {n}": "v" * 900 for n in range(60)}
    arrive(*(message(type="unheard_of", unheard_of=facts) for _ in range(FIRST)))
    page = ann.get(f"~/inbox/{carla.id}").text
    shown = page.count('data-testid="bubble"')
    assert 0 < shown * 60_000 < HEAVIEST + 60_000 < FIRST * 60_000
    assert "Show newer messages" in page
    again = ann.get(f"~/inbox/{carla.id}/messages?from=0-00000000-0000-0000-0000-000000000000", headers=FRAGMENT).text
    assert 0 < again.count('data-testid="bubble"') <= shown + 1


def test_what_a_message_holds_is_stored_up_to_a_size(world: World, carla: Conversation) -> None:
    arrive(message(type="unheard_of", unheard_of={f"key {n}": ["v" * 1_000] * 100 for n in range(20)}))
    assert len(json.dumps(newest(world).content)) < 2 * MOST_CHARACTERS


def test_bounding_leaves_what_is_small_as_it_is() -> None:
    value: dict[str, Any] = {"a": [1, None, True, 1.5, "x", {"b": []}]}
    assert bounded(value) == value
    assert len(json.dumps(bounded(["x" * 100_000] * 10))) < 2 * MOST_CHARACTERS


def test_of_many_edits_the_last_ones_stay(ann: Browser, world: World, carla: Conversation) -> None:
    arrive(message("First", wamid="wamid.first"))
    for n in range(MOST_CHANGES + 5):
        edit = {"original_message_id": "wamid.first", "message": {"type": "text", "text": {"body": f"edit {n}"}}}
        arrive(message(type="edit", edit=edit, at=1_790_000_000 + n))
    with tenant_scope(world.bakery.id):
        saved = db.session.scalars(select(MessageChange.body).order_by(MessageChange.occurred_at)).all()
    assert saved == [f"edit {n}" for n in range(5, MOST_CHANGES + 5)]
    assert f"edit {MOST_CHANGES + 4}" in ann.get(f"~/inbox/{carla.id}").text


def test_another_conversations_message_has_no_page_here(ann: Browser, world: World, carla: Conversation) -> None:
    arrive(message("Hello", wa_id="4915100000001", name="Dora"))
    assert ann.get(f"~/inbox/{carla.id}/messages/{newest(world).id}").status_code == 404
