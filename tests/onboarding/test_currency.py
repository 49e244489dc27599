"""An account that is billed in another currency than the plan: its messages could not be charged."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.billing.plans import Plan
from app.tenancy import db, platform_scope, tenant_scope
from app.wabas.credit import CreditLineShare
from simulator.wabas import Waba
from tests.billing.books import give_plan
from tests.client import Browser
from tests.onboarding.attempts import Attempt
from tests.simulated import Meta
from tests.world import World


@pytest.fixture
def in_euros(attempt: Attempt, meta: Meta) -> Attempt:
    billed_in("EUR", attempt, meta)
    return attempt


def billed_in(currency: str, attempt: Attempt, meta: Meta) -> None:
    waba = Waba.find(meta.world, attempt.sign_up()["waba_id"])
    assert waba
    waba.update(currency=currency)


def shares(world: World) -> list[str]:
    with tenant_scope(world.bakery.id):
        return list(db.session.scalars(select(CreditLineShare.currency)))


def test_an_account_in_another_currency_than_the_plan_is_refused_with_both_named(
    in_euros: Attempt, world: World
) -> None:
    give_plan(world)
    in_euros.connect()
    assert in_euros.states()["credit_line_shared"] == "failed" and shares(world) == []
    page = " ".join(in_euros.page().split())
    assert "This WhatsApp account is billed in EUR, and your plan is in USD." in page
    assert "choose a plan in EUR under Costs" in page and "Retry this step" in page


def test_an_owner_chooses_a_plan_in_its_currency_while_nothing_was_charged(
    in_euros: Attempt, world: World, ann: Browser
) -> None:
    give_plan(world)
    in_euros.connect()
    with platform_scope("tests"):
        db.session.add(plan := Plan(name="In EUR", currency="EUR"))
    ann.post("~/costs/plan", {"plan": plan.id})
    ann.post(f"{in_euros.path}/steps/credit_line_shared/retry")
    in_euros.run()
    assert in_euros.state == "connected" and shares(world) == ["EUR"]


def test_an_account_without_a_currency_gets_that_of_the_plan(attempt: Attempt, world: World, meta: Meta) -> None:
    give_plan(world, currency="GBP")
    billed_in("", attempt, meta)
    attempt.connect()
    assert attempt.state == "connected" and shares(world) == ["GBP"]


def test_without_a_plan_any_currency_is_connected(in_euros: Attempt, world: World) -> None:
    in_euros.connect()
    assert in_euros.state == "connected" and shares(world) == ["EUR"]
