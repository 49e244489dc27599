from __future__ import annotations

import csv
import datetime as dt

from app.billing.balances import Balance
from app.billing.price_lists import PriceList
from app.billing.rate_cards import RateCard
from app.billing.terms import Terms
from app.inbox.conversations import Conversation
from app.tenancy import db, platform_scope, tenant_scope
from tests.billing.books import give_plan
from tests.client import Browser
from tests.world import World, conversation

NOON = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)


def test_without_a_plan_the_page_has_metas_prices(ann: Browser, world: World) -> None:
    page = ann.get("~/costs/prices?q=germany").text
    assert "Germany (+49)" in page and "US$0.1365" in page and "You have no plan" in page
    assert "France" not in page and "valid since" in page


def test_with_a_plan_the_mark_up_is_added(ann: Browser, world: World) -> None:
    plan = give_plan(world, markup={"marketing": 1_000})
    page = ann.get("~/costs/prices?q=49").text
    assert "US$0.15015" in page and "US$0.0550" in page and plan.name in page


def test_it_says_until_when_the_prices_are_valid(ann: Browser, world: World) -> None:
    with platform_scope("tests"):
        today = RateCard.on("USD", dt.datetime.now(dt.UTC).date())
        assert today
        prices = PriceList(
            dict(today.prices.codes), {key: (micros or 0) + 1 for key, micros in today.prices.prices.items()}
        )
        RateCard.load(prices, "USD", dt.date(2099, 1, 1), "tests")
    assert "until 31 December 2098" in ann.get("~/costs/prices").text


def test_nothing_found_is_shown(ann: Browser, world: World) -> None:
    assert "No country has this name or code" in ann.get("~/costs/prices?q=atlantis").text


def test_the_csv_has_every_country_with_the_same_prices(ann: Browser, world: World) -> None:
    give_plan(world, markup={"marketing": 1_000})
    text = ann.get("~/costs/prices/export").data.decode("utf-8-sig")
    rows = {row["country"]: row for row in csv.DictReader(text.splitlines())}
    assert len(rows) > 200 and (rows["DE"]["marketing"], rows["DE"]["utility"]) == ("0.15015", "0.055")
    assert rows["DE"]["currency"] == "USD" and rows["DE"]["valid_from"]


def test_agents_see_no_prices(ben: Browser) -> None:
    assert ben.get("~/costs/prices").status_code == 403


def test_the_price_before_sending_has_the_mark_up_and_says_so(world: World) -> None:
    bakery, _ = world.connect_numbers()
    talk = conversation(bakery, wa_id="4915112345678")
    give_plan(world, markup={"marketing": 1_000})
    with tenant_scope(world.bakery.id):
        results = db.session.get_one(Conversation, (talk.tenant_id, talk.id))
        assert results.terms.plan and Balance.plan_now()
        price = results.terms.price_of("MARKETING", NOON)
    assert price.charged and price.charged.micros == 150_150 and price.quote.money
    assert price.quote.money.micros == 136_500


def test_the_words_name_the_plan(ann: Browser, world: World) -> None:
    plan = give_plan(world, markup={"authentication_international": 1_000, "authentication": 1_000})
    with ann.app.test_request_context(), tenant_scope(world.bakery.id):
        words = Terms("USD", "919812345678", plan=plan).price_of("AUTHENTICATION", NOON).words
    assert words.startswith("≈ US$0.00154 with your plan") and "US$0.03344 if Meta" in words
