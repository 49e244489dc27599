from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from sqlalchemy import select, update

from app.api import rates
from app.billing.balances import Balance
from app.billing.holds import Claimed, Funds
from app.billing.money import cut
from app.billing.payments import top_up
from app.billing.plans import Plan
from app.billing.subscriptions import begin_trial, charge_monthly_fee, due_now, rest_of_month, settle_trial
from app.tenancy import db, platform_scope, tenant_scope, uuid7
from app.tenancy.limits import OverLimit, most_of
from app.wabas.models import PhoneNumber
from tests.billing.books import arrive_and_post, balance, give_plan, journals, numbers, owed, priced, problems, reported
from tests.billing.test_balances import hold
from tests.client import Browser
from tests.enqueued import Enqueued
from tests.world import World

FEE = 30_000_000


def offer(**columns: Any) -> Plan:
    facts = {"currency": "USD", "monthly_fee_micros": FEE} | columns
    with platform_scope("tests"):
        plan = Plan(name=f"Offer {next(numbers)}", **facts)
        db.session.add(plan)
    return plan


def rest(micros: int) -> int:
    """The share of an amount that is left of this month, in whole hundredths."""
    return cut(rest_of_month(micros, dt.datetime.now(dt.UTC).date()), "USD")


def rest_of(messages: int) -> int:
    """How many of a month's included messages the days that are left have."""
    return rest_of_month(messages, dt.datetime.now(dt.UTC).date())


def test_an_owner_begins_a_plan_and_pays_the_rest_of_the_month(ann: Browser, world: World) -> None:
    plan = offer()
    assert f"Choose {plan.name}" in ann.get("~/costs/plans").text
    assert ann.post("~/costs/plan", {"plan": plan.id}).status_code == 303
    assert balance(world).plan_id == plan.id and owed(world) == rest(FEE)
    ann.post("~/costs/plan", {"plan": plan.id})
    assert owed(world) == rest(FEE) and problems(world) == []


def test_a_change_is_charged_or_given_back_by_days(ann: Browser, world: World) -> None:
    small, large = offer(), offer(monthly_fee_micros=3 * FEE)
    for plan, fee in ((small, FEE), (large, 3 * FEE), (small, FEE)):
        ann.post("~/costs/plan", {"plan": plan.id})
        assert abs(owed(world) - rest(fee)) <= 20_000


def test_the_page_says_what_choosing_costs_today(ann: Browser, world: World) -> None:
    small, large = offer(), offer(monthly_fee_micros=3 * FEE)
    ann.post("~/costs/plan", {"plan": large.id})
    with tenant_scope(world.bakery.id):
        due = due_now(small, Balance.current(), dt.datetime.now(dt.UTC).date())
    assert due == rest(-2 * FEE) and "is given back to your balance now" in ann.get("~/costs/plans").text


def test_agents_cannot_choose(ben: Browser, world: World) -> None:
    assert ben.post("~/costs/plan", {"plan": offer().id}).status_code == 403
    assert ben.get("~/costs/plans").status_code == 403


@pytest.mark.parametrize("columns", [{"is_offered": False}, {"currency": "EUR"}])
def test_only_plans_that_are_offered_in_the_currency_can_be_chosen(
    ann: Browser, world: World, columns: dict[str, Any]
) -> None:
    world.connect_numbers()
    plan = offer(**columns)
    assert plan.name not in ann.get("~/costs/plans").text
    ann.post("~/costs/plan", {"plan": plan.id})
    with tenant_scope(world.bakery.id):
        assert Balance.current() is None
    assert ann.post("~/costs/plan", {"plan": uuid.uuid4()}).status_code == 303


def test_included_messages_are_shared_out_by_days_too(ann: Browser, world: World) -> None:
    ann.post("~/costs/plan", {"plan": offer(included_messages=3_000).id})
    assert balance(world).entitled == rest_of(3_000)
    ann.post("~/costs/plan", {"plan": offer(included_messages=6_000).id})
    assert abs(balance(world).entitled - rest_of(6_000)) <= 1


def test_a_plan_that_an_owner_ends_goes_on_until_the_month_is_over(ann: Browser, world: World) -> None:
    ann.post("~/costs/plan", {"plan": offer().id})
    ann.post("~/costs/plan/end")
    ends = balance(world).ends_on
    assert ends and ends.day == 1 and not balance(world).has_ended and owed(world) == rest(FEE)
    assert "Until then everything goes on as before" in ann.get("~/costs/plans").text
    ann.post("~/costs/plan/continuation")
    assert balance(world).ends_on is None


