"""Marks strings for translation that are passed through gettext only when they are shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


def N_(words: str) -> str:  # noqa: N802  (the name Babel looks for)
    return words


def nN_(one: str, many: str) -> tuple[str, str]:  # noqa: N802  (marks both forms, see babel.cfg)
    return one, many


class Language(NamedTuple):
    """How words are turned into a reader's language: gettext and ngettext."""

    gettext: Callable[[str], str]
    ngettext: Callable[[str, str, int], str]


ENGLISH = Language(str, lambda one, many, count: one if count == 1 else many)
