"""The card beside a conversation."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from flask import redirect, render_template, url_for
from sqlalchemy import case, select
from werkzeug.wrappers import Response as AnyResponse

from app.appointments.blueprint import bp
from app.appointments.models import OPEN, Appointment
from app.inbox.conversations import Conversation
from app.inbox.desk.cards import details_card
from app.tenancy import db, now, requires
from app.tenancy.guard import is_fragment

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


@bp.get("/beside/<uuid:conversation_id>")
@requires("appointments.view")
def beside(conversation_id: uuid.UUID) -> str | AnyResponse:
    """The card alone, after an appointment of the customer has changed."""
    conversation = Conversation.get_or_404(conversation_id)
    if not is_fragment() or conversation.is_group:
        return redirect(url_for("inbox.details", conversation_id=conversation.id), 303)
    return render_template("appointments/_card.html", card=appointments_of(conversation))
