"""The stranger's door: what this is, what Meta charges, who runs it and what is stored."""

from __future__ import annotations

import html
from collections.abc import Iterator

import pytest
from flask import Flask

from app.billing.price_lists import PriceList
from app.billing.rate_cards import RateCard
from app.config import Settings
from app.tenancy import now, platform_scope
from tests.apps import running
from tests.client import Browser, isolated
from tests.world import World


def test_a_stranger_reads_what_this_is_and_how_to_begin(browser: Browser) -> None:
    page = browser.get("/").text
    assert "Your team answers WhatsApp together" in page
    for link in ("/sign-in", "/sign-up", "/terms", "/privacy", "/help/"):
        assert f'href="{link}"' in page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_picture_of_the_product_is_there(browser: Browser, scheme: str) -> None:
    page = browser.get("/").text
    address = next(part for part in page.split('"') if f"inbox-{scheme}." in part)
    with isolated(browser.client.get, address) as picture:
        assert picture.data[8:12] == b"WEBP"


def test_whoever_is_signed_in_goes_to_their_business(ann: Browser, pat: Browser) -> None:
    assert ann.get("/").location == "/t/bakery/"
    assert pat.get("/").location == "/platform/"


def test_prices_are_those_of_the_chosen_country(browser: Browser) -> None:
    page = browser.get("/?country=DE").text
    assert "US$0.1365" in page and "US$0.0550" in page
    assert "US$0.1365" not in browser.get("/?country=BR").text


@pytest.mark.parametrize(
    ("country", "market"),
    [("AT", "Rest of Western Europe"), ("KZ", "Kazakhstan"), ("JM", "Rest of Latin America"), ("CA", "North America")],
)
def test_a_country_has_the_prices_of_the_market_it_is_in(browser: Browser, country: str, market: str) -> None:
    assert f"market “{market}”" in html.unescape(browser.get(f"/?country={country}").text)


@pytest.mark.parametrize(
    ("language", "country"), [("de-AT,de;q=0.9", "AT"), ("pt", "BR"), ("zh-Hans-SG", "SG"), ("*", "US"), ("tlh", "US")]
)
def test_the_country_is_the_readers_own_unless_chosen(browser: Browser, language: str, country: str) -> None:
    page = browser.get("/", headers={"Accept-Language": language}).text
    assert f'<option value="{country}" selected>' in page


@pytest.mark.parametrize("requested", ["country=XX", "currency=XXX", "country=%00&currency=%F0%9F%98%80"])
def test_a_country_that_does_not_exist_shows_another(browser: Browser, requested: str) -> None:
    assert "US$" in browser.get(f"/?{requested}").text


def test_a_newer_card_is_shown_at_once(browser: Browser, own_cards: None) -> None:
    lines = [
        "market,country_calling_codes,marketing,utility,authentication,authentication_international,service",
        "Germany,49,0.9999,unknown,0.0550,,0.0550",
    ]
    with platform_scope("tests"):
        RateCard.load(PriceList.read(lines), "EUR", now().date(), "tests")
    page = browser.get("/?country=DE&currency=EUR").text
    assert "€0.9999" in page and "Not on our price list" in page


@pytest.mark.parametrize("path", ["/terms", "/privacy"])
def test_the_operator_is_named(browser: Browser, nameless_app: Flask, path: str) -> None:
    page = browser.get(path).text
    assert "operated by Switchboard demo" in page and "operator@example.com" in page
    assert "has not entered its name" in Browser(nameless_app).get(path).text


@pytest.fixture
def nameless_app(app: Flask, settings: Settings) -> Iterator[Flask]:
    with running(settings.model_copy(update={"operator_name": ""})) as made:
        yield made


def test_signing_up_leads_to_terms_and_privacy(world: World, browser: Browser) -> None:
    page = browser.get("/sign-up").text
    assert 'href="/terms"' in page and 'href="/privacy"' in page
