"""What happened in one conversation, read from its beginning to its end, as facts.

A customer waits from the first message after the last reply. An automatic reply does not end the time until a person
replies; but a customer who writes again after one waits from that message on. Handing over to the team begins a wait,
and resolving ends it.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from app.hours.models import ServicePolicy
from app.inbox.conversations.messages import NO_REPLIES
from app.inbox.conversations.states import GREETING
from app.tenancy import OTHER_APP, Actor

# A resolved conversation that is opened again within this time was not solved.
HELD_FOR = dt.timedelta(days=1)
# Sources of what is no answer: a greeting leaves what was asked to whoever replies.
SILENT = (*NO_REPLIES, GREETING, "survey")
CLOSING = ("resolved", "archived")
OPENING = ("open", "answered", "woken", "unhappy")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in a conversation: `kind` is `in`, `out`, `survey`, `responsible` or an activity's kind.

    `waits`: a customer's message that asks for a reply. `seconds` are of a time of responsibility.
    """

    at: dt.datetime
    kind: str
    id: uuid.UUID | None = None
    by: Actor | None = None
    source: str = ""
    waits: bool = False
    score: str | None = None
    seconds: int | None = None

    @property
    def is_reply(self) -> bool:
        """Whether somebody or something answers with it. A campaign goes to many, whatever they asked."""
        if self.by is None or self.source in SILENT:
            return False
        return self.by.takes_over or self.by.is_automatic or self.source == OTHER_APP


@dataclass(slots=True)
class Wait:
    since: dt.datetime
    is_first: bool
    message_id: uuid.UUID | None
    # When somebody or something replied first.
    answered_at: dt.datetime | None = None


@dataclass
class Timeline:
    """Of one conversation from a moment on at which no customer waits (any more): the beginning, a person's reply,
    a resolution, or just before a customer's wait began."""

    policy: ServicePolicy
    is_new: bool = True
    has_answered: bool = False
    is_closed: bool = False
    # When what is being worked on began: the first message since it was last resolved.
    began_at: dt.datetime | None = None
    # Who of the people replied last.
    person: Actor | None = None
    wait: Wait | None = None
    resolved: dict[str, Any] | None = None
    facts: list[dict[str, Any]] = field(default_factory=list)

    def read(self, entries: Iterable[Entry]) -> list[dict[str, Any]]:
        for entry in entries:
            self.take(entry)
        if self.wait:
            self.settle(None)
        return self.facts

    def take(self, entry: Entry) -> None:
        match entry.kind:
            case "in":
                self.open(entry)
                self.receive(entry)
            case "out":
                self.open(entry)
                self.reply(entry)
            case "handed_over":
                if self.wait is None or self.wait.answered_at:
                    self.start_wait(entry.at, None)
            case "survey":
                self.add("survey", entry.at, message_id=entry.id, by=self.person, score=entry.score)
            case "responsible":
                self.add("responsible", entry.at, by=entry.by, seconds=entry.seconds)
            case _:
                self.change(entry)

    def change(self, entry: Entry) -> None:
        if entry.kind in CLOSING:
            self.close(entry)
        elif entry.kind in OPENING and self.is_closed:
            self.reopen(entry)

    def open(self, entry: Entry) -> None:
        if self.is_new:
            self.is_new = False
            self.add("opened", entry.at, message_id=entry.id, by=entry.by)

    def receive(self, entry: Entry) -> None:
        if not entry.waits:
            return
        self.began_at = self.began_at or entry.at
        if self.wait is None or self.wait.answered_at:
            self.start_wait(entry.at, entry.id)

    def start_wait(self, at: dt.datetime, message_id: uuid.UUID | None) -> None:
        self.settle(None)
        self.wait = Wait(at, not self.has_answered, message_id)

    def reply(self, entry: Entry) -> None:
        wait, by = self.wait, entry.by
        if by is None or not entry.is_reply:
            return
        if wait and wait.answered_at is None:
            wait.answered_at = entry.at
            self.add("answer", entry.at, since=wait.since, message_id=entry.id, by=by)
        if not by.takes_over:
            return
        if wait:
            kind = "first_response" if wait.is_first else "next_response"
            self.add(kind, entry.at, since=wait.since, message_id=entry.id, by=by)
        self.settle(by)
        self.began_at = self.began_at or entry.at
        self.has_answered, self.person = True, by

    def close(self, entry: Entry) -> None:
        if self.wait and self.wait.answered_at is None:
            self.wait.answered_at = entry.at
        self.settle(None)
        if entry.kind == "resolved":
            self.resolved = self.add("resolved", entry.at, by=entry.by, worked_since=self.began_at, is_met=True)
            self.has_answered = False
        self.is_closed, self.began_at = True, None

    def reopen(self, entry: Entry) -> None:
        self.add("reopened", entry.at, by=entry.by)
        if self.resolved and entry.at - self.resolved["at"] <= HELD_FOR:
            self.resolved["is_met"] = False
        self.is_closed, self.resolved = False, None

    def settle(self, by: Actor | None) -> None:
        """The wait is over, or goes on: whether the target time is met goes by the first reply to it."""
        wait, self.wait = self.wait, None
        due = wait and self.policy.due_at(wait.since, is_first=wait.is_first)
        if wait and due:
            is_met = wait.answered_at is not None and wait.answered_at <= due
            self.add("promise", due, by=by, began_at=wait.since, message_id=wait.message_id, is_met=is_met)

    def add(
        self,
        kind: str,
        at: dt.datetime,
        *,
        by: Actor | None = None,
        since: dt.datetime | None = None,
        worked_since: dt.datetime | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        """`since`: a wait began then, and this fact with it. `worked_since`: it took that long, and is of now."""
        start = since or worked_since
        took = {"seconds": seconds_between(start, at), "open_seconds": self.open_seconds(start, at)} if start else {}
        fact: dict[str, Any] = {"kind": kind, "at": at, "began_at": since or at} | took | more
        fact |= {"actor_kind": by.kind if by else None, "actor_id": by.id if by else None}
        self.facts.append(fact)
        return fact

    def open_seconds(self, start: dt.datetime, end: dt.datetime) -> int:
        return int(self.policy.hours.open_between(start, end).total_seconds())


def seconds_between(start: dt.datetime, end: dt.datetime) -> int:
    return max(0, int((end - start).total_seconds()))
