"""Days, months and price changes begin at midnight in the account's own time zone."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from app.billing.holds import Claimed, Funds, ReplyCount
from app.billing.price_lists import PriceList
from app.billing.rate_cards import RateCard
from app.billing.reconciliation import Reconciliation, VolumeComparison, whole_days
from app.billing.repricing import Repricing
from app.billing.usage import Usage
from app.inbox.conversations import Message
from app.meta import wabas
from app.meta.pricing_analytics import Volume
from app.meta.time_zones import NAMES, name_of
from app.tenancy import db, platform_scope, tenant_scope, uuid7
from app.wabas.models import Waba
from tests.arrivals import arrive
from tests.billing import test_reconciliation as days
from tests.billing.books import arrive_and_post, give_plan, owed, priced, problems, reported
from tests.world import World

AUCKLAND, NEW_YORK = "Pacific/Auckland", "America/New_York"
CHANGE = dt.date(2026, 11, 10)


def account_in(world: World, zone: str) -> None:
    with tenant_scope(world.bakery.id):
        db.session.scalars(select(Waba)).one().time_zone = zone


def dearer_from(day: dt.date, micros: int = 50_000) -> None:
    with platform_scope("tests"):
        RateCard.load(PriceList({"1": "North America"}, {("North America", "marketing"): micros}), "USD", day, "tests")


def at(*moment: int, zone: str) -> float:
    year, month, day, hour, minute = moment
    return dt.datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(zone)).timestamp()


def prices(world: World) -> list[int | None]:
    with tenant_scope(world.bakery.id):
        return list(db.session.scalars(select(Usage.micros).order_by(Usage.arrived_at)))


@pytest.mark.parametrize("zone", [AUCKLAND, NEW_YORK])
def test_a_price_changes_at_midnight_of_the_account(world: World, sent: Message, zone: str) -> None:
    account_in(world, zone)
    dearer_from(CHANGE)
    arrive(
        reported("delivered", priced(), at=at(2026, 11, 9, 23, 59, zone=zone)),
        reported("delivered", priced(), wamid="wamid.2", at=at(2026, 11, 10, 0, 0, zone=zone)),
    )
    assert prices(world) == [25_000, 50_000]


@pytest.mark.parametrize("zone", [AUCKLAND, NEW_YORK])
def test_a_card_that_comes_late_prices_from_the_same_midnight_on(world: World, sent: Message, zone: str) -> None:
    account_in(world, zone)
    arrive_and_post(
        world,
        reported("delivered", priced(), at=at(2026, 11, 9, 23, 59, zone=zone)),
        reported("delivered", priced(), wamid="wamid.2", at=at(2026, 11, 10, 0, 0, zone=zone)),
    )
    dearer_from(CHANGE)
    with tenant_scope(world.bakery.id):
        assert Repricing().run(CHANGE)[0] == 1
    assert owed(world, "payable") == -75_000 and problems(world) == []


def test_what_is_held_has_the_price_of_the_account_s_day(world: World) -> None:
    give_plan(world, micros=10_000_000)
    number, claimed = world.connect_numbers()[0], Claimed(uuid7(), "marketing", "16505551234")
    east, west = ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Pacific/Niue")
    with platform_scope("tests"):
        today_in_the_east = dt.datetime.now(east).date()
    dearer_from(today_in_the_east)
    with tenant_scope(world.bakery.id):
        held = [
            Funds.locked(number.id, "USD", zone).price(claimed)  # type: ignore[union-attr]
            for zone in (east, west)
        ]
    assert held == [50_000, 25_000]


def test_free_replies_are_counted_in_the_account_s_month(world: World, sent: Message) -> None:
    account_in(world, AUCKLAND)
    reply = priced("free_customer_service", "service")
    arrive_and_post(world, reported("delivered", reply, at=at(2026, 11, 1, 0, 30, zone=AUCKLAND)))
    with tenant_scope(world.bakery.id):
        assert db.session.scalars(select(ReplyCount.month)).all() == [dt.date(2026, 11, 1)]


@pytest.mark.parametrize(("day", "hours"), [("2026-11-01", 25), ("2026-03-08", 23), ("2026-11-02", 24)])
def test_where_clocks_change_a_day_has_more_or_fewer_hours(day: str, hours: int) -> None:
    zone = ZoneInfo(NEW_YORK)
    start = dt.datetime.combine(dt.date.fromisoformat(day), dt.time(), zone).astimezone(dt.UTC)
    listed = dict(whole_days(set(), start + dt.timedelta(hours=60), zone))
    assert listed[start] - start == dt.timedelta(hours=hours)


def test_on_a_day_of_25_hours_the_last_hour_is_compared_with_it(world: World, sent: Message) -> None:
    account_in(world, NEW_YORK)
    zone = ZoneInfo(NEW_YORK)
    start, end = (dt.datetime(2026, 11, day, tzinfo=zone).astimezone(dt.UTC) for day in (1, 2))
    arrive(reported("delivered", priced(), at=at(2026, 11, 1, 23, 30, zone=NEW_YORK)))
    metas = Volume(start, end, days.NUMBER, "US", "marketing", "regular", 1)
    with tenant_scope(world.bakery.id):
        comparison = Reconciliation(sent.phone_number_id)
        results = comparison.compare({days.NUMBER: sent.phone_number_id}, [metas], end + dt.timedelta(hours=9), zone)
        compared = db.session.scalars(select(VolumeComparison)).one()
    assert (results, compared.starts_at, compared.ends_at) == (0, start, end)


def test_a_day_on_which_meta_counted_nothing_is_the_account_s_day_too(world: World, sent: Message) -> None:
    zone = ZoneInfo(AUCKLAND)
    arrive(reported("delivered", priced(), at=at(2026, 11, 20, 0, 30, zone=AUCKLAND)))
    with tenant_scope(world.bakery.id):
        comparison = Reconciliation(sent.phone_number_id)
        noon = dt.datetime(2026, 11, 21, 12, tzinfo=zone)
        assert comparison.compare({days.NUMBER: sent.phone_number_id}, [], noon, zone) == 1
        day = db.session.scalars(select(VolumeComparison.starts_at)).one()
    assert day == dt.datetime(2026, 11, 20, tzinfo=zone)


def test_the_zone_is_read_from_what_meta_says_of_the_account(world: World, sent: Message) -> None:
    seen = wabas.Waba("1", None, None, None, "USD", "47", None, None, None, None)
    with tenant_scope(world.bakery.id):
        waba = db.session.scalars(select(Waba)).one()
        waba.update_from(seen)
        assert waba.zone == ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize("timezone_id", [None, "", "0", "147", "-1", "x", "²", "9" * 400])
def test_an_unknown_zone_is_utc(timezone_id: str | None) -> None:
    assert name_of(timezone_id) == ""


def test_every_listed_zone_is_in_the_database_of_time_zones() -> None:
    assert all(ZoneInfo(name) for name in NAMES) and len(NAMES) == len(set(NAMES)) == 146
