"""Appointments move while their reminders go out, and workers and two clocks are killed: no stale one may be accepted.

`python -m bench.chaos appointments [APPOINTMENTS [SECONDS]]`. Each move makes the reminder of the new time due at once,
so that clocks claim, workers send and the next move withdraws at the same moment. A reminder says the day of its
appointment and, as minutes, its version: Meta's log shows which version it was of. One is stale if the message that
Meta accepted was claimed after the move to a later version, or the cancellation, was committed.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError

from app.appointments.models import Appointment
from app.appointments.notices import AppointmentNotice
from app.appointments.settings import AppointmentSettings
from app.contacts.models import Contact
from app.inbox.conversations import Conversation
from app.message_templates.models import MessageTemplate
from app.notifications.models import Notification
from app.notifications.values import Variable
from app.tenancy import Actor, db, later, now, tenant_scope
from bench.chaos.database import Database
from bench.chaos.findings import Finding, show
from bench.chaos.outbound import Outbound
from dev.stack import Stack

APPOINTMENTS, SECONDS, MOST_VERSIONS = 60, 90.0, 50
KILLED = ("worker", "second", "clock", "other_clock")
# Longer than a process takes to start, so that between two deaths each gets something done.
EVERY = 5.0
PATIENCE = 300
SYSTEM = Actor.system("chaos")
BODY = {
    "type": "BODY",
    "text": "See you on {{date}} at {{time}}. Thank you.",
    "example": {
        "body_text_named_params": [
            {"param_name": "date", "example": "2026-12-05"},
            {"param_name": "time", "example": "10:00"},
        ]
    },
}
# An attempt's id was made when it was claimed; its `started_at` is the moment in the number's pace, which is later.
ATTEMPTS = """
    select m.wamid, a.id
    from send_attempts a join messages m on m.tenant_id = a.tenant_id and m.id = a.message_id
    where m.source = 'notification' and a.outcome = 'accepted'
"""
# How long after a change its reminder is due, at most.
SOON = 3
# What is due soon is waited for too: the last changes are made just before the end.
WAITING = f"""
    select (select count(*) from messages where source = 'notification' and state in ('queued', 'dispatching')),
        (select count(*) from appointment_notices
         where state = 'planned' and due_at <= now() + interval '{SOON} seconds')
