from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.billing.balances import Balance
from app.billing.jobs import check_top_up, enqueue_open_top_ups, enqueue_stripe_events
from app.billing.minor_units import from_minor, to_minor
from app.billing.stripe_account import StripeAccount, StripeError
from app.billing.stripe_events import StripeEvent
from app.billing.top_ups import TopUp
from app.extensions import outside, settings
from app.tenancy import db, platform_scope, tenant_scope
from tests.billing.books import balance, give_plan, journals, owed, problems
from tests.billing.stripe_double import OLD_SECRET, Stripe, signed
from tests.client import Browser
from tests.enqueued import Enqueued
from tests.world import World

FIFTY, CENTS = 50_000_000, 5_000


@pytest.mark.parametrize(
    ("micros", "currency", "minor"),
    [
        (12_340_000, "USD", 1_234),
        (500_000_000, "JPY", 500),
        (500_500_000, "JPY", None),
        (5_120_000, "KWD", 5_120),
        (5_124_000, "KWD", None),
        (5_000_000, "UGX", 500),
        (5_500_000, "UGX", None),
        (1, "USD", None),
    ],
)
def test_amounts_are_in_the_smallest_unit_of_their_currency(micros: int, currency: str, minor: int | None) -> None:
    assert to_minor(micros, currency) == minor
    assert minor is None or from_minor(minor, currency) == micros


def open_top_up(world: World, micros: int = FIFTY, *, saves_card: bool = False) -> TopUp:
    """Ann has opened the page on which she pays."""
    with tenant_scope(world.bakery.id):
        made = TopUp.begin("checkout", micros, "USD", by_id=world.ann.id, by_name="Ann")
        made.saves_card = saves_card
        account = StripeAccount.of(settings)
        assert account
        made.open(
            account, made.checkout_params(product="x", done_url="https://x", back_url="https://x", customer_id="")
        )
    return made


def reload(world: World, top_up: TopUp) -> TopUp:
    with tenant_scope(world.bakery.id):
        return TopUp.get_or_404(top_up.id)


@pytest.fixture
def post(app: Flask) -> Callable[..., int]:
    """Posts an event as Stripe does; its job runs at once. Returns the status."""

    def post(body: bytes, headers: dict[str, str] | None = None, *, run: bool = True) -> int:
        posted = app.test_client().post(
            "/webhooks/stripe", data=body, headers=signed(body) if headers is None else headers
        )
        if run and posted.status_code == 200:
            StripeEvent.handle(json.loads(body)["id"])
        return posted.status_code

    return post


def events() -> list[StripeEvent]:
    with platform_scope("tests"):
        return list(db.session.scalars(select(StripeEvent)))


def test_what_was_paid_is_on_the_balance_once(world: World, account: Stripe, post: Any) -> None:
    give_plan(world)
    top_up = open_top_up(world)
    intent = account.pay(top_up)
    session = account.event("checkout.session.completed", account.sessions[top_up.session_id])
    for body in (session, session, account.event("payment_intent.succeeded", account.intents[intent])):
        assert post(body) == 200
    assert balance(world).balance_micros == FIFTY and problems(world) == []
    assert [(each.kind, each.by, each.note) for each in journals(world)] == [("top_up", "Ann", f"Stripe {intent}")]
    assert reload(world, top_up).state == "paid"


def test_the_page_is_opened_once_with_our_id_as_the_key(world: World, account: Stripe) -> None:
    give_plan(world)
    top_up = open_top_up(world)
    assert list(account.by_key) == [f"top-up-{top_up.id}"]
    assert account.sessions[top_up.session_id]["amount_total"] == CENTS


def test_a_return_without_a_payment_credits_nothing(world: World, account: Stripe, post: Any) -> None:
    give_plan(world)
    top_up = open_top_up(world)
    post(account.event("checkout.session.completed", account.sessions[top_up.session_id] | {"payment_status": "paid"}))
    assert balance(world).balance_micros == 0 and reload(world, top_up).state == "opened"


def test_a_refund_takes_the_money_back_by_parts(world: World, account: Stripe, post: Any) -> None:
    give_plan(world)
    top_up = open_top_up(world)
    intent = account.pay(top_up)
    charge = account.intents[intent]["latest_charge"]
    post(account.event("charge.succeeded", charge))
    account.refund(intent, 2_000)
    post(account.event("charge.refunded", charge))
    assert (balance(world).balance_micros, reload(world, top_up).state) == (30_000_000, "partly_refunded")
    post(account.event("refund.created", account.refund(intent, 3_000)))
    assert (balance(world).balance_micros, reload(world, top_up).state) == (0, "refunded")
    assert owed(world, "bank") == 0 and problems(world) == []


