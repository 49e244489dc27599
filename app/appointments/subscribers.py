"""What appointments follow: bookings in forms, and answers to reminders."""

from __future__ import annotations

import uuid
from contextlib import suppress

from sqlalchemy import select

from app.inbox.compose.problems import NOT_SENT
from app.inbox.conversations import Message
from app.inbox.outbound.uploads import enqueue_delivery
from app.message_templates.models import MessageTemplate
from app.tenancy import Happened, db, subscriber

from . import bookings, phrases
from .answers import Answer
from .notices import AppointmentNotice
from .rescheduling import offer_times
from .tasks import SWITCHBOARD, raise_task

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
    language = phrases.language_among(*languages_for(answer), talk.customer_language)
    wanted = appointment if answer.outcome == "reschedule" else None
    if wanted and (sent := offer_times(wanted, talk, language, client_id)):
        enqueue_delivery(sent)
        return
    title, local = (appointment.title, appointment.local) if appointment else ("", None)
    with suppress(*NOT_SENT):
        words = phrases.outcome_in_words(answer.outcome, language, title, local)
        enqueue_delivery(talk.reply(words, by=SWITCHBOARD, client_id=client_id, source="appointment"))
    if wanted:
        raise_task(wanted)


def languages_for(answer: Answer) -> list[str]:
    """The language of the reminder, unless the customer typed in another one."""
    sent = Message.find(notice.message_id) if (notice := notice_of(answer)) and notice.message_id else None
    template = MessageTemplate.find(sent.template_id) if sent and sent.template_id else None
    written = phrases.language_among(template.language) if template else ""
    if answer.languages and written not in answer.languages:
        return [answer.languages[0]]
    return [written]


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
