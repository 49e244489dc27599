"""Emoji by the beginnings of their names, for whoever looks for one while writing."""

from __future__ import annotations

from functools import cache

import emoji

# What answers to customers are full of; offered before anything is typed.
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
# Newer ones are boxes on many phones.
NEWEST = 15.0
SKIN_TONES = frozenset("🏻🏼🏽🏾🏿")


def suggest(typed: str) -> list[tuple[str, str]]:
    """Emoji with their names: first those whose name, or another word for it, begins so."""
    begins = "_".join(typed.lower().split())
    if not begins:
        return [(one, names()[one][0].replace("_", " ")) for one in USUAL]
    found = [(rank(begins, said), one not in USUAL, len(said[0]), one) for one, said in names().items()]
    best = sorted(each for each in found if each[0])
    return [(one, names()[one][0].replace("_", " ")) for *_rank, one in best[:MANY]]


def rank(begins: str, said: list[str]) -> int:
    """1 for the word itself, 2 for its beginning, 3 for a word in the middle; 0 for none."""
    if begins in said:
        return 1
    if any(name.startswith(begins) for name in said):
        return 2
    return 3 if any(f"_{begins}" in name for name in said) else 0


@cache
def names() -> dict[str, list[str]]:
    """Each emoji with its name and the other words for it, as far as everybody's phone has it."""
    return {
        one: [known["en"].strip(":"), *(alias.strip(":") for alias in known.get("alias", []))]
        for one, known in emoji.EMOJI_DATA.items()
        if known["status"] == emoji.STATUS["fully_qualified"] and known["E"] <= NEWEST and not SKIN_TONES & set(one)
    }
