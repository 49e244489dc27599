"""Every refusal on the way has a way on, in words that fit what was asked."""

from __future__ import annotations

import html

import pytest

from app.onboarding.jobs import enqueue_onboardings, finish_hello
from app.onboarding.models import Onboarding
from app.tenancy import db, tenant_scope
from app.wabas.models import PhoneNumber
from simulator.phone_numbers import PhoneNumber as PlayedNumber
from simulator.wabas import Waba as PlayedWaba
from tests.client import Browser
from tests.enqueued import Enqueued
from tests.onboarding.attempts import Attempt
from tests.simulated import Meta

NEW = {"calling_code": "49", "number": "0151 2345678", "name": "Bakery"}
OTHER = "https://other-server.example/hook"


def played(attempt: Attempt, meta: Meta) -> PlayedNumber:
    number = PlayedNumber.find(meta.world, attempt.signed_up["phone_number_id"])
    assert number
    return number


def words(attempt: Attempt) -> str:
    return " ".join(html.unescape(attempt.page()).split())


def greet(attempt: Attempt) -> None:
    with tenant_scope(attempt.tenant_id):
        PhoneNumber.get_or_404(attempt.number().id).greet()


@pytest.mark.parametrize(
    "scopes",
    [
        ["whatsapp_business_manage_events", "whatsapp_business_messaging"],
        ["whatsapp_business_messaging"],
        ["whatsapp_business_management", "whatsapp_business_messaging", "whatsapp_business_manage_events"],
    ],
)
def test_the_accounts_ids_may_be_under_any_scope_of_whatsapp(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch, scopes: list[str]
) -> None:
    monkeypatch.setattr("simulator.tokens.SCOPES", scopes)
    attempt.connect()
    assert attempt.state == "connected"


def test_a_token_that_names_its_account_under_events_only_connects(attempt: Attempt) -> None:
    attempt.signed_up = attempt.meta.post(
        "signups",
        name="Bakery",
        display_phone_number="+1 555 078 3881",
        id_scopes=["whatsapp_business_manage_events"],
    )
    attempt.connect()
    assert attempt.state == "connected"


@pytest.mark.parametrize("level", ["number", "account"])
def test_another_servers_callback_is_removed_while_connecting(attempt: Attempt, meta: Meta, level: str) -> None:
    attempt.sign_up()
    number = played(attempt, meta)
    number.waba.subscribe(OTHER if level == "account" else None)
    number.update(override_callback_uri=OTHER if level == "number" else None)
    attempt.connect()
    assert attempt.state == "connected"
    assert "They went to other-server.example before" in words(attempt)
    assert played(attempt, meta).override_callback_uri is None
    assert number.waba.override_callback_uri is None


def test_history_that_comes_too_late_is_noted_and_the_attempt_goes_on(attempt: Attempt) -> None:
    attempt.sign_up(coexistence=True)
    attempt.hand_over()
    attempt.fail("smb_app_data", 2593108)
    attempt.run()
    assert (attempt.state, attempt.step("app_synchronised").state) == ("connected", "skipped")
    assert "only within 24 hours of connecting" in words(attempt)


def test_a_hello_ticks_the_last_step_whatever_is_still_open(attempt: Attempt, enqueued: Enqueued) -> None:
    attempt.fail("POST register", 100)
    attempt.connect()
    greet(attempt)
    enqueue_onboardings()
    assert "onboarding.hear_hello" in enqueued.names
    finish_hello(attempt.tenant_id, attempt.id)
    assert (attempt.state, attempt.step("hello_seen").state) == ("failed", "done")


@pytest.mark.parametrize("question", ["SMS", "code"])
def test_a_number_verified_elsewhere_goes_on_by_itself(attempt: Attempt, meta: Meta, question: str) -> None:
    attempt.sign_up(verified=False)
    attempt.connect()
    played(attempt, meta).verify()
    attempt.fail("POST request_code", 136024, details="the ownership of this number is verified already.")
    attempt.fail("POST verify_code", 136024, details="the ownership of this number is verified already.")
    if question == "SMS":
        attempt.answer("verification", method="SMS")
    else:
        attempt.answer("verification-code", code="123456")
    attempt.run()
    assert attempt.state == "connected"


def test_check_again_looks_at_meta(attempt: Attempt, meta: Meta) -> None:
    attempt.sign_up(verified=False)
    attempt.connect()
    assert "Check again" in attempt.page()
    played(attempt, meta).verify()
    attempt.answer("recheck")
    attempt.run()
    assert attempt.state == "connected"


