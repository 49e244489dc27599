"""Sends what is due about appointments, with the notification that the business chose for it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import structlog
from babel.dates import format_date, format_time
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from app.contacts.models import Contact
from app.inbox.compose.canned_replies import language_of
from app.inbox.conversations import NumberAway, Refusal
from app.inbox.conversations.refusals import NotFunded
from app.message_templates.uses import Use
from app.meta.outgoing import Refused
from app.notifications.models import Notification
from app.notifications.refusals import Unavailable
from app.notifications.uses import uses_notifications
from app.notifications.values import locale_of
from app.tenancy import Tenant, current_tenant_id, database_now, db
from app.words import N_

from .answers import payloads_of
from .calendar import link_end_to, link_to
from .models import Appointment
from .notices import AppointmentNotice
from .settings import AppointmentSettings
from .tasks import SWITCHBOARD, raise_task

log = structlog.get_logger()

# What may pass is tried again after so long, until it is too late.
RETRY = dt.timedelta(minutes=5)
NO_NUMBER = N_("No number is chosen to write about this appointment.")
DELETED = N_("The notification “{name}” was deleted. Choose another one in the settings of appointments.")
BROKEN = N_("An error in Switchboard kept this from being sent. It was reported.")
# What a notification about an appointment can name, each with its meaning.
VARIABLES = {
    "title": N_("what it is for"),
    "date": N_("the day"),
    "time": N_("the time of day, in its own zone"),
    "when": N_("day and time"),
    "place": N_("the place"),
    "agent": N_("who of you"),
    "duration": N_("its length in minutes"),
    "name": N_("the customer's name"),
    "first_name": N_("the customer's first name"),
    "business": N_("the name of your business"),
    "link": N_("the address of its calendar file"),
    "link_end": N_("the end of that address, for a button"),
}


def send_due(most: int) -> int:
    """Claims what is due and queues it, in this transaction. Returns how many rows it has settled."""
    at = database_now()
    notices = AppointmentNotice.due(at, most)
    chosen = AppointmentSettings.current()
    wanted = {notice.appointment_id for notice in notices}
    around = (joinedload(Appointment.contact).selectinload(Contact.identities), selectinload(Appointment.phone_number))
    found = db.session.scalars(select(Appointment).where(Appointment.id.in_(wanted)).options(*around))
    appointments = {one.id: one for one in found.unique()} if wanted else {}
    # The order in which conversations are locked, so that two workers cannot wait for each other.
    notices.sort(key=lambda one: (appointments[one.appointment_id].contact_id, one.due_at, one.id))
    sending = []
    for notice in notices:
        appointment = appointments[notice.appointment_id]
        if notice.version != appointment.version:
            notice.state = "cancelled"
        elif notice.expires_at <= at:
            notice.state = "expired"
        elif notice.purpose == "unanswered":
            settle_unanswered(notice, appointment)
        elif name := chosen.notification_for(notice.purpose, notice.minutes_before):
            sending.append((notice, appointment, name))
        else:
            notice.state = "skipped"
    queue_all(sending, at)
    return len(notices)


def settle_unanswered(notice: AppointmentNotice, appointment: Appointment) -> None:
    """A task, where a reminder went out and the customer has not answered it."""
    mine = AppointmentNotice.appointment_id == appointment.id, AppointmentNotice.version == appointment.version
    asked = select(AppointmentNotice.id).where(*mine, AppointmentNotice.message_id.is_not(None))
    is_open = appointment.state == "booked" and db.session.scalar(asked.limit(1)) is not None
    notice.state = "raised" if is_open else "skipped"
    if is_open:
        raise_task(appointment)
        appointment.record("unanswered", SWITCHBOARD)


Sending = tuple[AppointmentNotice, Appointment, str]


def queue_all(sending: Sequence[Sending], at: dt.datetime) -> None:
    """The one place where messages about appointments are put into the outbox."""
    notifications: dict[str, Notification | None] = {}
    business = db.session.get_one(Tenant, current_tenant_id()).name if sending else ""
    for notice, appointment, name in sending:
        if name not in notifications:
            notifications[name] = Notification.named(name)
        try:
            with db.session.begin_nested():
                queue(notice, appointment, notifications[name], name, business, at)
        except Exception:
            # One that cannot be sent holds up none of the others.
            log.exception("notice of an appointment not sent", notice_id=str(notice.id))
            notice.state, notice.error = "refused", {"words": BROKEN, "facts": {}}


def queue(
    notice: AppointmentNotice,
    appointment: Appointment,
    notification: Notification | None,
    name: str,
    business: str,
    at: dt.datetime,
) -> None:
    """Puts one message into the outbox, or records why not. What may pass is tried again."""
    try:
        if notification is None:
            raise Refused(DELETED, name=name)
        if appointment.phone_number_id is None:
            raise Refused(NO_NUMBER)
        talk = notification.conversation_with(appointment.contact, appointment.phone_number_id, by=SWITCHBOARD)
        language = notification.language_of(appointment.contact_id) or language_of(talk)
        variant = notification.variant_for(talk.phone_number.waba_id, language)
        given = values_of(appointment, notification, variant.language, business)
        message = notification.send(
            talk,
            given,
            by=SWITCHBOARD,
            client_id=uuid.uuid5(notice.id, "notice"),
            payloads=payloads_of(appointment) if variant.definition.quick_replies else None,
            language=variant.language,
        )
    except (NumberAway, NotFunded, Unavailable) as passing:
        notice.error = facts_of(passing)
        if at + RETRY < notice.expires_at:
            notice.due_at = at + RETRY
        else:
            notice.state = "expired"
    except (Refusal, Refused) as final:
        notice.state, notice.error = "refused", facts_of(final)
    else:
        notice.state, notice.message_id, notice.error = "queued", message.id, None
        # However long the number is paused: not when the appointment has begun, or the next reminder is due.
        message.expires_at = min(filter(None, (message.expires_at, notice.expires_at)))


def facts_of(problem: Refusal | Refused) -> dict[str, Any]:
    """Why it was not sent, as it is stored; `words` of a page are made of it."""
    facts = {name: value for name, value in problem.facts.items() if isinstance(value, str | int)}
    if isinstance(problem, Refusal):
        return {"kind": problem.kind, "facts": facts}
    return {"words": problem.words, "facts": facts}


def values_of(appointment: Appointment, notification: Notification, language: str, business: str) -> dict[str, str]:
    """Those of VARIABLES that the notification has, each as its type wants it."""
    types = {variable.name: variable.type for variable in notification.variables}
    contact, local, locale = appointment.contact, appointment.local, locale_of(language)
    day, clock = format_date(local, "full", locale=locale), format_time(local, "short", locale=locale)
    values = {
        "title": appointment.title,
        "date": f"{local:%Y-%m-%d}" if types.get("date") == "date" else day,
        "time": f"{local:%H:%M}" if types.get("time") == "time" else clock,
        "when": f"{day}, {clock}",
        "place": appointment.place,
        "agent": appointment.agent.name if appointment.agent else "",
        "duration": str(appointment.minutes),
        "name": contact.name if contact.has_name else "",
        "first_name": contact.first_name or "",
        "business": business,
        "link": link_to(appointment),
        "link_end": link_end_to(appointment),
    }
    return {name: value for name, value in values.items() if name in types and value}


def unfilled(notification: Notification) -> list[str]:
    """The variables of a notification that an appointment has no value for, and that need one."""
    return [one.name for one in notification.variables if one.name not in VARIABLES and one.is_required]


@uses_notifications
def appointments_with(notification_id: uuid.UUID) -> Iterator[Use]:
    notification = Notification.find(notification_id)
    if notification and notification.name in {name for _purpose, name in AppointmentSettings.current().names}:
        yield Use(N_("Appointments"), endpoint="appointments.settings")
