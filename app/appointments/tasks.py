"""What the team has to do about an appointment: its conversation is open and unread, with who has the appointment."""

from __future__ import annotations

from contextlib import suppress

from app.inbox.conversations.assignment import Taken, member_or_none
from app.tenancy import Actor, announce, now

from .models import Appointment

SWITCHBOARD = Actor.system("appointments")


def raise_task(appointment: Appointment) -> None:
    """Where no one has the conversation, whoever has the appointment gets it."""
    if (talk := appointment.conversation) is None:
        return
    talk.locked()
    if not talk.is_active and talk.state not in ("spam", "blocked"):
        talk.put("open", by=SWITCHBOARD)
    agent = member_or_none(appointment.agent_id) if appointment.agent_id else None
    if agent and talk.assignee_id is None:
        with suppress(Taken):
            talk.give(agent, by=SWITCHBOARD, expected=None)
    talk.unread_count = max(talk.unread_count, 1)
    talk.waiting_since = talk.waiting_since or now()
    announce("conversation", talk.id)
