"""Taking an account off: in the order in which no one is left paying, whatever dies on the way."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import update

from app.tenancy import db, now, platform_scope, tenant_scope
from app.wabas import offboarding as module
from app.wabas.credit import CreditLineShare
from app.wabas.jobs import offboard
from app.wabas.models import PhoneNumber, Waba
from app.wabas.offboarding import STEPS, Offboarding
from tests.client import Browser
from tests.onboarding.attempts import Attempt, Killed


@pytest.fixture
def connected(attempt: Attempt) -> Attempt:
    attempt.connect()
    return attempt


def begin(attempt: Attempt) -> Offboarding:
    with tenant_scope(attempt.tenant_id):
        return Offboarding.begin(db.session.query(Waba).one(), by="Ann")


def go(attempt: Attempt, process: Offboarding) -> Offboarding:
    with platform_scope("tests"):
        db.session.execute(update(Offboarding).values(next_attempt_at=now() - dt.timedelta(seconds=1)))
    offboard(attempt.tenant_id, process.id)
    with tenant_scope(attempt.tenant_id):
        return Offboarding.get_or_404(process.id)


def test_nothing_is_left_at_meta_nor_here(connected: Attempt, calls: list[str]) -> None:
    allocation, process = connected.allocation_id(), begin(connected)
    assert connected.number().state == "disconnected"
    assert go(connected, process).state == "done"
    assert calls[-6:].index(f"DELETE {allocation}") < calls[-6:].index("DELETE subscribed_apps")
    assert "POST deregister" in calls
    assert connected.waba().token is None


def test_what_was_taken_off_is_not_shown_as_standing(connected: Attempt, ann: Browser) -> None:
    go(connected, begin(connected))
    page = ann.get(f"~/numbers/{connected.number().id}").get_data(as_text=True)
    assert "We have removed everything on our side" in page
    assert "Last checked with Meta" not in page


@pytest.mark.parametrize("name", [step.__name__ for step in STEPS])
def test_killed_at_any_step_it_goes_on(connected: Attempt, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    process = begin(connected)
    at = [step.__name__ for step in STEPS].index(name)

    def die(waba: Waba) -> None:
        STEPS[at](waba)
        raise Killed

    die.__name__ = name
    monkeypatch.setattr(module, "STEPS", (*STEPS[:at], die, *STEPS[at + 1 :]))
    with pytest.raises(Killed):
        go(connected, process)
    monkeypatch.setattr(module, "STEPS", STEPS)
    assert go(connected, process).state == "done"
    assert connected.waba().token is None


def test_what_meta_refuses_is_shown_and_tried_again(connected: Attempt, ann: Browser) -> None:
    process = begin(connected)
    connected.fail("DELETE subscribed_apps", 2, times=99)
    for _ in range(5):
        failed = go(connected, process)
    assert (failed.state, failed.next_step) == ("failed", "Turning off the webhooks")
    path = f"~/numbers/{connected.number().id}"
    assert "Turning off the webhooks" in ann.get(path).get_data(as_text=True)
    connected.meta.client.delete("/control/api/faults")
    ann.post(f"{path}/disconnection/retry")
    assert go(connected, process).state == "done"


def test_after_our_access_ended_the_rest_still_ends(connected: Attempt) -> None:
    connected.meta.post("tokens/revoke", token=connected.waba().token)
    assert go(connected, begin(connected)).state == "done"


def test_the_line_stays_while_another_account_of_the_business_needs_it(connected: Attempt, calls: list[str]) -> None:
    process = begin(connected)
    with tenant_scope(connected.tenant_id):
        mine = db.session.query(Waba).one()
        other = Waba(meta_id="999", owner_business_id=mine.owner_business_id)
        db.session.add(other)
        db.session.flush()
        db.session.add(PhoneNumber(waba_id=other.id, meta_id="998", display_number="+1", state="connected"))
    allocation = connected.allocation_id()
    go(connected, process)
    assert f"DELETE {allocation}" not in calls
    with tenant_scope(connected.tenant_id):
        assert db.session.query(CreditLineShare).count() == 1


def test_connecting_again_afterwards_works(connected: Attempt, again: Attempt) -> None:
    go(connected, begin(connected))
    again.connect()
    assert (again.state, again.number().state) == ("connected", "connected")


def test_disconnecting_takes_the_password_and_the_number_itself(connected: Attempt, ann: Browser) -> None:
    path = f"~/numbers/{connected.number().id}/disconnection"
    assert "/account/confirmation" in ann.post(path, {"number": "+1 555 078 3881"}).location
    ann.confirmed()
    assert ann.post(path, {"number": "+1 555"}).status_code == 422
    assert connected.number().state == "connected"
    assert ann.post(path, {"number": "15550783881"}).status_code == 303
    assert connected.number().state == "disconnected"
