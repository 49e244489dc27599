from __future__ import annotations

import html

from app.contacts.settings import ContactSettings
from app.onboarding.jobs import enqueue_onboardings, finish_hello
from app.onboarding.plan import PLAN
from app.onboarding.steps import STEPS
from app.tenancy import tenant_scope
from app.wabas.models import PhoneNumber
from dev.environment import SIMULATED_META
from tests.enqueued import Enqueued
from tests.onboarding.attempts import Attempt
from tests.simulated import Meta

AS_PLATFORM = {"Authorization": f"Bearer {SIMULATED_META['META_SYSTEM_USER_TOKEN']}"}


def greet(attempt: Attempt) -> None:
    with tenant_scope(attempt.tenant_id):
        PhoneNumber.get_or_404(attempt.number().id).greet()


def test_a_number_is_connected_step_by_step(attempt: Attempt) -> None:
    attempt.connect()
    *done, app, hello = attempt.states().values()
    assert (set(done), app) == ({"done"}, "skipped")
    assert (attempt.state, hello) == ("connected", "waiting")
    assert attempt.number().state == "connected"


def test_the_page_asks_for_a_hello_and_turns_green_when_it_comes(attempt: Attempt) -> None:
    attempt.connect()
    assert "wa.me/15550783881" in attempt.page()
    greet(attempt)
    assert "It works." in attempt.page()


def test_the_hello_ends_the_last_step(attempt: Attempt) -> None:
    attempt.connect()
    greet(attempt)
    finish_hello(attempt.tenant_id, attempt.id)
    assert attempt.step("hello_seen").state == "done"


def test_the_clock_notices_a_hello(attempt: Attempt, enqueued: Enqueued) -> None:
    attempt.connect()
    enqueue_onboardings()
    assert "onboarding.hear_hello" not in enqueued.names
    greet(attempt)
    enqueue_onboardings()
    assert "onboarding.hear_hello" in enqueued.names


def test_no_transaction_is_open_while_meta_is_called(attempt: Attempt) -> None:
    """`refuse_inside_transaction` runs before every call; a step that forgot would fail by it."""
    attempt.connect()
    assert attempt.trouble().get("asks") == "hello"


def test_the_number_is_not_connected_before_its_health_is_known(attempt: Attempt) -> None:
    attempt.hand_over()
    attempt.stop_after("number_registered")
    assert attempt.step("number_registered").state == "done"
    assert attempt.number().state == "connecting"


def test_a_blocked_number_is_not_connected_and_says_why(attempt: Attempt, meta: Meta) -> None:
    attempt.hand_over()
    attempt.stop_after("number_registered")
    meta.client.delete(f"/v25.0/{attempt.allocation_id()}", headers=AS_PLATFORM)
    attempt.make_due()
    attempt.run()
    assert attempt.number().state == "connecting"
    assert "There is an error with the payment method." in attempt.page()


def test_the_code_may_come_before_the_message_of_the_window(attempt: Attempt) -> None:
    attempt.sign_up()
    attempt.post_code()
    attempt.post_claims()
    attempt.run()
    assert attempt.state == "connected"


def test_without_the_windows_word_the_only_number_is_taken(attempt: Attempt) -> None:
    attempt.sign_up()
    attempt.post_code()
    attempt.run()
    assert attempt.number().meta_id == attempt.signed_up["phone_number_id"]


def test_without_the_code_the_page_waits_and_says_so(attempt: Attempt) -> None:
    attempt.sign_up()
    attempt.post_claims()
    assert attempt.state == "started"
    assert "You finished the Facebook window." in attempt.page()


def test_connecting_ones_own_number_again_replaces_the_token_and_ends_a_pause(attempt: Attempt, again: Attempt) -> None:
    attempt.connect()
    with tenant_scope(attempt.tenant_id):
        PhoneNumber.get_or_404(attempt.number().id).pause("Token revoked.", "Connect again.")
    before = attempt.waba().token
    again.connect()
    assert attempt.number().state == "connected"
    assert attempt.waba().token != before


def test_connecting_again_registers_nothing_twice(attempt: Attempt, again: Attempt, calls: list[str]) -> None:
    attempt.connect()
    again.connect()
    for once in ("register", "subscribed_apps", "assigned_users", "whatsapp_credit_sharing_and_attach"):
        assert calls.count(f"POST {once}") == 1


def test_every_step_has_a_title(attempt: Attempt) -> None:
    attempt.connect()
    page = html.unescape(attempt.page())
    assert list(PLAN) == list(STEPS)
    for title in PLAN.values():
        assert title in page


def test_what_meta_calls_an_account_is_shown_as_text(attempt: Attempt) -> None:
    attempt.sign_up(name="<b>100% Bakery</b>")
    attempt.connect()
    assert "&lt;b&gt;100% Bakery" in attempt.page()
    assert "<b>100%" not in attempt.page()


def test_numbers_without_a_code_are_taken_to_be_from_where_the_business_is(attempt: Attempt) -> None:
    attempt.sign_up(number="+49 30 901820")
    attempt.connect()
    with tenant_scope(attempt.tenant_id):
        assert ContactSettings.default_country() == "DE"
        ContactSettings.save_country("")
        ContactSettings.assume_country("DE")
        assert ContactSettings.default_country() == ""
