"""Where a template is used. Each feature that uses templates says so here, beside its own model."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from app.meta.message_templates import Template
from app.meta.template_schema import name_of

Find = Callable[[str, str], Iterable["Use"]]
FINDERS: list[Find] = []


@dataclass(frozen=True, slots=True)
class Use:
    """`kind` is what uses it, e.g. “Macro”; `name` which one; its page is at `endpoint`, if the reader may open it.

    `at` is when it last did, of what is only seen by what it sends. `fills` are the variables that it has values for,
    by their names in requests, `values` how many it has in the order of the variables; without either it sends the
    template as it is. `fits_present`: it fills in what the present text needs, and knows no other.
    """

    kind: str
    name: str = ""
    endpoint: str = ""
    ids: dict[str, uuid.UUID] = field(default_factory=dict)
    at: dt.datetime | None = None
    fills: tuple[str, ...] | None = None
    values: int = 0
    fits_present: bool = False

    def is_broken_by(self, new: Template, present: Template) -> bool:
        """Whether it could send the present text and couldn't send the new one."""
        if self.fits_present:
            return needs_of(new) != needs_of(present)
        is_alike = len(new.quick_replies) == len(present.quick_replies)
        return self.could_send(present) and not (is_alike and self.could_send(new))

    def could_send(self, template: Template) -> bool:
        """Whether it has all that a text of the template needs."""
        if not template.can_be_filled or template.needs_document:
            return False
        if self.fills is None:
            return len(template.variables) <= self.values
        return {name_of(one) for one in template.variables} <= set(self.fills)


def needs_of(template: Template) -> tuple[set[str], list[str], int]:
    """What a message with it is filled in with: its variables, files and payloads."""
    names = {name_of(one) for one in template.variables}
    return names, [file.kind for file in template.files], len(template.quick_replies)


def uses_templates(find: Find) -> Find:
    """Registers a function that finds what uses a template, given its name and language."""
    FINDERS.append(find)
    return find


def uses_of(name: str, language: str) -> list[Use]:
    return [use for find in FINDERS for use in find(name, language)]
