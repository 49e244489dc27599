"""The pages of appointments, their settings, the report and the calendar files."""

from __future__ import annotations

import csv
import datetime as dt
import re
from typing import Any

import pytest

from app.appointments.agenda import Agenda, opening_day
from app.appointments.calendar import feed_of, folded, link_to
from app.appointments.models import Appointment
from app.appointments.settings import AppointmentSettings
from app.entry_points.subjects import Subject
from app.inbox.conversations import Conversation
from app.listings.models import Listing
from app.notifications.models import Notification
from app.notifications.values import Variable
from app.tenancy import Tenant, db, now, platform_scope, tenant_scope
from tests.appointments.diary import Diary
from tests.client import FRAGMENT, Browser
from tests.notifications.notifications import plain_notification

HERE = "~/appointments"


def form(diary: Diary, **more: Any) -> dict[str, Any]:
    at = (now() + dt.timedelta(days=2)).strftime("%Y-%m-%dT10:30")
    given = {"contact": str(diary.talk.contact_id), "title": "Viewing: Villa Azur", "at": at, "zone": "Africa/Dakar"}
    return given | {"minutes": "45", "place": "Almadies", "agent": str(diary.world.ben.id)} | more


def only(diary: Diary) -> Appointment:
    with tenant_scope(diary.id):
        results: Appointment = db.session.scalars(db.select(Appointment)).unique().one()
        return results


def test_who_may_is_led_to_the_notification_that_is_missing(ann: Browser, ben: Browser, diary: Diary) -> None:
    address = f"{HERE}/{diary.book().id}"
    diary.send()
    assert "No notification is chosen for it." in ben.get(address).text
    assert "Choose one" in ann.get(address).text and "Choose one" not in ben.get(address).text


def test_one_is_booked_from_the_form(ben: Browser, diary: Diary) -> None:
    answer = ben.post(HERE, form(diary, number=str(diary.number.id)))
    one = only(diary)
    assert answer.status_code == 303 and f"{one.local:%H:%M}" == "10:30"
    assert (one.agent_id, one.phone_number_id, one.source) == (diary.world.ben.id, diary.number.id, "agent")
    page = ben.get(answer.location).text
    assert "Viewing: Villa Azur" in page and "Almadies" in page


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"at": "2020-01-01T10:00"}, "in the past"),
        ({"at": ""}, "Enter a date and a time."),
        ({"at": "9999-12-31T23:59"}, "within three years"),
        ({"title": " "}, "Enter what the appointment is for."),
        ({"minutes": "x"}, "Not a valid integer value."),
        ({"minutes": "1"}, "5 minutes to 7 days"),
    ],
)
def test_a_mistake_is_shown_at_its_field_and_nothing_is_lost(
    ben: Browser, diary: Diary, more: dict[str, str], words: str
) -> None:
    answer = ben.post(HERE, form(diary, **more))
    assert answer.status_code == 422 and words in answer.text and "Almadies" in answer.text


def next_clock_change(month: int) -> dt.date:
    """The last Sunday of March or October, when clocks change in Paris."""
    today = now().date()
    years = (today.year, today.year + 1)
    ends = [dt.date(year, month, 31) for year in years]
    return next(day for end in ends if (day := end - dt.timedelta(days=(end.weekday() + 1) % 7)) > today)


def test_a_time_that_clocks_skip_is_explained(ben: Browser, diary: Diary) -> None:
    answer = ben.post(HERE, form(diary, at=f"{next_clock_change(3)}T02:30", zone="Europe/Paris"))
    assert answer.status_code == 422 and "clocks go forward" in answer.text


def test_a_time_that_comes_twice_is_asked_about(ben: Browser, diary: Diary) -> None:
    twice = form(diary, at=f"{next_clock_change(10)}T02:30", zone="Europe/Paris")
    assert "comes twice" in ben.post(HERE, twice).text
    ben.post(HERE, twice | {"fold": "1"})
    assert only(diary).local.fold == 1


def test_without_a_customer_the_form_asks_for_one(ben: Browser, diary: Diary) -> None:
    page = ben.get(f"{HERE}/new?q=carla").text
    assert "With which customer?" in page and str(diary.talk.contact_id) in page


def test_an_edit_that_moves_it_counts_the_version_and_one_that_does_not_leaves_it(ben: Browser, diary: Diary) -> None:
    one = diary.book(time_zone="Africa/Dakar")
    same = form(diary, at=f"{one.local:%Y-%m-%dT%H:%M:%S}", minutes="60", place="", number=str(diary.number.id))
    ben.post(f"{HERE}/{one.id}", same | {"notes": "Keys"})
    assert (only(diary).version, only(diary).notes) == (1, "Keys")
    ben.post(f"{HERE}/{one.id}", same | {"at": f"{one.local + dt.timedelta(hours=1):%Y-%m-%dT%H:%M}"})
    assert only(diary).version == 2