def ended(world: World, **more: Any) -> None:
    give_plan(world, micros=10_000_000, ends_on=dt.date(2020, 1, 1), **more)


def test_after_the_end_paid_messages_wait_and_free_ones_go(world: World) -> None:
    ended(world, included_messages=10)
    number = world.connect_numbers()[0]
    assert hold(world, number, "utility", "marketing", "authentication", "service") == ["ended"] * 3 + [""]


def test_what_was_under_way_at_the_end_is_charged(world: World, sent: Any) -> None:
    ended(world, markup={"marketing": 1_000})
    arrive_and_post(world, reported("delivered", priced()))
    assert journals(world)[-1].charged_micros == 27_500


def test_no_fee_is_charged_after_the_end(world: World) -> None:
    ended(world, monthly_fee_micros=FEE)
    with tenant_scope(world.bakery.id):
        assert not charge_monthly_fee()


def test_choosing_again_after_the_end_begins_anew(ann: Browser, world: World) -> None:
    ended(world)
    assert "Your plan has ended" in ann.get("~/costs/plans").text
    ann.post("~/costs/plan", {"plan": offer().id})
    assert balance(world).ends_on is None and balance(world).balance_micros == 10_000_000 - rest(FEE)


def begin(world: World, plan: Plan) -> None:
    with tenant_scope(world.bakery.id):
        begin_trial(plan.id, by="Ann")


def move_to_end(world: World, days: int = 0) -> None:
    """The trial ends in so many days."""
    with tenant_scope(world.bakery.id):
        until = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=days)
        mine = db.session.scalars(select(Balance)).one()
        mine.trial_until, mine.ends_on = until, until if mine.ends_on else None


def settle(world: World) -> None:
    with tenant_scope(world.bakery.id):
        settle_trial()


def test_a_trial_has_no_fee_and_an_amount_to_spend(ann: Browser, world: World) -> None:
    plan = offer(trial_days=14, trial_micros=5_000_000)
    assert "Try for 14 days" in ann.get("~/costs/plans").text
    ann.post("~/costs/trial", {"plan": plan.id})
    assert balance(world).balance_micros == 5_000_000 and balance(world).is_trial
    with tenant_scope(world.bakery.id):
        assert not charge_monthly_fee()
    assert "Your trial of" in ann.get("~/costs/plans").text


def test_a_trial_that_is_not_continued_ends_without_a_charge(world: World, sent: Any, enqueued: Enqueued) -> None:
    begin(world, offer(trial_days=14, trial_micros=5_000_000))
    arrive_and_post(world, reported("delivered", priced()))
    move_to_end(world)
    settle(world)
    settle(world)
    assert balance(world).balance_micros == 0 and balance(world).has_ended and problems(world) == []
    assert enqueued.names.count("billing.mail_trial") == 1


def test_a_trial_that_is_continued_becomes_the_plan(ann: Browser, world: World) -> None:
    plan = offer(trial_days=14, trial_micros=5_000_000)
    begin(world, plan)
    with tenant_scope(world.bakery.id):
        top_up(40_000_000, note="", by="Pat")
    ann.post("~/costs/plan/continuation")
    assert balance(world).balance_micros == 45_000_000
    move_to_end(world)
    settle(world)
    assert balance(world).balance_micros == 40_000_000 - rest(FEE) and not balance(world).has_ended
    assert balance(world).ends_on is None and not balance(world).is_trial


def test_another_plan_ends_the_trial(ann: Browser, world: World) -> None:
    begin(world, offer(trial_days=14, trial_micros=5_000_000))
    ann.post("~/costs/plan", {"plan": offer().id})
    assert balance(world).balance_micros == -rest(FEE) and balance(world).trial_until is None


def test_a_business_tries_once(ann: Browser, world: World) -> None:
    plan = offer(trial_days=14, trial_micros=5_000_000)
    ann.post("~/costs/trial", {"plan": plan.id})
    move_to_end(world, -1)
    settle(world)
    assert "Try for 14 days" not in ann.get("~/costs/plans").text
    ann.post("~/costs/trial", {"plan": plan.id})
    assert balance(world).balance_micros == 0 and not balance(world).is_trial


