"""Searches emoji by the beginnings of their names."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import emoji

# Common in replies to customers; offered before anything is typed.
USUAL = (
    "👍",
    "🙏",
    "😊",
    "😂",
    "❤️",
    "🎉",
    "😍",
    "👌",
    "🙂",
    "😉",
    "🤝",
    "✅",
    "👋",
    "🔥",
    "😢",
    "🤔",
    "💪",
    "🙌",
    "📦",
    "🕐",
)
MANY = 30
# Many phones show newer ones as boxes.
NEWEST = 15.0
SKIN_TONES = frozenset("🏻🏼🏽🏾🏿")


def suggest_emoji(typed: str, recent: Sequence[str] = ()) -> list[tuple[str, str]]:
    """At most MANY emoji, each with the name that matched: those in `recent` first, then by the rank of the match."""
    begins = "_".join(typed.lower().split())
    if not begins:
        return [(one, readable(names()[one][-1])) for one in USUAL]
    matched = [(min(matches), one) for one, words in names().items() if (matches := matches_of(begins, words))]
    place = {one: at for at, one in enumerate(recent)}
    matched.sort(key=lambda each: (place.get(each[1], len(place)), each[0][0], each[1] not in USUAL, each[0], each[1]))
    return [(one, readable(match[2])) for match, one in matched[:MANY]]


def matches_of(begins: str, words: list[str]) -> list[tuple[int, int, str]]:
    """Rank, length and text of each name that matches.

    1 for the name itself, 2 for the beginning of the short name, 3 of another one, 4 for a word in the middle.
    """
    ranked = [(rank(begins, word, is_short=not at), len(word), word) for at, word in enumerate(words)]
    return [each for each in ranked if each[0]]


def rank(begins: str, word: str, *, is_short: bool) -> int:
    if word == begins:
        return 1
    if word.startswith(begins):
        return 2 if is_short else 3
    return 4 if f"_{begins}" in word else 0


def readable(name: str) -> str:
    return name.replace("_", " ")


@cache
def names() -> dict[str, list[str]]:
    """Each emoji up to version NEWEST with its English names: the short one, others, and the full one last."""
    return {
        one: [alias.strip(":") for alias in (*facts.get("alias", []), facts["en"])]
        for one, facts in emoji.EMOJI_DATA.items()
        if facts["status"] == emoji.STATUS["fully_qualified"] and facts["E"] <= NEWEST and not SKIN_TONES & set(one)
    }