def test_a_refund_that_failed_leaves_the_money(world: World, account: Stripe, post: Any) -> None:
    give_plan(world)
    intent = account.pay(open_top_up(world))
    post(account.event("refund.failed", account.refund(intent, 2_000, status="failed")))
    assert balance(world).balance_micros == FIFTY


def test_a_refund_may_be_reported_before_the_payment(world: World, account: Stripe, post: Any) -> None:
    give_plan(world)
    top_up = open_top_up(world)
    intent = account.pay(top_up)
    refund = account.refund(intent, CENTS)
    post(account.event("refund.created", refund))
    post(account.event("checkout.session.completed", account.sessions[top_up.session_id]))
    assert balance(world).balance_micros == 0 and journals(world) == []
    assert reload(world, top_up).state == "refunded"


@pytest.mark.parametrize(
    ("status", "left"),
    [("needs_response", 0), ("lost", 0), ("won", FIFTY), ("warning_needs_response", FIFTY)],
)
def test_a_dispute_takes_the_money_while_stripe_has_taken_it(
    world: World, account: Stripe, post: Any, status: str, left: int
) -> None:
    give_plan(world)
    top_up = open_top_up(world)
    intent = account.pay(top_up)
    post(account.event("charge.succeeded", account.intents[intent]["latest_charge"]))
    dispute = account.dispute(intent, CENTS)
    post(account.event("charge.dispute.created", dispute))
    dispute["status"] = status
    post(account.event("charge.dispute.updated", dispute))
    assert balance(world).balance_micros == left and problems(world) == []


@pytest.mark.parametrize("seed", range(6))
def test_events_twice_and_in_any_order_end_the_same(world: World, account: Stripe, post: Any, seed: int) -> None:
    give_plan(world)
    top_up = open_top_up(world)
    session, intent = account.sessions[top_up.session_id], account.pay(top_up)
    charge = account.intents[intent]["latest_charge"]
    bodies = [
        account.event("checkout.session.completed", dict(session)),
        account.event("payment_intent.succeeded", account.intents[intent]),
        account.event("charge.succeeded", dict(charge)),
        account.event("refund.created", account.refund(intent, 1_000)),
        account.event("charge.refunded", dict(charge)),
        account.event("charge.dispute.created", account.dispute(intent, 500)),
    ] * 2
    random.Random(seed).shuffle(bodies)
    assert {post(body) for body in bodies} == {200}
    assert balance(world).balance_micros == 35_000_000 and problems(world) == []


def test_two_answers_that_overtake_each_other_leave_the_newer_one(world: World, account: Stripe) -> None:
    give_plan(world)
    top_up = open_top_up(world)
    intent = account.pay(top_up)
    stripe = StripeAccount.of(settings)
    assert stripe
    older = stripe.payment(intent)
    with tenant_scope(world.bakery.id):
        fence = TopUp.get_or_404(top_up.id).raise_fence()
    account.refund(intent, CENTS)
    with tenant_scope(world.bakery.id):
        assert TopUp.check(top_up.id)
    with tenant_scope(world.bakery.id):
        assert not TopUp.settle(top_up.id, older, fence)
    assert balance(world).balance_micros == 0


def test_what_differs_from_what_was_asked_for_is_added_as_stripe_received_it(
    world: World, account: Stripe, post: Any
) -> None:
    give_plan(world)
    top_up = open_top_up(world)
    account.pay(top_up, amount=4_000)
    post(account.event("checkout.session.completed", account.sessions[top_up.session_id]))
    assert balance(world).balance_micros == 40_000_000 and reload(world, top_up).problem == "amount"


def test_another_currency_adds_nothing(world: World, account: Stripe, post: Any) -> None:
    give_plan(world)
    top_up = open_top_up(world)
    account.pay(top_up, currency="jpy")
    post(account.event("checkout.session.completed", account.sessions[top_up.session_id]))
    assert balance(world).balance_micros == 0
    assert (reload(world, top_up).state, reload(world, top_up).problem) == ("failed", "currency")


def test_the_payment_of_another_program_is_ignored(world: World, account: Stripe, post: Any) -> None:
    give_plan(world)
    top_up = open_top_up(world)
    theirs = account.intent(CENTS, "usd", {})
    post(account.event("payment_intent.succeeded", account.intents[theirs]))
    post(account.event("refund.created", account.refund(theirs, 100)))
    stolen = account.intents[theirs] | {"metadata": top_up.labels}
    post(account.event("payment_intent.succeeded", stolen))
    assert balance(world).balance_micros == 0 and all(event.handled_at for event in events())


