"""Whatever dies, whenever it dies: the attempt continues from the state that Meta reports."""

from __future__ import annotations

import contextlib

import pytest

from app.onboarding.jobs import enqueue_onboardings
from app.onboarding.models import Onboarding
from app.onboarding.steps import STEPS
from app.tenancy import tenant_scope
from tests.enqueued import Enqueued
from tests.onboarding.attempts import Attempt, Killed, killed_in

BY_THE_MACHINE = list(STEPS)[1:]
ONCE = ("register", "subscribed_apps", "assigned_users", "whatsapp_credit_sharing_and_attach")


@pytest.mark.parametrize("name", BY_THE_MACHINE)
def test_a_worker_killed_before_a_step_is_made_up_for(attempt: Attempt, name: str) -> None:
    attempt.hand_over()
    with killed_in(name), contextlib.suppress(Killed):
        attempt.run()
    attempt.make_due()
    attempt.run()
    assert attempt.state == "connected"


@pytest.mark.parametrize("name", BY_THE_MACHINE[:-1])
def test_a_worker_killed_after_metas_answer_does_nothing_twice(attempt: Attempt, name: str, calls: list[str]) -> None:
    attempt.hand_over()
    with killed_in(name, after_the_call=True), contextlib.suppress(Killed):
        attempt.run()
    attempt.make_due()
    attempt.run()
    assert attempt.state == "connected"
    assert [calls.count(f"POST {edge}") for edge in ONCE] == [1, 1, 1, 1]


def test_the_clock_enqueues_what_a_dead_worker_left(attempt: Attempt, enqueued: Enqueued) -> None:
    attempt.hand_over()
    attempt.stop_after("webhooks_subscribed")
    enqueued.clear()
    enqueue_onboardings()
    assert enqueued.names == []
    attempt.make_due()
    enqueue_onboardings()
    assert enqueued.names == ["onboarding.advance"]


def test_a_second_worker_finds_the_lease_taken(attempt: Attempt, calls: list[str]) -> None:
    attempt.hand_over()
    attempt.stop_after("webhooks_subscribed")
    requested = len(calls)
    attempt.run()
    assert len(calls) == requested


def test_a_worker_that_comes_back_from_the_dead_writes_nothing(attempt: Attempt) -> None:
    attempt.hand_over()
    with tenant_scope(attempt.tenant_id):
        fence = Onboarding.get_or_404(attempt.id).take_lease()
    attempt.make_due()
    attempt.run()
    with tenant_scope(attempt.tenant_id):
        assert not Onboarding.get_or_404(attempt.id).renew_lease(fence or 0)


def test_a_web_process_killed_in_the_exchange_leaves_words(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    attempt.sign_up()
    monkeypatch.setattr("app.meta.embedded_signup.exchange_code", lambda *_: (_ for _ in ()).throw(Killed))
    with contextlib.suppress(Killed):
        attempt.post_code()
    attempt.make_due()
    attempt.run()
    assert "works only once" in attempt.trouble()["title"]
    assert "Start again" in attempt.page()


def test_a_passing_trouble_is_tried_again_by_the_machine(attempt: Attempt) -> None:
    attempt.fail("POST subscribed_apps", 2)
    attempt.connect()
    assert (attempt.state, attempt.trouble().get("owner")) == ("running", None)
    attempt.make_due()
    attempt.run()
    assert attempt.state == "connected"


def test_the_machine_does_not_try_again_too_soon(attempt: Attempt, calls: list[str]) -> None:
    attempt.fail("POST subscribed_apps", 2)
    attempt.connect()
    requested = len(calls)
    attempt.run()
    assert len(calls) == requested


def test_the_machine_gives_up_in_the_end_and_says_so(attempt: Attempt) -> None:
    attempt.fail("POST subscribed_apps", 2, times=99)
    attempt.connect()
    while attempt.state == "running":
        attempt.make_due()
        attempt.run()
    assert attempt.step("webhooks_subscribed").attempts == 6
    assert "Retry this step" in attempt.page()


def test_a_lost_answer_is_looked_up_and_not_repeated(attempt: Attempt, calls: list[str]) -> None:
    attempt.meta.post("faults", edge="whatsapp_credit_sharing_and_attach", kind="drop-after-accept")
    attempt.connect()
    attempt.make_due()
    attempt.run()
    assert attempt.state == "connected"
    assert calls.count("POST whatsapp_credit_sharing_and_attach") == 1
