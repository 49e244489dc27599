"""Tools as declarations: one mark says name, arguments, scopes and hints; the list of tools is made of the same.

@tool("add_note", AddNote, (WRITE,), ADDS)
def add_note(given: AddNote) -> Shape:
    \"\"\"Add a private note.\"\"\"
"""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import g
from pydantic import BaseModel, ValidationError

from app.api import MissingScope, Problem, current_key
from app.api.reading import fault_of_body, first_errors

Perform = TypeVar("Perform", bound=Callable[[Any], BaseModel])
TOOLS: dict[str, Tool] = {}
PATH = "/mcp"

READS = {"readOnlyHint": True, "destructiveHint": False, "idempotentHint": True, "openWorldHint": False}
ADDS = {"readOnlyHint": False, "destructiveHint": False, "idempotentHint": False, "openWorldHint": False}
CHANGES = {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": True, "openWorldHint": False}
# What reached a customer can't be taken back; the same token sends once.
SENDS = {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": True, "openWorldHint": True}


@dataclass(frozen=True)
class Tool:
    """What an assistant may do. It takes `arguments` and needs all of `scopes`."""

    name: str
    arguments: type[BaseModel]
    scopes: Sequence[str]
    hints: dict[str, bool]
    perform: Callable[[Any], BaseModel]

    @functools.cached_property
    def declaration(self) -> dict[str, Any]:
        """As `tools/list` has it. The first line of the docstring is the title."""
        title, _, rest = (inspect.getdoc(self.perform) or "").partition("\n")
        needs = f"Needs the scopes: {', '.join(self.scopes)}."
        return {
            "name": self.name,
            "title": title.rstrip("."),
            "description": " ".join(f"{title} {rest} {needs}".split()),
            "inputSchema": self.arguments.model_json_schema(),
            "annotations": {"title": title.rstrip("."), **self.hints},
        }

    def call(self, arguments: Any) -> BaseModel:
        """Raises a `Problem`: `MissingScope` where the key may not use it."""
        if not all(map(current_key().may, self.scopes)):
            raise MissingScope(*self.scopes, path=PATH)
        try:
            given = self.arguments.model_validate_json(json.dumps(arguments), strict=True)
        except ValidationError as error:
            faults = [fault_of_body(one, is_union=False) for one in first_errors(error)]
            raise Problem("invalid_request", errors=faults) from None
        g.list_name = f"mcp {self.name}"
        return self.perform(given)


def reading_scopes() -> list[str]:
    """What an assistant needs that only reads: enough to begin with."""
    return sorted({scope for one in TOOLS.values() if one.hints["readOnlyHint"] for scope in one.scopes})


def tool(
    name: str, arguments: type[BaseModel], scopes: Sequence[str], hints: dict[str, bool]
) -> Callable[[Perform], Perform]:
    def register(perform: Perform) -> Perform:
        TOOLS[name] = Tool(name, arguments, scopes, hints, perform)
        return perform

    return register
