"""What customers book in forms becomes appointments.

A form takes a place in the week's times (`FlowBooking`), which keeps others from it; what was agreed is the
appointment. Whoever moves or cancels the appointment moves or frees its place, in the same transaction.
"""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import select

from app.contacts.models import Contact
from app.hours.models import ServicePolicy
from app.inbox.conversations import Conversation, Message
from app.inbox.conversations.flow_tokens import FlowToken
from app.tenancy import current_tenant_id, db
from app.whatsapp_flows.models import WhatsappFlow
from app.whatsapp_flows.slots import FlowBooking

from . import phrases
from .models import LEAST_MINUTES, LONGEST_PLACE, LONGEST_TITLE, Appointment, Unfit


def take_up(booking_id: uuid.UUID) -> None:
    """Makes the appointment of a booking, or moves the one that it is for. Once, whatever is delivered again."""
    booking = FlowBooking.find(booking_id)
    if booking is None:
        return
    booked = db.session.scalar(select(Appointment).where(Appointment.booking_id == booking.id))
    if booked is None and (sent := sent_to_move(booking)):
        sent.refresh_locked()
        sent.free_booking()
        sent.booking_id = booking.id
        booked = sent
    if booked is None:
        book(booking)
        return
    try:
        booked.move(booking.starts_at, by=None, minutes=max(booking.minutes, LEAST_MINUTES))
    except Unfit:
        # It was cancelled in the same moment, or the time is over by now: the place is free again.
        booked.free_booking()


def sent_to_move(booking: FlowBooking) -> Appointment | None:
    """The appointment for which the form was sent, where it was sent to choose another time."""
    token = FlowToken.read(booking.token, current_tenant_id())
    if token is None:
        return None
    mine = Appointment.form_message_id == token.message_id, Appointment.contact_id == booking.contact_id
    one = db.session.scalar(select(Appointment).where(*mine))
    return one if one and one.is_open else None


def visit_in(talk: Conversation) -> dict[str, str]:
    """What for and where, if the conversation is about a place that can be visited; the customer reads it."""
    subject = talk.about
    if subject is None or subject.type not in ("listing", "property") or not subject.title:
        return {}
    title = phrases.viewing_of(subject.title, talk.customer_language)[:LONGEST_TITLE]
    return {"title": title, "place": subject.place[:LONGEST_PLACE]}


def book(booking: FlowBooking) -> None:
    flow = WhatsappFlow.find(booking.flow_id) if booking.flow_id else None
    token = FlowToken.read(booking.token, current_tenant_id())
    message = Message.find(token.message_id) if token else None
    facts: dict[str, Any] = {"phone_number_id": message.phone_number_id if message else None}
    talk = Conversation.find(message.conversation_id) if message else None
    # What a page claims in an address that anybody can write names nothing without a person.
    if talk and talk.about and not talk.about.is_claimed and not booking.about:
        facts |= visit_in(talk)
    facts["title"] = (booking.about or facts.get("title") or (flow.name if flow else ""))[:LONGEST_TITLE]
    facts |= {"time_zone": ServicePolicy.current().time_zone, "minutes": max(booking.minutes, LEAST_MINUTES)}
    contact = Contact.get_or_404(booking.contact_id)
    try:
        Appointment.book(contact, booking.starts_at, by=None, source="form", booking_id=booking.id, **facts)
    except Unfit:
        db.session.delete(booking)