def test_an_event_that_names_another_business_changes_nothing(world: World, account: Stripe, post: Any) -> None:
    give_plan(world)
    top_up = open_top_up(world)
    intent = account.intents[account.pay(top_up)]
    for tenant in (world.shoes.id, uuid.uuid4()):
        named = intent["metadata"] | {"switchboard_tenant": str(tenant)}
        post(account.event("payment_intent.succeeded", intent | {"metadata": named}))
    assert balance(world).balance_micros == 0 and all(event.handled_at for event in events())


@pytest.mark.parametrize("unknown", ["cs_unknown", "cs_other"])
def test_an_unknown_session_is_ignored(world: World, account: Stripe, post: Any, unknown: str) -> None:
    give_plan(world)
    metadata = {"switchboard_tenant": str(world.bakery.id), "switchboard_top_up": str(uuid.uuid4())}
    session = {"id": unknown, "object": "checkout.session", "payment_intent": None, "metadata": metadata}
    assert post(account.event("checkout.session.completed", session)) == 200
    assert journals(world) == [] and all(event.handled_at for event in events())


def test_other_types_are_acknowledged_and_not_stored(account: Stripe, post: Any, app: Flask) -> None:
    assert post(account.event("customer.created", {"id": "cus_1", "object": "customer"}), run=False) == 200
    assert events() == []


def test_a_page_that_expired_ends_the_top_up(world: World, account: Stripe, post: Any) -> None:
    give_plan(world)
    top_up = open_top_up(world)
    account.sessions[top_up.session_id]["status"] = "expired"
    post(account.event("checkout.session.expired", account.sessions[top_up.session_id]))
    assert reload(world, top_up).state == "expired"


def test_a_bank_debit_is_added_when_it_has_succeeded(world: World, account: Stripe, post: Any) -> None:
    give_plan(world)
    top_up = open_top_up(world)
    session = account.sessions[top_up.session_id]
    intent = account.pay(top_up)
    done = dict(account.intents[intent])
    account.intents[intent] |= {"status": "processing", "latest_charge": None}
    post(account.event("checkout.session.completed", session | {"payment_status": "unpaid"}))
    assert (balance(world).balance_micros, reload(world, top_up).state) == (0, "opened")
    account.intents[intent] |= done
    post(account.event("checkout.session.async_payment_succeeded", session))
    assert (balance(world).balance_micros, reload(world, top_up).state) == (FIFTY, "paid")


def test_a_bank_debit_that_failed_ends_the_top_up(world: World, account: Stripe, post: Any) -> None:
    give_plan(world)
    top_up = open_top_up(world)
    account.intents[account.pay(top_up)] |= {"status": "requires_payment_method", "latest_charge": None}
    post(account.event("checkout.session.async_payment_failed", account.sessions[top_up.session_id]))
    assert reload(world, top_up).state == "failed" and balance(world).balance_micros == 0


def test_what_stripe_cannot_say_now_is_asked_again(world: World, account: Stripe, post: Any) -> None:
    give_plan(world)
    top_up = open_top_up(world)
    account.pay(top_up)
    account.is_down = True
    post(account.event("checkout.session.completed", account.sessions[top_up.session_id]))
    assert balance(world).balance_micros == 0 and events()[0].handled_at is None
    account.is_down = False
    StripeEvent.handle(events()[0].id)
    assert balance(world).balance_micros == FIFTY and events()[0].handled_at


def test_lost_jobs_are_enqueued_again(world: World, account: Stripe, post: Any, enqueued: Enqueued) -> None:
    give_plan(world)
    top_up = open_top_up(world)
    post(account.event("checkout.session.completed", account.sessions[top_up.session_id]), run=False)
    outside().redis.flushdb()
    with platform_scope("tests"):
        db.session.execute(update(StripeEvent).values(next_attempt_at=StripeEvent.received_at))
    enqueue_stripe_events()
    assert [list(job.args) for job in enqueued.jobs] == [[events()[0].id]]


def test_a_payment_whose_event_was_lost_is_found(world: World, account: Stripe, enqueued: Enqueued) -> None:
    give_plan(world)
    top_up = open_top_up(world)
    account.pay(top_up)
    with tenant_scope(world.bakery.id):
        db.session.execute(update(TopUp).values(next_check_at=TopUp.created_at))
    enqueue_open_top_ups()
    check_top_up(str(world.bakery.id), str(top_up.id))
    assert balance(world).balance_micros == FIFTY and reload(world, top_up).state == "paid"


