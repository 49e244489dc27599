from __future__ import annotations

import time

import pytest

from app.onboarding.steps import STEPS
from app.tenancy import db, platform_scope
from app.wabas.partners import PartnerWaba
from app.webhooks.drain import drain_batch
from tests.onboarding.attempts import Attempt, LaterAttempt

REFUSALS = {
    "assets_confirmed": "GET phone_numbers",
    "webhooks_subscribed": "POST subscribed_apps",
    "system_user_assigned": "POST assigned_users",
    "credit_line_shared": "whatsapp_credit_sharing_and_attach",
    "credit_line_verified": "GET allocation",
    "number_registered": "POST register",
    "health_checked": "GET phone_number",
    "token_inspected": "debug_token",
}
# What is tried where Meta refuses the first.
SECOND_WAYS = {"credit_line_shared": ["POST whatsapp_credit_sharing"]}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_step_that_failed_is_tried_again_from_the_page(attempt: Attempt, name: str) -> None:
    if name == "health_checked":
        attempt.hand_over()
        attempt.stop_after("number_registered")
        attempt.make_due()
    for edge in (REFUSALS[name], *SECOND_WAYS.get(name, ())):
        attempt.fail(edge, 100, details="(#100) Meta says no")
    if name == "health_checked":
        attempt.run()
    else:
        attempt.connect()
    page = attempt.page()
    assert attempt.step(name).state == "failed"
    assert "Meta says no" in page
    assert attempt.trouble()["fbtrace_id"] in page
    assert attempt.browser.post(f"{attempt.path}/steps/{name}/retry").status_code == 303
    attempt.run()
    assert attempt.state == "connected"


@pytest.mark.parametrize("name", [name for name, step in STEPS.items() if step.hint])
def test_what_the_platform_has_to_fix_says_so(attempt: Attempt, name: str) -> None:
    for edge in (REFUSALS[name], *SECOND_WAYS.get(name, ())):
        attempt.fail(edge, 200)
    attempt.connect()
    assert attempt.trouble()["owner"] == "platform"
    assert "The Switchboard team has to fix this" in attempt.page()


def test_what_is_done_stays_done(attempt: Attempt, calls: list[str]) -> None:
    attempt.fail("POST register", 100)
    attempt.connect()
    attempt.browser.post(f"{attempt.path}/steps/number_registered/retry")
    attempt.run()
    assert calls.count("GET subscribed_apps") == 1


def test_the_retry_is_signed(attempt: Attempt) -> None:
    attempt.fail("POST subscribed_apps", 100)
    attempt.connect()
    attempt.browser.post(f"{attempt.path}/steps/webhooks_subscribed/retry")
    assert "Retried by Ann" in attempt.page()


def test_only_the_step_that_failed_can_be_tried_again(attempt: Attempt) -> None:
    attempt.fail("POST register", 100)
    attempt.connect()
    attempt.browser.post(f"{attempt.path}/steps/webhooks_subscribed/retry")
    assert attempt.state == "failed"


def test_an_expired_code_says_so_and_offers_a_new_start(attempt: Attempt) -> None:
    attempt.sign_up()
    attempt.meta.post("clock", advance=31)
    attempt.post_code()
    assert "has expired" in attempt.page()
    assert attempt.trouble()["start_again"]


def test_a_used_code_says_so(attempt: Attempt, again: LaterAttempt) -> None:
    code = attempt.sign_up()["code"]
    attempt.post_code()
    again.start()
    again.post("code", code=code)
    assert "was already used once" in again.page()


def test_a_lost_exchange_is_tried_once_more_and_then_fetched_another_way(attempt: Attempt, calls: list[str]) -> None:
    attempt.meta.post("faults", edge="oauth/access_token", kind="drop-after-accept")
    attempt.hand_over()
    attempt.run()
    assert calls.count("GET access_token") == 2
    assert "was lost" in attempt.page()
    work_off(attempt)
    attempt.make_due()
    attempt.run()
    assert attempt.state == "connected"


def test_an_exchange_that_never_arrived_costs_nothing(attempt: Attempt) -> None:
    attempt.meta.post("faults", edge="oauth/access_token", kind="http500")
    attempt.connect()
    assert attempt.state == "connected"