@pytest.mark.parametrize(
    ("step", "hours", "state"),
    [
        ("confirmation", 48, "confirmed"),
        ("reschedule-request", 48, "reschedule_requested"),
        ("cancellation", 48, "cancelled"),
        ("completion", 0.5, "done"),
        ("no-show", 0.5, "no_show"),
        ("no-show", 48, "booked"),
    ],
)
def test_buttons_change_its_state(ben: Browser, diary: Diary, step: str, hours: float, state: str) -> None:
    one = diary.book(hours=hours)
    assert ben.post(f"{HERE}/{one.id}/{step}").status_code == 303
    assert only(diary).state == state


def test_the_agenda_has_a_week_a_day_people_states_and_a_search(ben: Browser, diary: Diary) -> None:
    one = diary.book(hours=30, place="Almadies")
    day = f"{one.starts_at:%Y-%m-%d}"
    for query in (
        f"day={day}",
        f"day={day}&span=day",
        "q=carla",
        "q=VILLA",
        "q=almad",
        f"agent={one.agent_id}&q=villa",
    ):
        assert "Viewing: Villa Azur" in ben.get(f"{HERE}?{query}").text, query
    for query in (f"day={day}&state=done", "q=nothing", "day=2020-01-01", f"day={day}&agent={diary.world.ann.id}"):
        assert "Viewing: Villa Azur" not in ben.get(f"{HERE}?{query}").text, query


@pytest.mark.parametrize("query", ["day=x", "day=9999-99-99", "day=0001-01-01", "span=year", "agent=x", "q=%00%25_"])
def test_the_agenda_takes_any_address(ben: Browser, diary: Diary, query: str) -> None:
    assert ben.get(f"{HERE}?{query}").status_code == 200


def test_what_is_over_waits_for_its_outcome(ben: Browser, diary: Diary) -> None:
    one = diary.book(hours=2)
    with tenant_scope(diary.id):
        Appointment.get_or_404(one.id).starts_at = now() - dt.timedelta(days=2)
    assert "Viewing: Villa Azur" in ben.get(f"{HERE}?span=open").text
    ben.post(f"{HERE}/{one.id}/completion")
    assert "Viewing: Villa Azur" not in ben.get(f"{HERE}?span=open").text


def test_the_card_beside_the_conversation_shows_it_and_books(ben: Browser, diary: Diary) -> None:
    diary.book()
    page = ben.get(f"~/inbox/{diary.talk.id}/details").text
    assert "Viewing: Villa Azur" in page and f"appointments/new?contact={diary.talk.contact_id}" in page
    assert "Ann booked Viewing: Villa Azur for" in ben.get(f"~/inbox/{diary.talk.id}").text


def test_settings_are_saved_and_mistakes_are_named(ann: Browser, ben: Browser, diary: Diary) -> None:
    diary.choose()
    given = {"booked": "reminder", "unanswered_hours": "6", "minutes": "30", "amount": ["2", "90", ""]}
    given |= {"unit": ["days", "minutes", "hours"], "notification": ["reminder", "", "reminder"]}
    assert ann.post(f"{HERE}/settings", given).status_code == 303
    with tenant_scope(diary.id):
        chosen = AppointmentSettings.current()
        assert [(one.minutes, one.notification) for one in chosen.plan] == [(2880, "reminder"), (90, "")]
        assert (chosen.booked, chosen.unanswered_minutes) == ("reminder", 360)
    twice = ann.post(f"{HERE}/settings", given | {"amount": ["2", "2880", ""], "unit": ["days", "minutes", "hours"]})
    assert twice.status_code == 422 and "same time" in twice.text
    assert ann.post(f"{HERE}/settings", given | {"amount": ["many", "", ""]}).status_code == 422
    assert ben.get(f"{HERE}/settings").status_code == 403


def test_the_page_says_when_nothing_is_sent(ann: Browser, diary: Diary) -> None:
    assert "No confirmation or reminder is sent yet." in ann.get(HERE).text
    diary.choose()
    assert "No confirmation or reminder is sent yet." not in ann.get(HERE).text


def test_the_report_counts_who_came(ben: Browser, diary: Diary) -> None:
    for outcome in ("finish", "finish", "finish", "mark_no_show", "cancel"):
        diary.do(diary.book(hours=0.2, place="=Almadies"), outcome)
    diary.do(diary.book(hours=0.2, place="=Almadies"), "confirm")
    until = f"to={(now() + dt.timedelta(days=1)).date()}"
    for by in ("month", "agent", "source"):
        assert "75.0%" in ben.get(f"{HERE}/report?by={by}&{until}").text
    text = ben.get(f"{HERE}/report/export?by=place&{until}").data.decode("utf-8-sig")
    heads, row = csv.reader(text.splitlines())
    assert heads == ["place", "booked", "confirmed", "done", "no_show", "cancelled", "show_rate"]
    assert row == ["'=Almadies", "6", "1", "3", "1", "1", "0.7500"]