@pytest.mark.parametrize("code", [133008, 133009])
def test_a_locked_pin_says_until_when_and_takes_the_right_one(attempt: Attempt, code: int) -> None:
    attempt.fail("POST register", code, details="Too many PIN guesses. Wait 60 minutes before trying again.")
    attempt.connect()
    assert (attempt.load().asks, attempt.number().pin) == ("pin", None)
    assert "Locked until" in attempt.page() and 'name="pin"' in attempt.page()
    attempt.answer("pin", pin="424242")
    attempt.run()
    assert (attempt.state, attempt.number().pin) == ("connected", "424242")


@pytest.mark.parametrize(
    ("details", "locks"), [("Wait 12 hours.", True), ("Wait 1 hour 30 minutes", True), ("Wait.", False), ("", False)]
)
def test_without_a_time_in_metas_words_none_is_shown(attempt: Attempt, details: str, locks: bool) -> None:
    attempt.fail("POST register", 133008, details=details)
    attempt.connect()
    assert ("Locked until" in attempt.page()) is locks


def test_a_refused_pin_is_forgotten(attempt: Attempt) -> None:
    attempt.fail("POST register", 133005)
    attempt.connect()
    assert attempt.number().pin is None
    assert "That isn't this number's PIN." in words(attempt)


REFUSALS = [
    (2388001, 0, "", {}, "already in use on WhatsApp"),
    (2388001, 0, "", {"migrate": "y"}, "turn off two-step verification"),
    (2388091, 0, "", {"migrate": "y"}, "isn't with another provider"),
    (2388093, 0, "", {"migrate": "y"}, "isn't with another provider"),
    (2388103, 0, "", {"migrate": "y"}, "doesn't let this number move"),
    (100, 2388001, "", {}, "already in use on WhatsApp"),
    (
        100,
        2388103,
        "The business has reached the maximum of phone numbers.",
        {},
        "as many phone numbers as Meta allows",
    ),
    (100, 0, "You reached the limit of phone numbers.", {}, "as many phone numbers as Meta allows"),
    (100, 0, "Invalid parameter", {}, "didn't accept this phone number or name"),
]


@pytest.mark.parametrize(("code", "subcode", "details", "more", "expected"), REFUSALS)
def test_a_new_number_is_refused_in_words_that_fit(
    attempt: Attempt, code: int, subcode: int, details: str, more: dict[str, str], expected: str
) -> None:
    attempt.sign_up(without_number=True)
    attempt.connect()
    attempt.fail("POST phone_numbers", code, subcode=subcode, details=details)
    attempt.answer("new-number", **NEW, **more)
    page = words(attempt)
    assert expected in page
    assert "Correct the message" not in page
    assert attempt.load().asks == "new_number"


@pytest.mark.parametrize("edge", ["POST subscribed_apps", "POST register", "GET waba"])
def test_no_refusal_while_connecting_speaks_of_a_message(attempt: Attempt, edge: str) -> None:
    attempt.fail(edge, 100, details="(#100) no")
    attempt.connect()
    assert "Meta refused this step." in words(attempt)


@pytest.mark.parametrize(
    ("details", "expected"),
    [("too many codes were requested", "too many codes"), ("cannot deliver", "couldn't send a code to this number")],
)
def test_a_code_that_cannot_be_sent_says_why(attempt: Attempt, details: str, expected: str) -> None:
    attempt.sign_up(verified=False)
    attempt.connect()
    attempt.fail("POST request_code", 136024, details=details)
    attempt.answer("verification", method="SMS")
    assert expected in words(attempt)


def test_a_wrong_code_has_its_words_above_the_field_and_metas_below(attempt: Attempt) -> None:
    attempt.sign_up(verified=False)
    attempt.connect()
    attempt.answer("verification", method="SMS")
    attempt.answer("verification-code", code="000000")
    page = words(attempt)
    assert page.index("That code isn't right.") < page.index('name="code"') < page.index("136025")


@pytest.mark.parametrize(
    ("screen", "causes"),
    [
        ("PHONE_NUMBER_SETUP", ["still in use in a WhatsApp app", "as many numbers", "Too many codes"]),
        ("PHONE_NUMBER_VERIFICATION", ["doesn't arrive", "Too many codes"]),
    ],
)
def test_whoever_leaves_at_the_number_reads_the_likely_causes(attempt: Attempt, screen: str, causes: list[str]) -> None:
    attempt.post("cancellation", current_step=screen)
    page = words(attempt)
    assert all(cause in page for cause in causes)
    assert page.count("Connect it together with the app") == 2


