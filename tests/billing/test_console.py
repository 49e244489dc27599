from __future__ import annotations

import calendar
from typing import Any

import pytest
from sqlalchemy import select

from app.billing.balances import Balance
from app.billing.plans import Plan
from app.billing.subscriptions import charge_monthly_fee
from app.inbox.conversations import Message
from app.tenancy import db, now, platform_scope, tenant_scope
from tests.billing.books import arrive_and_post, balance, give_plan, journals, owed, priced, problems, reported
from tests.client import Browser
from tests.world import World

FIELDS = {"name": "Basic", "currency": "USD", "monthly_fee": "30", "seats": "3", "included_messages": "0"} | {
    "numbers": "0",
    "api_rate": "0",
    "trial_days": "0",
}


def plan_named(name: str) -> Plan:
    with platform_scope("tests"):
        return db.session.scalars(select(Plan).where(Plan.name == name)).one()


def test_a_plan_is_added_and_changed(pat: Browser) -> None:
    assert pat.post("/platform/plans", FIELDS | {"markup_marketing": "12,5"}).status_code == 303
    plan = plan_named("Basic")
    assert (plan.monthly_fee_micros, plan.markup, plan.is_offered) == (30_000_000, {"marketing": 1_250}, False)
    page = pat.get(f"/platform/plans/{plan.id}").text
    assert 'value="12.50"' in page and 'value="30.00"' in page
    pat.post(f"/platform/plans/{plan.id}", FIELDS | {"markup_marketing": "20", "is_offered": "y"})
    assert plan_named("Basic").markup == {"marketing": 2_000} and plan_named("Basic").is_offered


@pytest.mark.parametrize(
    "wrong",
    [
        {"monthly_fee": "-1"},
        {"monthly_fee": "abc"},
        {"markup_utility": "1.234"},
        {"markup_utility": "1001"},
        {"seats": "-1"},
        {"currency": "XXX"},
        {"name": ""},
        {"monthly_fee": "99999999999999999999"},
    ],
)
def test_an_absurd_plan_is_refused(pat: Browser, wrong: dict[str, str]) -> None:
    assert pat.post("/platform/plans", FIELDS | wrong).status_code == 422


@pytest.mark.parametrize("typed", ["1,500", "1.500", "1,500.00", "1.500,00", "12,000,000"])
def test_a_separator_between_thousands_is_not_taken_for_a_decimal_one(pat: Browser, typed: str) -> None:
    response = pat.post("/platform/plans", FIELDS | {"monthly_fee": typed})
    assert response.status_code == 422 and "without a separator" in response.text


@pytest.mark.parametrize(("typed", "micros"), [("1500,50", 1_500_500_000), ("0.50", 500_000), ("1500", 1_500_000_000)])
def test_other_amounts_are_read_as_before(pat: Browser, typed: str, micros: int) -> None:
    assert pat.post("/platform/plans", FIELDS | {"monthly_fee": typed}).status_code == 303
    assert plan_named("Basic").monthly_fee_micros == micros


def test_two_plans_cannot_have_one_name(pat: Browser) -> None:
    pat.post("/platform/plans", FIELDS)
    assert "Another plan has this name" in pat.post("/platform/plans", FIELDS).text


@pytest.fixture
def basic(pat: Browser) -> Plan:
    pat.post("/platform/plans", FIELDS | {"is_offered": "y"})
    return plan_named("Basic")


def test_a_business_gets_a_plan_and_pays_the_rest_of_the_month(pat: Browser, world: World, basic: Plan) -> None:
    answer = pat.post(f"/platform/tenants/{world.bakery.id}/plan", {"plan": str(basic.id), "mode": "prepaid"})
    assert answer.status_code == 303
    assert owed(world) == share(30_000_000) and balance(world).mode == "prepaid" and problems(world) == []


def share(micros: int) -> int:
    """What the days from today on have of a month's fee."""
    today = now().date()
    days = calendar.monthrange(today.year, today.month)[1]
    return micros * (days - today.day + 1) // days


