from __future__ import annotations

import csv
import datetime as dt
import io
import re
import uuid
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from app.billing.holds import ReplyCount
from app.billing.ledger import Journal
from app.billing.money import Money
from app.billing.totals import DayTotal, MonthTotal
from app.costs.months import Month
from app.extensions import outside
from app.inbox.conversations import Message
from app.tenancy import db, tenant_scope
from tests.billing.books import arrive_and_post, balance, give_plan, priced, problems, reported
from tests.billing.test_ledger import reprice
from tests.client import Browser
from tests.world import World

NOVEMBER = "/t/bakery/costs?month=2026-11"


@pytest.fixture(autouse=True)
def in_november(time_machine_at: Any) -> None:
    """The time is in the month of the messages."""


@pytest.fixture
def time_machine_at() -> Any:
    import time_machine

    with time_machine.travel(dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC), tick=True):
        yield


def test_the_page_shows_what_the_month_cost_and_by_what(world: World, sent: Message, ann: Browser) -> None:
    arrive_and_post(
        world,
        reported("delivered", priced()),
        reported("delivered", priced(category="utility"), wamid="wamid.2", recipient_id="4915112345678"),
    )
    page = ann.get(NOVEMBER).text
    for words in ("US$0.08", "2 charged messages", "United States", "Germany", "Marketing", "Ann", "Other software"):
        assert words in page, words
    assert page.count("<rect") == 1


def test_agents_and_admins_do_not_see_costs(world: World, ben: Browser) -> None:
    assert ben.get("/t/bakery/costs").status_code == 403


def test_with_a_plan_the_page_shows_what_is_paid(world: World, sent: Message, ann: Browser) -> None:
    give_plan(world, micros=10_000_000, markup={"marketing": 1_000})
    arrive_and_post(world, reported("delivered", priced()))
    page = ann.get(NOVEMBER).text
    assert "US$0.03" in page and "by bank" in page and "US$9.97" in page


def test_a_month_that_cost_nothing_says_so_in_its_currency(world: World, sent: Message, ann: Browser) -> None:
    give_plan(world, micros=10_000_000, included_messages=1)
    arrive_and_post(world, reported("delivered", priced()))
    assert re.search(r'data-testid="total">\s*<a[^>]*>US\$0\.00</a>', ann.get(NOVEMBER).text)


def test_a_month_without_messages_says_so_in_the_plan_s_currency(world: World, ann: Browser) -> None:
    give_plan(world, micros=10_000_000)
    page = ann.get("/t/bakery/costs").text
    assert re.search(r'data-testid="total">\s*<a[^>]*>US\$0\.00</a>', page) and "Plan and balance" in page


def test_a_figure_opens_down_to_its_messages(world: World, sent: Message, ann: Browser) -> None:
    give_plan(world, micros=10_000_000, markup={"marketing": 1_000})
    arrive_and_post(
        world,
        reported("delivered", priced()),
        reported("delivered", priced(category="utility"), wamid="wamid.other"),
    )
    page = ann.get(NOVEMBER).text
    (link,) = set(re.findall(r'href="([^"]+category=marketing[^"]*)"', page))
    messages = ann.get(link.replace("&amp;", "&")).text
    assert str(sent.conversation_id) in messages and "Meta US$0.0250 + US$0.0025" in messages
    assert "wamid" not in messages and "Utility" not in messages


def test_every_row_of_the_page_is_the_sum_of_the_messages_it_opens(world: World, sent: Message, ann: Browser) -> None:
    changes = [
        reported("delivered", priced(category=category), wamid=f"wamid.{category}.{n}", recipient_id=to)
        for category in ("marketing", "utility")
        for n, to in enumerate(("16505551234", "4915112345678", "5511987654321"))
    ]
    arrive_and_post(world, *changes)
    page = ann.get(NOVEMBER).text
    rows = re.findall(r'href="(/t/bakery/costs/messages[^"]+)".*?<td>\s*(\d+) ?m?', page, re.DOTALL)
    assert len(rows) >= 6
    for link, count in rows[1:]:
        assert ann.get(link.replace("&amp;", "&")).text.count("not stored here") == int(count), link


def test_the_totals_are_the_sum_of_the_rows_also_after_a_price_has_changed(world: World, sent: Message) -> None:
    from app.billing.price_lists import PriceList
    from app.billing.rate_cards import RateCard
    from app.tenancy import platform_scope

    give_plan(world, micros=10_000_000, markup={"marketing": 321})
    arrive_and_post(world, *(reported("delivered", priced(), wamid=f"wamid.{n}") for n in range(7)))
    with platform_scope("tests"):
        prices = PriceList({"1": "North America"}, {("North America", "marketing"): 31_111})
        RateCard.load(prices, "USD", dt.date(2026, 11, 1), "tests")
    assert reprice(world) == 7
    with tenant_scope(world.bakery.id):
        total = db.session.execute(select(func.sum(DayTotal.messages), func.sum(DayTotal.charged_micros))).one()
        live = select(func.sum(Journal.charged_micros)).where(Journal.kind == "repricing")
        assert tuple(map(int, total)) == (7, int(db.session.scalar(live) or 0))


