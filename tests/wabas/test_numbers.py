from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from app.meta.events import AccountUpdate
from app.tenancy import db, now, tenant_scope
from app.wabas.models import PhoneNumber, Waba
from app.wabas.news import apply_account_updates
from app.wabas.routes import OwnedElsewhere
from tests.client import FRAGMENT, Browser
from tests.world import BAKERY_NUMBER, BAKERY_WABA, World


@pytest.fixture
def number(world: World) -> PhoneNumber:
    """Bakery's number, connected."""
    return world.connect_numbers()[0]


def account_event(
    event: str, *, waba_id: str = BAKERY_WABA, at: dt.datetime | None = None, **value: Any
) -> AccountUpdate:
    return AccountUpdate(event, waba_id, "1", at or now(), {"event": event, **value})


def after(world: World, *updates: AccountUpdate) -> PhoneNumber:
    with tenant_scope(world.bakery.id):
        apply_account_updates(updates)
    with tenant_scope(world.bakery.id):
        return db.session.query(PhoneNumber).one()


def test_a_stranger_finds_no_numbers(sue: Browser, number: PhoneNumber) -> None:
    assert sue.get("~/numbers").status_code == 404


def test_an_agent_may_not_see_them(ben: Browser, number: PhoneNumber) -> None:
    assert ben.get("~/numbers").status_code == 403


def test_without_numbers_the_page_offers_to_connect_one(ann: Browser) -> None:
    page = ann.get("~/numbers").get_data(as_text=True)
    assert "Connect your WhatsApp number" in page
    assert page.count("Connect WhatsApp") == 1


def test_a_number_is_shown_with_its_state(ann: Browser, number: PhoneNumber) -> None:
    page = ann.get("~/numbers").get_data(as_text=True)
    assert "+1 555 078 3881" in page
    assert "Connected since" in page
    assert "Quality: not rated yet" in page


def test_only_ones_own_numbers_are_shown(ann: Browser, number: PhoneNumber) -> None:
    assert "+1 555 078 3882" not in ann.get("~/numbers").get_data(as_text=True)


def test_a_pause_is_shown_with_the_reason_and_the_fix(ann: Browser, world: World, number: PhoneNumber) -> None:
    after(world, account_event("PARTNER_REMOVED"))
    page = ann.get("~/numbers").get_data(as_text=True)
    assert "Sending is paused" in page
    assert "stopped sharing" in page
    assert "Connect this number with Facebook again" in page


def test_the_live_part_is_what_the_page_holds(ann: Browser, number: PhoneNumber) -> None:
    part = ann.get("~/numbers", headers=FRAGMENT).get_data(as_text=True)
    assert part.strip() in ann.get("~/numbers").get_data(as_text=True)


@pytest.mark.parametrize("event", ["PARTNER_REMOVED", "ACCOUNT_DELETED", "PARTNER_APP_UNINSTALLED"])
def test_the_end_of_our_access_pauses_sending(world: World, number: PhoneNumber, event: str) -> None:
    ended = after(world, account_event(event))
    assert ended.state == "paused"
    assert ended.takes_messages


@pytest.mark.parametrize("event", ["PARTNER_ADDED", "VERIFIED_ACCOUNT", "SOMETHING_NEW"])
def test_other_news_change_nothing(world: World, number: PhoneNumber, event: str) -> None:
    assert after(world, account_event(event)).state == "connected"


def test_old_news_do_not_end_a_new_connection(world: World, number: PhoneNumber) -> None:
    assert after(world, account_event("PARTNER_REMOVED", at=now() - dt.timedelta(hours=1))).state == "connected"


def test_news_of_another_account_change_nothing(world: World, number: PhoneNumber) -> None:
    assert after(world, account_event("PARTNER_REMOVED", waba_id="999")).state == "connected"


def test_news_that_name_one_number_are_about_that_one(world: World, number: PhoneNumber) -> None:
    assert after(world, account_event("PARTNER_REMOVED", phone_number="+1 555 000 0000")).state == "connected"
    assert after(world, account_event("PARTNER_REMOVED", phone_number="15550783881")).state == "paused"


def test_a_number_that_left_by_the_app_says_why(world: World, number: PhoneNumber) -> None:
    why = {"reason": "PRIMARY_INACTIVITY", "initiated_by": "SYSTEM"}
    ended = after(world, account_event("PARTNER_REMOVED", phone_number="15550783881", disconnection_info=why))
    assert "not used for about 14 days" in ended.pause_reason


def test_the_first_message_is_noted_once(world: World, number: PhoneNumber) -> None:
    with tenant_scope(world.bakery.id):
        mine = PhoneNumber.get_or_404(number.id)
        mine.greet()
        first = mine.hello_seen_at
        mine.greet()
    assert first is not None
    assert mine.hello_seen_at == first


def test_a_number_has_one_owner(world: World, number: PhoneNumber) -> None:
    with pytest.raises(OwnedElsewhere), tenant_scope(world.shoes.id):
        PhoneNumber.claim(db.session.query(Waba).one(), BAKERY_NUMBER, "+1 555 078 3881")


def test_an_account_has_one_owner(world: World, number: PhoneNumber) -> None:
    with pytest.raises(OwnedElsewhere), tenant_scope(world.shoes.id):
        Waba.claim(BAKERY_WABA)


def test_claiming_ones_own_number_again_gives_the_same_one(world: World, number: PhoneNumber) -> None:
    with tenant_scope(world.bakery.id):
        again = PhoneNumber.claim(Waba.claim(BAKERY_WABA), BAKERY_NUMBER, "+1 555-078-3881")
    assert again.id == number.id


def test_a_pin_is_chosen_once(world: World, number: PhoneNumber) -> None:
    with tenant_scope(world.bakery.id):
        mine = PhoneNumber.get_or_404(number.id)
        pin = mine.choose_pin()
        assert mine.choose_pin() == pin
    assert len(pin) == 6
    assert pin.isdecimal()


def test_the_eleventh_registration_in_three_days_is_not_made(world: World, number: PhoneNumber) -> None:
    with tenant_scope(world.bakery.id):
        mine = PhoneNumber.get_or_404(number.id)
        assert [mine.count_registration() for _ in range(11)] == [True] * 10 + [False]
        mine.registrations = [(now() - dt.timedelta(hours=73)).isoformat()] * 10
        assert mine.count_registration()


def test_a_number_that_is_not_connected_yet_is_not_paused(world: World, number: PhoneNumber) -> None:
    with tenant_scope(world.bakery.id):
        mine = PhoneNumber.get_or_404(number.id)
        mine.state = "connecting"
        mine.pause("reason", "fix")
        assert mine.state == "connecting"
