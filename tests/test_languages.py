"""In which language somebody is answered, and that nothing which is kept is in any language."""

from __future__ import annotations

import pytest
from flask import Flask

from app import templating
from app.inbox.conversations import Conversation
from app.tenancy import tenant_scope
from app.words import Language
from tests.arrivals import arrive, conversation
from tests.posts import message
from tests.world import World


@pytest.mark.parametrize(
    ("requested", "language"),
    [("de-AT,de;q=0.9", "de"), ("pt-BR", "en"), ("fr,de;q=0.5", "de"), ("", "en"), ("*", "en"), ("xx;;q=,,", "en")],
)
def test_the_browsers_language_is_used_where_it_exists(
    app: Flask, monkeypatch: pytest.MonkeyPatch, requested: str, language: str
) -> None:
    monkeypatch.setattr(templating, "languages", lambda: ["en", "de"])
    with app.test_request_context(headers={"Accept-Language": requested}):
        assert templating.choose_language() == language


def test_a_job_speaks_the_default(app: Flask) -> None:
    assert templating.choose_language() is None


def test_the_same_row_reads_differently_to_different_people(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.connect_numbers()
    arrive(message(type="image", image={"id": "1", "caption": "Look"}))
    german = Language({"Photo: {words}": "Foto: {words}"}.__getitem__, lambda one, many, count: many)
    with tenant_scope(world.bakery.id):
        talk = Conversation.get_or_404(conversation(world).id)
        assert (talk.last_message_preview, talk.last_message_facts) == ("Look", {"kind": "image"})
        assert talk.last_line == "Photo: Look"
        monkeypatch.setattr("app.inbox.conversations.conversations.READER", german)
        assert talk.last_line == "Foto: Look"
