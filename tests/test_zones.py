"""Times as the reader sees and enters them."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask, g
from werkzeug.test import TestResponse

from app import templating, zones
from app.hours.models import ServicePolicy
from app.inbox.conversations import Message
from app.tenancy import Tenant, User, db, global_scope, tenant_scope
from tests.client import Browser, isolated
from tests.world import World, conversation, number

NOON = dt.datetime(2026, 11, 21, 12, 0, 30, tzinfo=dt.UTC)


@contextmanager
def reading(app: Flask, cookie: str = "") -> Iterator[None]:
    with app.test_request_context(headers={"Cookie": f"{zones.COOKIE}={cookie}"} if cookie else {}):
        yield


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("Europe/Berlin", "21 November 2026, 13:00 CET"),
        ("America/Sao_Paulo", "21 November 2026, 09:00 UTC-03:00"),
        ("Asia/Kathmandu", "21 November 2026, 17:45 UTC+05:45"),
        ("Asia/Katmandu", "21 November 2026, 17:45 UTC+05:45"),
        ("Pacific/Chatham", "22 November 2026, 01:45 UTC+13:45"),
        ("Etc/GMT+3", "21 November 2026, 09:00 UTC-03:00"),
        ("UTC", "21 November 2026, 12:00 UTC"),
    ],
)
def test_a_time_is_shown_in_the_zone_of_the_browser(app: Flask, zone: str, shown: str) -> None:
    with reading(app, zone):
        assert templating.moment(NOON).striptags() == shown
        assert 'datetime="2026-11-21T12:00:30Z"' in templating.moment(NOON)


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "America", "../../etc/passwd", "/etc/passwd", "a" * 5000, "UTC\0"]
)
def test_whatever_is_no_zone_reads_as_none(name: str) -> None:
    assert zones.find_zone(name) is None


@pytest.mark.parametrize(("former", "present"), zones.RENAMED.items())
def test_a_former_name_of_a_place_is_read_and_not_offered(former: str, present: str) -> None:
    zone = zones.find_zone(former)
    assert zone and zone.key == present
    assert former not in zones.places() and present in zones.places()


def test_each_place_is_offered_once_by_its_present_name() -> None:
    offered = set(zones.places())
    assert {"UTC", "Asia/Kolkata", "Europe/Kyiv", "America/New_York", "Pacific/Kanton"} <= offered
    others = {"Asia/Calcutta", "US/Pacific", "America/Montreal", "Africa/Timbuktu", "GB", "Etc/UTC", "Australia/NSW"}
    assert not others & offered and all(zones.find_zone(name) for name in others)
    assert all(zone and zone.key == name for name in offered for zone in [zones.find_zone(name)])


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("Asia/Kolkata", "Kolkata, India (UTC+05:30)"),
        ("Africa/Dakar", "Dakar, Senegal (UTC+00:00)"),
        ("UTC", "UTC (UTC+00:00)"),
    ],
)
def test_a_zone_in_a_list_says_its_city_its_country_and_its_offset(app: Flask, name: str, title: str) -> None:
    with reading(app):
        assert zones.title_of(name) == title


@pytest.mark.parametrize(("former", "present"), [("Asia/Calcutta", "Asia/Kolkata"), ("US/Eastern", "America/New_York")])
def test_a_zone_stored_by_another_name_is_chosen_by_its_present_one(
    ann: Browser, world: World, former: str, present: str
) -> None:
    with tenant_scope(world.bakery.id):
        db.session.add(ServicePolicy(time_zone=former))
    page = ann.get("~/hours/").text
    assert f'<option selected value="{present}">' in page and f'value="{former}"' not in page


@pytest.mark.parametrize(("zone", "days"), [("UTC", [1, 1]), ("Asia/Kathmandu", [2]), ("America/Sao_Paulo", [2])])
def test_days_begin_at_the_readers_midnight(app: Flask, zone: str, days: list[int]) -> None:
    class Entry:
        def __init__(self, hour: int, day: int) -> None:
            self.occurred_at = dt.datetime(2026, 11, day, hour, 30, tzinfo=dt.UTC)

    entries = [Entry(23, 20), Entry(0, 21)]
    with reading(app, zone):
        assert [len(group) for _, group in templating.by_day(entries)] == days


def test_what_is_skimmed_says_how_long_ago_and_the_whole_time_on_hover(app: Flask) -> None:
    with reading(app, "Europe/Berlin"):
        then = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5, seconds=10)
        shown = templating.when(then)
        assert "5 min. ago</time>" in shown and f'title="{templating.exact(then)}"' in shown


@pytest.mark.parametrize(("seconds", "shown"), [(59, "now"), (119, "1 min. ago"), (3599, "59 min. ago")])
def test_minutes_are_counted_whole_as_the_browser_counts_them(app: Flask, seconds: int, shown: str) -> None:
    with reading(app):
        assert templating.ago(dt.timedelta(seconds=seconds)) == shown


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Pacific/Chatham", "Pacific/Apia"])
def test_a_weekday_is_the_readers(app: Flask, zone: str) -> None:
    with reading(app, zone):
        noon = dt.datetime.combine(zones.today() - dt.timedelta(days=3), dt.time(12), zones.reader_zone())
        assert f">{noon:%a}</time>" in templating.when(noon)


def test_the_zone_is_the_browsers_then_the_persons_then_the_business_then_utc(app: Flask, world: World) -> None:
    with tenant_scope(world.bakery.id):
        db.session.add(ServicePolicy(time_zone="Asia/Tokyo"))
    for cookie, saved, tenant, expected in (
        ("Asia/Kathmandu", "Europe/Berlin", world.bakery, "Asia/Kathmandu"),
        ("nonsense", "Europe/Berlin", world.bakery, "Europe/Berlin"),
        ("", None, world.bakery, "Asia/Tokyo"),
        ("", "nonsense", world.shoes, "UTC"),
        ("", None, None, "UTC"),
    ):
        assert isolated(zone_read, app, cookie, saved, tenant) == expected


def zone_read(app: Flask, cookie: str, saved: str | None, tenant: Tenant | None) -> str:
    with reading(app, cookie):
        g._login_user = User(time_zone=saved)
        if tenant is None:
            return zones.reader_zone().key
        g.tenant = tenant
        with tenant_scope(tenant.id):
            return zones.reader_zone().key


def test_the_browsers_zone_is_saved_for_the_person(app: Flask, world: World) -> None:
    ann = Browser(app).signed_in_as(world.ann)
    assert ann.put("/time-zone", data={"zone": "Asia/Kathmandu"}).status_code == 204
    with global_scope():
        assert db.session.get_one(User, world.ann.id).time_zone == "Asia/Kathmandu"
    assert ann.put("/time-zone", data={"zone": "Mars/Olympus"}).status_code == 422


@pytest.mark.parametrize(
    ("zone", "time"),
    [
        ("Europe/Berlin", "2026-03-29T02:30"),
        ("Pacific/Chatham", "2026-09-27T02:50"),
        ("Pacific/Apia", "2011-12-30T12:00"),
    ],
)
def test_a_time_that_clocks_skip_is_refused_by_name(app: Flask, zone: str, time: str) -> None:
    with reading(app), pytest.raises(zones.SkippedTime, match="clocks go forward"):
        zones.moment_at(dt.datetime.fromisoformat(time), zones.find_zone(zone) or zones.UTC)


@pytest.mark.parametrize(
    ("zone", "time", "moments"),
    [
        ("Europe/Berlin", "2026-10-25T02:30", ["00:30", "01:30"]),
        ("America/New_York", "2026-11-01T01:30", ["05:30", "06:30"]),
        ("Australia/Lord_Howe", "2026-04-05T01:45", ["14:45", "15:15"]),
    ],
)
def test_a_time_that_comes_twice_is_two_moments(app: Flask, zone: str, time: str, moments: list[str]) -> None:
    results, local = zones.find_zone(zone) or zones.UTC, dt.datetime.fromisoformat(time)
    with reading(app):
        assert zones.is_doubled(local, results) and "comes twice" in zones.doubled_words(local, results)
        assert [f"{zones.moment_at(local, results, fold=fold):%H:%M}" for fold in (0, 1)] == moments


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "America/Los_Angeles"])
@pytest.mark.parametrize("date", [dt.date.min, dt.date.max])
def test_the_edges_of_the_calendar_are_days_too(app: Flask, zone: str, date: dt.date) -> None:
    with reading(app, zone):
        assert zones.begins(date) <= zones.ends(date)


def desk(app: Flask, world: World, zone: str) -> tuple[Browser, str]:
    bakery = number(world.bakery, "1", "2", "+1 555 0100")
    ben = Browser(app, "bakery").signed_in_as(world.ben)
    ben.client.set_cookie(zones.COOKIE, zone)
    return ben, f"~/inbox/{conversation(bakery).id}"


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "Pacific/Chatham", "Pacific/Pago_Pago"])
def test_tomorrow_at_nine_is_the_agents_nine(app: Flask, world: World, zone: str) -> None:
    ben, talk = desk(app, world, zone)
    answer = ben.post(f"{talk}/state", data={"state": "snoozed", "until": "tomorrow"}, headers={"HX-Request": "true"})
    with reading(app, zone):
        tomorrow = zones.today() + dt.timedelta(days=1)
        assert f"Snoozed until {tomorrow.day} {tomorrow:%B %Y}, 09:00" in answer.text


def test_a_snooze_to_a_skipped_time_says_why_not(app: Flask, world: World) -> None:
    ben, talk = desk(app, world, "Europe/Berlin")
    data = {"state": "snoozed", "until": "2032-03-28T02:30", "zone": "Europe/Berlin"}
    answer = ben.post(f"{talk}/state", data=data, headers={"HX-Request": "true"})
    assert "doesn&#39;t exist on 28 March 2032 in Europe/Berlin" in answer.text


def test_a_schedule_at_a_skipped_time_says_why_not(app: Flask, world: World) -> None:
    ben, talk = desk(app, world, "Europe/Berlin")
    data = {"body": "Later", "at": "2027-03-28T02:30", "zone": "Europe/Berlin"}
    answer = ben.post(f"{talk}/later", data=data, headers={"HX-Request": "true"})
    assert answer.status_code == 422 and "exist on 28 March 2027 in Europe/Berlin" in answer.text


def test_send_later_names_the_zone_of_entry(app: Flask, world: World) -> None:
    ben, talk = desk(app, world, "Asia/Kathmandu")
    assert "Asia/Kathmandu</span>" in ben.get(f"{talk}/later").text


def next_change(is_change: Callable[[dt.datetime, zoneinfo.ZoneInfo], bool]) -> str:
    """The next 02:30 in Berlin that clocks skip, or show twice."""
    berlin = zoneinfo.ZoneInfo("Europe/Berlin")
    times = (dt.datetime.combine(dt.date.today() + dt.timedelta(days=n), dt.time(2, 30)) for n in range(1, 366))
    return next(f"{time:%Y-%m-%dT%H:%M}" for time in times if is_change(time, berlin))


def send_later(ben: Browser, talk: str, **data: str) -> TestResponse:
    return ben.post(f"{talk}/later", data={"body": "See you", "zone": "Europe/Berlin"} | data)


def test_a_message_is_not_scheduled_for_a_time_that_clocks_skip(app: Flask, world: World) -> None:
    ben, talk = desk(app, world, "Europe/Berlin")
    answer = send_later(ben, talk, at=next_change(zones.is_skipped))
    assert answer.status_code == 422 and "02:30 doesn&#39;t exist on" in answer.text


@pytest.mark.parametrize(("fold", "hour"), [("0", 0), ("1", 1)])
def test_of_a_time_that_comes_twice_one_is_chosen(app: Flask, world: World, fold: str, hour: int) -> None:
    ben, talk = desk(app, world, "Europe/Berlin")
    at = next_change(zones.is_doubled)
    question = send_later(ben, talk, at=at)
    assert question.status_code == 422 and "02:30 comes twice on" in question.text
    assert "02:30 CEST" in question.text and "02:30 CET" in question.text
    assert send_later(ben, talk, at=at, fold=fold).status_code == 303
    with tenant_scope(world.bakery.id):
        assert (db.session.query(Message).one().send_at or NOON).astimezone(dt.UTC).hour == hour