def test_free_messages_show_what_was_saved_and_open_too(world: World, sent: Message, ann: Browser) -> None:
    arrive_and_post(world, reported("delivered", priced("free_entry_point")))
    page = ann.get(NOVEMBER).text
    assert "The customer came from an ad" in page and "US$0.02" in page
    assert str(sent.conversation_id) in ann.get("/t/bakery/costs/free?month=2026-11&reason=free_entry_point").text


@pytest.mark.parametrize("page", ["", "/messages", "/free", "/export"])
@pytest.mark.parametrize("month", ["0001-01", "9999-12"])
def test_a_month_at_the_end_of_time_is_shown(ann: Browser, page: str, month: str) -> None:
    for day in ("", "0001-01-01", "9999-12-31"):
        query = f"month={month}&day={day}&reason=free_entry_point&after={day}.{uuid.UUID(int=7)}"
        assert ann.get(f"/t/bakery/costs{page}?{query}").status_code == 200


def test_free_replies_and_what_the_next_ones_cost_are_shown(world: World, sent: Message, ann: Browser) -> None:
    arrive_and_post(
        world,
        reported("delivered", priced("free_customer_service", "service")),
        reported("delivered", priced(), wamid="wamid.2"),
    )
    with tenant_scope(world.bakery.id):
        db.session.scalars(select(ReplyCount)).one().free = 812
    page = ann.get(NOVEMBER).text
    assert "812 of 1,000 used" in page
    assert "a reply to United States costs US$0.0034" in page and "cost US$0.0102" in page


def test_a_message_without_a_price_says_why(world: World, sent: Message, ann: Browser) -> None:
    arrive_and_post(world, reported("delivered", priced(category="marketing_lite")))
    assert "1 without a known price" in ann.get(NOVEMBER).text
    assert "Price unknown" in ann.get("/t/bakery/costs/messages?month=2026-11").text


def test_the_month_is_downloaded_as_csv(world: World, sent: Message, ann: Browser) -> None:
    arrive_and_post(world, reported("delivered", priced()))
    answer = ann.get("/t/bakery/costs/export?month=2026-11")
    (row,) = csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig")))
    assert (row["day"], row["number"], row["country"]) == ("2026-11-20", "1 555 078 3881", "US")
    assert (row["messages"], row["list_price"], row["cost"]) == ("1", "0.025", "0.025")


def test_more_messages_are_on_more_pages(world: World, sent: Message, ann: Browser) -> None:
    arrive_and_post(world, *(reported("delivered", priced(), wamid=f"wamid.{n}") for n in range(60)))
    first = ann.get("/t/bakery/costs/messages?month=2026-11&category=marketing").text
    (link,) = re.findall(r'href="([^"]+before=[^"]+)"', first)
    second = ann.get(link.replace("&amp;", "&")).text
    assert (first.count("not stored here"), second.count("not stored here")) == (50, 10)


@pytest.mark.parametrize(
    "query",
    ["month=x", "month=9999-99", "month=2031-01", "month=2026-11&day=x", "month=2026-11&number=x&before=1.2"],
)
def test_nonsense_in_an_address_finds_nothing(world: World, sent: Message, ann: Browser, query: str) -> None:
    for page in ("", "/messages", "/export"):
        assert ann.get(f"/t/bakery/costs{page}?{query}").status_code == 200


def test_the_forecast_goes_on_as_the_month_began(world: World, sent: Message) -> None:
    arrive_and_post(world, reported("delivered", priced()))
    with tenant_scope(world.bakery.id):
        month = Month.read("2026-11")
        assert month.forecast and month.forecast.micros == 25_000 * 30 // 25


def test_what_is_stopped_is_shown(world: World, ann: Browser) -> None:
    give_plan(world, micros=1_000_000, stage="no_marketing")
    assert "Marketing messages are stopped" in ann.get("/t/bakery/costs").text
    assert balance(world).stage == "no_marketing"


def test_a_month_that_is_added_up_anew_is_as_it_was(world: World, sent: Message, ann: Browser) -> None:
    arrive_and_post(world, reported("delivered", priced()), reported("read", priced("free_entry_point"), wamid="w.2"))
    before = ann.get(NOVEMBER).text
    with tenant_scope(world.bakery.id):
        db.session.execute(update(MonthTotal).values(messages=0))
        MonthTotal.rebuild(dt.date(2026, 11, 1))
    assert ann.get(NOVEMBER).text.count("US$") == before.count("US$") > 0 and problems(world) == []


def test_included_messages_of_a_plan_whose_fee_is_not_paid_say_when_they_count(world: World, ann: Browser) -> None:
    give_plan(world, included_messages=500, balance_micros=-1_000_000)
    page = ann.get("/t/bakery/costs").text
    assert "0 of 500" in page and "once the monthly fee is paid" in page


def test_nothing_has_the_decimal_places_of_its_currency(app: Flask) -> None:
    with app.test_request_context():
        assert (Money(0, "USD").exact, Money(0, "JPY").exact) == ("US$0.00", "¥0")
        assert Money(25_000, "USD").exact == "US$0.0250"


def test_the_help_offers_cards_only_where_they_can_be_used(ann: Browser, app: Flask) -> None:
    assert "Stripe" not in ann.get("/help/costs").text and "by bank transfer" in ann.get("/help/costs").text
    here = outside(app)
    before = here.settings
    here.settings = before.model_copy(update={"stripe_secret_key": "sk_test_1"})
    try:
        assert "Stripe" in ann.get("/help/costs").text
    finally:
        here.settings = before