def test_the_customers_calendar_file_needs_no_sign_in(browser: Browser, diary: Diary) -> None:
    one = diary.book(title="Viewing; Villa, Azur\\ “ü” " + "é" * 60, place="12 Rue\nDakar")
    with tenant_scope(diary.id):
        link = link_to(Appointment.get_or_404(one.id)).partition("/calendar")[2]
    answer = browser.get(f"/calendar{link}")
    assert answer.status_code == 200 and answer.content_type == "text/calendar; charset=utf-8"
    assert all(len(line) <= 75 for line in answer.data.split(b"\r\n"))
    lines = answer.data.decode().replace("\r\n ", "").split("\r\n")
    assert f"DTSTART:{one.starts_at:%Y%m%dT%H%M%SZ}" in lines and "LOCATION:12 Rue\\nDakar" in lines
    assert any(line.startswith("SUMMARY:Viewing\\; Villa\\, Azur\\\\ “ü”") for line in lines)
    assert browser.get(f"/calendar{link[:-14]}{link[-14:-4][::-1]}.ics").status_code == 404


def test_a_cancelled_one_says_so_to_the_calendar(browser: Browser, diary: Diary) -> None:
    one = diary.book()
    diary.do(one, "cancel")
    with tenant_scope(diary.id):
        link = link_to(Appointment.get_or_404(one.id)).partition("/calendar")[2]
    text = browser.get(f"/calendar{link}").text
    assert "STATUS:CANCELLED" in text and "SEQUENCE:2" in text


def test_a_members_feed_has_their_appointments_until_they_leave(browser: Browser, diary: Diary) -> None:
    diary.book()
    diary.book(agent_id=diary.world.ann.id, title="Of Ann")
    with tenant_scope(diary.id):
        path = "/calendar" + feed_of(diary.id, diary.world.ben.id).partition("/calendar")[2]
        stranger = "/calendar" + feed_of(diary.id, diary.world.sue.id).partition("/calendar")[2]
    text = browser.get(path).text
    assert text.count("BEGIN:VEVENT") == 1 and "Of Ann" not in text
    assert browser.get(stranger).status_code == 404


def test_a_members_feed_ends_with_the_business(browser: Browser, diary: Diary) -> None:
    with tenant_scope(diary.id):
        path = "/calendar" + feed_of(diary.id, diary.world.ben.id).partition("/calendar")[2]
    with platform_scope("tests"):
        db.session.get_one(Tenant, diary.id).closed_at = now()
    assert browser.get(path).status_code == 404


def test_lines_are_cut_between_letters() -> None:
    parts = list(folded("é" * 100))
    assert [len(part.encode()) for part in parts] == [74, 75, 53] and "".join(parts).replace(" ", "") == "é" * 100


@pytest.mark.parametrize("field", ["booked", "notification"])
def test_a_notification_that_needs_more_than_an_appointment_has_is_refused(
    ann: Browser, diary: Diary, field: str
) -> None:
    diary.choose()
    plain_notification(diary.number, "paid", "reminder")
    given = {"unanswered_hours": "6", "minutes": "30", "amount": "2", "unit": "days", "notification": ""}
    refused = ann.post(f"{HERE}/settings", given | {field: "paid"})
    assert refused.status_code == 422 and "nothing fills in amount" in refused.text


def test_a_cancelled_one_says_so_and_is_booked_again(ann: Browser, diary: Diary) -> None:
    diary.choose()
    one = diary.book()
    diary.do(one, "cancel")
    page = ann.get(f"{HERE}/{one.id}").text
    assert "Not sent: the appointment was cancelled" in page and "was changed" not in page and f"again={one.id}" in page
    again = ann.get(f"{HERE}/new?contact={diary.talk.contact_id}&again={one.id}").text
    assert 'value="Viewing: Villa Azur"' in again


def test_the_form_beside_a_conversation_knows_what_it_is_about(ann: Browser, diary: Diary) -> None:
    with tenant_scope(diary.id):
        talk = Conversation.get_or_404(diary.talk.id)
        talk.put_subject(Subject("listing", external_id="V-12", title="Villa Azur"))
    page = ann.get(f"{HERE}/new?contact={diary.talk.contact_id}&conversation={diary.talk.id}").text
    assert 'value="Viewing: Villa Azur"' in page and f'href="/t/bakery/inbox/{diary.talk.id}"' in page


