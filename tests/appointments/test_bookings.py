"""Times that customers book in forms, and appointments: one truth."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest

from app.appointments.models import Appointment
from app.contacts.models import Contact
from app.inbox.conversations import Message
from app.inbox.conversations.flow_tokens import FlowToken
from app.people.erasure import erase
from app.tenancy import db, now, tenant_scope
from app.whatsapp_flows.slots import FlowBooking, FlowSlot, Full, book, offered
from tests.appointments.diary import Diary
from tests.happenings import deliver_to_subscriber
from tests.whatsapp_flows.forms import begin, part, screen

TIMES = [screen(part("slot", "Time", "time", required=True), title="When")]


@pytest.fixture
def form(diary: Diary) -> Any:
    """Every day from 9 to 12, an hour each, one place."""
    with tenant_scope(diary.id):
        for weekday in range(7):
            times = {"starts_minute": 540, "ends_minute": 720, "minutes": 60, "capacity": 1}
            db.session.add(FlowSlot(weekday=weekday, **times))
    return begin(diary.world, diary.number, TIMES, name="Viewing")


def times(diary: Diary) -> list[dt.datetime]:
    with tenant_scope(diary.id):
        return [offer.starts_at for offer in offered(now())]


def fill_in(diary: Diary, form: Any, place: int = 5, message_id: uuid.UUID | None = None) -> str:
    """Carla chooses the time at this place of the list. Returns the form's token."""
    with tenant_scope(diary.id):
        offer = offered(now())[place]
        token = FlowToken(diary.talk.contact_id, message_id or diary.talk.id).sign(diary.id)
        book(offer.id, token, diary.talk.contact_id, form.id)
    diary.hear()
    return token


def appointments(diary: Diary) -> list[Appointment]:
    with tenant_scope(diary.id):
        return list(db.session.scalars(Appointment.in_order()))


def test_a_booking_becomes_an_appointment_once(diary: Diary, form: Any) -> None:
    at = times(diary)[5]
    fill_in(diary, form)
    with tenant_scope(diary.id):
        db.session.execute(db.text("delete from happening_cursors"))
    diary.hear()
    (one,) = appointments(diary)
    assert (one.title, one.starts_at, one.source, one.minutes) == ("Viewing", at, "form", 60)


def test_the_same_form_again_moves_the_appointment(diary: Diary, form: Any) -> None:
    token = fill_in(diary, form)
    at = times(diary)[7]
    with tenant_scope(diary.id):
        book(offered(now())[7].id, token, diary.talk.contact_id, form.id)
    diary.hear()
    (one,) = appointments(diary)
    assert (one.starts_at, one.version) == (at, 2) and at not in times(diary)


def test_a_cancelled_appointment_frees_its_time(diary: Diary, form: Any) -> None:
    at = times(diary)[5]
    fill_in(diary, form)
    assert at not in times(diary)
    diary.do(appointments(diary)[0], "cancel")
    assert at in times(diary)


def test_a_moved_one_takes_the_new_time_and_frees_the_old(diary: Diary, form: Any) -> None:
    before, after = times(diary)[5], times(diary)[8]
    fill_in(diary, form)
    diary.do(appointments(diary)[0], "move", after)
    assert before in times(diary) and after not in times(diary)


def test_moved_to_no_time_of_the_week_it_frees_its_own(diary: Diary, form: Any) -> None:
    fill_in(diary, form)
    diary.do(appointments(diary)[0], "move", times(diary)[8] + dt.timedelta(minutes=10))
    with tenant_scope(diary.id):
        assert db.session.scalars(db.select(FlowBooking)).all() == []


def test_what_an_agent_books_is_not_offered_to_others(diary: Diary, form: Any) -> None:
    at = times(diary)[4]
    diary.book(at=at)
    assert at not in times(diary)
    with tenant_scope(diary.id), pytest.raises(Full):
        book(at.strftime("%Y%m%dT%H%MZ"), "another", diary.talk.contact_id, form.id)


def test_another_time_offers_the_form_and_what_is_chosen_moves_the_appointment(diary: Diary, form: Any) -> None:
    diary.choose()
    one = diary.book(at=times(diary)[10])
    diary.remind(one)
    diary.tap(one, 1)
    with tenant_scope(diary.id):
        sent = db.session.scalars(db.select(Message).where(Message.source == "appointment")).one()
        assert sent.type == "interactive" and diary.conversation.assignee_id is None
    at = times(diary)[6]
    fill_in(diary, form, 6, sent.id)
    (moved,) = appointments(diary)
    assert (moved.id, moved.starts_at, moved.state, moved.version) == (one.id, at, "booked", 2)


def test_a_form_that_is_sent_back_after_a_cancellation_books_anew(diary: Diary, form: Any) -> None:
    diary.choose()
    one = diary.book(at=times(diary)[10])
    diary.remind(one)
    diary.tap(one, 1)
    diary.do(one, "cancel")
    with tenant_scope(diary.id):
        sent = db.session.scalars(db.select(Message).where(Message.source == "appointment")).one()
    fill_in(diary, form, 6, sent.id)
    assert sorted(each.state for each in appointments(diary)) == ["booked", "cancelled"]


def test_an_erased_contact_frees_its_times(diary: Diary, form: Any) -> None:
    at = times(diary)[5]
    fill_in(diary, form)
    with tenant_scope(diary.id):
        erase(Contact.get_or_404(diary.talk.contact_id), by=diary.ann)
    assert at in times(diary)
    deliver_to_subscriber("appointments' bookings", diary.id)
    assert len(appointments(diary)) == 1
