"""The card beside a conversation."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import case, select

from app.appointments.models import OPEN, Appointment
from app.inbox.conversations import Conversation
from app.inbox.desk.cards import details_card
from app.tenancy import db, now

SHOWN = 3


@dataclass(frozen=True, slots=True)
class Card:
    """The next ones, then the last ones; a customer without any has the way to book one."""

    conversation: Conversation
    appointments: list[Appointment]


@details_card("appointments/_card.html", order=10, permission="appointments.view")
def appointments_of(conversation: Conversation) -> Card | None:
    if conversation.is_group:
        return None
    is_next = Appointment.state.in_(OPEN) & (Appointment.starts_at > now())
    query = select(Appointment).where(Appointment.contact_id == conversation.contact_id)
    coming = case((is_next, Appointment.starts_at), else_=None)
    ordered = query.order_by(coming.asc().nulls_last(), Appointment.starts_at.desc()).limit(SHOWN)
    return Card(conversation, list(db.session.scalars(ordered)))
