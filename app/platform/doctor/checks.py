"""What a check is, and what it finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

SECONDS = 5.0
WEBHOOKS = "/webhooks/whatsapp"


class Ill(Exception):
    """What is wrong, and what helps."""

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
    """Ends with a word about what it has seen; or raises `Ill`, or whatever broke."""

    title: str
    look: Callable[[], str]


def check(title: str) -> Callable[[Callable[[], str]], Check]:
    return lambda look: Check(title, look)
