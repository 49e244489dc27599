"""The demo's appointments: some that are over, some that are to come, and a reminder with buttons."""

from __future__ import annotations

import datetime as dt
from typing import Any

from app.appointments.models import Appointment, AppointmentChange
from app.appointments.settings import AppointmentSettings
from app.inbox.conversations import Conversation
from app.notifications.models import Notification
from app.notifications.values import Variable
from app.tenancy import Actor, User, db, now, uuid7

REMINDER = "appointment_reminder"
TEXTS = {"title": "Cake tasting", "date": "2026-12-05", "time": "10:00"}
# In each language: what it says, and the words of its buttons.
WORDS = {
    "en_US": (
        "We look forward to seeing you: {{title}}, {{date}} at {{time}}. Thank you.",
        ("Confirm", "Reschedule", "Cancel"),
    ),
    "fr": (
        "Nous nous réjouissons de vous voir : {{title}}, {{date}} à {{time}}. Merci.",
        ("Confirmer", "Autre horaire", "Annuler"),
    ),
    "ar": (
        "نتطلع إلى لقائك: {{title}}، {{date}} الساعة {{time}}. شكراً لك.",
        ("تأكيد", "موعد آخر", "إلغاء"),
    ),
}


def templates() -> list[dict[str, Any]]:
    """The reminder as Meta has it, approved in each language."""
    return [template_in(language, *words) for language, words in WORDS.items()]


def template_in(language: str, body: str, labels: tuple[str, ...]) -> dict[str, Any]:
    examples = [{"param_name": name, "example": words} for name, words in TEXTS.items()]
    buttons = [{"type": "QUICK_REPLY", "text": words} for words in labels]
    parts = [
        {"type": "BODY", "text": body, "example": {"body_text_named_params": examples}},
        {"type": "BUTTONS", "buttons": buttons},
    ]
    same = {"name": REMINDER, "category": "UTILITY", "status": "APPROVED", "parameter_format": "NAMED"}
    return same | {"language": language, "components": parts}


# Days from today, hour, what for, and the state of those that are over.
PAST = ((-8, 10, "Cake tasting", "done"), (-6, 15, "Wedding cake: first talk", "no_show"), (-2, 11, "Tasting", "done"))
TO_COME = (
    (1, 10, "Cake tasting", ""),
    (1, 14, "Wedding cake: first talk", ""),
    (3, 9, "Café order: contract", ""),
    (5, 16, "Visit", ""),
)
ZONE, PLACE = "Africa/Dakar", "Market Street 12"


def fill(talks: list[Conversation], ann: User, ben: User) -> None:
    """With an owner's and an agent's appointments with these customers, in turn."""
    choose(by=Actor.agent(ann))
    today = now().replace(hour=0, minute=0, second=0, microsecond=0)
    for place, (days, hour, title, state) in enumerate((*PAST, *TO_COME)):
        talk, agent = talks[place % len(talks)], (ann, ben)[place % 2]
        at = today + dt.timedelta(days=days, hours=hour)
        facts = {"title": title, "time_zone": ZONE, "minutes": 60, "place": PLACE, "agent_id": agent.id}
        facts |= {"phone_number_id": talk.phone_number_id, "source": "agent"}
        if state:
            add_past(talk, at, state, Actor.agent(agent), facts)
        else:
            one = Appointment.book(talk.contact, at, by=Actor.agent(agent), **facts)
            if place % 3 == 0:
                one.confirm(by=None)


def add_past(talk: Conversation, at: dt.datetime, state: str, by: Actor, facts: dict[str, Any]) -> None:
    one = Appointment(id=uuid7(), contact_id=talk.contact_id, starts_at=at, state=state, version=2, **facts)
    db.session.add(one)
    db.session.flush()
    for kind, moment in (("booked", at - dt.timedelta(days=3)), (state, at + dt.timedelta(hours=1))):
        db.session.add(AppointmentChange(appointment_id=one.id, kind=kind, facts={}, at=moment, **by.columns("by")))
        db.session.flush()


def choose(*, by: Actor) -> None:
    """The reminder is a notification, sent a day and two hours before."""
    made = Notification(name=REMINDER, title="Appointment reminder", template=REMINDER, language="en_US")
    types = {"date": "date", "time": "time"}
    rows = [Variable(name, types.get(name, "text"), True, words, "", name) for name, words in TEXTS.items()]
    made.mapping, made.api_key_ids = [row.row for row in rows], []
    made.save(by=by)
    reminders = [{"minutes": minutes, "notification": REMINDER} for minutes in (24 * 60, 2 * 60)]
    chosen = {"booked": "", "moved": REMINDER, "cancelled": "", "unanswered_minutes": 240, "minutes": 60}
    AppointmentSettings.change(reminders=reminders, **chosen)
