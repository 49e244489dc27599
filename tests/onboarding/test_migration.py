from __future__ import annotations

import datetime as dt

import pytest

from app.onboarding.migration import Calendar
from tests.client import Browser


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("today", "refused"),
    [
        ("2026-11-04", True),
        ("2026-11-05", False),
        ("2026-11-27", False),
        ("2026-11-28", True),
        ("2027-02-25", False),
        ("2027-02-26", True),
        ("2028-02-26", False),
        ("2026-12-31", True),
    ],
)
def test_the_last_three_and_first_four_days_of_a_month_are_refused(today: str, refused: bool) -> None:
    assert Calendar(day(today)).is_blackout is refused


def test_the_next_day_and_the_change_of_the_payer_are_named() -> None:
    late = Calendar(day("2026-12-30"))
    assert (late.next_day, late.takes_over_on, late.best_day) == (
        day("2027-01-05"),
        day("2027-02-01"),
        day("2027-01-28"),
    )


def test_the_page_explains_it(ann: Browser) -> None:
    page = ann.get("~/onboarding/ways").get_data(as_text=True)
    assert "We pay Meta from" in page
    assert "two-step verification" in page


@pytest.mark.parametrize("is_blackout", [True, False])
def test_on_a_refused_day_the_way_that_is_closed_has_no_button(
    ann: Browser, monkeypatch: pytest.MonkeyPatch, is_blackout: bool
) -> None:
    monkeypatch.setattr(Calendar, "is_blackout", property(lambda _: is_blackout))
    page = ann.get("~/onboarding/ways").get_data(as_text=True)
    assert ("Not possible today." in page, "Connect this account" in page) == (is_blackout, not is_blackout)
    assert "Connect a new account" in page


@pytest.mark.parametrize(
    ("moment", "may"),
    [
        ("2026-11-27T09:59", False),
        ("2026-11-27T10:00", True),
        ("2026-12-05T11:59", True),
        ("2026-12-05T12:00", False),
    ],
)
def test_a_day_is_refused_while_it_is_that_day_anywhere(moment: str, may: bool) -> None:
    assert Calendar.may_refuse(dt.datetime.fromisoformat(f"{moment}:00+00:00")) is may


def test_the_next_try_is_when_the_day_has_begun_everywhere() -> None:
    late = dt.datetime.fromisoformat("2026-11-27T12:00:00+00:00")
    assert Calendar.at(late).taken_from == dt.datetime.fromisoformat("2026-12-05T12:00:00+00:00")
