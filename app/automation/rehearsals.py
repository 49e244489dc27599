"""Trying automations out: the engine itself, in a transaction that is taken back. Nothing is sent, no one is called."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app.inbox.conversations import Conversation, Message
from app.tenancy import db, now
from app.tenancy.scope import current_scope

from .definitions import Definition
from .engine import held_back
from .limits import messages_left
from .models import Automation
from .parts import Names, Step
from .turns import Outcome, Turn

MOST_STEPS = 60
# Of yesterday's messages so many are tried, the newest first.
MOST_REPLAYED, REPLAYED_SPAN = 200, dt.timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Tried:
    """One automation and a message: why it would not run, or the steps that it would take."""

    automation: Automation
    decision: dict[str, Any]
    steps: list[tuple[Step, Outcome]]

    @property
    def would_run(self) -> bool:
        return bool(self.decision["why"] == "begun")


@contextlib.contextmanager
def taken_back() -> Iterator[None]:
    """What happens inside is undone, and nothing that was to follow it does."""
    scope = current_scope()
    waiting, woken = len(scope.callbacks), set(scope.woken)
    db.session.flush()
    nested = db.session.begin_nested()
    try:
        yield
    finally:
        nested.rollback()
        del scope.callbacks[waiting:]
        scope.woken.clear()
        scope.woken.update(woken)
        db.session.expire_all()


def try_all(conversation: Conversation, typed: str, automations: list[tuple[Automation, Definition]]) -> list[Tried]:
    """What each would do if this customer wrote that now, in their order."""
    tried, stopped_by = [], ""
    for automation, definition in automations:
        turn = Turn(conversation, typed=typed, happening="message.received", names=Names(), dry=True)
        turn.automation = automation
        decision = (
            {"why": "stopped_before", "seen": stopped_by} if stopped_by else decide_dry(turn, automation, definition)
        )
        would_run = decision["why"] == "begun"
        tried.append(Tried(automation, decision, rehearse(turn, definition) if would_run else []))
        if would_run and automation.stops:
            stopped_by = automation.name
    return tried


def decide_dry(turn: Turn, automation: Automation, definition: Definition) -> dict[str, Any]:
    """The decision of the engine about a draft."""
    if "message.received" not in definition.trigger.happenings:
        return {"why": "trigger"}
    if miss := definition.trigger.matches(turn):
        return {"why": "trigger", "seen": miss.seen}
    if failed := definition.conditions.failure(turn):
        return {"why": "condition", "path": failed.path, "seen": failed.seen, "definition": definition}
    if why := held_back(turn, automation, is_conversational=True):
        return {"why": why}
    if any(one.step.sends for one in definition.walk()) and messages_left(turn.conversation) < 1:
        return {"why": "limit"}
    return {"why": "begun"}


def rehearse(turn: Turn, definition: Definition) -> list[tuple[Step, Outcome]]:
    """The steps it would take until it waits for a reply. Waits for time are passed over."""
    taken: list[tuple[Step, Outcome]] = []
    turn.know("answer", turn.body)
    turn.greets = definition.is_greeting
    with taken_back():
        turn.conversation.last_inbound_at = now()
        step = definition.first()
        while step and len(taken) < MOST_STEPS:
            outcome = step.perform(turn)
            taken.append((step, outcome))
            if outcome.ends or (outcome.wait and outcome.wait.what == "reply"):
                break
            step = definition.after(step, outcome.block)
    return taken


def replay(automation: Automation, definition: Definition) -> list[tuple[Message, dict[str, Any]]]:
    """What the last day's messages would have begun. Conditions see customers as they are now."""
    recent = Message.direction == "inbound", Message.occurred_at > now() - REPLAYED_SPAN
    query = select(Message, Conversation).join(Conversation, Conversation.id == Message.conversation_id)
    query = query.where(*recent, Conversation.is_group.is_(False)).order_by(Message.occurred_at.desc())
    query = query.options(*Message.with_all_around_it())
    replayed = []
    for message, conversation in db.session.execute(query.limit(MOST_REPLAYED)):
        turn = Turn(
            conversation, message, happening="message.received", names=Names(), dry=True, at=message.occurred_at
        )
        turn.automation = automation
        decision: dict[str, Any] = {"why": "begun"}
        if "message.received" not in definition.trigger.happenings:
            decision = {"why": "trigger"}
        elif miss := definition.trigger.matches(turn):
            decision = {"why": "trigger", "seen": miss.seen}
        elif failed := definition.conditions.failure(turn):
            decision = {"why": "condition", "path": failed.path, "seen": failed.seen, "definition": definition}
        replayed.append((message, decision))
    return replayed
