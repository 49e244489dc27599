"""Searches emoji by the beginnings of their names."""

from __future__ import annotations

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


def suggest_emoji(typed: str) -> list[tuple[str, str]]:
    """At most MANY emoji with their names: first those whose name, or another word for it, begins with `typed`."""
    begins = "_".join(typed.lower().split())
    if not begins:
        return [(one, names()[one][0].replace("_", " ")) for one in USUAL]
    ranked = [(rank(begins, words), one not in USUAL, len(words[0]), one) for one, words in names().items()]
    best = sorted(each for each in ranked if each[0])
    return [(one, names()[one][0].replace("_", " ")) for *_rank, one in best[:MANY]]


def rank(begins: str, words: list[str]) -> int:
    """1 for the word itself, 2 for its beginning, 3 for a word in the middle; 0 for none."""
    if begins in words:
        return 1
    if any(name.startswith(begins) for name in words):
        return 2
    return 3 if any(f"_{begins}" in name for name in words) else 0


@cache
def names() -> dict[str, list[str]]:
    """Each emoji up to version NEWEST with its English name and the other words for it."""
    return {
        one: [facts["en"].strip(":"), *(alias.strip(":") for alias in facts.get("alias", []))]
        for one, facts in emoji.EMOJI_DATA.items()
        if facts["status"] == emoji.STATUS["fully_qualified"] and facts["E"] <= NEWEST and not SKIN_TONES & set(one)
    }
