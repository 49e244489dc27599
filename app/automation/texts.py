"""Comparing what a customer wrote with words that somebody chose."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from app.folding import fold
from app.words import N_

from .patterns import BadPattern, compiled

MODES = {
    "exact": N_("is exactly"),
    "contains": N_("contains"),
    "word": N_("contains the word"),
    "pattern": N_("matches the pattern"),
}
# Characters around words that do not count when a whole message is compared.
EDGES = re.compile(r"^[^\w]+|[^\w]+$")
LONGEST = 4_096

BAD = {
    "length": N_("A pattern may have up to 200 characters."),
    "size": N_("This pattern is too large. Repeat fewer parts."),
    "brackets": N_("A bracket of this pattern is not closed, or closes nothing."),
    "end": N_("This pattern ends too early."),
    "repeat": N_("A repetition of this pattern repeats nothing, or more than 30 times."),
    "lookaround": N_("A pattern can't look ahead or behind. Use plain groups."),
    "reference": N_("A pattern can't refer to one of its own groups."),
    "escape": N_("This pattern has a backslash before a letter that means nothing here."),
    "range": N_("A range of this pattern goes backwards."),
}


def matches(mode: str, words: Sequence[str], body: str) -> bool:
    """Whether one of the words is what a message says."""
    body = body[:LONGEST]
    if mode == "pattern":
        return any(results(pattern, body) for pattern in words)
    words_given, wanted = folded(body), [folded(word) for word in words]
    match mode:
        case "exact":
            return (
                EDGES.sub("", words_given) in [EDGES.sub("", word) or word for word in wanted] or words_given in wanted
            )
        case "word":
            return any(has_word(words_given, word) for word in wanted)
    return any(word in words_given for word in wanted)


@functools.lru_cache(maxsize=1_000)
def folded(text: str) -> str:
    """Fifty automations compare the same message, and the same words with each message."""
    return fold(text)


def results(pattern: str, body: str) -> bool:
    try:
        return compiled(pattern).search(body)
    except BadPattern:
        return False


def has_word(text: str, word: str) -> bool:
    """Whether a word occurs in a text with no letter or digit beside it."""
    start = text.find(word)
    while word and start >= 0:
        before, after = text[start - 1 : start] if start else "", text[start + len(word) : start + len(word) + 1]
        if not before.isalnum() and not after.isalnum():
            return True
        start = text.find(word, start + 1)
    return False


def problem_of(mode: str, words: Sequence[str]) -> str:
    """Why one of these patterns can't be used, as a key of gettext; "" where they can."""
    if mode != "pattern":
        return ""
    for pattern in words:
        try:
            compiled(pattern)
        except BadPattern as bad:
            return BAD[str(bad)]
    return ""
