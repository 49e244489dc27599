"""Where a template is used. Each feature that uses templates says so here, beside its own model."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

Find = Callable[[str, str], Iterable["Use"]]
FINDERS: list[Find] = []


@dataclass(frozen=True, slots=True)
class Use:
    """`kind` is what uses it, e.g. “Macro”; `name` which one; its page is at `endpoint`, if the reader may open it.

    `at` is when it last did, of what is only seen by what it sends.
    """

    kind: str
    name: str = ""
    endpoint: str = ""
    ids: dict[str, uuid.UUID] = field(default_factory=dict)
    at: dt.datetime | None = None


def uses_templates(find: Find) -> Find:
    """Registers a function that finds what uses a template, given its name and language."""
    FINDERS.append(find)
    return find


def uses_of(name: str, language: str) -> list[Use]:
    return [use for find in FINDERS for use in find(name, language)]
