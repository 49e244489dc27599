"""Another time for an appointment: the customer chooses one in a form with free times, or the team is asked."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app.inbox.compose.problems import NOT_SENT
from app.inbox.conversations import Conversation, Message
from app.meta.flow_json import asks_time
from app.tenancy import db, now
from app.wabas.models import PhoneNumber
from app.whatsapp_flows.models import FlowVersion, WhatsappFlow
from app.whatsapp_flows.slots import offered

from .models import Appointment
from .phrases import CHOOSE, OUTCOMES, UNTITLED
from .tasks import SWITCHBOARD

# So many forms of an account are looked through for one with times.
MOST_FORMS = 50


def form_with_times(waba_id: uuid.UUID) -> FlowVersion | None:
    """The newest published form of an account that offers times, while there are free ones."""
    query = WhatsappFlow.listed().where(WhatsappFlow.waba_id == waba_id).limit(MOST_FORMS)
    for form in db.session.scalars(query.options(selectinload(WhatsappFlow.versions))):
        version = form.sendable
        if version and asks_time(version.screens):
            return version if offered(now()) else None
    return None


def offer_times(appointment: Appointment, talk: Conversation, language: str, client_id: uuid.UUID) -> Message | None:
    """Sends the form. None where there is none, or it could not be sent."""
    waba_id = db.session.scalar(select(PhoneNumber.waba_id).where(PhoneNumber.id == talk.phone_number_id))
    version = form_with_times(waba_id) if waba_id else None
    if version is None:
        return None
    words = OUTCOMES["choose"][language].format(title=appointment.title or UNTITLED[language])
    try:
        message = talk.send(
            version.message(words, CHOOSE[language]), by=SWITCHBOARD, client_id=client_id, source="appointment"
        )
    except NOT_SENT:
        return None
    appointment.form_message_id = message.id
    return message