@pytest.mark.parametrize(("days", "mails"), [(4, 0), (3, 1), (2, 1), (1, 1)])
def test_owners_are_reminded_before_the_end(world: World, enqueued: Enqueued, days: int, mails: int) -> None:
    begin(world, offer(trial_days=14))
    move_to_end(world, days)
    for _ in range(2):
        settle(world)
    assert enqueued.names.count("billing.mail_trial") == mails


def test_a_second_reminder_comes_on_the_last_day(world: World, enqueued: Enqueued) -> None:
    begin(world, offer(trial_days=14))
    for days in (3, 1):
        enqueued.clear()
        move_to_end(world, days)
        settle(world)
        assert "billing.mail_trial" in enqueued.names


def test_an_invitation_over_the_seats_is_refused_and_no_one_is_removed(ann: Browser, world: World) -> None:
    give_plan(world, seats=3)
    form = {"emails": "one@example.com two@example.com", "role": "agent"}
    refused = ann.post("~/team/invitations", form)
    assert refused.status_code == 422 and "Your plan has 3 team members" in refused.text
    assert ann.post("~/team/invitations", form | {"emails": "one@example.com"}).status_code == 303
    assert ann.post("~/team/invitations", form | {"emails": "two@example.com"}).status_code == 422
    with tenant_scope(world.bakery.id):
        db.session.execute(update(Balance).values(plan_id=offer(seats=1).id))
    page = ann.get("~/costs/plans").text
    assert "You have more team members (2) than the plan allows (1)" in page
    assert ann.post("~/team/invitations", form | {"emails": "two@example.com"}).status_code == 422


def test_a_number_over_the_limit_is_not_connected(world: World) -> None:
    mine = world.connect_numbers()[0]
    give_plan(world, numbers=1)
    with tenant_scope(world.bakery.id):
        mine = PhoneNumber.get_or_404(mine.id)
        mine.connect()
        other = PhoneNumber(waba_id=mine.waba_id, meta_id="9", display_number="+1 555 078 3899", state="connecting")
        db.session.add(other)
        db.session.flush()
        with pytest.raises(OverLimit):
            other.connect()


def test_without_a_plan_nothing_is_limited(world: World) -> None:
    with tenant_scope(world.bakery.id):
        assert [most_of(kind) for kind in ("seats", "numbers", "api_rate")] == [None, None, None]


def test_the_api_rate_of_a_plan_is_the_most_a_business_may_call(world: World) -> None:
    give_plan(world, api_rate=2)
    most = rates.Plans().rate_of(world.bakery.id)
    taken = [rates.take(world.bakery.id, uuid.uuid4(), most) for _ in range(25)]
    assert most == 2 and sum(rate.wait == 0 for rate in taken) == 20
    assert '"tenant";q=20;w=10' in taken[0].headers["RateLimit-Policy"]
    assert rates.Plans().rate_of(world.shoes.id) is None


def test_a_plan_below_what_is_usual_limits_and_one_above_does_not() -> None:
    assert rates.KEY.within(None) is rates.KEY and rates.KEY.within(5_000) is rates.KEY
    assert rates.TENANT.within(5).rate == 5


def test_the_currency_changes_only_before_anything_was_written(ann: Browser, world: World) -> None:
    yen, dollars = offer(currency="JPY", monthly_fee_micros=3_000_000_000), offer()
    ann.post("~/costs/plan", {"plan": yen.id})
    due = owed(world, "JPY")
    with tenant_scope(world.bakery.id):
        top_up(due, note="by bank", by="Pat")
    ann.post("~/costs/plan", {"plan": dollars.id})
    assert balance(world).currency == "JPY" and owed(world) == 0


def test_amounts_of_the_old_currency_do_not_count_in_the_new_one(ann: Browser, world: World) -> None:
    ann.post("~/costs/plan", {"plan": offer(currency="JPY", monthly_fee_micros=0).id})
    with tenant_scope(world.bakery.id):
        mine = Balance.locked()
        assert mine
        mine.mode, mine.limit_micros, mine.cap_micros, mine.reserve_micros = "postpaid", 10**10, 2 * 10**10, 5
    ann.post("~/costs/plan", {"plan": offer(monthly_fee_micros=0).id})
    now_in = balance(world)
    assert (now_in.currency, now_in.limit_micros, now_in.cap_micros, now_in.reserve_micros) == ("USD", 0, None, 0)


