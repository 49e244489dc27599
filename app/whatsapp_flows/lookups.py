"""What answers while a customer fills in a form: choices, or what is wrong.

It is a feature of ours that registers itself as a source, or a program of the business: a signed POST (Standard
Webhooks 1.0), in time for Meta, which waits ten seconds for us.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from app.egress import Refused, Unreachable
from app.extensions import outside
from app.meta.flow_json import LONGEST_OPTION, MOST_DROPDOWN_OPTIONS
from app.meta.payload import loads, mapping, sequence, text
from app.signing import key_of, sign
from app.tenancy import now, uuid7

log = structlog.get_logger()

SECONDS = 5.0
MOST_BYTES = 256 * 1024
LONGEST_ERROR = 300


class Unanswered(Exception):
    """The program did not answer in time, or not as it should."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Choices by the name of their field, what is wrong (in words for the customer), and texts for the response."""

    options: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    error: str = ""
    answers: dict[str, str] = field(default_factory=dict)


# Gets the answers so far as (label, value), and what was chosen in each field that needs choices, by its name.
Answer = Callable[[Sequence[tuple[str, str]], Mapping[str, str]], Reply]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a form's choices come from within Switchboard. `words` say what the customer may filter by."""

    name: str
    title: str
    words: str
    answer: Answer


SOURCES: dict[str, Source] = {}


def lookup_source(name: str, title: str, words: str) -> Callable[[Answer], Answer]:
    """Registers a function that answers forms whose `lookup_source` is this name."""

    def register(answer: Answer) -> Answer:
        SOURCES[name] = Source(name, title, words, answer)
        return answer

    return register


def ask(url: str, secret: str, question: dict[str, Any]) -> Reply:
    """Asks the program. Raises `Unanswered`. No transaction may be open."""
    body = json.dumps(question, ensure_ascii=False).encode()
    try:
        page = outside().egress.exchange(
            "POST", url, signed(secret, body), body, most_bytes=MOST_BYTES, seconds=SECONDS
        )
    except (Refused, Unreachable) as problem:
        log.info("program of a form not reached", reason=str(problem))
        raise Unanswered from None
    if page.status != 200 or not page.is_whole:
        log.info("program of a form answered otherwise", status=page.status)
        raise Unanswered
    try:
        return reply_in(loads(page.body))
    except ValueError:
        raise Unanswered from None


def signed(secret: str, body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks, as outgoing webhooks have them."""
    id, at = f"msg_{uuid7().hex}", int(now().timestamp())
    return {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "User-Agent": "Switchboard",
        "webhook-id": id,
        "webhook-timestamp": str(at),
        "webhook-signature": sign([key_of(secret)], id, at, body),
    }


def reply_in(raw: Any) -> Reply:
    answer = mapping(raw)
    options = {str(name)[:60]: options_in(listed) for name, listed in list(mapping(answer.get("options")).items())[:50]}
    answers = {
        str(key)[:60]: words
        for key, value in list(mapping(answer.get("answers")).items())[:50]
        if (words := text(value, 1_000))
    }
    return Reply(options, text(answer.get("error"), LONGEST_ERROR) or "", answers)


def options_in(raw: Any) -> list[dict[str, str]]:
    """Choices as Meta takes them: each id once, titles cut."""
    listed: dict[str, str] = {}
    for one in map(mapping, sequence(raw)[:MOST_DROPDOWN_OPTIONS]):
        id, title = text(one.get("id"), 200), text(one.get("title"), 1_000)
        if id and title:
            listed.setdefault(id, title[:LONGEST_OPTION])
    return [{"id": id, "title": title} for id, title in listed.items()]
