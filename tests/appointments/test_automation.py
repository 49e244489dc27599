"""Automations that begin with appointments, change them, and keep quiet when a reminder is answered."""

from __future__ import annotations

from typing import Any

from app.appointments.models import Appointment
from app.automation.definitions import Definition
from app.automation.models import Automation, AutomationTrace
from app.automation.runner import advance
from app.inbox.conversations import Message
from app.tenancy import db, tenant_scope
from tests.appointments.diary import Diary
from tests.happenings import deliver_to_subscriber

Json = dict[str, Any]


def rule(diary: Diary, trigger: Json, *steps: Json) -> Automation:
    with tenant_scope(diary.id):
        group = {"kind": "group", "mode": "all", "items": []}
        definition = Definition.read({"trigger": trigger, "conditions": group, "steps": list(steps)})
        made = Automation.create("Rule", definition)
        made.publish(by=diary.ann)
        made.switch(is_on=True)
    return made


def work(diary: Diary) -> list[str]:
    """Runs begin and end. Returns what they sent."""
    deliver_to_subscriber("automations", diary.id)
    with tenant_scope(diary.id):
        runs = list(db.session.scalars(db.text("select id from automation_runs")))
    for run in runs:
        with tenant_scope(diary.id):
            advance(run)
    with tenant_scope(diary.id):
        mine = Message.author_kind == "automation"
        return [one.body for one in db.session.scalars(db.select(Message).where(mine).order_by(Message.id))]


def test_an_appointment_begins_one_with_its_values(diary: Diary) -> None:
    text = "{{appointment.title}} at {{appointment.time}}"
    rule(diary, {"kind": "appointment", "what": "booked"}, {"kind": "reply", "text": text})
    one = diary.book()
    assert work(diary) == [f"Viewing: Villa Azur at {one.local:%H:%M}"]


def test_another_change_begins_nothing(diary: Diary) -> None:
    rule(diary, {"kind": "appointment", "what": "cancelled"}, {"kind": "reply", "text": "Pity"})
    diary.book()
    assert work(diary) == []


def test_a_step_confirms_the_appointment_that_began_it(diary: Diary) -> None:
    rule(diary, {"kind": "appointment", "what": "booked"}, {"kind": "appointment", "what": "confirm"})
    one = diary.book()
    work(diary)
    with tenant_scope(diary.id):
        again = Appointment.get_or_404(one.id)
        assert again.state == "confirmed" and again.history[0].by_kind == "automation"


def test_a_step_cancels_the_customers_next_one(diary: Diary) -> None:
    later, next_one = diary.book(hours=90), diary.book(hours=30)
    rule(diary, {"kind": "keyword", "words": ["no"]}, {"kind": "appointment", "what": "cancel"})
    diary.write("no")
    work(diary)
    assert (diary.again(next_one).state, diary.again(later).state) == ("cancelled", "booked")


def test_an_answer_to_a_reminder_begins_no_automation(diary: Diary) -> None:
    rule(diary, {"kind": "message"}, {"kind": "reply", "text": "Hello"})
    diary.choose()
    one = diary.book()
    diary.remind(one)
    diary.write("confirm")
    assert work(diary) == [] and diary.again(one).state == "confirmed"
    with tenant_scope(diary.id):
        last = db.session.scalars(db.select(AutomationTrace).order_by(AutomationTrace.id.desc())).first()
        assert last and [each["why"] for each in last.decisions] == ["read"]


def test_it_keeps_quiet_also_where_it_hears_of_the_answer_first(diary: Diary) -> None:
    rule(diary, {"kind": "keyword", "words": ["confirm"]}, {"kind": "reply", "text": "Hello"})
    diary.choose()
    one = diary.book()
    diary.remind(one)
    hear, diary.hear = diary.hear, lambda: None  # type: ignore[method-assign]
    diary.write("confirm")
    assert work(diary) == []
    hear()
    assert diary.again(one).state == "confirmed"