"""
STATES = "select state, count(*) from messages where source = 'notification' group by 1 order by 1"


@dataclass
class Moving:
    """One appointment: when each of its versions stopped being true, and the version that holds."""

    id: uuid.UUID
    day: int
    version: int = 1
    is_cancelled: bool = False
    outdated_at: dict[int, float] = field(default_factory=dict)


class MovingAppointments:
    def __init__(
        self,
        stack: Stack,
        app: Flask,
        database: Database,
        count: int,
        dice: random.Random,
        *,
        outbound: Outbound | None = None,
        every: float = EVERY,
        is_short: bool = False,
    ) -> None:
        self.stack, self.app, self.database, self.dice, self.every = stack, app, database, dice, every
        self.is_short = is_short
        self.outbound = outbound or Outbound(stack, 0, people=min(count, 200))
        self.base = now().replace(hour=10, minute=0, second=0, microsecond=0) + dt.timedelta(days=3)
        self.enough = threading.Event()
        self.kills: Counter[str] = Counter()
        self.moves = 0
        with app.app_context():
            self.wait_until(lambda: len(self.outbound.talks()) >= self.outbound.people)
            self.choose()
            talks = self.outbound.talks()
            self.rows = [self.book(talks[n % len(talks)], n) for n in range(count)]

    @property
    def tenant_id(self) -> uuid.UUID:
        return self.outbound.town.tenant.id

    def choose(self) -> None:
        """A template that the simulated Meta has, as a notification, a day before; and nothing else."""
        waba_id, number_id = self.database.rows(
            "select waba_id, id from phone_numbers where display_number like '%3000'"
        )[0]
        meta_waba = self.database.rows(f"select meta_id from wabas where id = '{waba_id}'")[0][0]
        named: dict[str, Any] = {"name": "reminder", "category": "UTILITY", "language": "en_US", "status": "APPROVED"}
        named |= {"parameter_format": "NAMED", "components": [BODY]}
        self.outbound.post("templates", waba_id=meta_waba, **named)
        with tenant_scope(self.tenant_id):
            if db.session.scalar(db.select(MessageTemplate.id).where(MessageTemplate.name == "reminder")) is None:
                row = MessageTemplate(id=uuid.uuid4(), waba_id=waba_id, name="reminder", language="en_US")
                row.meta_id, row.category, row.status = "1", "UTILITY", "APPROVED"
                row.parameter_format, row.components = "NAMED", [BODY]
                db.session.add(row)
            made = Notification(name="reminder", title="Reminder", template="reminder", language="en_US")
            rows = [Variable(name, "text", True, "", "", name) for name in ("date", "time")]
            made.mapping, made.api_key_ids = [one.row for one in rows], []
            made.save(by=SYSTEM)
            reminders = [{"minutes": 1440, "notification": "reminder"}]
            nothing = {"booked": "", "moved": "", "cancelled": "", "unanswered_minutes": 0, "minutes": 60}
            AppointmentSettings.change(reminders=reminders, **nothing)
        self.number_id = number_id

    def book(self, talk_id: uuid.UUID, day: int) -> Moving:
        with tenant_scope(self.tenant_id):
            talk = Conversation.get_or_404(talk_id)
            facts: dict[str, Any] = {"title": "Viewing", "time_zone": "UTC", "minutes": 60, "source": "agent"}
            at = self.base + dt.timedelta(days=day, minutes=1)
            contact = Contact.get_or_404(talk.contact_id)
            one = Appointment.book(contact, at, by=SYSTEM, phone_number_id=self.number_id, **facts)
            self.make_due(one)
        return Moving(one.id, day)

    def make_due(self, one: Appointment) -> None:
        """In the transaction of the change: a clock finds it within seconds, sooner or later than the next move."""
        db.session.flush()
        due = now() + dt.timedelta(seconds=self.dice.uniform(0, SOON))
        planned = AppointmentNotice.appointment_id == one.id, AppointmentNotice.state == "planned"
        db.session.execute(
            update(AppointmentNotice).where(*planned).values(due_at=due),
            execution_options={"synchronize_session": False},
        )

    def move(self, row: Moving) -> None:
        """To the next version's minute; now and then for good."""
        ends = row.version >= MOST_VERSIONS or self.dice.random() < 0.02
        with tenant_scope(self.tenant_id):
            one = Appointment.get_or_404(row.id)
            if ends:
                one.cancel(by=SYSTEM)
            else:
                one.move(self.base + dt.timedelta(days=row.day, minutes=row.version + 1), by=SYSTEM)
                self.make_due(one)
        row.outdated_at[row.version] = time.time()
        row.version, row.is_cancelled = row.version + 1, ends
        self.moves += 1

    def run(self, seconds: float) -> list[Finding]:
        killer = threading.Thread(target=self.kill_now_and_then)
        killer.start()
        end = time.monotonic() + seconds
        with self.app.app_context():
            while time.monotonic() < end:
                if open_ones := [row for row in self.rows if not row.is_cancelled]:
                    self.move_safely(self.dice.choice(open_ones))
                time.sleep(self.dice.uniform(0, 0.1))
        self.enough.set()
        killer.join()
        self.wait_until(lambda: self.database.rows(WAITING) == [(0, 0)], self.end_leases)
        return self.findings()

    def move_safely(self, row: Moving) -> None:
        try:
            self.move(row)
        except DBAPIError:
            # Whether it was committed is not known: what holds is read again.
            with tenant_scope(self.tenant_id):
                one = Appointment.get_or_404(row.id)
            if one.version > row.version:
                row.outdated_at[row.version] = time.time()
                row.version, row.is_cancelled = one.version, one.state == "cancelled"

    def kill_now_and_then(self) -> None:
        while not self.enough.wait(self.dice.uniform(0.5, 1.5) * self.every):
            name = self.dice.choice(KILLED)
            self.stack.parts[name].kill()
            self.kills[name] += 1
            time.sleep(self.dice.uniform(0, 0.5))
            self.stack.parts[name].start()

    def end_leases(self) -> None:
        """What a killed worker had in hand is unconfirmed after a minute; here at once.

        In a short run, jobs that were lost with a worker do not wait for the next sweep either.
        """
        self.database.change("update messages set lease_until = now() where state = 'dispatching'")
        if self.is_short:
            with tenant_scope(self.tenant_id):
                later("appointments.send_due")
                later("outbound.deliver")

    def wait_until(self, is_so: Callable[[], bool], meanwhile: Callable[[], None] = lambda: None) -> None:
        end = time.monotonic() + PATIENCE
        while not is_so() and time.monotonic() < end:
            meanwhile()
            time.sleep(1)

    def findings(self) -> list[Finding]:
        claimed = {wamid: (id.int >> 80) / 1000 for wamid, id in self.database.rows(ATTEMPTS)}
        days = {row.day: row for row in self.rows}
        accepted: Counter[tuple[int, int]] = Counter()
        differences_found, in_hand = [], 0
        for line in self.outbound.accepted:
            if line["type"] != "template":
                continue
            day, version = version_in(line["body"], self.base)
            accepted[day, version] += 1
            gone = days[day].outdated_at.get(version, float("inf"))
            if line["accepted_at"] <= gone:
                continue
            # The sender had it before the move: it was true when it left.
            in_hand += 1
            if claimed.get(line["wamid"], 0.0) > gone:
                differences_found.append(
                    Finding("wrong", "stale reminder", (day, version), gone, claimed.get(line["wamid"]))
                )
        differences_found += [
            Finding("doubled", "reminder", key, 1, times) for key, times in accepted.items() if times > 1
        ]
        states = dict(self.database.rows(STATES))
        lost = [row.day for row in self.rows if not row.is_cancelled and not accepted[row.day, row.version]]
        if len(lost) > states.get("unknown", 0):
            differences_found += [Finding("lost", "reminder of what holds", day, "accepted", "nothing") for day in lost]
        stuck = self.database.rows(WAITING)
        differences_found += (
            [] if stuck == [(0, 0)] else [Finding("stuck", "reminders", "queued, due", (0, 0), stuck[0])]
        )
        print(f"  {self.moves:,} moves and cancellations of {len(self.rows)} appointments, killed: {dict(self.kills)}")
        print(f"  Meta accepted {accepted.total():,} reminders; accepted after a move but in hand before it: {in_hand}")
        print(f"  messages by state: {states}; stale: {sum(one.what == 'stale reminder' for one in differences_found)}")
        show(differences_found)
        return differences_found


def version_in(body: str, base: dt.datetime) -> tuple[int, int]:
    """Which appointment and which version a reminder was of, by what it says."""
    (part,) = json.loads(body)["components"]
    day, clock = (one["text"] for one in part["parameters"])
    moment = dt.datetime.strptime(f"{day} {clock.replace(chr(0x202F), ' ')} +0000", "%A, %B %d, %Y %I:%M %p %z")
    spent = moment - base
    return spent.days, spent.seconds // 60