def test_a_lost_code_opens_no_account_that_meta_has_not_named(attempt: Attempt) -> None:
    attempt.meta.post("faults", edge="oauth/access_token", kind="drop-after-accept")
    attempt.hand_over()
    attempt.run()
    assert attempt.state == "running"
    assert attempt.load().token is None


def test_a_lost_code_opens_no_account_that_somebody_else_is_after(attempt: Attempt, rival: Attempt) -> None:
    attempt.meta.post("faults", edge="oauth/access_token", kind="drop-after-accept")
    rival.signed_up = attempt.sign_up()
    rival.post_claims()
    attempt.hand_over()
    work_off(attempt)
    attempt.run()
    assert attempt.load().token is None


def test_a_code_that_was_no_code_recovers_nothing(attempt: Attempt, rival: Attempt) -> None:
    attempt.signed_up = rival.sign_up(name="Shoes", number="+1 555 078 3882")
    attempt.post_claims()
    attempt.post("code", code="made up")
    work_off(attempt)
    attempt.run()
    assert attempt.trouble()["start_again"]
    assert attempt.load().token is None


def work_off(attempt: Attempt) -> None:
    """What Meta posted about the sign-up has come in."""

    def came() -> bool:
        drain_batch()
        with platform_scope("tests"):
            return db.session.query(PartnerWaba).count() > 0

    end = time.monotonic() + 10
    while not came():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_the_same_code_posted_twice_is_exchanged_once(attempt: Attempt, calls: list[str]) -> None:
    attempt.hand_over()
    assert attempt.post_code().status_code == 204
    assert calls.count("GET access_token") == 1


def test_starting_again_takes_the_place_of_what_cannot_go_on(attempt: Attempt, again: Attempt) -> None:
    attempt.meta.post("faults", edge="oauth/access_token", kind="drop-after-accept")
    attempt.hand_over()
    again.connect()
    assert attempt.state == "abandoned"
    assert again.state == "connected"


def test_a_token_meta_does_not_know_any_more_asks_for_a_new_start(attempt: Attempt) -> None:
    attempt.hand_over()
    attempt.meta.post("tokens/revoke", token=attempt.token())
    attempt.run()
    assert attempt.trouble()["start_again"]
    assert "not valid" in attempt.page()


def test_a_fault_of_ours_ends_in_words_with_a_reference(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.meta.wabas.subscription", lambda *_: 1 / 0)
    attempt.connect()
    assert "a fault in Switchboard" in attempt.page()
    assert attempt.trouble()["fbtrace_id"] in attempt.page()


def test_a_pin_somebody_set_is_asked_for_and_used(attempt: Attempt) -> None:
    attempt.sign_up()
    attempt.set_pin_at_meta("424242")
    attempt.connect()
    assert (attempt.state, attempt.load().asks) == ("waiting", "pin")
    attempt.browser.post(f"{attempt.path}/pin", {"pin": "424242"})
    attempt.run()
    assert attempt.state == "connected"


def test_a_wrong_pin_is_asked_for_again(attempt: Attempt) -> None:
    attempt.sign_up()
    attempt.set_pin_at_meta("424242")
    attempt.connect()
    attempt.browser.post(f"{attempt.path}/pin", {"pin": "000000"})
    attempt.run()
    assert (attempt.load().asks, attempt.trouble()["code"]) == ("pin", 133005)


def test_a_pin_is_six_digits(attempt: Attempt) -> None:
    attempt.fail("POST register", 133005)
    attempt.connect()
    answer = attempt.browser.post(f"{attempt.path}/pin", {"pin": "12345x"})
    assert answer.status_code == 422
    assert "12345x" not in answer.get_data(as_text=True)


def test_a_number_registered_ten_times_is_left_alone(attempt: Attempt, calls: list[str]) -> None:
    attempt.fail("POST register", 100, times=99)
    attempt.connect()
    for _ in range(12):
        attempt.browser.post(f"{attempt.path}/steps/number_registered/retry")
        attempt.run()
    assert calls.count("POST register") == 10
    assert "the most that Meta allows" in attempt.page()


def test_an_unfinished_removal_is_finished_first(attempt: Attempt, calls: list[str]) -> None:
    attempt.fail("POST register", 133000)
    attempt.connect()
    assert attempt.state == "connected"
    assert "POST deregister" in calls
