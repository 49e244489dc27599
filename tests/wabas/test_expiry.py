"""A token ends after 60 days: the pages say so in time, and one click gives 60 more."""

from __future__ import annotations

import datetime as dt

import pytest

from app.tenancy import db, now, tenant_scope
from app.wabas.jobs import enqueue_expiry_warnings, warn_of_expiry
from app.wabas.models import Waba
from tests.client import Browser
from tests.enqueued import Enqueued
from tests.onboarding.test_outcomes import mails
from tests.simulated import Road
from tests.world import World


@pytest.fixture
def waba(world: World) -> Waba:
    world.connect_numbers()
    with tenant_scope(world.bakery.id):
        return db.session.query(Waba).one()


def set_end(world: World, **left: float) -> None:
    with tenant_scope(world.bakery.id):
        db.session.query(Waba).one().token_expires_at = now() + dt.timedelta(**left)


def warned(world: World, waba: Waba) -> int:
    before = len(mails())
    warn_of_expiry(world.bakery.id, waba.id)
    return len(mails()) - before


@pytest.mark.parametrize(("days", "number"), [(20, 0), (13, 1), (6, 1), (2, 1), (0.5, 1)])
def test_owners_are_warned_at_each_of_the_days(world: World, waba: Waba, days: float, number: int) -> None:
    set_end(world, days=days)
    assert warned(world, waba) == number
    assert warned(world, waba) == 0


def test_each_day_has_a_warning_of_its_own(world: World, waba: Waba) -> None:
    sent = 0
    for days in (13.5, 13.2, 6.5, 5, 2.5, 0.5, 0.2):
        set_end(world, days=days)
        sent += warned(world, waba)
    assert sent == 4


def test_the_mail_names_the_days_and_leads_to_the_page(world: World, waba: Waba) -> None:
    set_end(world, days=6.5)
    warned(world, waba)
    mail = mails()[-1]
    assert mail["To"] == "ann@example.com"
    assert "expires in 6 days" in mail.get_content()
    assert "/t/bakery/numbers" in mail.get_content()


def test_the_clock_enqueues_what_expires_soon(world: World, waba: Waba, enqueued: Enqueued) -> None:
    set_end(world, days=20)
    enqueue_expiry_warnings()
    assert enqueued.names == []
    set_end(world, days=10)
    enqueue_expiry_warnings()
    assert enqueued.names == ["wabas.warn_of_expiry"]


def test_the_pages_say_so_with_the_button(ann: Browser, world: World, waba: Waba) -> None:
    set_end(world, days=2.5)
    page = ann.get("~/numbers").get_data(as_text=True)
    assert "expires in 2 days" in page
    assert "/renewal" in page


def test_one_click_gives_sixty_more_days(ann: Browser, road: Road) -> None:
    ann.post(f"~/numbers/{road.number.id}/check")
    set_end(road.world, days=2)
    assert ann.post(f"~/numbers/{road.number.id}/renewal").status_code == 303
    with tenant_scope(road.world.bakery.id):
        waba = db.session.query(Waba).one()
        assert waba.token != road.ids["token"]
        assert waba.days_left is not None and waba.days_left >= 59
        assert waba.token_warned_days is None


def test_where_meta_does_not_renew_the_old_token_stays_and_the_window_is_offered(ann: Browser, road: Road) -> None:
    ann.post(f"~/numbers/{road.number.id}/check")
    set_end(road.world, days=2)
    road.meta.post("faults", edge="system_user_access_tokens", kind="error", code=200)
    answer = ann.post(f"~/numbers/{road.number.id}/renewal", follow_redirects=True)
    assert "Connect again with Facebook" in answer.get_data(as_text=True)
    with tenant_scope(road.world.bakery.id):
        assert db.session.query(Waba).one().token == road.ids["token"]
