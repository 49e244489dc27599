"""A number is heard only where Meta sends its messages to us, and works only while its account is not disabled."""

from __future__ import annotations

import pytest
from flask import Flask

from app.extensions import settings
from app.tenancy import db, tenant_scope
from app.wabas.jobs import check
from app.wabas.models import PhoneNumber, Waba
from app.wabas.overrides import foreign_callback
from simulator.phone_numbers import PhoneNumber as PlayedNumber
from tests.client import Browser
from tests.simulated import Road

OTHER = "https://other-server.example/hook"


def override(played: PlayedNumber, level: str, url: str | None) -> None:
    """Another server leaves its callback behind."""
    if level == "number":
        played.update(override_callback_uri=url)
    else:
        played.waba.subscribe(url)


def checked(road: Road) -> PhoneNumber:
    with tenant_scope(road.world.bakery.id):
        waba_id = db.session.query(Waba).one().id
    check(road.world.bakery.id, waba_id)
    with tenant_scope(road.world.bakery.id):
        return PhoneNumber.get_or_404(road.number.id)


def page(ann: Browser, road: Road) -> str:
    return ann.get(f"~/numbers/{road.number.id}").get_data(as_text=True)


@pytest.mark.parametrize("level", ["number", "account"])
def test_messages_that_go_to_another_server_pause_the_number_and_name_it(
    road: Road, played: PlayedNumber, ann: Browser, level: str
) -> None:
    override(played, level, OTHER)
    assert checked(road).state == "paused"
    for shown in (page(ann, road), ann.get("~/numbers").get_data(as_text=True)):
        assert "go to another server" in shown and "They go to other-server.example." in shown
        assert "Messages still come in." not in shown


@pytest.mark.parametrize("level", ["number", "account"])
def test_a_button_brings_the_messages_back(road: Road, played: PlayedNumber, ann: Browser, level: str) -> None:
    override(played, level, OTHER)
    checked(road)
    assert "Bring messages here" in page(ann, road)
    assert ann.post(f"~/numbers/{road.number.id}/subscription").status_code == 303
    assert checked(road).state == "connected"
    assert "other-server.example" not in page(ann, road)
    assert road.customer_writes("Hello").id


def test_overrides_on_both_levels_are_both_removed(road: Road, played: PlayedNumber, ann: Browser) -> None:
    override(played, "number", OTHER)
    override(played, "account", "https://third-server.example/hook")
    checked(road)
    ann.post(f"~/numbers/{road.number.id}/subscription")
    assert checked(road).state == "connected"
    assert "-server.example" not in page(ann, road)


def test_an_override_that_is_taken_away_elsewhere_ends_the_pause(road: Road, played: PlayedNumber) -> None:
    override(played, "number", OTHER)
    assert checked(road).state == "paused"
    override(played, "number", None)
    assert checked(road).state == "connected"


@pytest.mark.parametrize("spelling", ["{ours}", "{ours}/", "https://THE-APP.example/webhooks/whatsapp"])
def test_our_own_address_is_no_other_server(app: Flask, spelling: str) -> None:
    ours = f"{settings.public_url.rstrip('/')}/webhooks/whatsapp"
    application = "https://the-app.example/webhooks/whatsapp"
    assert foreign_callback(spelling.format(ours=ours), application=application) == ""


@pytest.mark.parametrize("others", [(None, OTHER), ("", OTHER), (OTHER, None)])
def test_the_first_address_that_is_not_ours_is_the_other_server(app: Flask, others: tuple[str | None, ...]) -> None:
    assert foreign_callback(*others) == OTHER


def test_a_disabled_account_is_paused_and_works_again_once_reinstated(
    road: Road, played: PlayedNumber, ann: Browser
) -> None:
    played.waba.update(status="DISABLED")
    assert checked(road).state == "paused"
    shown = page(ann, road)
    assert "Meta has disabled this WhatsApp account" in shown and "request a review" in shown
    assert "Messages still come in." not in shown
    played.waba.update(status="ACTIVE")
    assert checked(road).state == "connected"


def test_messages_still_come_in_only_where_they_do(road: Road, played: PlayedNumber, ann: Browser) -> None:
    allocation = road.meta.get("state")["allocations"][0]["id"]
    headers = {"Authorization": f"Bearer {settings.meta_system_user_token}"}
    road.meta.client.delete(f"/v25.0/{allocation}", headers=headers)
    assert checked(road).state == "paused"
    assert "Messages still come in." in page(ann, road)
    played.waba.unsubscribe()
    checked(road)
    assert "Messages still come in." not in page(ann, road)
