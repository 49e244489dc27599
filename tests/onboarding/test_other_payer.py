"""A client who comes from another provider: Meta changes the payer on the 1st of a month, and not on every day."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask

from simulator import foreign_lines
from simulator.wabas import Waba
from tests.onboarding.attempts import Attempt


@pytest.fixture
def switching(attempt: Attempt, simulators: list[Flask]) -> Attempt:
    ids = attempt.sign_up()
    waba = Waba.find(simulators[0].extensions["simulator"], ids["waba_id"])
    assert waba
    foreign_lines.note(waba)
    return attempt


def retry(attempt: Attempt, name: str) -> None:
    attempt.browser.post(f"{attempt.path}/steps/{name}/retry")
    attempt.run()


def test_on_a_refused_day_the_step_says_which_days(switching: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign_lines, "is_blackout", lambda _moment: True)
    switching.connect()
    assert switching.step("credit_line_shared").state == "failed"
    assert "last 3 and first 4 days" in switching.page()


def test_until_the_first_of_the_month_somebody_else_pays(switching: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign_lines, "is_blackout", lambda _moment: False)
    switching.connect()
    assert switching.step("credit_line_verified").state == "failed"
    assert "on the 1st of a month" in " ".join(switching.page().split())
    retry(switching, "credit_line_verified")
    assert switching.state == "failed"
    monkeypatch.setattr(foreign_lines, "has_ended", lambda _waba: True)
    retry(switching, "credit_line_verified")
    assert switching.state == "connected"


@pytest.mark.parametrize(
    ("day", "refused"), [("2026-11-04", True), ("2026-11-05", False), ("2026-11-27", False), ("2026-11-28", True)]
)
def test_the_simulated_meta_knows_the_days(day: str, refused: bool) -> None:
    noon = dt.datetime.fromisoformat(f"{day}T12:00:00+00:00")
    assert foreign_lines.is_blackout(noon.timestamp()) is refused