@pytest.mark.parametrize(
    ("code", "more"),
    [
        (101, {}),
        (100, {"subcode": 36008}),
        (1, {"details": "Error validating client secret.", "times": 9}),
    ],
)
def test_a_fault_of_the_platforms_is_not_laid_on_the_owner(
    attempt: Attempt, pat: Browser, code: int, more: dict[str, object]
) -> None:
    attempt.fail("oauth/access_token", code, **more)
    attempt.hand_over()
    assert attempt.trouble()["owner"] == "platform"
    assert "The Switchboard team has to fix this" in words(attempt)
    assert "META_APP_SECRETS" in pat.get("/platform/").get_data(as_text=True)


def second_sign_up(attempt: Attempt) -> dict[str, str]:
    return attempt.meta.post("signups", name="Stall", display_phone_number="+1 555 078 3899")


def attempts(attempt: Attempt) -> list[Onboarding]:
    with tenant_scope(attempt.tenant_id):
        return db.session.query(Onboarding).order_by(Onboarding.id).all()


@pytest.mark.parametrize("order", ["ABab", "ABba", "AaBb", "BAab", "aAbB", "abAB", "baAB", "AABab"])
def test_two_windows_on_one_page_are_two_attempts(attempt: Attempt, order: str) -> None:
    """Claims of A and B (capital letters) and their codes come in any order."""
    first, second = attempt.sign_up(), second_sign_up(attempt)
    answers = []
    for letter in order:
        attempt.signed_up = first if letter.upper() == "A" else second
        answers.append(attempt.post_claims() if letter.isupper() else attempt.post_code())
    for one in attempts(attempt):
        attempt.id = one.id
        attempt.run()
    with tenant_scope(attempt.tenant_id):
        connected = {number.meta_id for number in db.session.query(PhoneNumber) if number.is_connected}
    assert connected == {first["phone_number_id"], second["phone_number_id"]}
    elsewhere = [answer.headers.get("Content-Location") for answer in answers]
    assert [address for address in elsewhere if address] == [f"/t/bakery/onboarding/{attempts(attempt)[-1].id}"]


def test_a_second_code_posted_twice_is_one_attempt(attempt: Attempt) -> None:
    attempt.hand_over()
    attempt.signed_up = second_sign_up(attempt)
    attempt.post_code()
    attempt.post_code()
    assert len(attempts(attempt)) == 2


def test_a_claim_that_the_token_does_not_open_is_refused(attempt: Attempt, rival: Attempt) -> None:
    foreign = rival.sign_up(name="Shoes", number="+1 555 078 3882")
    attempt.sign_up()
    attempt.post_claims(waba_id=foreign["waba_id"])
    attempt.post_code()
    attempt.run()
    assert "that your browser named" in attempt.page()


def test_a_disabled_account_is_not_connected(attempt: Attempt, meta: Meta) -> None:
    attempt.sign_up()
    waba = PlayedWaba.find(meta.world, attempt.signed_up["waba_id"])
    assert waba
    waba.update(status="DISABLED")
    attempt.connect()
    assert attempt.state == "failed"
    assert "Meta has disabled this WhatsApp account" in words(attempt)


def test_the_hello_step_shows_a_code_to_scan(attempt: Attempt) -> None:
    attempt.connect()
    assert 'src="data:image/svg+xml;base64,' in attempt.page()
    assert "QR code that opens a chat" in attempt.page()


def test_after_the_hello_the_page_waits_for_nothing_more(attempt: Attempt) -> None:
    attempt.connect()
    assert "This page shows when it arrives" in words(attempt)
    greet(attempt)
    assert "This page shows when it arrives" not in words(attempt)


def test_what_one_needs_is_shown_once(attempt: Attempt) -> None:
    """Where connecting begins; the page before it does not say so too."""
    assert words(attempt).count("What you need") == 1
    assert "What you need" not in attempt.browser.get("~/numbers").get_data(as_text=True)


def test_after_the_hello_the_next_steps_are_offered(attempt: Attempt) -> None:
    attempt.connect()
    greet(attempt)
    page = words(attempt)
    for step in ("Invite your team", "Add a photo and a description", "Set business hours", "Open the inbox"):
        assert step in page
