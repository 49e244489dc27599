"""Bakery's appointments with Carla, for tests: what is due is sent and what she answers is read, as workers would."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import update

from app.appointments.answers import payloads_of
from app.appointments.jobs import send_due_notices
from app.appointments.models import Appointment
from app.appointments.notices import AppointmentNotice
from app.appointments.settings import AppointmentSettings
from app.contacts import search
from app.contacts.models import Contact
from app.inbox.conversations import Conversation, Message
from app.notifications.models import Notification
from app.notifications.values import Variable
from app.tenancy import Actor, db, now, tenant_scope
from tests.arrivals import arrive
from tests.happenings import deliver_to_subscriber
from tests.message_templates.templates import approved
from tests.posts import message
from tests.world import World, conversation

SYSTEM = Actor.system("tests")
BODY = {
    "type": "BODY",
    "text": "{{title}}: see you on {{date}} at {{time}}. Thank you.",
    "example": {
        "body_text_named_params": [{"param_name": name, "example": "Viewing"} for name in ("title", "date", "time")]
    },
}
BUTTONS = {
    "type": "BUTTONS",
    "buttons": [{"type": "QUICK_REPLY", "text": t} for t in ("Confirm", "Reschedule", "Cancel")],
}
TYPES = {"title": "text", "date": "date", "time": "time"}


class Diary:
    def __init__(self, world: World) -> None:
        self.world, self.id = world, world.bakery.id
        self.number, _ = world.connect_numbers()
        self.talk = conversation(self.number)
        self.ann = Actor.agent(world.ann)
        with tenant_scope(self.id):
            search.index([self.talk.contact_id])

    def choose(self, language: str = "en_US", **more: Any) -> None:
        """A notification with buttons is sent for everything, at the usual times."""
        approved(self.number, "reminder", language, components=[BODY, BUTTONS])
        with tenant_scope(self.id):
            made = Notification(name="reminder", title="Reminder", template="reminder", language=language)
            made.mapping = [Variable(name, kind, True, "", "", name).row for name, kind in TYPES.items()]
            made.api_key_ids = []
            made.save(by=SYSTEM)
            reminders = [{"minutes": minutes, "notification": "reminder"} for minutes in (1440, 120)]
            chosen = {"booked": "", "moved": "", "cancelled": "", "minutes": 60, "unanswered_minutes": 240}
            AppointmentSettings.change(**{**chosen, "reminders": reminders, **more})

    def book(self, hours: float = 72, **more: Any) -> Appointment:
        given = {"title": "Viewing: Villa Azur", "time_zone": "Africa/Dakar", "minutes": 60, "source": "agent"}
        given |= {"phone_number_id": self.number.id, "agent_id": self.world.ben.id}
        with tenant_scope(self.id):
            contact = Contact.get_or_404(more.pop("contact_id", self.talk.contact_id))
            at = more.pop("at", None) or now().replace(microsecond=0) + dt.timedelta(hours=hours)
            by = more.pop("by", self.ann)
            return Appointment.book(contact, at, by=by, **(given | more))

    def do(self, one: Appointment, verb: str, *given: Any, **more: Any) -> Any:
        with tenant_scope(self.id):
            return getattr(Appointment.get_or_404(one.id), verb)(*given, **({"by": self.ann} | more))

    def move(self, one: Appointment, hours: float = 96) -> None:
        self.do(one, "move", now().replace(microsecond=0) + dt.timedelta(hours=hours))

    def again(self, one: Appointment) -> Appointment:
        with tenant_scope(self.id):
            return Appointment.get_or_404(one.id)

    def make_due(self, purpose: str = "reminder", minutes: int | None = None) -> None:
        """Their time has come."""
        with tenant_scope(self.id):
            mine = [AppointmentNotice.state == "planned", AppointmentNotice.purpose == purpose]
            if minutes:
                mine.append(AppointmentNotice.minutes_before == minutes)
            due = update(AppointmentNotice).where(*mine).values(due_at=now() - dt.timedelta(seconds=1))
            db.session.execute(due, execution_options={"synchronize_session": False})

    def send(self, purpose: str = "reminder", minutes: int | None = 1440) -> None:
        self.make_due(purpose, minutes)
        send_due_notices(self.id)

    def remind(self, one: Appointment) -> Message:
        """The first reminder, sent to the customer."""
        self.send()
        with tenant_scope(self.id):
            sent = Message.get_or_404(self.notices(one, state="queued")[-1].message_id)
            sent.wamid, sent.state = f"wamid.{sent.id}", "delivered"
            return sent

    def deliver(self) -> None:
        """What is queued arrives."""
        with tenant_scope(self.id):
            db.session.execute(update(Message).where(Message.state == "queued").values(state="delivered"))

    def notices(self, one: Appointment, **fields: Any) -> list[AppointmentNotice]:
        with tenant_scope(self.id):
            query = db.select(AppointmentNotice).filter_by(appointment_id=one.id, **fields)
            return list(db.session.scalars(query.order_by(AppointmentNotice.due_at, AppointmentNotice.id)))

    def tap(self, one: Appointment, answer: int = 0, **more: Any) -> None:
        """Carla taps Confirm (0), Reschedule (1) or Cancel (2) of what was sent about this version."""
        with tenant_scope(self.id):
            payload = payloads_of(one)[answer]
        self.write(type="button", button={"payload": payload, "text": "A button"}, **more)

    def write(self, words: str = "", **more: Any) -> None:
        arrive(message(words, **more))
        self.hear()

    def hear(self) -> None:
        deliver_to_subscriber("appointments", self.id)
        deliver_to_subscriber("appointments' bookings", self.id)

    @property
    def sent_texts(self) -> list[str]:
        """What was answered, oldest first."""
        with tenant_scope(self.id):
            query = db.select(Message).where(Message.source == "appointment").order_by(Message.id)
            return [one.words for one in db.session.scalars(query)]

    @property
    def conversation(self) -> Conversation:
        with tenant_scope(self.id):
            return Conversation.get_or_404(self.talk.id)


def another(diary: Diary, wa_id: str = "16505559999") -> Conversation:
    return conversation(diary.number, wa_id, "Dora")
