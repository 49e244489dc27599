"""What can be done with an appointment, and what its history says."""

from __future__ import annotations

import datetime as dt

import pytest

from app.appointments.models import Appointment, Closed, InPast, NotYet, TooFar
from app.inbox.conversations.activities import Activity
from app.tenancy import db, now, tenant_scope
from tests.appointments.diary import Diary
from tests.happenings import kinds


def test_booking_plans_reminders_and_a_task(diary: Diary) -> None:
    one = diary.book(hours=72)
    planned = [(row.purpose, row.minutes_before) for row in diary.notices(one) if row.purpose != "booked"]
    assert planned == [("reminder", 1440), ("unanswered", 240), ("reminder", 120)]


def test_a_reminder_whose_time_is_over_is_not_planned(diary: Diary) -> None:
    one = diary.book(hours=3)
    assert [row.minutes_before for row in diary.notices(one, purpose="reminder")] == [120]


@pytest.mark.parametrize(("hours", "problem"), [(-1, InPast), (24 * 365 * 4, TooFar)])
def test_an_impossible_time_is_refused(diary: Diary, hours: float, problem: type[Exception]) -> None:
    with pytest.raises(problem):
        diary.book(hours=hours)


def test_a_move_counts_the_version_and_plans_anew(diary: Diary) -> None:
    one = diary.book()
    diary.do(one, "confirm")
    diary.move(one)
    moved = diary.again(one)
    assert (moved.version, moved.state) == (2, "booked")
    assert {row.state for row in diary.notices(one, version=1)} == {"cancelled"}
    assert len(diary.notices(one, version=2, state="planned")) == 4


def test_the_same_time_again_changes_nothing(diary: Diary) -> None:
    one = diary.book()
    assert diary.do(one, "move", one.starts_at) is False
    assert diary.again(one).version == 1


def test_moved_twice_within_a_minute_is_one_message_with_the_last_time(diary: Diary) -> None:
    one = diary.book()
    diary.move(one, hours=90)
    diary.move(one, hours=100)
    assert [row.version for row in diary.notices(one, purpose="moved", state="planned")] == [3]


def test_what_is_cancelled_stays_cancelled(diary: Diary) -> None:
    one = diary.book()
    assert diary.do(one, "cancel") and not diary.do(one, "cancel")
    for verb in ("confirm", "request_reschedule", "finish", "mark_no_show"):
        with pytest.raises(Closed):
            diary.do(one, verb)


def test_an_outcome_needs_that_it_has_begun(diary: Diary) -> None:
    one = diary.book()
    with pytest.raises(NotYet):
        diary.do(one, "mark_no_show")


def test_an_outcome_can_be_corrected(diary: Diary) -> None:
    one = diary.book(hours=0.5)
    diary.do(one, "mark_no_show")
    diary.do(one, "finish")
    assert diary.again(one).state == "done" and not diary.notices(one, state="planned")


def test_every_change_is_in_the_history_in_the_thread_and_happens(diary: Diary) -> None:
    one = diary.book()
    diary.do(one, "confirm")
    diary.move(one)
    diary.do(one, "cancel")
    with tenant_scope(diary.id):
        history = [(change.kind, change.by and change.by.name) for change in Appointment.get_or_404(one.id).history]
        lines = [line.facts["what"] for line in db.session.scalars(db.select(Activity).order_by(Activity.id))]
    assert history == [(what, "Ann") for what in ("cancelled", "moved", "confirmed", "booked")]
    assert lines == ["booked", "confirmed", "moved", "cancelled"]
    happened = [kind for kind in kinds(diary.id) if kind.startswith("appointment.")]
    assert happened == [f"appointment.{what}" for what in lines]


def test_another_place_makes_old_reminders_wrong_and_notes_do_not(diary: Diary) -> None:
    one = diary.book()
    diary.do(one, "change", notes="Bring the keys")
    assert diary.again(one).version == 1
    diary.do(one, "change", place="12 Rue des Almadies")
    assert diary.again(one).version == 2


def test_times_are_by_the_clock_of_its_zone(diary: Diary) -> None:
    at = dt.datetime.combine(now().date() + dt.timedelta(days=9), dt.time(10), dt.UTC)
    one = diary.book(at=at, time_zone="Asia/Kolkata")
    assert f"{one.local:%H:%M}" == "15:30"
