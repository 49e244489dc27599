"""What appointments follow: bookings in forms, and answers to reminders."""

from __future__ import annotations

import datetime as dt
import uuid
from contextlib import suppress

from sqlalchemy import select

from app.assistant.lookups import MOST_LINES, assistant_lookup
from app.inbox.compose.problems import NOT_SENT
from app.inbox.conversations import Conversation, Message
from app.languages import main_language
from app.message_templates.models import MessageTemplate
from app.tenancy import Happened, db, now, subscriber
from app.whatsapp_flows.responses import FlowResponse
from app.whatsapp_flows.slots import FlowBooking
from app.words import N_

from . import bookings, phrases
from .answers import Answer
from .models import OPEN, Appointment
from .notices import AppointmentNotice
from .rescheduling import offer_times
from .settings import AppointmentSettings
from .tasks import SWITCHBOARD, raise_task

WORDS = """appointment appointments booking booked viewing visit cita citas reserva visita consulta marcacao
 agendamento horario rendez-vous reservation visite termin termine besichtigung موعد موعدي حجز"""
# What is heard later, as by a release that is new, is confirmed no more.
FRESH = dt.timedelta(hours=1)
OFTEN = ("button", "interactive", "text")


@subscriber("appointments", "message.received")
def read_answers(received: list[Happened]) -> None:
    """First all changes, then all replies: appointments are locked before conversations."""
    ids = [one.subject_id for one in received if one.facts.type in OFTEN]
    if not ids:
        return
    messages = db.session.scalars(select(Message).where(Message.id.in_(ids)).order_by(Message.id)).unique()
    answers = [answer for message in messages if (answer := Answer.in_message(message))]
    for answer in answers:
        answer.apply()
    for answer in answers:
        if answer.outcome:
            reply(answer)


def reply(answer: Answer) -> None:
    """Replies with the present time and state, in the customer's language. Once for each message."""
    talk, appointment = answer.conversation, answer.appointment
    client_id = uuid.uuid5(answer.message.id, "appointment")
    if talk.message_with(client_id):
        return
    language = language_for(answer, talk)
    wanted = appointment if answer.outcome == "reschedule" else None
    if wanted and offer_times(wanted, talk, language, client_id):
        return
    title, local = (appointment.title, appointment.local) if appointment else ("", None)
    with suppress(*NOT_SENT):
        words = phrases.outcome_in_words(answer.outcome, language, title, local)
        talk.reply(words, by=SWITCHBOARD, client_id=client_id, source="appointment")
    if wanted:
        raise_task(wanted)


def language_for(answer: Answer, talk: Conversation) -> str:
    """What the customer typed the answer in; else what they write in, what the reminder was in, or their country's."""
    sent = Message.find(notice.message_id) if (notice := notice_of(answer)) and notice.message_id else None
    template = MessageTemplate.find(sent.template_id) if sent and sent.template_id else None
    likely = [talk.language or "", template.language if template else "", talk.customer_language]
    if answer.languages:
        likely = [code for code in likely if main_language(code) in answer.languages] or [answer.languages[0]]
    return phrases.language_among(*likely)


def notice_of(answer: Answer) -> AppointmentNotice | None:
    """The last that was sent about the version that is answered."""
    mine = AppointmentNotice.appointment_id == answer.token.appointment_id
    query = select(AppointmentNotice).where(mine, AppointmentNotice.version == answer.token.version)
    sent = query.where(AppointmentNotice.message_id.is_not(None)).order_by(AppointmentNotice.due_at.desc())
    return db.session.scalar(sent.limit(1))


@subscriber("appointments' bookings", "booking.made", "booking.moved")
def take_up_bookings(made: list[Happened]) -> None:
    for booking_id in dict.fromkeys(one.subject_id for one in made):
        bookings.take_up(booking_id)


@subscriber("appointments' thanks", "flow.completed")
def confirm_bookings(completed: list[Happened]) -> None:
    """Says what was booked to whoever sent the form, where no notification does."""
    for one in (each for each in completed if each.at > now() - FRESH):
        response = FlowResponse.find(one.subject_id)
        booking = FlowBooking.with_token(response.token) if response and response.token else None
        if response and booking:
            bookings.take_up(booking.id)
            confirm_booking(response, booking.id)


def confirm_booking(response: FlowResponse, booking_id: uuid.UUID) -> None:
    appointment = db.session.scalar(select(Appointment).where(Appointment.booking_id == booking_id))
    purpose = "moved" if appointment and appointment.version > 1 else "booked"
    if appointment is None or not appointment.is_open or AppointmentSettings.current().notification_for(purpose, 0):
        return
    talk = Conversation.get_or_404(response.conversation_id)
    client_id = uuid.uuid5(response.message_id, "appointment")
    if talk.message_with(client_id):
        return
    language = phrases.language_among(talk.customer_language)
    words = phrases.outcome_in_words("booked", language, appointment.title, appointment.local)
    with suppress(*NOT_SENT):
        talk.reply(words, by=SWITCHBOARD, client_id=client_id, source="appointment")


@assistant_lookup(
    "appointments", N_("Their appointments"), "The customer's appointments that are still to come.", WORDS
)
def appointments_of(contact_id: uuid.UUID) -> list[str]:
    """By the clock of the place."""
    mine = Appointment.contact_id == contact_id, Appointment.state.in_(OPEN), Appointment.starts_at > now()
    coming = db.session.scalars(Appointment.in_order().where(*mine).limit(MOST_LINES))
    return ["; ".join(filter(None, facts_of(one))) for one in coming]


def facts_of(one: Appointment) -> list[str]:
    where = f"place: {one.place}" if one.place else ""
    with_whom = f"with: {one.agent.name}" if one.agent else ""
    return [f"{one.title}: {one.local:%A %Y-%m-%d, %H:%M}", where, with_whom, f"state: {one.state.replace('_', ' ')}"]