def test_a_page_that_stripe_did_not_open_is_a_failed_top_up(world: World, account: Stripe) -> None:
    give_plan(world)
    account.is_down = True
    with tenant_scope(world.bakery.id):
        made = TopUp.begin("checkout", FIFTY, "USD", by_id=None, by_name="")
        stripe = StripeAccount.of(settings)
        assert stripe
        with pytest.raises(StripeError):
            made.open(stripe, made.checkout_params(product="x", done_url="x", back_url="x", customer_id=""))
    assert (reload(world, made).state, reload(world, made).problem) == ("failed", "unreachable")


def test_a_page_whose_opening_was_not_answered_is_credited_when_it_is_paid(
    world: World, account: Stripe, post: Any
) -> None:
    give_plan(world)
    account.loses_answers = True
    with pytest.raises(StripeError):
        open_top_up(world)
    account.loses_answers = False
    with tenant_scope(world.bakery.id):
        top_up = db.session.scalars(select(TopUp)).one()
    account.pay(top_up)
    post(account.event("checkout.session.completed", next(iter(account.sessions.values()))))
    assert balance(world).balance_micros == FIFTY and reload(world, top_up).state == "paid"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Stripe-Signature": "t=1,v1=abc"},
        {"Stripe-Signature": "nonsense"},
        {"Stripe-Signature": "t=x"},
    ],
)
def test_an_unsigned_event_is_refused(account: Stripe, post: Any, headers: dict[str, str]) -> None:
    assert post(account.event("charge.succeeded", {"id": "ch_1"}), headers) == 401 and events() == []


def test_a_signature_is_of_this_body_recent_and_of_one_of_the_secrets(account: Stripe, post: Any) -> None:
    body = account.event("charge.succeeded", {"id": "ch_1"})
    assert post(body, signed(body, "whsec_wrong")) == 401
    assert post(body, signed(b"{}")) == 401
    assert post(body, signed(body, at=time.time() - 301)) == 401
    assert events() == []
    assert post(body, signed(body, OLD_SECRET)) == 200 and len(events()) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b'{"id": 1}',
        b"[" * 100_000,
        b'{"id":"e","type":"charge.x","data":{"object":[]}}',
        b'{"id":"e\\ud83c","type":"charge.x","data":{"object":{}}}',
        b'{"id":"e","type":"charge.\\ud83c","data":{"object":{}}}',
        b'{"id":"e","type":"charge.x","data":{"object":{"payment_intent":"\\udc00"}}}',
    ],
    ids=range(10),
)
def test_a_signed_body_that_is_no_event_is_refused(account: Stripe, post: Any, body: bytes) -> None:
    assert post(body, run=False) == 400 and events() == []


def test_a_large_body_is_refused(account: Stripe, post: Any) -> None:
    body = account.event("charge.succeeded", {"id": "x" * 300_000})
    assert post(body) == 413


def test_without_a_secret_nothing_is_taken(post: Any, app: Flask) -> None:
    body = Stripe().event("charge.succeeded", {"id": "ch_1"})
    assert post(body) == 401


def test_a_browser_needs_no_token_to_be_refused(browser: Browser) -> None:
    assert browser.client.get("/webhooks/stripe").status_code in (404, 405)


def test_the_console_shows_what_is_wrong_with_a_payment(world: World, account: Stripe, post: Any, pat: Browser) -> None:
    give_plan(world)
    top_up = open_top_up(world)
    account.pay(top_up, currency="jpy")
    post(account.event("checkout.session.completed", account.sessions[top_up.session_id]))
    page = pat.get(f"/platform/tenants/{world.bakery.id}/billing").text
    assert "Stripe received another currency" in page and "Payments by card" in page


def test_a_payment_in_another_currency_than_the_balance_has_adds_nothing(world: World, account: Stripe) -> None:
    give_plan(world)
    top_up = open_top_up(world)
    with tenant_scope(world.bakery.id):
        db.session.execute(update(Balance).values(currency="JPY"))
    intent = account.pay(top_up)
    with tenant_scope(world.bakery.id):
        TopUp.check(top_up.id, intent_id=intent)
    with tenant_scope(world.bakery.id):
        assert TopUp.get_or_404(top_up.id).problem == "currency"
    assert balance(world).balance_micros == 0
