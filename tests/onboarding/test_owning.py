"""What the browser says is a claim, and a number has one owner."""

from __future__ import annotations

import threading

import pytest
from flask import Flask

from app.onboarding.jobs import advance
from app.tenancy import db, global_scope
from app.tenancy.models import PhoneNumberRoute, WabaRoute
from tests.onboarding.attempts import Attempt

ELSEWHERE = "already connected to Switchboard by another business"


def test_a_number_of_somebody_else_is_refused_aloud(attempt: Attempt, rival: Attempt) -> None:
    attempt.connect()
    rival.connect()
    page = rival.page()
    assert ELSEWHERE in page
    assert "Bakery" not in page.replace(rival.signed_up.get("name", ""), "")


def test_a_refused_claim_leaves_nothing_behind(attempt: Attempt, rival: Attempt) -> None:
    attempt.connect()
    rival.connect()
    with global_scope():
        routes = [*db.session.query(WabaRoute), *db.session.query(PhoneNumberRoute)]
        owners = {route.tenant_id for route in routes}
    assert owners == {attempt.tenant_id}
    assert rival.state == "failed"


def test_of_two_who_claim_at_once_one_is_refused(app: Flask, attempt: Attempt, rival: Attempt) -> None:
    attempt.hand_over()
    rival.hand_over()

    def run(mine: Attempt) -> None:
        with app.app_context():
            advance(mine.tenant_id, mine.id)

    threads = [threading.Thread(target=run, args=(mine,)) for mine in (attempt, rival)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted((attempt.state, rival.state)) == ["connected", "failed"]
    assert ELSEWHERE in (attempt if attempt.state == "failed" else rival).page()


@pytest.mark.parametrize("name", ["waba_id", "phone_number_id"])
def test_a_foreign_id_posted_from_the_browser_is_refused(attempt: Attempt, rival: Attempt, name: str) -> None:
    foreign = rival.sign_up(name="Shoes", number="+1 555 078 3882")
    attempt.sign_up()
    attempt.post_claims(**{name: foreign[name]})
    attempt.post_code()
    attempt.run()
    assert attempt.state == "failed"
    assert "that your browser named" in attempt.page()


@pytest.mark.parametrize("nonsense", ["../1", "1' or '1'='1", "9" * 40, {"a": 1}, None, True])
def test_what_is_no_id_is_no_claim(attempt: Attempt, nonsense: object) -> None:
    attempt.sign_up()
    attempt.post_claims(waba_id=nonsense)
    assert "waba_id" not in attempt.load().claims


def test_a_permission_left_out_is_named(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.tokens.SCOPES", ["whatsapp_business_management"])
    attempt.connect()
    assert "whatsapp_business_messaging" in attempt.page()
    assert attempt.trouble()["start_again"]


def test_a_token_of_another_app_is_refused(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    real = __import__("app.meta.embedded_signup", fromlist=["debug_token"]).debug_token

    def of_another_app(*given: str) -> object:
        from dataclasses import replace

        return replace(real(*given), app_id="666")

    monkeypatch.setattr("app.meta.embedded_signup.debug_token", of_another_app)
    attempt.connect()
    assert "not for Switchboard" in attempt.page()


def test_an_account_without_a_number_asks_for_one(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.meta.phone_numbers.of_waba", lambda *_: [])
    attempt.sign_up()
    attempt.post_code()
    attempt.run()
    assert (attempt.state, attempt.load().asks) == ("waiting", "new_number")
    assert "Add one here" in attempt.page()


def test_of_several_numbers_the_tenant_chooses(attempt: Attempt, two_numbers: tuple[str, str]) -> None:
    attempt.post_code()
    attempt.run()
    assert (attempt.state, attempt.load().asks) == ("waiting", "number")
    assert all(f'value="{number}"' in attempt.page() for number in two_numbers)
    attempt.browser.post(f"{attempt.path}/number", {"phone_number_id": two_numbers[1]})
    attempt.run()
    assert attempt.number().meta_id == two_numbers[1]


def test_the_windows_word_also_chooses(attempt: Attempt, two_numbers: tuple[str, str]) -> None:
    attempt.post_code()
    attempt.run()
    attempt.post_claims(phone_number_id=two_numbers[1])
    attempt.run()
    assert attempt.number().meta_id == two_numbers[1]


def test_a_number_that_was_not_offered_cannot_be_chosen(attempt: Attempt, two_numbers: tuple[str, str]) -> None:
    attempt.post_code()
    attempt.run()
    attempt.browser.post(f"{attempt.path}/number", {"phone_number_id": "206540352242922"})
    attempt.run()
    assert attempt.state == "failed"