def test_an_outcome_is_offered_once_it_has_begun(ben: Browser, diary: Diary) -> None:
    soon = diary.book(hours=0.5)
    assert "It took place" not in ben.get(f"{HERE}/{soon.id}").text
    with tenant_scope(diary.id):
        Appointment.get_or_404(soon.id).starts_at = now() - dt.timedelta(minutes=1)
    assert "It took place" in ben.get(f"{HERE}/{soon.id}").text


def test_a_booking_takes_over_the_place_of_what_the_conversation_is_about(ben: Browser, diary: Diary) -> None:
    with tenant_scope(diary.id):
        given = {"title": "Villa Azur", "city": "Dakar", "district": "Almadies"}
        Listing.put("V-1", given, source="api", by=diary.ann)
        Conversation.get_or_404(diary.talk.id).put_subject(Subject("property", "V-1", "Villa Azur"))
    page = ben.get(f"{HERE}/new?contact={diary.talk.contact_id}&conversation={diary.talk.id}").text
    assert 'value="Almadies, Dakar"' in page


@pytest.mark.parametrize(("day", "first"), [("2026-11-25", "2026-11-23"), ("2026-11-29", "2026-11-29")])
def test_a_week_that_is_nearly_over_begins_with_today(day: str, first: str) -> None:
    assert opening_day(dt.date.fromisoformat(day)).isoformat() == first


def test_a_week_that_was_chosen_begins_with_its_day() -> None:
    assert Agenda.read({"day": "2026-11-25"}).first.isoformat() == "2026-11-25"
    assert "day" not in Agenda.read({}).address(span="day")


def test_the_contacts_page_has_their_appointments(ben: Browser, diary: Diary) -> None:
    one = diary.book()
    assert f"/appointments/of/{diary.talk.contact_id}" in ben.get(f"~/contacts/{diary.talk.contact_id}").text
    assert str(one.id) in ben.get(f"{HERE}/of/{diary.talk.contact_id}").text


def test_a_slash_too_many_leads_to_the_page(ben: Browser) -> None:
    answer = ben.get(f"{HERE}/?span=day")
    assert answer.status_code == 308 and answer.location.endswith("/t/bakery/appointments?span=day")
    assert ben.get("~/no-such-page/").status_code == 404


def test_what_was_chosen_and_lacks_values_since_prevents_no_saving(ann: Browser, diary: Diary) -> None:
    diary.choose(booked="reminder")
    with tenant_scope(diary.id):
        broken = Notification.named("reminder")
        assert broken
        broken.mapping = [*broken.mapping, Variable("shoe_size", "text", True, "", "", "shoe_size").row]
    given = {"booked": "reminder", "moved": "", "cancelled": "", "unanswered_hours": "0", "minutes": "45"}
    rows = {"amount": ["1"], "unit": ["days"], "notification": ["reminder"]}
    assert ann.post(f"{HERE}/settings", given | rows).status_code == 303
    assert ann.post(f"{HERE}/settings", given | rows | {"moved": "reminder"}).status_code == 422


def test_the_card_beside_a_conversation_updates_itself(ben: Browser, diary: Diary) -> None:
    address = f"{HERE}/beside/{diary.talk.id}"
    details = ben.get(f"~/inbox/{diary.talk.id}/details", headers=FRAGMENT).text
    assert f"live:appointments:{diary.talk.contact_id} " in details and f"beside/{diary.talk.id}" in details
    diary.book()
    card = ben.get(address, headers=FRAGMENT).text
    assert "Viewing: Villa Azur" in card and "<html" not in card
    assert ben.get(address).status_code == 303


def test_who_books_without_a_message_reads_so_and_is_led_on(ann: Browser, ben: Browser, diary: Diary) -> None:
    answer = ben.post(HERE, form(diary, number=str(diary.number.id)), follow_redirects=True)
    assert (
        "Booked. The customer gets no message yet." in answer.text
        and "Ask an owner to choose what is sent" in answer.text
    )
    page = ann.get(f"{HERE}/{only(diary).id}").text
    assert "The customer gets no message about this booking yet" in page and "Choose what is sent" in page
    assert (
        "The customer gets no message yet."
        in ben.post(f"{HERE}/{only(diary).id}/cancellation", follow_redirects=True).text
    )


def test_where_a_message_is_chosen_the_booking_says_nothing_more(ben: Browser, diary: Diary) -> None:
    diary.choose(booked="reminder")
    answer = ben.post(HERE, form(diary, number=str(diary.number.id)), follow_redirects=True)
    assert "Booked." in answer.text and "gets no message" not in answer.text


def test_records_open_on_their_first_tab(ben: Browser) -> None:
    page = ben.get("~/inbox/").text
    assert re.search(r'<a[^>]*href="/t/bakery/appointments"[^>]*>(?:(?!</a>).)*Records', page, re.DOTALL)
