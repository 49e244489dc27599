from __future__ import annotations

from flask import Flask
from sqlalchemy import select

from app.billing.recharges import Recharge
from app.billing.stripe_account import Card
from app.billing.top_ups import MOST_AN_HOUR, TopUp
from app.tenancy import db, tenant_scope
from tests.billing.books import balance, give_plan, journals
from tests.billing.stripe_double import Stripe
from tests.client import Browser
from tests.enqueued import Enqueued
from tests.world import World

RULE = {"below": "5", "recharge_amount": "20", "most": "100"}


def top_ups(world: World) -> list[TopUp]:
    with tenant_scope(world.bakery.id):
        return list(db.session.scalars(select(TopUp).order_by(TopUp.id)))


def save_card(world: World) -> None:
    with tenant_scope(world.bakery.id):
        Recharge.save(Card("pm_1", "cus_1", "visa", "4242"))


def rule(world: World) -> Recharge:
    with tenant_scope(world.bakery.id):
        results = Recharge.current()
    assert results
    return results


def test_the_form_leads_to_stripes_page_and_credits_nothing(ann: Browser, world: World, account: Stripe) -> None:
    give_plan(world)
    answer = ann.post("~/costs/top-ups", {"amount": "50"})
    assert answer.status_code == 303 and answer.headers["Location"].startswith("https://checkout.stripe.com/")
    made = top_ups(world)[0]
    assert (made.amount_micros, made.by_name, made.state) == (50_000_000, "Ann", "opened")
    assert balance(world).balance_micros == 0 and journals(world) == []


def test_the_page_with_the_form_lets_it_lead_to_stripe_and_no_other_page_does(
    ann: Browser, world: World, account: Stripe
) -> None:
    give_plan(world)
    policy = ann.get("~/costs/payments").headers["Content-Security-Policy"]
    assert "form-action 'self' https://checkout.stripe.com;" in policy and "script-src 'self';" in policy
    assert "stripe" not in ann.get("~/costs").headers["Content-Security-Policy"]


def test_coming_back_only_has_stripe_asked(ann: Browser, world: World, account: Stripe, enqueued: Enqueued) -> None:
    give_plan(world)
    ann.post("~/costs/top-ups", {"amount": "50"})
    enqueued.clear()
    page = ann.get(f"~/costs/top-ups/{top_ups(world)[0].id}")
    assert "as soon as Stripe confirms it" in page.text and balance(world).balance_micros == 0
    assert enqueued.names == ["billing.check_top_up"]
    assert ann.get(f"~/costs/top-ups/{top_ups(world)[0].id}/state").status_code == 200


def test_amounts_that_cannot_be_charged_are_refused_at_the_field(ann: Browser, world: World, account: Stripe) -> None:
    give_plan(world)
    for amount in ("", "0", "-5", "1.234", "abc", "99999999999"):
        assert ann.post("~/costs/top-ups", {"amount": amount}).status_code == 422
    assert "Enter a multiple of US$0.01" in ann.post("~/costs/top-ups", {"amount": "0.123"}).text
    assert top_ups(world) == [] and account.calls == []


def test_what_stripe_refuses_is_shown(ann: Browser, world: World, account: Stripe) -> None:
    give_plan(world)
    account.is_down = True
    answer = ann.post("~/costs/top-ups", {"amount": "50"})
    assert answer.status_code == 422 and "Stripe couldn&#39;t be reached" in answer.text
    assert [each.state for each in top_ups(world)] == ["failed"]


def test_no_business_opens_pages_without_end(ann: Browser, world: World, account: Stripe) -> None:
    give_plan(world)
    with tenant_scope(world.bakery.id):
        for _ in range(MOST_AN_HOUR):
            TopUp.begin("checkout", 1_000_000, "USD", by_id=None, by_name="")
    assert ann.post("~/costs/top-ups", {"amount": "50"}).status_code == 422 and account.calls == []


