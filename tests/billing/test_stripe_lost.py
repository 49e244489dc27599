"""What Stripe lists and never delivered: an event of a refund or dispute that was lost permanently."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.billing.jobs import catch_up_with_stripe, enqueue_catching_up
from app.billing.stripe_events import LISTED, TYPES, StripeEvent
from app.tenancy import db, platform_scope, tenant_scope
from tests.billing.books import balance, give_plan, problems
from tests.billing.stripe_double import Stripe
from tests.billing.test_stripe import FIFTY, open_top_up, reload
from tests.enqueued import Enqueued
from tests.world import World


@pytest.fixture
def paid(world: World, account: Stripe) -> tuple[Any, str]:
    """A top-up that was paid long ago, and Stripe's payment."""
    give_plan(world)
    top_up = open_top_up(world)
    intent_id = account.pay(top_up)
    with tenant_scope(world.bakery.id):
        type(top_up).check(top_up.id, intent_id=intent_id)
    assert balance(world).balance_micros == FIFTY
    return top_up, intent_id


def handle_all() -> int:
    """Runs the job, then those of the events that it found. Returns how many those were."""
    catch_up_with_stripe()
    with platform_scope("tests"):
        waiting = list(db.session.scalars(select(StripeEvent.id).where(StripeEvent.handled_at.is_(None))))
    for id in waiting:
        StripeEvent.handle(id)
    return len(waiting)


def test_a_refund_whose_event_was_never_delivered_is_noticed(
    world: World, account: Stripe, paid: tuple[Any, str]
) -> None:
    account.happens("refund.created", account.refund(paid[1], 2_000))
    assert handle_all() == 1
    assert balance(world).balance_micros == 30_000_000 and problems(world) == []
    assert reload(world, paid[0]).state == "partly_refunded"


def test_a_dispute_whose_event_was_never_delivered_is_noticed(
    world: World, account: Stripe, paid: tuple[Any, str]
) -> None:
    account.happens("charge.dispute.created", account.dispute(paid[1], 5_000))
    assert handle_all() == 1
    assert balance(world).balance_micros == 0 and reload(world, paid[0]).state == "disputed"


def test_what_was_delivered_is_not_handled_again(world: World, account: Stripe, paid: tuple[Any, str]) -> None:
    account.happens("refund.created", account.refund(paid[1], 2_000))
    assert handle_all() == 1
    calls = len(account.calls)
    assert handle_all() == 0 and len(account.calls) == calls + 1
    assert balance(world).balance_micros == 30_000_000


def test_all_pages_are_read_and_only_the_last_days(world: World, account: Stripe, paid: tuple[Any, str]) -> None:
    account.page_size = 2
    refund = account.refund(paid[1], 1_000)
    for days_ago in (9, 6, 4, 3, 2, 1, 0):
        account.happens("refund.updated", refund, days_ago=days_ago)
    assert handle_all() == 6 and account.calls.count("GET /events") == 3


def test_events_of_others_and_without_a_payment_change_nothing(
    world: World, account: Stripe, paid: tuple[Any, str]
) -> None:
    account.happens("refund.created", {"id": "re_x", "object": "refund", "payment_intent": None, "metadata": {}})
    account.happens(
        "refund.created", {"id": "re_y", "object": "refund", "payment_intent": account.intent(5, "usd", {})}
    )
    account.happens("refund.created", {"id": "re_z", "object": "refund", "payment_intent": "x" * 999})
    assert handle_all() == 2 and balance(world).balance_micros == FIFTY


def test_while_stripe_is_away_nothing_is_lost(world: World, account: Stripe, paid: tuple[Any, str]) -> None:
    account.happens("refund.created", account.refund(paid[1], 2_000))
    account.is_down = True
    assert handle_all() == 0
    account.is_down = False
    assert handle_all() == 1 and balance(world).balance_micros == 30_000_000


def test_it_is_done_only_where_the_platform_has_an_account(app: Flask, enqueued: Enqueued) -> None:
    enqueue_catching_up()
    catch_up_with_stripe()
    assert enqueued.names == []


def test_it_is_done_daily(account: Stripe, enqueued: Enqueued) -> None:
    enqueue_catching_up()
    assert enqueued.names == ["billing.catch_up_with_stripe"]


def test_no_more_types_are_asked_for_than_stripe_takes_and_each_is_handled() -> None:
    assert len(LISTED) <= 20 and all(each.startswith(TYPES) for each in LISTED)
