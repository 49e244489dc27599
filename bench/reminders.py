"""Reminders of 10,000 appointments that are due in the same minute: how long until all are in the outbox."""

from __future__ import annotations

import datetime as dt
import os
import time
import uuid

from sqlalchemy import text

from app import create_app
from app.appointments.jobs import BATCH
from app.appointments.sending import send_due
from app.appointments.settings import AppointmentSettings
from app.config import Settings
from app.garbage import collect_rarely
from app.message_templates.models import MessageTemplate
from app.notifications.models import Notification
from app.notifications.values import Variable
from app.tenancy import Actor, commit, db, now, tenant_scope
from bench.report import table
from bench.town import Town
from dev.stack import Stack

COUNT = int(os.environ.get("REMINDERS", "10000"))
AIM_SECONDS = 10
BODY = {
    "type": "BODY",
    "text": "{{title}}: see you on {{date}} at {{time}}. Thank you.",
    "example": {
        "body_text_named_params": [{"param_name": name, "example": "Viewing"} for name in ("title", "date", "time")]
    },
}
TITLES = ("Confirm", "Reschedule", "Cancel")
BUTTONS = {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": words} for words in TITLES]}
FILL = text("""
    with made as (
        insert into appointments (tenant_id, id, contact_id, phone_number_id, title, starts_at, time_zone, minutes,
            state, version, source, created_at, changed_at)
        select tenant_id, gen_random_uuid(), contact_id, phone_number_id, 'Viewing', cast(:at as timestamptz),
            'Africa/Dakar', 60, 'booked', 1, 'api', :now, :now
        from conversations where tenant_id = :tenant
        returning tenant_id, id
    )
    insert into appointment_notices (tenant_id, id, appointment_id, version, purpose, minutes_before, due_at,
        expires_at, state)
    select tenant_id, gen_random_uuid(), id, 1, 'reminder', 1440, :now, cast(:at as timestamptz), 'planned' from made
""")


def run(stack: Stack) -> None:
    with create_app(Settings.from_environment(stack.env)).app_context():
        town = Town.named("reminders")
        town.fill(COUNT, 1)
        prepare(town)
        # As workers do.
        collect_rarely()
        started, worked = time.perf_counter(), time.process_time()
        with tenant_scope(town.tenant.id):
            while send_due(BATCH):
                commit()
        seconds, ours = time.perf_counter() - started, time.process_time() - worked
        with tenant_scope(town.tenant.id):
            queued = db.session.scalar(text("select count(*) from messages where source = 'notification'"))
    heads = ["reminders", "seconds", "a second", "CPU of Python", "aim"]
    row = [f"{queued:,}", f"{seconds:.1f}", f"{queued / seconds:.0f}", f"{ours:.1f} s", f"{AIM_SECONDS} s for 10,000"]
    table("Reminders that are due in the same minute, by one worker, until they are in the outbox", heads, [row])


def prepare(town: Town) -> None:
    with tenant_scope(town.tenant.id):
        template = MessageTemplate(id=uuid.uuid4(), waba_id=town.number.waba_id, name="reminder", language="en_US")
        template.meta_id, template.category, template.status = "1", "UTILITY", "APPROVED"
        template.parameter_format, template.components = "NAMED", [BODY, BUTTONS]
        db.session.add(template)
        made = Notification(name="reminder", title="Reminder", template="reminder", language="en_US")
        types = {"title": "text", "date": "date", "time": "time"}
        made.mapping = [Variable(name, kind, True, "", "", name).row for name, kind in types.items()]
        made.api_key_ids = []
        made.save(by=Actor.system("bench"))
        nothing = {"booked": "", "moved": "", "cancelled": "", "unanswered_minutes": 0, "minutes": 60}
        AppointmentSettings.change(reminders=[{"minutes": 1440, "notification": "reminder"}], **nothing)
        values = {"tenant": town.tenant.id, "now": now(), "at": now() + dt.timedelta(days=1)}
        db.session.execute(FILL, values)
