from __future__ import annotations

import threading
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.billing.balances import Balance
from app.billing.jobs import check_top_up, enqueue_recharges
from app.billing.payments import adjust
from app.billing.recharges import Recharge
from app.billing.recharging import recharge
from app.billing.stripe_account import Card
from app.billing.stripe_events import StripeEvent
from app.billing.top_ups import TopUp
from app.tenancy import db, global_scope, tenant_scope
from tests.billing.books import arrive_and_post, balance, give_plan, priced, problems, reported
from tests.billing.stripe_double import Stripe
from tests.enqueued import Enqueued
from tests.world import World

LOW, TWENTY = 4_000_000, 20_000_000


@pytest.fixture
def low(world: World, account: Stripe) -> World:
    """Bakery has saved a card, and its balance is below what it has chosen."""
    give_plan(world, micros=LOW)
    with tenant_scope(world.bakery.id):
        mine = Balance.locked()
        assert mine
        Recharge.save(Card("pm_1", "cus_1", "visa", "4242"))
        Recharge.opened().turn_on(mine, below=5_000_000, amount=TWENTY, most=2 * TWENTY, by="Ann")
    return world


def run(world: World) -> None:
    with tenant_scope(world.bakery.id):
        recharge()


def top_ups(world: World) -> list[TopUp]:
    with tenant_scope(world.bakery.id):
        return list(db.session.scalars(select(TopUp).order_by(TopUp.id)))


def rule(world: World) -> Recharge:
    with tenant_scope(world.bakery.id):
        results = Recharge.current()
    assert results
    return results


def spend(world: World, micros: int) -> None:
    with tenant_scope(world.bakery.id):
        adjust(-micros, note="spent", by="Pat")


def test_a_low_balance_is_filled_from_the_saved_card(low: World, account: Stripe) -> None:
    run(low)
    assert balance(low).balance_micros == LOW + TWENTY and problems(low) == []
    assert [(each.kind, each.state, each.amount_micros) for each in top_ups(low)] == [("automatic", "paid", TWENTY)]
    run(low)
    assert len(top_ups(low)) == 1


def test_it_is_off_until_an_owner_turns_it_on(world: World, account: Stripe) -> None:
    give_plan(world, micros=LOW)
    with tenant_scope(world.bakery.id):
        Recharge.save(Card("pm_1", "cus_1"))
    run(world)
    assert top_ups(world) == [] and balance(world).recharge_below_micros is None


def test_no_more_is_charged_in_a_month_than_was_allowed(low: World, account: Stripe, enqueued: Enqueued) -> None:
    for _ in range(3):
        run(low)
        spend(low, TWENTY)
    assert [each.state for each in top_ups(low)] == ["paid", "paid"]
    assert "billing.mail_recharge" in enqueued.names
    enqueued.clear()
    run(low)
    assert "billing.mail_recharge" not in enqueued.names


@pytest.mark.parametrize(
    ("error", "stopped"),
    [
        ({"code": "card_declined", "decline_code": "insufficient_funds"}, "declined"),
        ({"code": "authentication_required", "decline_code": "authentication_required"}, "authentication"),
    ],
)
def test_a_refused_card_stops_it_and_owners_are_mailed(
    low: World, account: Stripe, enqueued: Enqueued, error: dict[str, str], stopped: str
) -> None:
    account.decline = error
    run(low)
    run(low)
    assert (rule(low).stopped, balance(low).recharge_below_micros) == (stopped, None)
    assert [(each.state, each.problem) for each in top_ups(low)] == [("failed", stopped)]
    assert enqueued.names.count("billing.mail_recharge") == 1


def test_a_charge_whose_answer_was_lost_is_repeated_with_the_same_key(low: World, account: Stripe) -> None:
    account.loses_answers = True
    run(low)
    assert balance(low).balance_micros == LOW and [each.state for each in top_ups(low)] == ["opened"]
    account.loses_answers = False
    check_top_up(str(low.bakery.id), str(top_ups(low)[0].id))
    assert balance(low).balance_micros == LOW + TWENTY and len(account.intents) == 1


def test_while_one_is_under_way_no_other_is_begun(low: World, account: Stripe) -> None:
    account.status_of_charges = "processing"
    run(low)
    run(low)
    assert [each.state for each in top_ups(low)] == ["opened"] and len(account.intents) == 1


def test_two_workers_begin_one_payment(low: World, account: Stripe, app: Flask) -> None:
    def work() -> None:
        with app.app_context():
            run(low)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(account.intents) == 1 and balance(low).balance_micros == LOW + TWENTY


def test_the_event_of_a_charge_that_failed_later_stops_it(low: World, account: Stripe) -> None:
    account.status_of_charges = "processing"
    run(low)
    intent = next(iter(account.intents.values()))
    intent |= {"status": "requires_payment_method", "latest_charge": None}
    report(account, intent)
    assert rule(low).stopped == "declined" and top_ups(low)[0].state == "failed"


def test_a_late_event_of_a_declined_charge_does_not_stop_what_was_turned_on_again(low: World, account: Stripe) -> None:
    account.decline = {"code": "card_declined"}
    run(low)
    with tenant_scope(low.bakery.id):
        mine = Balance.locked()
        assert mine
        Recharge.opened().turn_on(mine, below=5_000_000, amount=TWENTY, most=2 * TWENTY, by="Ann")
    report(account, next(iter(account.intents.values())))
    assert rule(low).is_active


def report(account: Stripe, intent: dict[str, Any]) -> None:
    """Stripe posts that a charge has failed."""
    body = account.event("payment_intent.payment_failed", intent, "evt_1")
    with global_scope():
        StripeEvent.receive(body)
    StripeEvent.handle("evt_1")


def test_a_charged_message_that_crosses_the_threshold_enqueues_it(
    low: World, account: Stripe, sent: Any, enqueued: Enqueued
) -> None:
    enqueued.clear()
    arrive_and_post(low, reported("delivered", priced()))
    assert "billing.recharge" in enqueued.names


def test_the_sweep_finds_low_balances(low: World, account: Stripe, enqueued: Enqueued) -> None:
    enqueued.clear()
    enqueue_recharges()
    assert enqueued.names == ["billing.recharge"]
    with tenant_scope(low.bakery.id):
        db.session.execute(update(Balance).values(balance_micros=5_000_000))
    enqueued.clear()
    enqueue_recharges()
    assert enqueued.names == []


def test_a_plan_that_has_ended_is_not_filled(low: World, account: Stripe) -> None:
    with tenant_scope(low.bakery.id):
        db.session.execute(update(Balance).values(ends_on=balance(low).month))
    run(low)
    assert top_ups(low) == []
