"""What a passage is found by: its words, folded and cut to their stems, when it is stored and when it is sought.

Cutting a word is a plain way of stemming that suits many languages at once: “croissants” finds “croissant”. Scripts
that do not space their words are taken by pairs of letters; Arabic and Hebrew words also without an attached prefix.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from app.languages import MEANINGLESS, words_of

STEM = 5
LONGEST, MOST_TERMS, MOST_QUESTION_TERMS = 40, 600, 16
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]+"
)
SEMITIC = re.compile("[\u0590-\u08ff]")
PREFIXES = re.compile("^(?:و|ف)?(?:ال|بال|لل|كال|[בהוכלמש])(?=.{3})")
# Plural endings of short words, which cutting does not reach.
ENDING = re.compile("(?:es|en|s)$")


def terms_of(text: str) -> list[str]:
    """Its terms, each once, in the order of the text."""
    return list(dict.fromkeys(all_terms(text)))[:MOST_TERMS]


def question_terms(texts: Iterable[str]) -> list[str]:
    """The terms of what somebody wrote, the longest first: those say the most."""
    return sorted({term for text in texts for term in terms_of(text[:4_000])}, key=len, reverse=True)[
        :MOST_QUESTION_TERMS
    ]


def all_terms(text: str) -> Iterator[str]:
    for word in words_of(text):
        if word in MEANINGLESS or (len(word) < 2 and not word.isdigit()):
            continue
        if UNSPACED.search(word):
            yield from pairs(word)
        elif SEMITIC.match(word):
            yield PREFIXES.sub("", word)[:LONGEST]
        else:
            yield stem(word)


def stem(word: str) -> str:
    if any(letter.isdigit() for letter in word):
        return word[:LONGEST]
    plain = word.partition("'")[0] or word
    if len(plain) > STEM:
        return plain[:STEM]
    return ENDING.sub("", plain) if len(plain) > 3 else plain


def pairs(word: str) -> Iterator[str]:
    if len(word) == 1:
        yield word
    for place in range(min(len(word) - 1, 200)):
        yield word[place : place + 2]
