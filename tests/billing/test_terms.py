from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from flask import Flask

from app.billing.terms import Terms
from app.tenancy import global_scope

NOON = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
BEFORE = dt.datetime(2026, 9, 30, 23, 59, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
GERMAN, INDIAN = "4915112345678", "919812345678"


def words(app: Flask, category: str, at: dt.datetime = NOON, number: str | None = GERMAN, **more: Any) -> str:
    with global_scope(), app.test_request_context():
        return Terms("USD", number, **more).price_of(category, at).words


@pytest.mark.parametrize(
    ("category", "expected"),
    [
        ("MARKETING", "≈ US$0.1365 · Marketing · Germany"),
        ("UTILITY", "≈ US$0.0550 · Utility · Germany"),
        ("AUTHENTICATION", "≈ US$0.0550 · Authentication · Germany"),
    ],
)
@pytest.mark.parametrize("is_open", [True, False])
def test_a_template_costs_the_same_in_an_open_window_as_in_a_closed_one(
    app: Flask, category: str, expected: str, is_open: bool
) -> None:
    assert words(app, category, window_closes_at=NOON + HOUR if is_open else NOON - HOUR) == expected


def test_until_october_the_open_window_made_utility_templates_free(app: Flask) -> None:
    closes = BEFORE + HOUR
    expected = "Free until Thu 1 Oct, 00:59 UTC: the customer wrote less than 24 hours ago · Utility"
    assert words(app, "UTILITY", BEFORE, window_closes_at=closes) == expected
    assert "Price unknown" in words(app, "MARKETING", BEFORE, window_closes_at=closes)
    assert "≈" in words(app, "UTILITY", dt.datetime(2026, 10, 1, tzinfo=dt.UTC), window_closes_at=closes)


@pytest.mark.parametrize("category", ["MARKETING", "UTILITY", "AUTHENTICATION", "service"])
def test_an_advertisement_makes_everything_free_until_its_end(app: Flask, category: str) -> None:
    until = NOON + HOUR
    assert "the customer came from an ad" in words(app, category, free_until=until)
    assert "≈" in words(app, category, until, free_until=until)


def test_an_answer_may_be_one_of_the_free_ones(app: Flask) -> None:
    expected = "Free for this number's first 1,000 replies of the month, then ≈ US$0.0550 · Reply · Germany"
    assert words(app, "service") == expected


def test_a_code_may_cost_more_from_abroad(app: Flask) -> None:
    expected = "≈ US$0.0014 · Authentication · India; US$0.0304 if Meta counts the business as international"
    assert words(app, "AUTHENTICATION", number=INDIAN) == expected
    assert "a different price" in words(app, "AUTHENTICATION", number="77012345678")


@pytest.mark.parametrize(
    ("number", "category", "why"),
    [
        (None, "MARKETING", "hides the customer's number"),
        ("13405551234", "UTILITY", "list doesn't include it"),
        (GERMAN, "NEW_KIND", "no price"),
    ],
)
def test_what_is_not_known_says_why(app: Flask, number: str | None, category: str, why: str) -> None:
    expected = words(app, category, number=number)
    assert expected.startswith("Price unknown: ") and why in expected and "≈" not in expected
