"""What keeps automation within bounds: so many messages an hour, and no talk between two machines."""

from __future__ import annotations

import datetime as dt
import itertools
import re
import uuid

from sqlalchemy import func, select

from app.folding import fold
from app.inbox.conversations import Conversation, Message
from app.tenancy import Actor, db, now
from app.tenancy.actor import AUTOMATIC

from .models import AutomationRun, AutomationSettings

HOUR = dt.timedelta(hours=1)
# A customer whose replies come this fast so many times in a row is a machine; so is one who repeats the same reply.
MACHINE, QUICK_REPLIES, SAME_REPLIES = dt.timedelta(seconds=2), 4, 4
LOOKED_AT, RECENT = 16, dt.timedelta(minutes=30)
# How often one automation may begin in one conversation within a time: more is a loop of automations.
MOST_RUNS, RUNS_WITHIN = 8, dt.timedelta(minutes=10)
# How many automations may begin each other in a row.
DEEPEST_CHAIN = 5
DIGITS = re.compile(r"[\W\d_]+")


def messages_left(conversation: Conversation) -> int:
    """How many automatic messages this customer may still get within the hour, from all numbers."""
    theirs = select(Conversation.id).where(Conversation.contact_id == conversation.contact_id)
    query = select(func.count()).where(
        Message.conversation_id.in_(theirs),
        Message.occurred_at > now() - HOUR,
        Message.author_kind.in_(AUTOMATIC),
        Message.state.not_in(("cancelled", "failed", "expired")),
    )
    return max(0, AutomationSettings.current().hourly_limit - (db.session.scalar(query) or 0))


def runs_too_often(automation_id: uuid.UUID, conversation_id: uuid.UUID) -> bool:
    """Whether it began so often here lately that something begins it again and again."""
    query = select(func.count()).where(
        AutomationRun.conversation_id == conversation_id,
        AutomationRun.automation_id == automation_id,
        AutomationRun.started_at > now() - RUNS_WITHIN,
        AutomationRun.message_id.is_(None),
    )
    return (db.session.scalar(query) or 0) >= MOST_RUNS


def talks_to_a_machine(conversation: Conversation) -> bool:
    """Whether the replies to our automatic messages come too fast, or too much alike, to be a person's."""
    recent = Message.conversation_id == conversation.id, Message.occurred_at > now() - RECENT
    query = select(Message.direction, Message.author_kind, Message.body, Message.created_at).where(*recent)
    rows = list(db.session.execute(query.order_by(Message.occurred_at.desc(), Message.id.desc()).limit(LOOKED_AT)))
    rows.sort(key=lambda row: row.created_at)
    quick: list[bool] = []
    bodies: list[str | None] = []
    for before, row in itertools.pairwise([None, *rows]):
        if row is None or row.direction != "inbound":
            continue
        follows = bool(before and before.direction == "outbound" and before.author_kind in AUTOMATIC)
        quick.append(bool(follows and before and row.created_at - before.created_at < MACHINE))
        bodies.append(DIGITS.sub("", fold(row.body)) if follows else None)
    return all_last(quick, QUICK_REPLIES) or is_repeated(bodies[-SAME_REPLIES:])


def all_last(values: list[bool], count: int) -> bool:
    return len(values) >= count and all(values[-count:])


def is_repeated(bodies: list[str | None]) -> bool:
    return len(bodies) == SAME_REPLIES and bodies[0] is not None and len(set(bodies)) == 1


def stop_loop(conversation: Conversation, by: Actor) -> None:
    """Stops all automation of a conversation, and says so in its thread."""
    if not conversation.automation_paused_at:
        conversation.pause_automation(by=Actor.system("loop"))
        conversation.record("automation_stopped", by, why="loop")
