"""What Facebook calls when somebody removes the app, or wants their data deleted."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import update

from app.extensions import settings
from app.tenancy import db, now, platform_scope, tenant_scope
from app.wabas.jobs import check
from app.wabas.models import PhoneNumber, Waba
from app.webhooks.callbacks import MetaCallback
from app.webhooks.jobs import handle_callback
from simulator.account_events import signed_request
from tests.client import Browser
from tests.simulated import Road
from tests.world import World

USER = "10222270944537964"


def call(browser: Browser, address: str, *, secret: str = "", user: str = USER, issued_at: int = 0) -> object:
    signed = signed_request(secret or settings.meta_app_secrets[0], user, issued_at or int(time.time()) + 1)
    return browser.client.post(f"/webhooks/meta/{address}", data={"signed_request": signed})


def stored() -> list[MetaCallback]:
    with platform_scope("tests"):
        return db.session.query(MetaCallback).all()


def belongs_to_the_user(world: World) -> None:
    with platform_scope("tests"):
        db.session.execute(update(Waba).where(Waba.tenant_id == world.bakery.id).values(token_user_id=USER))


@pytest.mark.parametrize("address", ["deauthorize", "data-deletion"])
def test_what_the_app_has_not_signed_is_refused(browser: Browser, world: World, address: str) -> None:
    assert call(browser, address, secret="somebody else").status_code == 403  # type: ignore[attr-defined]
    for nonsense in ("", ".", "a.b", "é.ü", "x" * 10_000, "." * 50):
        answer = browser.client.post(f"/webhooks/meta/{address}", data={"signed_request": nonsense})
        assert answer.status_code == 403
    assert stored() == []


def test_a_removal_is_stored_before_it_is_answered(browser: Browser, world: World) -> None:
    assert call(browser, "deauthorize").status_code == 200  # type: ignore[attr-defined]
    assert [(one.kind, one.meta_user_id) for one in stored()] == [("deauthorize", USER)]


def test_a_removal_that_meta_confirms_pauses_the_number(road: Road) -> None:
    with tenant_scope(road.world.bakery.id):
        waba_id = db.session.query(Waba).one().id
    check(road.world.bakery.id, waba_id)
    road.meta.post("account-events", event="deauthorized", phone_number_id=road.number.meta_id)
    road.until(lambda: bool(stored()))
    handle_callback(stored()[0].id)
    check(road.world.bakery.id, waba_id)
    with tenant_scope(road.world.bakery.id):
        assert PhoneNumber.get_or_404(road.number.id).state == "paused"


def test_a_deletion_names_where_its_end_can_be_seen(browser: Browser, world: World) -> None:
    world.connect_numbers()
    belongs_to_the_user(world)
    facts = call(browser, "data-deletion").get_json()  # type: ignore[attr-defined]
    page = facts["url"].removeprefix(settings.public_url)
    assert "is worked on now" in browser.get(page).get_data(as_text=True)
    handle_callback(stored()[0].id)
    done = browser.get(page).get_data(as_text=True)
    assert "is deleted" in done
    assert facts["confirmation_code"] in done


def test_a_deletion_takes_the_users_tokens_and_no_others(browser: Browser, world: World) -> None:
    number, _ = world.connect_numbers()
    belongs_to_the_user(world)
    call(browser, "data-deletion")
    handle_callback(stored()[0].id)
    with tenant_scope(world.bakery.id):
        assert db.session.query(Waba).one().token is None
        assert PhoneNumber.get_or_404(number.id).state == "paused"
    with tenant_scope(world.shoes.id):
        assert db.session.query(Waba).one().token == "EAA-shoes"


@pytest.mark.parametrize("code", ["x", "0" * 32, "../../etc", "é" * 32])
def test_a_code_without_an_owner_is_answered_with_a_message(browser: Browser, world: World, code: str) -> None:
    assert browser.get(f"/webhooks/meta/data-deletion/{code}").status_code == 404


def test_the_same_call_again_has_no_effect(browser: Browser, world: World) -> None:
    number, _ = world.connect_numbers()
    belongs_to_the_user(world)
    then = int(time.time()) - 60
    codes = {call(browser, "data-deletion", issued_at=then).get_json()["confirmation_code"] for _ in range(2)}  # type: ignore[attr-defined]
    handle_callback(stored()[0].id)
    reconnect(world, number)
    call(browser, "data-deletion", issued_at=then)
    for one in stored():
        handle_callback(one.id)
    assert len(codes) == len(stored()) == 1
    assert is_connected(world)


def test_a_call_from_before_the_connection_does_not_end_it(browser: Browser, world: World) -> None:
    number, _ = world.connect_numbers()
    belongs_to_the_user(world)
    reconnect(world, number)
    call(browser, "data-deletion", issued_at=int(time.time()) - 3600)
    handle_callback(stored()[0].id)
    assert is_connected(world)


@pytest.mark.parametrize("days", [2, 9000, -2])
def test_an_old_call_is_refused(browser: Browser, world: World, days: int) -> None:
    answer = call(browser, "data-deletion", issued_at=int(time.time()) - days * 86_400)
    assert answer.status_code == 403  # type: ignore[attr-defined]
    assert stored() == []


def reconnect(world: World, number: PhoneNumber) -> None:
    with tenant_scope(world.bakery.id):
        again = PhoneNumber.get_or_404(number.id)
        again.state, again.connected_at = "connected", now()
        again.waba.token, again.waba.token_user_id = "EAA-again", USER


def is_connected(world: World) -> bool:
    with tenant_scope(world.bakery.id):
        return bool(db.session.query(Waba).one().token == "EAA-again")
