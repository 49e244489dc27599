"""Marks strings for translation that are passed through gettext only when they are shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Self


class InContext(str):
    """Words whose translation depends on what they are about: “Open” of a conversation is no link to open."""

    __slots__ = ("context",)
    context: str

    def __new__(cls, context: str, words: str) -> Self:
        self = super().__new__(cls, words)
        self.context = context
        return self


def N_(words: str) -> str:  # noqa: N802  (the name Babel looks for)
    return words


def pN_(context: str, words: str) -> str:  # noqa: N802  (marks words with their context, see dev/messages.py)
    return InContext(context, words)


def nN_(one: str, many: str) -> tuple[str, str]:  # noqa: N802  (marks both forms, see dev/messages.py)
    return one, many


class Language(NamedTuple):
    """How words are turned into a reader's language: gettext and ngettext."""

    gettext: Callable[[str], str]
    ngettext: Callable[[str, str, int], str]


ENGLISH = Language(str, lambda one, many, count: one if count == 1 else many)
