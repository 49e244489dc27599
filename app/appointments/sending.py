"""Sends what is due about appointments, with the notification that the business chose for it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.inbox.conversations import Message, NumberUnavailable, Refusal
from app.inbox.conversations.refusals import NotFunded
from app.message_templates.uses import Use
from app.meta.outgoing import Refused
from app.notifications.attempts import BROKEN
from app.notifications.many import Wanted, send_many
from app.notifications.models import Notification
from app.notifications.purposes import Purpose
from app.notifications.refusals import Unavailable
from app.notifications.uses import uses_notifications
from app.notifications.values import locale_of
from app.tenancy import Tenant, among, current_tenant_id, database_now, db, later
from app.words import N_

from . import phrases
from .answers import payloads_of
from .calendar import link_end_to, link_to
from .models import Appointment
from .notices import AppointmentNotice
from .settings import REMINDERS, AppointmentSettings
from .tasks import SWITCHBOARD, raise_task

# What may pass is tried again after so long, until it is too late.
RETRY = dt.timedelta(minutes=5)
NO_NUMBER = N_("No number is chosen to write about this appointment.")
DELETED = N_("The notification “{name}” was deleted. Choose another one in the settings of appointments.")
# What a notification about an appointment can name, each with its meaning.
VARIABLES = {
    "title": N_("what it is for"),
    "date": N_("the day"),
    "time": N_("the time of day, in its own zone"),
    "when": N_("day and time"),
    "place": N_("the place"),
    "agent": N_("the team member"),
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
    notices += AppointmentNotice.ahead_of(notices)
    chosen = AppointmentSettings.current()
    wanted = {notice.appointment_id for notice in notices}
    query = select(Appointment).where(among(Appointment.id, wanted)).options(joinedload(Appointment.contact))
    appointments = {one.id: one for one in db.session.scalars(query)} if wanted else {}
    # The order in which conversations are locked, so that two workers cannot wait for each other; reminders come last.
    notices.sort(
        key=lambda one: (
            appointments[one.appointment_id].contact_id,
            one.purpose == "reminder",
            one.due_at,
            one.id,
        )
    )
    due: list[Due] = []
    for notice in notices:
        appointment = appointments[notice.appointment_id]
        if notice.version != appointment.version:
            notice.state = "cancelled"
        elif notice.expires_at <= at:
            notice.state = "expired"
        elif notice.purpose == "reminder" and appointment.state == "reschedule_requested":
            notice.refuse_reminder()
        elif notice.purpose == "unanswered":
            settle_unanswered(notice, appointment)
        elif name := chosen.notification_for(notice.purpose, notice.minutes_before):
            due.append((notice, appointment, name))
        else:
            notice.state = "skipped"
    queue_all(due, at)
    return len(notices)


def settle_unanswered(notice: AppointmentNotice, appointment: Appointment) -> None:
    """A task, where a reminder went out and the customer has not answered it."""
    mine = AppointmentNotice.appointment_id == appointment.id, AppointmentNotice.version == appointment.version
    requests = select(AppointmentNotice.id).where(*mine, AppointmentNotice.message_id.is_not(None))
    is_open = appointment.state == "booked" and db.session.scalar(requests.limit(1)) is not None
    notice.state = "raised" if is_open else "skipped"
    if is_open:
        raise_task(appointment)
        appointment.record("unanswered", SWITCHBOARD)


Due = tuple[AppointmentNotice, Appointment, str]


def queue_all(due: Sequence[Due], at: dt.datetime) -> None:
    """The one place where messages about appointments are put into the outbox, with few statements for all."""
    business = db.session.get_one(Tenant, current_tenant_id()).name
    named: dict[str, Notification | None] = {name: Notification.named(name) for name in {name for *_, name in due}}
    wanted: dict[uuid.UUID, Wanted] = {}
    for notice, appointment, name in due:
        notification = named[name]
        if notification is None:
            refuse(notice, Refused(DELETED, name=name), at)
        elif appointment.phone_number_id is None:
            refuse(notice, Refused(NO_NUMBER), at)
        else:
            wanted[notice.id] = message_of(notice, appointment, notification, business)
    outcomes = send_many(list(wanted.values()), by=SWITCHBOARD)
    queued: list[tuple[AppointmentNotice, Message]] = []
    for notice, *_ in due:
        if notice.id not in wanted:
            continue
        match outcomes[wanted[notice.id].client_id]:
            case Message() as message:
                queued.append((notice, message))
            case Refusal() | Refused() as problem:
                refuse(notice, problem, at)
            case _:
                notice.state, notice.error = "refused", {"words": BROKEN, "facts": {}}
    AppointmentNotice.note_queued(queued)


def message_of(
    notice: AppointmentNotice, appointment: Appointment, notification: Notification, business: str
) -> Wanted:
    return Wanted(
        notification,
        appointment.contact,
        uuid.uuid5(notice.id, "notice"),
        lambda variant, _talk: values_of(appointment, notification, variant.language, business),
        payloads=lambda variant: payloads_of(appointment) if variant.definition.quick_replies else [],
        phone_number_id=appointment.phone_number_id,
        language=lambda talk: talk.customer_language,
        # However long the number is paused: not when it has begun, or the next reminder is due.
        expires_at=notice.expires_at,
    )


def refuse(notice: AppointmentNotice, problem: Refusal | Refused, at: dt.datetime) -> None:
    """Records why not. What may pass is tried again, until it is too late."""
    notice.error = facts_of(problem)
    if not isinstance(problem, NumberUnavailable | NotFunded | Unavailable):
        notice.state = "refused"
    elif at + RETRY < notice.expires_at:
        notice.due_at = at + RETRY
    else:
        notice.state = "expired"


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
    at = local.date(), local.time()
    day, clock = phrases.day_in(at[0], locale), phrases.clock_in(at[1], locale)
    values = {
        "title": appointment.title,
        "date": f"{local:%Y-%m-%d}" if types.get("date") == "date" else day,
        "time": f"{local:%H:%M}" if types.get("time") == "time" else clock,
        "when": phrases.day_and_clock_in(*at, locale),
        "place": appointment.place,
        "agent": appointment.agent.name if appointment.agent else "",
        "duration": str(appointment.minutes),
        "name": contact.name if contact.has_name else "",
        "first_name": contact.first_name or "",
        "business": business,
        "link": link_to(appointment) if "link" in types else "",
        "link_end": link_end_to(appointment) if "link_end" in types else "",
    }
    return {name: value for name, value in values.items() if name in types and value}


def unfilled(notification: Notification) -> list[str]:
    """The variables of a notification that an appointment has no value for, and that need one."""
    return [one.name for one in notification.variables if one.name not in VARIABLES and one.is_required]


def is_silent(appointment: Appointment, purpose: str) -> bool:
    """Whether the customer gets no message of this purpose: nothing is chosen that can be sent, or no number writes."""
    name, number = AppointmentSettings.current().notification_for(purpose, 0), appointment.phone_number
    notification = Notification.named(name) if name and number else None
    if notification is None or number is None:
        return True
    talk = appointment.conversation
    try:
        notification.variant_for(number.waba_id, talk.customer_language if talk else "")
    except Unavailable:
        return True
    return False


@uses_notifications
def appointments_with(notification_id: uuid.UUID) -> Iterator[Use]:
    notification = Notification.find(notification_id)
    if notification and notification.name in {name for _purpose, name in AppointmentSettings.current().names}:
        yield Use(N_("Appointments"), endpoint="appointments.settings")


def find_for(purpose: str) -> Notification | None:
    """What is sent for it; of reminders, nothing unless each has something."""
    settings = AppointmentSettings.current()
    names = [one.notification for one in settings.plan] if purpose == "reminder" else [getattr(settings, purpose)]
    return Notification.named(names[0]) if names and all(names) else None


def choose_for(purpose: str, notification: Notification) -> None:
    """Of reminders, for those that nothing was chosen for; without any, for the usual ones."""
    settings = AppointmentSettings.current()
    chosen = {name: getattr(settings, name) for name in ("booked", "moved", "cancelled")}
    reminders = settings.reminders or [{"minutes": minutes, "notification": ""} for minutes in REMINDERS]
    if purpose == "reminder":
        reminders = [one | {"notification": one["notification"] or notification.name} for one in reminders]
    else:
        chosen[purpose], reminders = notification.name, settings.reminders
    others = {"unanswered_minutes": settings.unanswered_minutes, "minutes": settings.minutes}
    AppointmentSettings.change(reminders=reminders, **chosen, **others)
    later("appointments.plan_again")


for name, words, starter in (
    ("booked", N_("When an appointment is booked"), "appointment_booked"),
    ("moved", N_("When an appointment is moved"), "appointment_new_time"),
    ("cancelled", N_("When an appointment is cancelled"), "appointment_cancelled"),
    ("reminder", N_("Reminders of an appointment"), "appointment_soon"),
):
    Purpose(
        key=f"appointments.{name}",
        words=words,
        starter=starter,
        endpoint="appointments.settings",
        permission="appointments.manage",
        fills=tuple(VARIABLES),
        find=partial(find_for, name),
        choose=partial(choose_for, name),
        may_be_empty=("place",),
    ).register()
