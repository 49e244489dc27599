"""What a step is. Each looks at Meta first, so that it is safe to run again any time.

A step reads what it needs, commits (no transaction is open while Meta is called), calls, and writes. It returns a
note or nothing; or raises `MetaError`, `Trouble` or `Skipped`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.onboarding.models import Onboarding


class Skipped(Exception):
    """There is nothing to do for this number. Its text says why."""


@dataclass(frozen=True)
class Step:
    """A step with a hint is between Meta and the platform alone: the hint tells the platform how to fix it."""

    name: str
    run: Callable[[Onboarding], str | None]
    hint: str = ""


def step(hint: str = "") -> Callable[[Callable[[Onboarding], str | None]], Step]:
    """Makes a step of a function; its name is the step's in `plan.PLAN`."""

    def add(run: Callable[[Onboarding], str | None]) -> Step:
        return Step(run.__name__, run, hint)

    return add
