"""How an agent writes: answering or a note, with Enter or without."""

from __future__ import annotations

import pathlib
import re

from app.inbox.conversations import Conversation
from app.inbox.desk.shortcuts import COMMANDS
from tests.client import Browser
from tests.world import World


def chosen(**changed: str) -> dict[str, str]:
    return {"first_view": "mine", **changed}


def test_whoever_wants_it_so_starts_a_new_line_with_enter(ann: Browser, ben: Browser, carla: Conversation) -> None:
    assert ann.post("~/inbox/shortcuts", chosen(enter="new-line")).status_code == 303
    assert "data-sends-with" in ann.get(f"~/inbox/{carla.id}").text
    assert "data-sends-with" not in ben.get(f"~/inbox/{carla.id}").text


def test_a_page_with_a_mistake_changes_nothing(ann: Browser, carla: Conversation) -> None:
    answer = ann.post("~/inbox/shortcuts", chosen(enter="new-line", next="k"))
    assert answer.status_code == 422 and "is already the key for" in answer.text
    assert "data-sends-with" not in ann.get(f"~/inbox/{carla.id}").text


def test_a_note_is_written_without_javascript(ann: Browser, world: World, carla: Conversation) -> None:
    page = ann.get(f"~/inbox/{carla.id}?write=note").text
    form = page[page.index('id="note-form"') : page.index('id="note-form"') + 600]
    assert " hidden" not in form[: form.index(">")]
    assert 'id="note-form"' in ann.get(f"~/inbox/{carla.id}").text


def test_every_key_presses_something() -> None:
    root = pathlib.Path(__file__).parent.parent.parent
    pages = "".join(file.read_text() for file in (root / "app").glob("*/templates/**/*.html"))
    script = (root / "assets/behaviours/commands.js").read_text()
    pressed = set(re.findall(r'data-command="([a-z-]+)"', pages)) | set(re.findall(r'_address, "([a-z-]+)"', pages))
    own = script[script.index("const OWN = {") : script.index("const PLACES")]
    done_by_script = set(re.findall(r'^  "?([a-z-]+)"?: \(', own, re.MULTILINE))
    places = {f"go-{name}" for name in re.findall(r'(\w+): "', script[script.index("const PLACES") :].split("}")[0])}
    assert set(COMMANDS) - pressed - done_by_script - places == set()
