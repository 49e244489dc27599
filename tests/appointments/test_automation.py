"""Automations that begin with appointments, change them, and keep quiet when a reminder is answered."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from app.appointments.models import Appointment
from app.automation.asking import read_time
from app.automation.definitions import Definition
from app.automation.models import Automation, AutomationTrace
from app.automation.runner import advance
from app.automation.starters import starter
from app.inbox.conversations import Message
from app.tenancy import db, now, tenant_scope
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


def test_it_is_silent_also_where_it_hears_of_the_answer_first(diary: Diary) -> None:
    rule(diary, {"kind": "keyword", "words": ["confirm"]}, {"kind": "reply", "text": "Hello"})
    diary.choose()
    one = diary.book()
    diary.remind(one)
    hear, diary.hear = diary.hear, lambda: None  # type: ignore[method-assign]
    diary.write("confirm")
    assert work(diary) == []
    hear()
    assert diary.again(one).state == "confirmed"


def test_a_step_books_what_the_customer_answered(diary: Diary) -> None:
    day = (now() + dt.timedelta(days=9)).strftime("%d.%m.%Y")
    step = {"kind": "book_appointment", "about": "Viewing", "day": day, "time": "14h30", "place": "Almadies"}
    rule(diary, {"kind": "keyword", "words": ["book"]}, step, {"kind": "reply", "text": "{{appointment.time}}"})
    diary.write("book")
    assert work(diary) == ["14:30"]
    with tenant_scope(diary.id):
        (one,) = db.session.scalars(db.select(Appointment)).unique()
        assert (one.title, one.place, one.source, f"{one.local:%d.%m.%Y %H:%M}") == (
            *("Viewing", "Almadies", "automation"),
            f"{day} 14:30",
        )


@pytest.mark.parametrize("clock", ["Morning", "25:00", ""])
def test_a_time_that_cannot_be_read_books_nothing(diary: Diary, clock: str) -> None:
    step = {"kind": "book_appointment", "about": "Viewing", "day": "24.12.2027", "time": clock or "{{nothing}}"}
    rule(diary, {"kind": "keyword", "words": ["book"]}, step)
    diary.write("book")
    assert work(diary) == []
    with tenant_scope(diary.id):
        assert db.session.scalars(db.select(Appointment)).unique().all() == []


@pytest.mark.parametrize(
    ("incoming", "read"),
    [
        *(("14:30", "14:30"), ("14h30", "14:30"), ("14 h", "14:00"), ("2:30 pm", "14:30"), ("12 a.m.", "00:00")),
        *(("14.30 Uhr", "14:30"), ("9 Uhr", "09:00"), ("9 Uhr 15", "09:15"), ("14:30 hs", "14:30"), ("uhr", None)),
        *(("٩:١٥", "09:15"), ("9.05", "09:05"), ("13 pm", None), ("24:00", None), ("soon", None), ("9:5", None)),
    ],
)
def test_times_are_read_as_people_write_them(incoming: str, read: str | None) -> None:
    time = read_time(incoming)
    assert (time and f"{time:%H:%M}") == read


def test_the_starter_books_what_the_customer_asks_for(diary: Diary) -> None:
    day = (now() + dt.timedelta(days=9)).strftime("%d.%m.%Y")
    with tenant_scope(diary.id):
        made = starter("appointment")
        assert made
        content = made.definition().as_json()
    rule(diary, content["trigger"], *content["steps"])
    for words in ("appointment", day, "soon", "14h30"):
        diary.write(words)
        last = work(diary)
    assert "Your appointment is booked" in last[-1]
    with tenant_scope(diary.id):
        (one,) = db.session.scalars(db.select(Appointment)).unique()
        assert f"{one.local:%d.%m.%Y %H:%M}" == f"{day} 14:30" and one.source == "automation"


def test_a_day_that_is_over_is_left_to_people(diary: Diary) -> None:
    person = {"kind": "hand_over", "text": "A colleague will find a time."}
    step = {"kind": "book_appointment", "about": "Viewing", "day": "24.12.2020", "time": "9:00", "failed": [person]}
    rule(diary, {"kind": "keyword", "words": ["book"]}, step, {"kind": "reply", "text": "Booked."})
    diary.write("book")
    assert work(diary) == ["A colleague will find a time."]
