"""A client who comes from another provider: Meta changes the payer on the 1st of a month, and not on every day."""

from __future__ import annotations

import contextlib
import datetime as dt

import pytest

from app.onboarding.jobs import enqueue_onboardings
from app.onboarding.migration import last_of
from simulator import foreign_lines
from simulator.wabas import Waba
from tests.client import Browser
from tests.enqueued import Enqueued
from tests.onboarding.attempts import Attempt, Killed, killed_in
from tests.simulated import Meta


@pytest.fixture
def switching(attempt: Attempt, meta: Meta) -> Attempt:
    """Signed up on the 20th: Meta lets a number be registered for two weeks."""
    move_meta_to(TWENTIETH, meta)
    ids = attempt.sign_up()
    waba = Waba.find(meta.world, ids["waba_id"])
    assert waba
    foreign_lines.note(waba)
    return attempt


TODAY = dt.datetime.now(dt.UTC).date()
TWENTIETH, LAST = TODAY.replace(day=20), last_of(TODAY)
FIRST, FIFTH = LAST + dt.timedelta(days=1), LAST + dt.timedelta(days=5)


def written(day: dt.date) -> str:
    return f"{day.day} {day:%B %Y}"


def both_clocks_at(day: dt.date, meta: Meta, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours and Meta's move to noon of that day."""
    noon = move_meta_to(day, meta)
    for module in ("onboarding.steps.credit_line", "onboarding.steps.payer", "wabas.credit"):
        monkeypatch.setattr(f"app.{module}.now", lambda: noon)


def move_meta_to(day: dt.date, meta: Meta) -> dt.datetime:
    noon = dt.datetime.combine(day, dt.time(12), dt.UTC)
    meta.post("clock", advance=noon.timestamp() - meta.post("clock", advance=0)["now"])
    return noon


def connect_on(day: dt.date, attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    attempt.hand_over()
    both_clocks_at(day, attempt.meta, monkeypatch)
    attempt.run()


def test_on_a_refused_day_the_step_says_until_when(switching: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    connect_on(LAST, switching, monkeypatch)
    assert (switching.state, switching.step("credit_line_shared").state) == ("running", "running")
    page = " ".join(switching.page().split())
    assert "last 3 and first 4 days" in page
    assert f"{written(FIFTH)}, 12:00 UTC" in page
    assert "Try now" in page


def test_when_the_days_are_over_it_tries_again_by_itself(
    switching: Attempt, monkeypatch: pytest.MonkeyPatch, enqueued: Enqueued
) -> None:
    connect_on(LAST, switching, monkeypatch)
    enqueued.clear()
    enqueue_onboardings()
    assert "onboarding.advance" not in enqueued.names
    both_clocks_at(FIFTH, switching.meta, monkeypatch)
    switching.make_due()
    enqueue_onboardings()
    assert "onboarding.advance" in enqueued.names
    switching.run()
    assert switching.step("credit_line_shared").state == "done"
    assert written(last_of(FIFTH) + dt.timedelta(days=1)) in switching.page()


def test_every_page_shows_it_while_a_worker_tries_again(
    switching: Attempt, monkeypatch: pytest.MonkeyPatch, pat: Browser
) -> None:
    connect_on(LAST, switching, monkeypatch)
    switching.make_due()
    with killed_in("credit_line_shared"), contextlib.suppress(Killed):
        switching.run()
    assert switching.load().next_attempt_at is None
    assert "Connecting your number…" in switching.page()
    assert switching.browser.get("~/numbers").status_code == 200
    assert pat.get("/platform/").status_code == 200
    assert pat.get(f"/platform/tenants/{switching.tenant_id}").status_code == 200


def test_the_platform_sees_it_wait(switching: Attempt, monkeypatch: pytest.MonkeyPatch, pat: Browser) -> None:
    connect_on(LAST, switching, monkeypatch)
    board = pat.get("/platform/").get_data(as_text=True)
    assert "let that change on these days" in board
    assert written(FIFTH) in board
    assert written(FIFTH) in pat.get(f"/platform/tenants/{switching.tenant_id}").get_data(as_text=True)


def test_a_refusal_of_another_kind_waits_for_no_day(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    attempt.fail("whatsapp_credit_sharing_and_attach", 200)
    attempt.fail("whatsapp_credit_sharing", 200)
    connect_on(LAST, attempt, monkeypatch)
    assert attempt.step("credit_line_shared").state == "failed"


def test_until_the_first_of_the_month_somebody_else_pays(switching: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    connect_on(TWENTIETH, switching, monkeypatch)
    assert (switching.state, switching.step("credit_line_verified").state) == ("running", "running")
    assert written(FIRST) in switching.page()
    both_clocks_at(FIRST, switching.meta, monkeypatch)
    switching.make_due()
    switching.run()
    assert switching.state == "connected"


def test_who_still_pays_after_the_first_is_for_somebody_to_see_to(
    switching: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect_on(TWENTIETH, switching, monkeypatch)
    monkeypatch.setattr(foreign_lines, "has_ended", lambda _waba: False)
    both_clocks_at(FIRST, switching.meta, monkeypatch)
    switching.make_due()
    switching.run()
    assert switching.step("credit_line_verified").state == "failed"
    assert "Ask your old provider" in switching.page()


@pytest.mark.parametrize(
    ("day", "refused"), [("2026-11-04", True), ("2026-11-05", False), ("2026-11-27", False), ("2026-11-28", True)]
)
def test_the_simulated_meta_knows_the_days(day: str, refused: bool) -> None:
    noon = dt.datetime.fromisoformat(f"{day}T12:00:00+00:00")
    assert foreign_lines.is_blackout(noon.timestamp()) is refused
