"""Meta takes a number for 14 days after Facebook's sign-up; then the sign-up has to be repeated."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import update

from app.onboarding.models import Onboarding
from app.tenancy import db, now, platform_scope, tenant_scope
from app.wabas.jobs import enqueue_deadline_warnings, warn_of_deadline
from app.wabas.models import PhoneNumber
from tests.client import Browser
from tests.enqueued import Enqueued
from tests.onboarding.attempts import Attempt
from tests.onboarding.test_outcomes import mails


def left_unregistered(attempt: Attempt, days: float) -> None:
    """It waits for a code, and so many days have passed since the sign-up."""
    attempt.sign_up(verified=False)
    attempt.connect()
    assert attempt.load().asks == "code"
    with platform_scope("tests"):
        db.session.execute(update(PhoneNumber).values(register_by=now() + dt.timedelta(days=14 - days)))
        db.session.execute(update(Onboarding).values(signed_up_at=now() - dt.timedelta(days=days)))
    attempt.meta.post("clock", advance=days * 86400)


def verify(attempt: Attempt) -> None:
    attempt.answer("verification", method="SMS")
    attempt.answer("verification-code", code=attempt.code_sent())
    attempt.run()


def test_a_registered_number_has_no_deadline(attempt: Attempt) -> None:
    attempt.connect()
    assert attempt.number().register_by is None


def test_the_owner_reads_how_many_days_are_left(attempt: Attempt, ann: Browser) -> None:
    left_unregistered(attempt, days=10)
    assert "Meta accepts this number for 3 more days." in attempt.page()
    assert "Meta accepts this number for 3 more days." in ann.get("~/numbers").get_data(as_text=True)


def test_the_platform_reads_it_too(attempt: Attempt, pat: Browser) -> None:
    left_unregistered(attempt, days=10)
    assert "Not registered yet: 3 days left." in pat.get("/platform/accounts").get_data(as_text=True)


def test_in_the_first_week_no_one_is_bothered(attempt: Attempt, ann: Browser, enqueued: Enqueued) -> None:
    left_unregistered(attempt, days=5)
    enqueued.clear()
    enqueue_deadline_warnings()
    assert "Meta accepts this number" not in attempt.page()
    assert "wabas.warn_of_deadline" not in enqueued.names


def test_a_mail_warns_once_at_each_of_the_days(attempt: Attempt, enqueued: Enqueued) -> None:
    left_unregistered(attempt, days=12)
    enqueued.clear()
    enqueue_deadline_warnings()
    assert "wabas.warn_of_deadline" in enqueued.names
    before = len(mails())
    for _ in range(2):
        warn_of_deadline(attempt.tenant_id, attempt.number().id)
    assert len(mails()) == before + 1
    assert "1 more day" in mails()[-1].get_content()


def test_afterwards_the_way_on_is_another_sign_up(attempt: Attempt) -> None:
    left_unregistered(attempt, days=15)
    verify(attempt)
    assert attempt.step("number_registered").state == "failed"
    page = attempt.page()
    assert "accepts a number only within 14 days" in page
    assert "Start again" in page


def test_the_second_sign_up_sets_the_clock_anew(attempt: Attempt, again: Attempt) -> None:
    left_unregistered(attempt, days=15)
    verify(attempt)
    again.connect()
    assert again.state == "connected"
    with tenant_scope(again.tenant_id):
        assert db.session.query(PhoneNumber).one().register_by is None
