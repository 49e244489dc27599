"""Emoji are found by the beginnings of what people call them."""

from __future__ import annotations

import pytest

from app.inbox.compose.emoji import USUAL, names, suggest_emoji
from tests.client import Browser
from tests.world import World


@pytest.mark.parametrize(
    ("typed", "face"),
    [("thu", "👍"), ("joy", "😂"), ("pray", "🙏"), ("tada", "🎉"), ("birthday c", "🎂"), ("+1", "👍")],
)
def test_an_emoji_is_found_by_its_name_or_another_word_for_it(typed: str, face: str) -> None:
    assert face in [results for results, _name in suggest_emoji(typed)][:3]


def test_before_anything_is_typed_the_usual_ones_are_offered() -> None:
    assert [face for face, _name in suggest_emoji("")] == list(USUAL) and set(USUAL) <= set(names())


def test_the_board_says_when_there_is_none(ann: Browser, world: World) -> None:
    assert "👍" in ann.get("~/inbox/emoji").text
    assert "No emoji found." in ann.get("~/inbox/emoji?q=xyzzy").text
    assert 'data-inserts="👍"' in ann.get("~/inbox/emoji/suggestions?q=thumbs").text
