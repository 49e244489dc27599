from __future__ import annotations

import uuid

import pytest

from app.extensions import settings
from tests.client import FRAGMENT, Browser
from tests.onboarding.attempts import Attempt

POSTS = ["code", "session-info", "cancellation", "steps/token_inspected/retry", "number", "pin"]
POSTS += ["new-number", "verification", "verification-code"]


def at(browser: Browser, attempt: Attempt, to: str = "") -> str:
    return f"{attempt.path}/{to}".rstrip("/")


def test_a_member_of_another_tenant_finds_nothing(sue: Browser, attempt: Attempt) -> None:
    assert sue.get(attempt.path).status_code == 404
    assert sue.post("~/onboarding").status_code == 404


def test_a_strangers_own_address_does_not_open_it_either(sue: Browser, attempt: Attempt) -> None:
    assert sue.get(attempt.path.replace("/t/bakery/", "/t/shoes/")).status_code == 404


@pytest.mark.parametrize("to", POSTS)
def test_a_stranger_can_post_nothing(sue: Browser, attempt: Attempt, to: str) -> None:
    assert sue.post(at(sue, attempt, to)).status_code == 404


def test_an_agent_may_not(ben: Browser, attempt: Attempt) -> None:
    answer = ben.get(attempt.path)
    assert answer.status_code == 403
    assert "have access to this page" in answer.get_data(as_text=True)


@pytest.mark.parametrize("to", POSTS)
def test_an_agent_may_post_nothing(ben: Browser, attempt: Attempt, to: str) -> None:
    assert ben.post(at(ben, attempt, to)).status_code == 403


@pytest.mark.parametrize("to", POSTS)
def test_nothing_is_taken_without_the_pages_own_mark(attempt: Attempt, to: str) -> None:
    assert attempt.browser.client.post(at(attempt.browser, attempt, to), json={}).status_code == 400


def test_an_attempt_that_does_not_exist_is_not_found(ann: Browser) -> None:
    assert ann.get(f"~/onboarding/{uuid.uuid4()}").status_code == 404


def test_the_page_has_one_button_that_knows_where_to_go(attempt: Attempt) -> None:
    page = attempt.page()
    assert page.count("data-signup-button") == 2
    assert page.count('class="btn btn-primary btn-lg"') == 1
    for existing in (
        settings.meta_sdk_url,
        settings.meta_config_id,
        settings.meta_app_id,
        f"{attempt.path}/code",
    ):
        assert existing in page


def test_facebook_is_admitted_on_this_page_only(attempt: Attempt) -> None:
    wide = attempt.browser.get(attempt.path).headers
    attempt.connect()
    narrow = attempt.browser.get(attempt.path).headers
    sdk = settings.meta_sdk_url.removesuffix("/en_US/sdk.js")
    assert f"script-src 'self' {sdk}" in wide["Content-Security-Policy"]
    assert wide["Cross-Origin-Opener-Policy"] == "same-origin-allow-popups"
    assert sdk not in narrow["Content-Security-Policy"]
    assert narrow["Cross-Origin-Opener-Policy"] == "same-origin"


def test_no_policy_allows_inline_or_everything(attempt: Attempt) -> None:
    policy = attempt.browser.get(attempt.path).headers["Content-Security-Policy"]
    assert not [word for word in ("unsafe", "*", "http:", "https:") if word in policy.split()]
    assert "unsafe" not in policy


def test_the_live_part_is_what_the_page_holds(attempt: Attempt) -> None:
    attempt.connect()
    part = attempt.browser.get(attempt.path, headers=FRAGMENT).get_data(as_text=True)
    assert part.strip().startswith('<div id="onboarding"')
    assert part.strip() in attempt.page()


def test_pressing_connect_twice_makes_one_attempt(ann: Browser, attempt: Attempt) -> None:
    assert ann.post("~/onboarding").location == attempt.path


def test_somebody_who_stopped_reads_where(attempt: Attempt) -> None:
    attempt.post("cancellation", current_step="PHONE_NUMBER_VERIFICATION")
    page = attempt.page()
    assert "You left while entering the code for your phone number." in page
    assert "Continue with Facebook" in page


def test_an_unknown_screen_is_no_obstacle(attempt: Attempt) -> None:
    attempt.post("cancellation", current_step="<script>")
    assert "was closed before the end" in attempt.page()


def test_what_was_reported_to_facebook_is_shown_with_its_number(attempt: Attempt) -> None:
    attempt.post("cancellation", error_message="It <broke>", error_id=524126)
    page = attempt.page()
    assert "It &lt;broke&gt;" in page
    assert "524126" in page


def test_after_stopping_the_same_attempt_goes_on(attempt: Attempt) -> None:
    attempt.post("cancellation", current_step="PERMISSIONS")
    attempt.connect()
    assert attempt.state == "connected"


def test_a_late_cancellation_does_not_undo_a_code(attempt: Attempt) -> None:
    attempt.hand_over()
    attempt.post("cancellation", current_step="PERMISSIONS")
    assert attempt.state == "running"


def test_the_numbers_page_leads_to_an_attempt_that_needs_somebody(ann: Browser, attempt: Attempt) -> None:
    attempt.fail("POST register", 133006)
    attempt.connect()
    page = ann.get("~/numbers").get_data(as_text=True)
    assert attempt.path in page
    assert "know yet that this number is yours" in page
