"""What is sent about appointments: when, to whom, and never about one that has changed."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from flask import Flask
from sqlalchemy import update

from app.appointments.answers import AnswerToken
from app.appointments.jobs import find_due_notices, plan_again, send_due_notices
from app.appointments.notices import AppointmentNotice
from app.appointments.sending import send_due
from app.appointments.settings import AppointmentSettings
from app.contacts.consents import Consent
from app.contacts.models import Contact
from app.inbox.conversations import Message
from app.inbox.outbound.jobs import release_unfunded
from app.inbox.outbound.outbox import expire_late
from app.notifications.models import Notification
from app.people.erasure import erase
from app.people.merges import ContactMerge
from app.people.person_file import data_of
from app.tenancy import commit, db, now, tenant_scope
from app.wabas.models import PhoneNumber
from tests.appointments.diary import Diary, another
from tests.enqueued import Enqueued


def states(diary: Diary) -> list[str]:
    with tenant_scope(diary.id):
        return list(db.session.scalars(db.select(Message.state).where(Message.source == "notification")))


def test_a_reminder_names_the_time_of_its_zone_and_carries_three_answers(diary: Diary) -> None:
    diary.choose()
    one = diary.book()
    sent = diary.remind(one)
    assert sent.body.startswith("Viewing: Villa Azur: see you on") and f"{one.local:%M}" in sent.body
    with tenant_scope(diary.id):
        payloads = [part["parameters"][0]["payload"] for part in sent.raw["components"] if part["type"] == "button"]
        tokens = [AnswerToken.read(payload) for payload in payloads]
    assert [token and token.answer for token in tokens] == ["confirm", "reschedule", "cancel"]
    assert all(len(payload) <= 128 for payload in payloads)


def test_what_is_due_is_sent_once(diary: Diary) -> None:
    diary.choose()
    diary.book()
    diary.send()
    send_due_notices(diary.id)
    assert states(diary) == ["queued"]


def test_a_move_withdraws_the_reminder_that_waits_in_the_outbox(diary: Diary) -> None:
    diary.choose()
    one = diary.book()
    diary.send()
    diary.move(one)
    assert states(diary) == ["cancelled"]


def test_a_cancellation_withdraws_it_too(diary: Diary) -> None:
    diary.choose()
    one = diary.book()
    diary.send()
    diary.do(one, "cancel")
    assert states(diary) == ["cancelled"] and not diary.notices(one, state="planned", purpose="reminder")


@pytest.mark.parametrize("state", ["dispatching", "unknown", "failed"])
def test_one_that_the_sender_has_is_not_queued_again_after_a_move(diary: Diary, state: str) -> None:
    diary.choose()
    one = diary.book()
    diary.send()
    with tenant_scope(diary.id):
        db.session.execute(update(Message).values(state=state, lease_until=now() + dt.timedelta(minutes=1)))
    diary.move(one)
    with tenant_scope(diary.id):
        db.session.execute(update(Message).values(state="queued"))
    with tenant_scope(diary.id):
        expire_late()
    assert states(diary) == ["expired"]


def test_a_claim_and_a_move_at_once_end_with_nothing_in_the_outbox(diary: Diary, app: Flask) -> None:
    diary.choose()
    one = diary.book()
    diary.make_due("reminder", 1440)
    claimed, moving = threading.Event(), threading.Event()

    def claim() -> None:
        with app.app_context(), tenant_scope(diary.id):
            send_due(10)
            claimed.set()
            moving.wait(5)
            commit()

    clock = threading.Thread(target=claim)
    clock.start()
    assert claimed.wait(5)
    threading.Timer(0.2, moving.set).start()
    diary.move(one)
    clock.join()
    assert states(diary) == ["cancelled"]


def test_two_clocks_at_once_claim_different_rows(diary: Diary, app: Flask) -> None:
    diary.choose()
    for hours in (70, 71, 72, 73):
        diary.book(hours=hours)
    diary.make_due("reminder", 1440)
    counts: list[int] = []

    def claim(ready: threading.Event, go: threading.Event) -> None:
        with app.app_context(), tenant_scope(diary.id):
            counts.append(len(AppointmentNotice.due(now(), 2)))
            ready.set()
            go.wait(5)

    first, go = threading.Event(), threading.Event()
    other = threading.Thread(target=claim, args=(first, go))
    other.start()
    first.wait(5)
    with tenant_scope(diary.id):
        counts.append(len(AppointmentNotice.due(now(), 10)))
    go.set()
    other.join()
    assert counts == [2, 6]


def test_a_paused_number_lets_a_reminder_expire_before_the_next_one(diary: Diary) -> None:
    diary.choose()
    one = diary.book()
    diary.send()
    with tenant_scope(diary.id):
        sent = db.session.scalars(db.select(Message).where(Message.source == "notification")).one()
        assert sent.expires_at == min(one.starts_at - dt.timedelta(hours=2), sent.expires_at)
    second = diary.book(hours=2.5)
    diary.send(minutes=120)
    (notice,) = diary.notices(second, state="queued")
    with tenant_scope(diary.id):
        last = Message.get_or_404(notice.message_id)
        assert last.expires_at == second.starts_at


def test_one_that_could_not_be_sent_in_time_is_not_sent(diary: Diary) -> None:
    diary.choose()
    one = diary.book()
    with tenant_scope(diary.id):
        late = update(AppointmentNotice).where(AppointmentNotice.purpose == "reminder")
        db.session.execute(late.values(due_at=now() - dt.timedelta(hours=3), expires_at=now() - dt.timedelta(hours=1)))
    send_due_notices(diary.id)
    assert {row.state for row in diary.notices(one, purpose="reminder")} == {"expired"} and states(diary) == []


def test_who_opted_out_gets_none_and_the_page_says_why(diary: Diary) -> None:
    diary.choose()
    one = diary.book()
    with tenant_scope(diary.id):
        Consent.record(diary.talk.contact_id, "utility", is_granted=False, source="phone", by=diary.ann)
    diary.send()
    (notice,) = diary.notices(one, state="refused")
    assert notice.error and notice.error["kind"] == "unsubscribed" and states(diary) == []


def test_without_a_number_nothing_is_sent_and_nothing_is_lost(diary: Diary) -> None:
    diary.choose()
    one = diary.book(phone_number_id=None)
    diary.send()
    (notice,) = diary.notices(one, state="refused")
    assert "No number is chosen" in (notice.error or {})["words"] and diary.again(one).state == "booked"


def test_a_number_that_is_away_is_tried_again(diary: Diary) -> None:
    diary.choose()
    one = diary.book()
    with tenant_scope(diary.id):
        PhoneNumber.get_or_404(diary.number.id).state = "disconnected"
    diary.send()
    (notice,) = [row for row in diary.notices(one, state="planned") if row.minutes_before == 1440]
    assert notice.due_at > now() and states(diary) == []


def test_one_that_fails_holds_up_no_other(diary: Diary) -> None:
    diary.choose(booked="broken")
    with tenant_scope(diary.id):
        made = Notification(name="broken", title="", template="reminder", language="en_US", api_key_ids=[])
        made.mapping = [{"unknown": "member"}]
        db.session.add(made)
    one = diary.book()
    diary.make_due("booked")
    diary.send()
    results = {row.purpose: row.state for row in diary.notices(one) if row.minutes_before in (0, 1440)}
    assert results == {"booked": "refused", "reminder": "queued"}


def test_who_asked_for_another_time_is_not_reminded_of_the_old_one(diary: Diary) -> None:
    diary.choose()
    one = diary.book()
    diary.send()
    diary.do(one, "request_reschedule")
    diary.send(minutes=120)
    reminders = diary.notices(one, purpose="reminder")
    assert [row.state for row in reminders] == ["refused", "refused"]
    with tenant_scope(diary.id):
        assert [message.state for message in db.session.scalars(db.select(Message))] == ["cancelled"]


def test_confirmed_after_all_it_is_reminded_of(diary: Diary) -> None:
    diary.choose()
    one = diary.book()
    diary.do(one, "request_reschedule")
    diary.do(one, "confirm")
    diary.send()
    assert [row.state for row in diary.notices(one, purpose="reminder", minutes_before=1440)] == ["queued"]


def test_without_a_notification_nothing_is_sent(diary: Diary) -> None:
    one = diary.book()
    diary.send()
    assert [row.state for row in diary.notices(one) if row.minutes_before == 1440] == ["skipped"]


def test_a_booking_a_move_and_a_cancellation_are_reported(diary: Diary) -> None:
    diary.choose(booked="reminder", moved="reminder", cancelled="reminder")
    one = diary.book()
    diary.send("booked", None)
    diary.deliver()
    diary.move(one)
    diary.send("moved", None)
    diary.deliver()
    diary.do(one, "cancel")
    diary.send("cancelled", None)
    assert sorted(row.purpose for row in diary.notices(one, state="queued")) == ["booked", "cancelled", "moved"]


def test_no_answer_becomes_a_task_for_whoever_has_the_appointment(diary: Diary) -> None:
    diary.choose()
    one = diary.book()
    diary.remind(one)
    diary.send("unanswered", None)
    talk = diary.conversation
    assert (talk.assignee_id, talk.unread_count, bool(talk.waiting_since)) == (diary.world.ben.id, 1, True)
    assert [row.state for row in diary.notices(one, purpose="unanswered")] == ["raised"]


def test_a_confirmed_one_becomes_no_task(diary: Diary) -> None:
    diary.choose()
    one = diary.book()
    diary.remind(one)
    diary.tap(one)
    diary.send("unanswered", None)
    assert [row.state for row in diary.notices(one, purpose="unanswered")] == ["skipped"]


def test_a_change_of_the_settings_plans_coming_reminders_anew(diary: Diary) -> None:
    diary.choose()
    one = diary.book()
    diary.remind(one)
    with tenant_scope(diary.id):
        rows = [{"minutes": 60, "notification": "reminder"}]
        AppointmentSettings.change(reminders=rows, unanswered_minutes=0, minutes=60)
    plan_again(diary.id)
    assert [(row.minutes_before, row.state) for row in diary.notices(one, purpose="reminder")] == [
        (1440, "queued"),
        (60, "planned"),
    ]


def test_the_clock_enqueues_a_job_for_each_business_with_something_due(diary: Diary, enqueued: Enqueued) -> None:
    diary.book()
    diary.make_due("reminder", 1440)
    find_due_notices()
    assert "appointments.send_due" in enqueued.names


def test_the_contacts_language_is_that_of_the_message(diary: Diary) -> None:
    diary.choose(language="fr")
    sent = diary.remind(diary.book())
    assert sent.raw["language"] == {"code": "fr"}


def test_an_erased_contact_leaves_only_figures(diary: Diary) -> None:
    one = diary.book(place="Her house", notes="Two cats", external_id="x-1")
    with tenant_scope(diary.id):
        erase(Contact.get_or_404(diary.talk.contact_id), by=diary.ann)
    gone = diary.again(one)
    assert (gone.title, gone.place, gone.notes, gone.external_id, gone.state) == ("", "", "", None, "cancelled")


def test_what_one_person_gets_about_themselves_has_their_appointments(diary: Diary) -> None:
    diary.book(place="Almadies")
    with tenant_scope(diary.id):
        file = data_of(Contact.get_or_404(diary.talk.contact_id))
    assert [(one["title"], one["place"]) for one in file["appointments"]] == [("Viewing: Villa Azur", "Almadies")]


def test_a_merged_contact_has_the_appointments_of_both(diary: Diary) -> None:
    other = another(diary)
    one = diary.book(contact_id=other.contact_id)
    with tenant_scope(diary.id):
        pair = [Contact.get_or_404(id) for id in (diary.talk.contact_id, other.contact_id)]
        ContactMerge.merge(pair[0], pair[1], by=diary.ann)
    assert diary.again(one).contact_id == diary.talk.contact_id


def test_a_move_that_could_not_be_announced_is_announced_before_its_reminder(diary: Diary) -> None:
    diary.choose(moved="reminder")
    one = diary.book()
    diary.move(one)
    in_state(diary, "disconnected")
    diary.send("moved", None)
    in_state(diary, "connected")
    diary.send()
    move, *reminders = sorted(diary.notices(one, state="queued"), key=lambda one: str(one.message_id))
    assert move.purpose == "moved" and [one.purpose for one in reminders] == ["reminder"]


def test_what_waited_for_money_goes_out_when_it_arrives(diary: Diary) -> None:
    diary.choose(booked="reminder")
    one = diary.book()
    with tenant_scope(diary.id):
        waits = {"due_at": now() + dt.timedelta(minutes=5), "error": {"kind": "not_funded", "facts": {}}}
        db.session.execute(update(AppointmentNotice).where(AppointmentNotice.purpose == "booked").values(waits))
    release_unfunded(diary.id)
    send_due_notices(diary.id)
    assert [each.purpose for each in diary.notices(one, state="queued")] == ["booked"]


def in_state(diary: Diary, state: str) -> None:
    with tenant_scope(diary.id):
        PhoneNumber.get_or_404(diary.number.id).state = state