def test_another_plan_is_charged_for_the_difference_and_its_end_gives_the_rest_back(
    pat: Browser, world: World, basic: Plan
) -> None:
    pat.post("/platform/plans", FIELDS | {"name": "Large", "monthly_fee": "90", "is_offered": "y"})
    for plan in (basic, plan_named("Large")):
        pat.post(f"/platform/tenants/{world.bakery.id}/plan", {"plan": str(plan.id), "mode": "prepaid"})
    assert owed(world) == share(30_000_000) + share(60_000_000)
    pat.post(f"/platform/tenants/{world.bakery.id}/plan/end")
    assert abs(owed(world)) <= 1 and balance(world).plan_id is None


def test_the_fee_of_a_month_is_charged_once(world: World) -> None:
    give_plan(world, monthly_fee_micros=30_000_000)
    for charged in (True, False):
        with tenant_scope(world.bakery.id):
            assert charge_monthly_fee() is charged
    assert owed(world) == 30_000_000


def test_a_plan_in_another_currency_than_the_account_is_refused(pat: Browser, world: World) -> None:
    world.connect_numbers()
    pat.post("/platform/plans", FIELDS | {"name": "Euro", "currency": "EUR", "is_offered": "y"})
    form = {"plan": str(plan_named("Euro").id), "mode": "prepaid"}
    answer = pat.post(f"/platform/tenants/{world.bakery.id}/plan", form)
    assert answer.status_code == 422 and "is billed in USD" in answer.text


def test_a_payment_is_entered_with_its_reference(pat: Browser, world: World) -> None:
    give_plan(world)
    page = f"/platform/tenants/{world.bakery.id}/top-ups"
    assert pat.post(page, {"amount": "250", "note": "Transfer 77"}).status_code == 303
    (journal,) = journals(world)
    assert (journal.kind, journal.note, journal.by) == ("top_up", "Transfer 77", "Pat")
    assert balance(world).balance_micros == 250_000_000
    assert "Transfer 77" in pat.get(f"/platform/tenants/{world.bakery.id}/billing").text


@pytest.mark.parametrize("wrong", [{"amount": "0"}, {"amount": "-5"}, {"amount": "x"}, {"note": ""}])
def test_a_payment_without_sense_is_refused(pat: Browser, world: World, wrong: dict[str, str]) -> None:
    give_plan(world)
    answer = pat.post(f"/platform/tenants/{world.bakery.id}/top-ups", {"amount": "1", "note": "x"} | wrong)
    assert answer.status_code == 422 and journals(world) == []


def test_a_correction_takes_an_amount(pat: Browser, world: World) -> None:
    give_plan(world, micros=5_000_000)
    form = {"difference": "2", "reason": "wrong tariff", "direction": "take"}
    pat.post(f"/platform/tenants/{world.bakery.id}/corrections", form)
    assert balance(world).balance_micros == 3_000_000


def test_without_a_plan_no_payment_is_taken(pat: Browser, world: World) -> None:
    answer = pat.post(f"/platform/tenants/{world.bakery.id}/top-ups", {"amount": "1", "note": "x"})
    assert answer.status_code == 409


def test_the_limit_of_a_post_paid_business_is_saved_and_shown(pat: Browser, world: World, basic: Plan) -> None:
    form: dict[str, Any] = {"plan": str(basic.id), "mode": "postpaid", "limit": "100", "reserve": "5", "cap": "80.5"}
    pat.post(f"/platform/tenants/{world.bakery.id}/plan", form)
    mine = balance(world)
    assert (mine.limit_micros, mine.reserve_micros, mine.cap_micros) == (100_000_000, 5_000_000, 80_500_000)
    page = pat.get(f"/platform/tenants/{world.bakery.id}/billing").text
    assert 'value="100.00"' in page and 'value="80.50"' in page


def test_after_its_end_a_plan_limits_nothing(pat: Browser, world: World, sent: Message) -> None:
    give_plan(world)
    pat.post(f"/platform/tenants/{world.bakery.id}/plan/end")
    arrive_and_post(world, reported("delivered", priced()))
    assert owed(world) == 0 and journals(world)[-1].free == "no_plan"
    with tenant_scope(world.bakery.id):
        assert not db.session.scalars(select(Balance)).one().is_enforced
