"""The dated versions of the API. A key keeps the one it was made with; a request may ask for another."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import request

from .deprecations import Deprecation
from .problems import Problem

HEADER = "Switchboard-Version"
# The newest last. A version is added only when something changes that a program could notice as broken.
VERSIONS = ("2026-11-29",)
NEWEST = VERSIONS[-1]
# Versions that will end.
ENDING: dict[str, Deprecation] = {}
Rewrite = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Change:
    """What a version changed at one endpoint: how a body of before is written now, and an answer as it was before."""

    version: str
    endpoint: str
    words: str
    body: Rewrite = dict
    answer: Rewrite = dict


# The oldest first.
CHANGES: list[Change] = []


def version_for(pinned: str) -> str:
    """The version of this request. Raises a `Problem` for one that never was."""
    requested = request.headers.get(HEADER, pinned)
    if requested not in VERSIONS:
        raise Problem("unknown_version", versions=", ".join(VERSIONS))
    return requested


def changes_after(version: str, endpoint: str) -> list[Change]:
    return [change for change in CHANGES if change.endpoint == endpoint and change.version > version]


def answer_in(version: str, endpoint: str, answer: str) -> str:
    """An answer, as JSON, as this version has it."""
    for change in reversed(changes_after(version, endpoint)):
        answer = json.dumps(change.answer(json.loads(answer)), ensure_ascii=False, separators=(",", ":"))
    return answer


def body_from(version: str, endpoint: str, body: dict[str, Any]) -> dict[str, Any]:
    """A body of this version, as the newest has it."""
    for change in changes_after(version, endpoint):
        body = change.body(body)
    return body
