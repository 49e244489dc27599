"""However Facebook's window ends: there is a way on, on the same page."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import pathlib

import pytest
from sqlalchemy import update

from app.extensions import outside
from app.meta import phone_numbers
from app.onboarding.jobs import enqueue_onboardings, remind
from app.onboarding.models import Onboarding
from app.tenancy import db, now, platform_scope, tenant_scope
from tests.client import Browser
from tests.enqueued import Enqueued
from tests.onboarding.attempts import Attempt
from tests.world import World

NEW = {"calling_code": "49", "number": "0151 2345678", "name": "Bakery"}


def mails() -> list[email.message.EmailMessage]:
    folder = pathlib.Path(outside().settings.mail_url.removeprefix("file://"))
    files = sorted(folder.glob("*.eml"), key=lambda file: file.stat().st_mtime)
    return [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]


def leave_the_window(attempt: Attempt, minutes: int) -> None:
    attempt.post("cancellation", current_step="PHONE_NUMBER_VERIFICATION")
    with platform_scope("tests"):
        mine = update(Onboarding).where(Onboarding.id == attempt.id)
        db.session.execute(mine.values(cancelled_at=now() - dt.timedelta(minutes=minutes)))


def test_a_number_that_was_not_verified_is_verified_here(attempt: Attempt) -> None:
    attempt.sign_up(verified=False)
    attempt.connect()
    assert attempt.load().asks == "code"
    attempt.answer("verification", method="SMS")
    assert "is on its way" in attempt.page()
    attempt.answer("verification-code", code=attempt.code_sent())
    attempt.run()
    assert attempt.state == "connected"


def test_a_wrong_code_says_so_and_asks_again(attempt: Attempt) -> None:
    attempt.sign_up(verified=False)
    attempt.connect()
    attempt.answer("verification", method="VOICE")
    attempt.answer("verification-code", code="000 000")
    assert (attempt.load().asks, attempt.trouble()["code"]) == ("code", 136025)
    assert "Verify the number" in attempt.page()


def test_too_many_codes_are_refused_in_words(attempt: Attempt) -> None:
    attempt.sign_up(verified=False)
    attempt.connect()
    for _ in range(6):
        attempt.answer("verification", method="SMS")
    assert attempt.trouble()["code"] == 136024
    assert attempt.load().asks == "code"


def test_what_is_no_code_is_not_sent_to_meta(attempt: Attempt, calls: list[str]) -> None:
    attempt.sign_up(verified=False)
    attempt.connect()
    attempt.answer("verification", method="SMS")
    assert attempt.answer("verification-code", code="12").status_code == 422
    assert "POST verify_code" not in calls


def test_an_account_without_a_number_gets_one_here(attempt: Attempt) -> None:
    attempt.sign_up(without_number=True)
    attempt.connect()
    assert attempt.load().asks == "new_number"
    attempt.answer("new-number", **NEW)
    attempt.run()
    attempt.answer("verification", method="SMS")
    attempt.answer("verification-code", code=attempt.code_sent())
    attempt.run()
    assert attempt.state == "connected"
    assert attempt.number().display_number.replace(" ", "").replace("-", "") == "+491512345678"


@pytest.mark.parametrize(
    "number", ["+49 (0)151 2345678", "0049 151 2345678", "٠١٥١ ٢٣٤٥٦٧٨", "0151/2345678", "\u202a+49 151 2345678\u202c"]
)
def test_a_new_number_is_added_however_it_is_written(attempt: Attempt, number: str) -> None:
    attempt.sign_up(without_number=True)
    attempt.connect()
    attempt.answer("new-number", **NEW | {"number": number})
    attempt.run()
    assert attempt.number().display_number.replace(" ", "").replace("-", "") == "+491512345678"


@pytest.mark.parametrize(
    ("number", "words"),
    [("+47 912 34 567", "another country code"), ("12", "too many or too few digits"), ("", "Enter a phone number")],
)
def test_a_number_that_does_not_fit_its_country_code_is_refused(attempt: Attempt, number: str, words: str) -> None:
    attempt.sign_up(without_number=True)
    attempt.connect()
    answer = attempt.answer("new-number", **NEW | {"number": number})
    assert answer.status_code == 422 and words in answer.get_data(as_text=True)


def test_a_number_that_is_taken_is_refused_and_what_was_typed_stays(attempt: Attempt) -> None:
    attempt.meta.post("seed", name="Somebody", display_phone_number="+49 151 2345678")
    attempt.sign_up(without_number=True)
    attempt.connect()
    attempt.answer("new-number", **NEW)
    assert attempt.load().asks == "new_number"
    assert attempt.trouble()["code"] == 2388001


def test_a_name_too_short_is_an_error_beside_its_field(attempt: Attempt) -> None:
    attempt.sign_up(without_number=True)
    attempt.connect()
    answer = attempt.answer("new-number", **NEW | {"name": "B"})
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert "Use 2 to 75 characters" in page
    assert 'value="1512345678"' in page


def test_a_lost_answer_about_a_new_number_adds_it_once(attempt: Attempt) -> None:
    attempt.sign_up(without_number=True)
    attempt.connect()
    attempt.meta.post("faults", edge="POST phone_numbers", kind="drop-after-accept")
    attempt.answer("new-number", **NEW)
    attempt.run()
    assert attempt.load().asks == "code"
    with tenant_scope(attempt.tenant_id):
        token = attempt.waba().token
    results = phone_numbers.of_waba(outside().graph, token, attempt.signed_up["waba_id"])
    assert len(results) == 1


def test_a_number_moves_here_from_another_provider(attempt: Attempt) -> None:
    there = attempt.meta.post("seed", name="Bakery", display_phone_number="+49 151 2345678", registered=False)
    attempt.sign_up(name="Bakery here", without_number=True)
    attempt.connect()
    attempt.answer("new-number", **NEW, migrate="y")
    attempt.run()
    attempt.answer("verification", method="SMS")
    attempt.answer("verification-code", code=attempt.code_sent())
    attempt.run()
    assert attempt.state == "connected"
    assert attempt.number().meta_id == there["phone_number_id"]


def test_a_number_in_the_business_app_is_not_registered_and_its_past_is_asked_for(
    attempt: Attempt, calls: list[str]
) -> None:
    attempt.sign_up(coexistence=True)
    attempt.post("session-info", event="FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING", waba_id=attempt.signed_up["waba_id"])
    attempt.post_code()
    attempt.run()
    assert (attempt.state, attempt.step("app_synchronised").state) == ("connected", "done")
    assert "POST register" not in calls
    assert calls.count("POST smb_app_data") == 2


def test_where_the_first_way_of_sharing_is_refused_the_second_is_gone(attempt: Attempt, calls: list[str]) -> None:
    attempt.fail("whatsapp_credit_sharing_and_attach", 200)
    attempt.connect()
    assert attempt.state == "connected"
    assert "POST whatsapp_credit_attach" in calls


def test_whoever_left_the_window_is_reminded_once(attempt: Attempt, enqueued: Enqueued) -> None:
    leave_the_window(attempt, minutes=31)
    enqueue_onboardings()
    assert "onboarding.remind" in enqueued.names
    before = len(mails())
    for _ in range(2):
        remind(attempt.tenant_id, attempt.id)
    assert len(mails()) == before + 1
    body = mails()[-1].get_content()
    assert "You left while entering the code for your phone number" in body
    assert attempt.path in body


def test_no_one_is_reminded_at_once_nor_after_going_on(attempt: Attempt, enqueued: Enqueued) -> None:
    leave_the_window(attempt, minutes=5)
    enqueue_onboardings()
    assert "onboarding.remind" not in enqueued.names
    leave_the_window(attempt, minutes=40)
    attempt.hand_over()
    before = len(mails())
    remind(attempt.tenant_id, attempt.id)
    assert len(mails()) == before


def test_a_token_one_has_connects_without_the_window(ann: Browser, world: World, attempt: Attempt) -> None:
    ids = attempt.meta.post("seed", name="Bakery", display_phone_number="+1 555 078 3881")
    answer = ann.post("~/onboarding/tokens", {"token": ids["token"], "waba_id": ids["waba_id"]})
    assert answer.status_code == 303
    attempt.path, attempt.id = answer.location, type(attempt.id)(answer.location.rpartition("/")[2])
    attempt.run()
    assert attempt.state == "connected"
    assert ids["token"] not in attempt.page()


def test_what_is_no_token_is_an_error_and_not_shown_again(ann: Browser) -> None:
    answer = ann.post("~/onboarding/tokens", {"token": "EAA short", "waba_id": "x"})
    assert answer.status_code == 422
    assert "EAA short" not in answer.get_data(as_text=True)
