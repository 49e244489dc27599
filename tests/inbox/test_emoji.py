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


@pytest.mark.parametrize(
    ("typed", "first"), [("smil", "smile"), ("heart", "heart"), ("ok", "ok"), ("cry", "cry"), ("thumbs", "thumbsup")]
)
def test_a_name_that_begins_with_what_was_typed_comes_before_other_words_for_an_emoji(typed: str, first: str) -> None:
    found = [name for _face, name in suggest_emoji(typed)]
    assert found[0] == first and "heart eyes" not in found[:1]


def test_what_was_used_last_comes_first_if_it_matches(ann: Browser) -> None:
    assert [face for face, _name in suggest_emoji("smil", ["🎉", "😍", "😃"])][:3] == ["😍", "😃", "😄"]
    suggested = ann.get("~/inbox/emoji/suggestions?q=smil&recent=😍").text
    assert suggested.index("😍") < suggested.index("😄")


def test_before_anything_is_typed_the_usual_ones_are_offered() -> None:
    assert [face for face, _name in suggest_emoji("")] == list(USUAL) and set(USUAL) <= set(names())


def test_the_board_says_when_there_is_none(ann: Browser, world: World) -> None:
    assert "👍" in ann.get("~/inbox/emoji").text
    assert "No emoji found." in ann.get("~/inbox/emoji?q=xyzzy").text
    assert 'data-inserts="👍"' in ann.get("~/inbox/emoji/suggestions?q=thumbs").text
