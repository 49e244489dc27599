"""A check of the installation, and its finding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

SECONDS = 5.0


class CheckFailed(Exception):
    """What is wrong (`words`), and how to fix it."""

    def __init__(self, words: str, fix: str) -> None:
        super().__init__(words)
        self.words, self.fix = words, fix


@dataclass(frozen=True)
class Finding:
    title: str
    is_well: bool
    words: str = ""
    fix: str = ""


@dataclass(frozen=True)
class Check:
    """`look` returns a word about what it saw; raises `CheckFailed`, or whatever broke."""

    title: str
    look: Callable[[], str]


def check(title: str) -> Callable[[Callable[[], str]], Check]:
    return lambda look: Check(title, look)
