"""What was sent before, between and after plans stays on the page of costs at what it cost."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterator

import pytest
import time_machine
from sqlalchemy import update

from app.billing.balances import Balance
from app.billing.ledger import OF_MESSAGES
from app.billing.money import micros_of
from app.billing.payments import top_up
from app.billing.plans import Plan
from app.billing.price_lists import PriceList
from app.billing.rate_cards import RateCard
from app.billing.subscriptions import begin_trial, choose, end_plan
from app.billing.totals import DayTotal, MonthTotal
from app.costs.months import Month
from app.inbox.conversations import Message
from app.tenancy import db, platform_scope, tenant_scope
from tests.billing.books import arrive_and_post, journals, priced, problems, reported
from tests.billing.test_ledger import reprice
from tests.client import Browser
from tests.world import World

MONTH = "2026-11"


@pytest.fixture(autouse=True)
def in_november() -> Iterator[None]:
    with time_machine.travel(dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC), tick=True):
        yield


def deliver(world: World, name: str) -> None:
    arrive_and_post(world, reported("delivered", priced(), wamid=f"wamid.{name}"))


def plan_with(markup: int, **more: int) -> Plan:
    with platform_scope("tests"):
        plan = Plan(name=f"Plan {markup}", currency="USD", markup={"marketing": markup}, **more)
        db.session.add(plan)
    return plan


def take(world: World, plan: Plan) -> None:
    with tenant_scope(world.bakery.id):
        choose(plan.id, by="Ann")
        top_up(10_000_000, note="by bank", by="Pat")


def figures(world: World, ann: Browser) -> set[int]:
    """What the month cost by the page, each of its lists, the CSV and the journals that they open: one figure."""
    with tenant_scope(world.bakery.id):
        month = Month.read(MONTH)
        lists = [sum(figure.micros["USD"] for figure in figures) for figures in month.groups.values()]
        total = month.total.micros["USD"]
    file = ann.get(f"/t/bakery/costs/export?month={MONTH}").data.decode("utf-8-sig")
    exported = sum(micros_of(row["cost"]) or 0 for row in csv.DictReader(io.StringIO(file)) if not row["free"])
    costs = sum(journal.cost.micros for journal in journals(world) if journal.kind in OF_MESSAGES)
    assert problems(world) == []
    return {total, *lists, exported, costs}


def test_what_was_sent_before_a_plan_stays_at_what_it_cost(world: World, sent: Message, ann: Browser) -> None:
    deliver(world, "before")
    take(world, plan_with(1_000))
    deliver(world, "after")
    assert figures(world, ann) == {25_000 + 27_500}
    page = ann.get(f"/t/bakery/costs?month={MONTH}").text
    assert "US$0.05" in page and "US$0.02 of it without a plan" in re.sub(r"\s+", " ", page)
    shown = ann.get(f"/t/bakery/costs/messages?month={MONTH}").text
    assert "US$0.0275" in shown and "sent without a plan" in shown


def test_a_plan_that_is_changed_twice_leaves_each_message_its_price(world: World, sent: Message, ann: Browser) -> None:
    deliver(world, "none")
    for markup in (1_000, 2_000, 3_000):
        take(world, plan_with(markup))
        deliver(world, str(markup))
    assert figures(world, ann) == {25_000 + 27_500 + 30_000 + 32_500}


def test_a_plan_that_was_ended_leaves_what_it_charged(world: World, sent: Message, ann: Browser) -> None:
    take(world, plan_with(1_000))
    deliver(world, "with")
    with tenant_scope(world.bakery.id):
        end_plan(by="Pat")
    deliver(world, "after")
    assert figures(world, ann) == {27_500 + 25_000}
    assert "What your messages cost with your plan" in ann.get(f"/t/bakery/costs?month={MONTH}").text


def test_a_trial_that_becomes_a_plan_leaves_what_was_before_it(world: World, sent: Message, ann: Browser) -> None:
    deliver(world, "before")
    plan = plan_with(1_000, trial_days=7, trial_micros=1_000_000)
    with tenant_scope(world.bakery.id):
        begin_trial(plan.id, by="Ann")
    deliver(world, "trial")
    with tenant_scope(world.bakery.id):
        db.session.execute(update(Balance).values(trial_until=None, ends_on=None))
    deliver(world, "plan")
    assert figures(world, ann) == {25_000 + 2 * 27_500}


def test_messages_in_another_currency_than_the_plans_stay_too(world: World, sent: Message, ann: Browser) -> None:
    deliver(world, "before")
    with tenant_scope(world.bakery.id):
        db.session.add(Balance(plan_id=plan_with(0).id, currency="EUR", month=dt.date(2026, 11, 1)))
    assert figures(world, ann) == {25_000}


def test_included_messages_cost_nothing(world: World, sent: Message, ann: Browser) -> None:
    deliver(world, "before")
    take(world, plan_with(1_000, included_messages=100))
    deliver(world, "included")
    assert figures(world, ann) == {25_000}


def test_what_an_older_program_has_not_counted_is_counted_with_the_day(world: World, sent: Message) -> None:
    deliver(world, "before")
    with tenant_scope(world.bakery.id):
        db.session.execute(update(DayTotal).values(no_plan_micros=0))
        db.session.execute(update(MonthTotal).values(no_plan_micros=0))
    assert "totals of a day differ" in problems(world)[0]
    with tenant_scope(world.bakery.id):
        MonthTotal.rebuild(dt.date(2026, 11, 1))
    assert problems(world) == []


def test_a_price_that_changes_later_is_one_figure_too(world: World, sent: Message, ann: Browser) -> None:
    deliver(world, "before")
    take(world, plan_with(1_000))
    deliver(world, "after")
    with platform_scope("tests"):
        prices = PriceList({"1": "North America"}, {("North America", "marketing"): 31_000})
        RateCard.load(prices, "USD", dt.date(2026, 11, 1), "tests")
    assert reprice(world) == 2
    assert figures(world, ann) == {31_000 + 34_100}