def test_without_stripe_the_page_says_where_to_transfer_to(ann: Browser, world: World, app: Flask) -> None:
    give_plan(world)
    page = ann.get("~/costs/payments").text
    assert "Bank transfer" in page and "Continue to Stripe" not in page and "“bakery” as the reference" in page
    assert ann.post("~/costs/top-ups", {"amount": "50"}).status_code == 404


def test_without_a_plan_the_page_leads_to_the_plans(ann: Browser, world: World, account: Stripe) -> None:
    assert "Choose a plan first" in ann.get("~/costs/payments").text
    assert ann.post("~/costs/top-ups", {"amount": "50"}).status_code == 404


def test_agents_add_no_money(ben: Browser, world: World, account: Stripe) -> None:
    give_plan(world)
    for path in ("top-ups", "recharge", "recharge/end", "card/removal"):
        assert ben.post(f"~/costs/{path}", {"amount": "50"}).status_code == 403
    assert ben.get("~/costs/payments").status_code == 403


def test_a_card_is_saved_only_when_somebody_says_so(ann: Browser, world: World, account: Stripe) -> None:
    give_plan(world)
    for form in ({"amount": "50"}, {"amount": "50", "saves_card": "y"}):
        ann.post("~/costs/top-ups", form)
        paid = top_ups(world)[-1]
        account.pay(paid)
        with tenant_scope(world.bakery.id):
            TopUp.check(paid.id)
            saved = Recharge.current()
        assert (saved.card_id if saved else "") == ("pm_1" if "saves_card" in form else "")


def test_automatic_recharge_is_turned_on_and_off(ann: Browser, world: World, account: Stripe) -> None:
    give_plan(world, micros=100_000_000)
    save_card(world)
    assert "4242" in ann.get("~/costs/payments").text
    assert ann.post("~/costs/recharge", RULE).status_code == 303
    mine = rule(world)
    assert (mine.below_micros, mine.amount_micros, mine.most_micros) == (5_000_000, 20_000_000, 100_000_000)
    assert balance(world).recharge_below_micros == 5_000_000
    ann.post("~/costs/recharge/end")
    assert balance(world).recharge_below_micros is None and not rule(world).is_on


def test_a_recharge_above_what_a_month_allows_is_refused(ann: Browser, world: World, account: Stripe) -> None:
    give_plan(world)
    save_card(world)
    assert ann.post("~/costs/recharge", RULE | {"most": "10"}).status_code == 422
    assert ann.post("~/costs/recharge", RULE | {"recharge_amount": "1.234"}).status_code == 422


def test_why_it_has_stopped_is_on_the_page(ann: Browser, world: World, account: Stripe) -> None:
    give_plan(world)
    save_card(world)
    ann.post("~/costs/recharge", RULE)
    with tenant_scope(world.bakery.id):
        Recharge.stop("authentication")
    assert "wants you to confirm payments" in ann.get("~/costs/payments").text
    ann.post("~/costs/recharge", RULE)
    assert rule(world).is_active


def test_a_card_is_removed_here_and_at_stripe(ann: Browser, world: World, account: Stripe) -> None:
    give_plan(world)
    save_card(world)
    ann.post("~/costs/recharge", RULE)
    account.is_down = True
    ann.post("~/costs/card/removal")
    assert rule(world).card_id == "pm_1" and balance(world).recharge_below_micros is None
    account.is_down = False
    ann.post("~/costs/card/removal")
    assert rule(world).card_id == "" and account.detached == ["pm_1"]


def test_a_later_event_does_not_bring_a_removed_card_back(ann: Browser, world: World, account: Stripe) -> None:
    give_plan(world)
    ann.post("~/costs/top-ups", {"amount": "50", "saves_card": "y"})
    paid = top_ups(world)[0]
    account.pay(paid)
    for removed in (True, False):
        with tenant_scope(world.bakery.id):
            TopUp.check(paid.id)
        if removed:
            ann.post("~/costs/card/removal")
    assert rule(world).card_id == ""
