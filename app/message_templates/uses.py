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
    by their names in requests; None: it sends the template as it is.
    """

    kind: str
    name: str = ""
    endpoint: str = ""
    ids: dict[str, uuid.UUID] = field(default_factory=dict)
    at: dt.datetime | None = None
    fills: tuple[str, ...] | None = None

    def could_send(self, template: Template) -> bool:
        """Whether it has all that a text of the template needs."""
        if self.fills is None:
            return template.goes_as_it_is
        names = {name_of(one) for one in template.variables}
        return template.can_be_filled and not template.files and names <= set(self.fills)


def uses_templates(find: Find) -> Find:
    """Registers a function that finds what uses a template, given its name and language."""
    FINDERS.append(find)
    return find


def uses_of(name: str, language: str) -> list[Use]:
    return [use for find in FINDERS for use in find(name, language)]
