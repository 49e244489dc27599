"""Forms of the inbox say what is wrong at the field, cut nothing, and never fail on a wrong value."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest

from app.inbox.compose.canned_replies import CannedReply
from app.inbox.compose.macros import Macro
from app.inbox.conversations import Conversation
from app.inbox.desk.saved_views import MOST, SavedView
from app.team.models import Team
from app.tenancy import db, tenant_scope
from tests.client import FRAGMENT, Browser
from tests.world import World


def problem(page: str, field: str) -> str:
    """What is written at a field."""
    results = re.search(rf'id="{field}-problem"[^>]*>.*?</svg>\s*(.*?)\s*</', page, re.DOTALL)
    return results[1] if results else ""


@pytest.mark.parametrize(
    ("form", "field", "words"),
    [
        ({"name": " "}, "name", "Enter a name."),
        ({"name": "x" * 61, "note": "Hm"}, "name", "Use at most 60 characters."),
        ({"name": "It"}, "reply", "Choose at least one step"),
        ({"name": "It", "reply": "x" * 4097}, "reply", "Use at most 4,096 characters."),
        ({"name": "It", "note": "Hm", "ending": "exploded"}, "ending", "Choose one of the options."),
        ({"name": "It", "note": "Hm", "team": "nonsense"}, "team", ""),
        ({"name": "It", "note": "Hm", "assignment": str(uuid.uuid4())}, "assignment", "Choose one of the options."),
        ({"name": "It", "template": "come_back|en"}, "template", "Choose one of the options."),
    ],
)
def test_a_macro_says_at_the_field_what_is_wrong(ann: Browser, form: dict[str, str], field: str, words: str) -> None:
    answer = ann.post("~/inbox/macros", form)
    assert answer.status_code == 422 and words in problem(answer.text, field)


def test_a_macro_that_was_refused_still_shows_what_was_typed(ann: Browser) -> None:
    answer = ann.post("~/inbox/macros", {"name": "", "reply": "Good morning", "ending": "resolved"})
    assert "Good morning</textarea>" in answer.text
    assert re.search(r'<option selected value="resolved">', answer.text)


def test_a_macro_has_its_steps_after_it_is_edited(ann: Browser, world: World) -> None:
    ann.post("~/inbox/macros", {"name": "It", "assignment": str(world.ben.id).upper(), "ending": "resolved"})
    with tenant_scope(world.bakery.id):
        macro = db.session.query(Macro).one()
    assert (macro.assignment, macro.assignee_id, macro.ending) == ("person", world.ben.id, "resolved")
    page = ann.get(f"~/inbox/macros/{macro.id}").text
    assert f'<option selected value="{world.ben.id}">' in page and '<option selected value="resolved">' in page


@pytest.mark.parametrize(
    ("form", "field", "words"),
    [
        ({"shortcut": "", "body": "Hi"}, "shortcut", "Enter a shortcut."),
        ({"shortcut": "two words", "body": "Hi"}, "shortcut", "Use one word of letters, digits and hyphens."),
        ({"shortcut": "x" * 41, "body": "Hi"}, "shortcut", "Use at most 40 characters."),
        ({"shortcut": "hi", "body": "Hi", "language": "x" * 13}, "language", "Use at most 12 characters."),
        ({"shortcut": "hi", "body": " "}, "body", "Enter a reply, or choose a file."),
        ({"shortcut": "hi", "body": "x" * 4097}, "body", "4,096"),
    ],
)
def test_a_canned_reply_says_at_the_field_what_is_wrong(
    ann: Browser, world: World, form: dict[str, str], field: str, words: str
) -> None:
    answer = ann.post("~/inbox/canned-replies", form)
    assert answer.status_code == 422 and words in problem(answer.text, field)
    with tenant_scope(world.bakery.id):
        assert db.session.query(CannedReply).count() == 0


def test_a_shortcut_is_used_once(ann: Browser) -> None:
    form = {"shortcut": "/hi", "body": "Hello", "shared": "1"}
    assert ann.post("~/inbox/canned-replies", form).status_code == 303
    answer = ann.post("~/inbox/canned-replies", form)
    assert answer.status_code == 422 and "/hi already exists." in problem(answer.text, "shortcut")
    assert ann.post("~/inbox/canned-replies", form | {"language": "de"}).status_code == 303


@pytest.mark.parametrize("name", ["", "x" * 61])
def test_a_view_needs_a_name_that_fits(ann: Browser, carla: Conversation, name: str) -> None:
    answer = ann.post("~/inbox/views", {"view": "mine", "name": name})
    assert answer.status_code == 422 and problem(answer.text, "name")


def test_there_is_a_limit_to_saved_views(ann: Browser, world: World, carla: Conversation) -> None:
    with tenant_scope(world.bakery.id):
        for place in range(MOST - 1):
            db.session.add(SavedView(name=f"View {place}", owner_id=world.ann.id, arguments={"view": "all"}))
    assert ann.post("~/inbox/views", {"view": "mine", "name": "The last"}).status_code == 303
    answer = ann.post("~/inbox/views", {"view": "mine", "name": "One more"})
    assert answer.status_code == 422 and "Remove one first." in problem(answer.text, "name")


def test_a_key_is_for_one_command(ann: Browser) -> None:
    answer = ann.post("~/inbox/shortcuts", {"note": "r", "first_view": "mine"})
    assert answer.status_code == 422 and "is already the key for" in problem(answer.text, "key-note")
    assert 'name="first_view"' in answer.text and '<option value="all" selected>' in ann.get("~/inbox/shortcuts").text


@pytest.mark.parametrize("key", ["x" * 13, "\x00"])
def test_a_key_that_is_none_fails_nothing(ann: Browser, key: str) -> None:
    assert ann.post("~/inbox/shortcuts", {"note": key}).status_code in (303, 422)


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"assignee": "nobody"}, 404),
        ({"assignee": "1\x00"}, 404),
        ({"assignee": "me", "expected": "nonsense"}, 422),
        ({"team": "nonsense"}, 404),
        ({}, 200),
    ],
)
def test_an_assignment_to_nonsense_is_refused(
    ann: Browser, world: World, carla: Conversation, form: dict[str, str], status: int
) -> None:
    answer = ann.post(f"~/inbox/{carla.id}/assignment", form, headers=FRAGMENT)
    with tenant_scope(world.bakery.id):
        assert (answer.status_code, Conversation.get_or_404(carla.id).assignee_id) == (status, None)


def test_an_assignee_may_be_spelt_in_capitals(ann: Browser, world: World, carla: Conversation) -> None:
    form = {"assignee": str(world.ben.id).upper(), "expected": ""}
    answer = ann.post(f"~/inbox/{carla.id}/assignment", form, headers=FRAGMENT)
    assert answer.status_code == 200 and "Assigned to Ben" in answer.text


def test_undoing_a_team_leaves_a_colleagues_choice(
    ann: Browser, ben: Browser, world: World, carla: Conversation
) -> None:
    with tenant_scope(world.bakery.id):
        db.session.add_all([one := Team(id=uuid.uuid4(), name="Ovens"), two := Team(id=uuid.uuid4(), name="Shop")])
    address = f"~/inbox/{carla.id}/assignment"
    ann.post(address, {"team": str(one.id)}, headers=FRAGMENT)
    ben.post(address, {"team": str(two.id)}, headers=FRAGMENT)
    answer = ann.post(address, {"team": "", "expected_team": str(one.id)}, headers=FRAGMENT)
    assert answer.status_code == 409
    with tenant_scope(world.bakery.id):
        assert Conversation.get_or_404(carla.id).team_id == two.id


@pytest.mark.parametrize("body", [" ", "x" * 10_001])
def test_a_note_that_is_empty_or_too_long_is_refused(ann: Browser, carla: Conversation, body: str) -> None:
    answer = ann.post(f"~/inbox/{carla.id}/notes", {"body": body}, headers=FRAGMENT)
    assert answer.status_code == 422 and problem(answer.text, "note")


@pytest.mark.parametrize("until", ["9999-12-31", "0001-01-01", "tomorrow", "2026-13-01"])
def test_a_search_with_any_date_answers(ann: Browser, carla: Conversation, until: str) -> None:
    assert ann.get(f"~/inbox/search?q=bread&until={until}").status_code == 200
    assert ann.get(f"~/inbox/search?q=bread&since={until}").status_code == 200


@pytest.mark.parametrize("at", ["0001-01-01T00:00", "9999-12-31T23:59", "soon"])
def test_a_schedule_at_the_end_of_the_calendar_is_refused(ann: Browser, carla: Conversation, at: str) -> None:
    form: dict[str, Any] = {"body": "Later", "at": at, "zone": "Pacific/Kiritimati"}
    assert ann.post(f"~/inbox/{carla.id}/later", form, headers=FRAGMENT).status_code == 422
    assert ann.post(f"~/inbox/{carla.id}/later", form | {"zone": "Pacific/Niue"}, headers=FRAGMENT).status_code == 422
