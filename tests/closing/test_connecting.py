"""Whoever is connecting a number while its business is closed gets no further, and leaves no access behind."""

from __future__ import annotations

import contextlib

import pytest
from sqlalchemy import select, text

from app.onboarding.models import Onboarding
from app.onboarding.setup_links import SetupLink
from app.onboarding.steps import STEPS
from app.tenancy import db, platform_scope, tenant_scope
from app.wabas.models import Waba
from tests.client import Browser
from tests.closing.closures import Closing
from tests.onboarding.attempts import Attempt, Killed, killed_in
from tests.simulated import Meta
from tests.world import World


@pytest.fixture
def attempt(ann: Browser, world: World, meta: Meta, own_cards: None) -> Attempt:
    """One whose window has been gone through; no worker has begun."""
    made = Attempt(ann, world.bakery.id, meta)
    made.hand_over()
    return made


def tokens(world: World) -> list[bytes]:
    """All access to Meta that is stored for Bakery."""
    with tenant_scope(world.bakery.id):
        stored = [db.session.scalars(select(model.token_ciphertext)).all() for model in (Onboarding, Waba)]
    return [token for each in stored for token in each if token]


def test_an_attempt_that_is_under_way_ends(closing: Closing, attempt: Attempt, world: World) -> None:
    assert tokens(world)
    closing.begin()
    attempt.run()
    assert (attempt.state, tokens(world)) == ("abandoned", [])
    assert "This business is closed" in str(attempt.trouble())
    assert attempt.states()["assets_confirmed"] == "pending"


@pytest.mark.parametrize("name", [name for name in STEPS if name not in ("code_exchanged", "hello_seen")])
def test_wherever_it_is_nothing_is_left_of_it(closing: Closing, attempt: Attempt, world: World, name: str) -> None:
    with killed_in(name), contextlib.suppress(Killed):
        attempt.run()
    closing.begin()
    with platform_scope("tests"):
        db.session.execute(text("update onboardings set lease_until = null"))
    closing.finish()
    assert closing.load().state == "done" and tokens(world) == []


def test_a_worker_that_is_at_meta_is_waited_for(closing: Closing, attempt: Attempt, world: World) -> None:
    with killed_in("webhooks_subscribed"), contextlib.suppress(Killed):
        attempt.run()
    closing.begin()
    closing.finish()
    step = closing.load().next_step
    assert step and step.name == "leave_meta" and attempt.state == "abandoned"
    with platform_scope("tests"):
        db.session.execute(text("update onboardings set lease_until = now() - interval '1 second'"))
    assert closing.finish().state == "done"


def test_a_step_that_ends_afterwards_writes_nothing(closing: Closing, attempt: Attempt, world: World) -> None:
    with tenant_scope(world.bakery.id):
        running = Onboarding.get_or_404(attempt.id)
        fence = running.take_lease()
        assert fence
    closing.begin()
    with tenant_scope(world.bakery.id):
        assert Onboarding.end_all()
    with tenant_scope(world.bakery.id):
        assert not Onboarding.get_or_404(attempt.id).renew_lease(fence)
        assert not Onboarding.end_all()
    assert attempt.state == "abandoned"


def test_no_access_is_taken_for_it_any_more(closing: Closing, ann: Browser, world: World) -> None:
    closing.begin()
    ann.post("~/onboarding/tokens", {"token": "EAA" + "x" * 40, "waba_id": "102290129340398"})
    assert tokens(world) == []


def test_a_setup_link_ends_with_it(closing: Closing, ann: Browser, browser: Browser, world: World) -> None:
    ann.post("~/onboarding/links", {"days": "7"})
    with tenant_scope(world.bakery.id):
        address = db.session.scalars(SetupLink.open_ones()).one().address.removeprefix("http://localhost")
    assert browser.get(address).status_code == 200
    closing.begin()
    assert browser.get(address).status_code == 410


def test_a_number_too_many_of_a_closed_business_says_that_it_is_closed(
    closing: Closing, attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    closing.begin()
    monkeypatch.setattr("app.onboarding.run.Balance.of_closed", lambda: False)
    attempt.run()
    assert "This business is closed" in attempt.page() and "no room" not in attempt.page()


def test_access_is_with_the_account_alone_once_it_is_connected(attempt: Attempt, world: World) -> None:
    attempt.run()
    assert attempt.token() is None and attempt.waba().token and len(tokens(world)) == 1
