"""Automations listen to what happens."""

from __future__ import annotations

from sqlalchemy import delete, select

from app.inbox.conversations import Conversation
from app.tenancy import Happened, db, subscriber

from . import (
    appointments_parts,
    asking,
    calling,
    closed_hours,
    entry_points_parts,
    listings_parts,
    names,
    neighbours,
    notifications_parts,
    payments_parts,
    record_parts,
    steps,
    triggers,
)
from .engine import respond, stop_runs
from .models import AutomationRun, AutomationTrace
from .parts import Trigger

# Their kinds, and what they answer, are registered where they are defined.
KINDS = (
    appointments_parts,
    asking,
    calling,
    closed_hours,
    entry_points_parts,
    listings_parts,
    notifications_parts,
    names,
    neighbours,
    payments_parts,
    record_parts,
    steps,
    triggers,
)
HAPPENINGS = sorted({kind for trigger in Trigger.registry.values() for kind in trigger.happenings})


@subscriber("automations", *HAPPENINGS)
def begin_automations(happenings: list[Happened]) -> None:
    respond(happenings)


@subscriber("automations_stop", "conversation.taken", "conversation.automation_paused", "conversation.resolved")
def stop_automations(happenings: list[Happened]) -> None:
    """A person took over, automation was stopped, or the conversation is done: what runs there ends."""
    for one in happenings:
        reason = {"taken": "with_person", "automation_paused": "paused"}.get(one.kind.partition(".")[2], "resolved")
        if not (one.actor and one.actor.kind == "automation"):
            stop_runs(one.subject_id, reason, one.at)


@subscriber("automations_erasure", "contact.erased")
def forget_contacts(erased: list[Happened]) -> None:
    """What automations learnt of a customer goes with the customer."""
    contacts = [one.subject_id for one in erased]
    conversations = list(db.session.scalars(select(Conversation.id).where(Conversation.contact_id.in_(contacts))))
    for model in (AutomationRun, AutomationTrace):
        db.session.execute(delete(model).where(model.conversation_id.in_(conversations)))
