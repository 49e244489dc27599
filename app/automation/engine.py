"""Which automations begin with what happened, and why the others do not.

What happens here runs in a subscriber's job, not in the drain. Every automation that listens gets a decision, and all
decisions about one happening are one row (`AutomationTrace`).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from app.inbox.conversations import AutomationPaused, Conversation, Message
from app.inbox.inbound.readers import read_by_features
from app.tenancy import Happened, database_now, db, exists, later, now

from .limits import messages_left, runs_too_often, stop_loop, talks_to_a_machine
from .models import Automation, AutomationRun, AutomationTrace, AutomationVersion, triggers_of
from .parts import Names
from .turns import Turn

# What was written longer ago is answered by no one automatically.
FRESH = dt.timedelta(hours=1)
Rules = Sequence[tuple[Automation, AutomationVersion]]


def respond(happenings: list[Happened]) -> None:
    """Decides about each happening, in order. A business without automations costs one query."""
    if not exists(select(Automation.id).limit(1)):
        return
    rules = Automation.listening({kind for one in happenings for kind in triggers_of(one.kind)})
    messages = rows_of(Message, (one.subject_id for one in happenings if one.kind == "message.received"))
    conversations = conversations_of(happenings)
    names = Names()
    for one in happenings:
        if (conversation := conversations.get(one.id)) and not conversation.is_group:
            message = messages.get(one.subject_id) if one.kind == "message.received" else None
            facts = one.facts.model_dump() | {"subject_id": one.subject_id}
            turn = Turn(conversation, message, happening=one.kind, facts=facts, names=names)
            listening = [rule for rule in rules if rule[0].trigger_kind in triggers_of(one.kind)]
            if not listening and message is None:
                continue
            decide(turn, listening, str(one.id), by_id=one.actor.id if one.actor else None)


def conversations_of(happenings: Iterable[Happened]) -> dict[uuid.UUID, Conversation]:
    """The conversation of each happening. One about a contact is in the conversation that they wrote in last."""
    named = {one.id: conversation_id_of(one) for one in happenings}
    talks_by_id = rows_of(Conversation, filter(None, named.values()))
    conversations = {id: talks_by_id[ref] for id, ref in named.items() if ref in talks_by_id}
    about_contacts = {one.id: contact_id_of(one) for one in happenings if named[one.id] is None}
    newest = newest_of(set(about_contacts.values()))
    return conversations | {id: newest[ref] for id, ref in about_contacts.items() if ref in newest}


def conversation_id_of(one: Happened) -> uuid.UUID | None:
    if one.kind.startswith("conversation."):
        return one.subject_id
    return getattr(one.facts, "conversation_id", None)


def contact_id_of(one: Happened) -> uuid.UUID:
    """Whom it is about: the facts say so where the subject is something else."""
    return getattr(one.facts, "contact_id", None) or one.subject_id


def newest_of(contact_ids: set[uuid.UUID]) -> dict[uuid.UUID, Conversation]:
    mine = Conversation.contact_id.in_(contact_ids), Conversation.merged_into_id.is_(None)
    query = select(Conversation).where(*mine).order_by(Conversation.last_message_at)
    return {one.contact_id: one for one in db.session.scalars(query)} if contact_ids else {}


def rows_of(model: Any, ids: Iterable[Any]) -> dict[uuid.UUID, Any]:
    wanted = {*ids}
    if not wanted:
        return {}
    around = (joinedload(Conversation.contact), joinedload(Conversation.phone_number))
    options = around if model is Conversation else (selectinload(Message.changes),)
    query = select(model).where(model.id.in_(wanted)).options(*options)
    return {row.id: row for row in db.session.scalars(query.execution_options(populate_existing=True))}


def decide(turn: Turn, rules: Rules, key: str, *, by_id: uuid.UUID | None = None) -> AutomationTrace | None:
    """Begins what is to begin, once for each key. Returns what was decided, or None where that was done before."""
    conversation, message = turn.conversation, turn.message
    trace = AutomationTrace.claim(conversation.id, key, turn.happening, message.id if message else None)
    if trace is None:
        return None
    trace.decisions = taken_up(turn) or decisions(turn, rules, key, by_id)
    return trace


def taken_up(turn: Turn) -> list[dict[str, Any]]:
    """A message that no automation begins with: too old, of a machine, an answer to something else that was sent, or
    the reply that a run waits for."""
    if (message := turn.message) is None:
        return []
    if message.occurred_at < now() - FRESH:
        return [{"why": "too_old"}]
    if talks_to_a_machine(turn.conversation):
        runs = list(db.session.scalars(AutomationRun.active_in(turn.conversation.id).with_for_update()))
        for run in runs:
            run.finish("stopped", "loop")
        by = runs[-1].automation.actor if runs else last_automatic(turn.conversation)
        if by:
            stop_loop(turn.conversation, by)
        return [{"why": "loop"}]
    if read_by_features([message]):
        return [{"why": "read"}]
    waiting = AutomationRun.active_in(turn.conversation.id).where(AutomationRun.waits_for == "reply")
    for run in db.session.scalars(waiting.with_for_update()):
        if run.state == "waiting" and not turn.conversation.is_with_person:
            run.receive(message.id)
            later("automation.advance", run.id)
            return [{"why": "reply", "automation": str(run.automation_id), "run": str(run.id)}]
    return []


def last_automatic(conversation: Conversation) -> Any:
    """Who sent the last automatic message here."""
    mine = Message.conversation_id == conversation.id, Message.author_kind == "automation"
    query = select(Message).where(*mine).order_by(Message.occurred_at.desc()).limit(1)
    message = db.session.scalar(query)
    return message and message.sent_by


def decisions(turn: Turn, rules: Rules, key: str, by_id: uuid.UUID | None) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    stopped_by = ""
    for automation, version in rules:
        turn.automation = automation
        about = {"automation": str(automation.id), "version": str(version.id)}
        if stopped_by:
            made.append(about | {"why": "stopped_before", "seen": stopped_by})
            continue
        why = {"why": "own"} if by_id == automation.id else reason_against(turn, automation, version)
        if why is None:
            run = begin(turn, automation, version, key)
            why = {"why": "begun", "run": str(run.id)} if run else {"why": "once"}
            stopped_by = automation.name if run and automation.stops else ""
        made.append(about | why)
    return made


def begin(turn: Turn, automation: Automation, version: AutomationVersion, key: str) -> AutomationRun | None:
    about: dict[str, Any] = {"conversation_id": turn.conversation.id, "contact_id": turn.contact.id, "key": key}
    about |= {"message_id": turn.message and turn.message.id, "values": turn.values}
    if turn.message:
        about["values"] = turn.values | {"answer": turn.body[:1_000]}
    run = AutomationRun.begin(automation, version, **about)
    if run:
        later("automation.advance", run.id)
    return run


def reason_against(turn: Turn, automation: Automation, version: AutomationVersion) -> dict[str, Any] | None:
    """The first reason why an automation does not begin, with the value seen; None where it begins."""
    definition = version.definition
    if miss := definition.trigger.matches(turn):
        return {"why": "trigger", "seen": miss.seen}
    if failed := definition.conditions.failure(turn):
        return {"why": "condition", "path": failed.path, "seen": failed.seen}
    if why := held_back(turn, automation, is_conversational=definition.trigger.is_conversational):
        return {"why": why}
    if any(one.step.sends for one in definition.walk()) and messages_left(turn.conversation) < 1:
        return {"why": "limit"}
    return None


def held_back(turn: Turn, automation: Automation, *, is_conversational: bool) -> str:
    """Why an automation whose conditions hold does not begin here and now; "" where it does."""
    conversation = turn.conversation
    if isinstance(conversation.refusal_of_automation(), AutomationPaused):
        return "paused"
    if conversation.handled_by == "other_app" and is_conversational:
        return "with_other_app"
    if conversation.is_with_person and is_conversational and not automation.runs_beside_people:
        return "with_person"
    if automation.repeats != "always" and has_run(automation, turn):
        return "repeated"
    return "often" if not turn.message and runs_too_often(automation.id, conversation.id) else ""


def has_run(automation: Automation, turn: Turn) -> bool:
    """Whether it ran for this customer before, or within its days."""
    theirs = select(Conversation.id).where(Conversation.contact_id == turn.contact.id)
    mine = AutomationRun.automation_id == automation.id, AutomationRun.conversation_id.in_(theirs)
    query = select(AutomationRun.id).where(*mine)
    if automation.repeats == "days":
        query = query.where(AutomationRun.started_at > database_now() - dt.timedelta(days=automation.repeat_days))
    return exists(query)


def stop_runs(conversation_id: uuid.UUID, reason: str, before: dt.datetime) -> None:
    """Ends what began in a conversation before a moment."""
    active = AutomationRun.active_in(conversation_id).where(AutomationRun.started_at < before)
    for run in db.session.scalars(active.with_for_update()):
        run.finish("stopped", reason)
