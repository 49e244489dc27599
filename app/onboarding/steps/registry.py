"""What a step is. Each looks at Meta first, so that it is safe to run again any time.

A step reads what it needs, commits (no transaction is open while Meta is called), calls, and writes. It ends
well, with a word about it if there is one; or raises `MetaError`, `Trouble` or `Skipped`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.onboarding.models import Onboarding


class Skipped(Exception):
    """There is nothing to do for this number."""


@dataclass(frozen=True)
class Step:
    """A step with a hint is between Meta and the platform alone: the hint tells us how to mend it."""

    name: str
    title: str
    run: Callable[[Onboarding], str | None]
    hint: str = ""


def step(title: str, hint: str = "") -> Callable[[Callable[[Onboarding], str | None]], Step]:
    def add(run: Callable[[Onboarding], str | None]) -> Step:
        return Step(run.__name__, title, run, hint)

    return add