def test_included_messages_that_were_used_are_not_given_back(ann: Browser, world: World) -> None:
    large, small = offer(monthly_fee_micros=300_000_000, included_messages=3_000), offer(monthly_fee_micros=0)
    ann.post("~/costs/plan", {"plan": large.id})
    with tenant_scope(world.bakery.id):
        mine = Balance.locked()
        assert mine
        mine.included_used = mine.entitled
    ann.post("~/costs/plan", {"plan": small.id})
    assert owed(world) == rest(300_000_000)


def test_a_prepaid_fee_that_is_not_paid_includes_nothing(world: World) -> None:
    give_plan(world, monthly_fee_micros=FEE, included_messages=10)
    number = world.connect_numbers()[0]
    with tenant_scope(world.bakery.id):
        charge_monthly_fee()
    assert balance(world).included == 0 and hold(world, number, "marketing") == ["used_up"]
    with tenant_scope(world.bakery.id):
        top_up(FEE, note="by bank", by="Pat")
    assert balance(world).included == 10 and hold(world, number, "marketing") == [""]


def test_a_trial_that_goes_on_includes_what_its_share_of_the_fee_is_for(world: World) -> None:
    plan = offer(included_messages=3_000, trial_days=3)
    with tenant_scope(world.bakery.id):
        begin_trial(plan.id, by="Ann").ends_on = None
    with tenant_scope(world.bakery.id):
        mine = Balance.locked()
        assert mine
        mine.trial_until = dt.datetime.now(dt.UTC).date()
        assert mine.entitled == 0
    with tenant_scope(world.bakery.id):
        settle_trial()
    assert owed(world) == rest(FEE) and balance(world).entitled == rest_of(3_000)


def test_messages_of_an_account_in_another_currency_wait(world: World) -> None:
    give_plan(world, micros=10_000_000, included_messages=10)
    number = world.connect_numbers()[0]
    utility, reply = Claimed(uuid7(), "utility", "16505551234"), Claimed(uuid7(), "service", "16505551234")
    with tenant_scope(world.bakery.id):
        funds = Funds.locked(number.id, "EUR")
        assert funds and funds.hold([utility, reply]) == {utility.message_id: "currency"}


def test_messages_of_an_account_whose_currency_is_unknown_wait(world: World) -> None:
    give_plan(world, micros=10_000_000)
    number = world.connect_numbers()[0]
    utility, reply = Claimed(uuid7(), "utility", "16505551234"), Claimed(uuid7(), "service", "16505551234")
    with tenant_scope(world.bakery.id):
        funds = Funds.locked(number.id, "")
        assert funds and funds.hold([utility, reply]) == {utility.message_id: "no_currency"}


@pytest.mark.parametrize(("currency", "step"), [("USD", 10_000), ("CLP", 1_000_000)])
def test_what_is_charged_is_what_the_page_shows(ann: Browser, world: World, currency: str, step: int) -> None:
    plan = offer(currency=currency, monthly_fee_micros=28_990_000 * 31)
    with tenant_scope(world.bakery.id):
        due = due_now(plan, None, dt.date(2026, 11, 12))
    assert due % step == 0 and due > 0
    ann.post("~/costs/plan", {"plan": plan.id})
    assert balance(world).balance_micros % step == 0


@pytest.mark.parametrize("used", [0, 7])
def test_what_is_given_back_is_whole_too_and_never_more_than_was_charged(ann: Browser, world: World, used: int) -> None:
    ann.post("~/costs/plan", {"plan": offer(monthly_fee_micros=29_770_000, included_messages=900).id})
    charged = owed(world)
    with tenant_scope(world.bakery.id):
        mine = Balance.locked()
        assert mine
        mine.included_used = used
    ann.post("~/costs/plan", {"plan": offer(monthly_fee_micros=0).id})
    assert 0 <= owed(world) <= charged and owed(world) % 10_000 == 0


def test_the_page_says_when_paid_messages_would_wait(ann: Browser, world: World) -> None:
    warning = "Paid messages then wait until you add money to your balance."
    offer()
    assert warning in ann.get("~/costs/plans").text
    give_plan(world, micros=2 * FEE)
    assert warning not in ann.get("~/costs/plans").text


def test_without_stripe_no_card_is_named(ann: Browser, world: World) -> None:
    page = ann.get("~/costs/payments").text
    assert "by card" not in page and "Choose a plan first" in page and "Bank transfer" not in page
    give_plan(world)
    page = ann.get("~/costs/payments").text
    assert "by card" not in page and "Bank transfer" in page
