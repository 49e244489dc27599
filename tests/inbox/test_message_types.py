"""What a type of message needs in the inbox: a partial that shows it, a filter that finds it, a form that sends it."""

from __future__ import annotations

import pathlib

from app.inbox.compose.compose_forms import FORMS
from app.meta.message_types import SEARCHABLE, TYPES

TEMPLATES = pathlib.Path(__file__).parent.parent.parent / "app/inbox/templates"
# What sends messages besides the forms of the composer's menu.
OTHER_WAYS = {"composer", "file", "reaction", "template"}


def test_every_type_has_a_partial() -> None:
    assert [one.name for one in TYPES.values() if not (TEMPLATES / f"message/{one.shape}.html").is_file()] == []


def test_every_partial_is_of_a_type() -> None:
    shapes = {one.shape for one in TYPES.values()} | {"deleted", "erased", "other"}
    partials = {file.stem for file in (TEMPLATES / "message").glob("[!_]*.html")}
    assert partials - shapes == set()


def test_every_way_to_send_a_type_exists_and_every_form_sends_one() -> None:
    ways = {way for one in TYPES.values() for way in one.sent_by}
    assert ways == {*FORMS, *OTHER_WAYS}


def test_every_searchable_type_is_in_the_filter() -> None:
    page = (TEMPLATES / "desk/search.html").read_text()
    assert [name for name in SEARCHABLE if f'("{name}", _(' not in page] == []
