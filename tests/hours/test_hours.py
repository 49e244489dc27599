from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest

from app.hours.hours import OpeningHours

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
DAY = ((dt.time(9), dt.time(12)), (dt.time(13), dt.time(18)))
SHOP = OpeningHours(BERLIN, (DAY, DAY, DAY, DAY, DAY, (), ()), frozenset({dt.date(2026, 12, 25)}))
HOUR = dt.timedelta(hours=1)


def berlin(day: int, hour: int, minute: int = 0, month: int = 11) -> dt.datetime:
    return dt.datetime(2026, month, day, hour, minute, tzinfo=BERLIN).astimezone(dt.UTC)


@pytest.mark.parametrize(
    ("day", "hour", "is_open"),
    [(23, 9, True), (23, 8, False), (23, 12, False), (23, 13, True), (23, 18, False), (22, 10, False)],
)
def test_it_is_open_when_the_week_says_so(day: int, hour: int, is_open: bool) -> None:
    assert SHOP.is_open(berlin(day, hour)) is is_open


def test_a_holiday_is_closed_all_day() -> None:
    assert not SHOP.is_open(berlin(25, 10, month=12)) and SHOP.is_open(berlin(24, 10, month=12))


def test_it_opens_next_on_monday() -> None:
    assert SHOP.next_opening(berlin(21, 10)) == berlin(23, 9)
    assert SHOP.next_opening(berlin(23, 10)) is None


def test_time_runs_only_while_it_is_open() -> None:
    assert SHOP.after(berlin(23, 11), 2 * HOUR) == berlin(23, 14)
    assert SHOP.after(berlin(20, 17, 30), HOUR) == berlin(23, 9, 30)


def test_night_shifts_pass_midnight() -> None:
    bar = OpeningHours(BERLIN, (((dt.time(20), dt.time(2)),), (), (), (), (), (), ()))
    assert bar.is_open(berlin(24, 1)) and not bar.is_open(berlin(24, 3))
    assert bar.after(berlin(23, 23), 2 * HOUR) == berlin(24, 1)


def test_the_clocks_change_and_the_shop_opens_at_nine_all_the_same() -> None:
    always = OpeningHours(BERLIN, (DAY,) * 7)
    assert always.next_opening(berlin(24, 20, month=10)) == dt.datetime(2026, 10, 25, 8, tzinfo=dt.UTC)
    assert always.next_opening(berlin(23, 20, month=10)) == dt.datetime(2026, 10, 24, 7, tzinfo=dt.UTC)


def test_without_hours_it_is_always_open() -> None:
    assert OpeningHours(BERLIN).is_open(berlin(22, 3)) and OpeningHours(BERLIN).after(berlin(22, 3), HOUR) == berlin(
        22, 4
    )


def test_a_week_of_holidays_ends_somewhere() -> None:
    closed = OpeningHours(
        BERLIN, SHOP.week, frozenset(dt.date(2026, 1, 1) + n * dt.timedelta(days=1) for n in range(800))
    )
    assert closed.next_opening(berlin(23, 10)) is None


def test_open_time_between_two_moments() -> None:
    """A day has eight hours here, and an hour for lunch; the weekend and Christmas none."""
    assert SHOP.open_between(berlin(23, 10), berlin(23, 11)) == HOUR
    assert SHOP.open_between(berlin(23, 11), berlin(23, 14)) == 2 * HOUR
    assert SHOP.open_between(berlin(20, 17), berlin(23, 10)) == 2 * HOUR
    assert SHOP.open_between(berlin(21, 10), berlin(22, 10)) == 0 * HOUR
    assert SHOP.open_between(berlin(24, 17, month=12), berlin(28, 10, month=12)) == 2 * HOUR
    assert OpeningHours(BERLIN).open_between(berlin(21, 10), berlin(22, 10)) == 24 * HOUR
