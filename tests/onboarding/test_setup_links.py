"""A link for whoever holds the Facebook account: it connects a number, and opens nothing else."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask

from app.onboarding.setup_links import SetupLink
from app.tenancy import db, now, tenant_scope
from tests.client import Browser
from tests.onboarding.attempts import Attempt
from tests.simulated import Meta
from tests.world import World


@pytest.fixture
def link(ann: Browser, world: World) -> SetupLink:
    assert ann.post("~/onboarding/links", {"days": "7"}).status_code == 303
    with tenant_scope(world.bakery.id):
        return db.session.query(SetupLink).one()


@pytest.fixture
def path(link: SetupLink, world: World) -> str:
    with tenant_scope(world.bakery.id):
        return SetupLink.get_or_404(link.id).address.removeprefix("http://localhost")


class Guest(Attempt):
    """Somebody without an account here, at the link's page."""

    def __init__(self, app: Flask, world: World, meta: Meta, link: SetupLink, path: str) -> None:
        self.browser, self.tenant_id, self.meta = Browser(app), world.bakery.id, meta
        self.path, self.id, self.signed_up = path, link.onboarding_id, {}


@pytest.fixture
def guest(app: Flask, world: World, meta: Meta, link: SetupLink, path: str) -> Guest:
    return Guest(app, world, meta, link, path)


def test_a_guest_connects_the_number_without_signing_in(guest: Guest) -> None:
    assert "Connect WhatsApp of Bakery" in guest.page()
    guest.connect()
    assert guest.state == "connected"
    assert "Connected. Now see it work." in guest.page()


def test_a_guest_answers_what_is_asked(guest: Guest) -> None:
    guest.sign_up(verified=False)
    guest.connect()
    guest.answer("verification", method="SMS")
    guest.answer("verification-code", code=guest.code_sent())
    guest.run()
    assert guest.state == "connected"


def test_a_guest_tries_a_step_again_and_starts_again(guest: Guest) -> None:
    guest.fail("POST subscribed_apps", 100)
    guest.connect()
    assert guest.browser.post(f"{guest.path}/steps/webhooks_subscribed/retry").status_code == 303
    guest.run()
    assert guest.state == "connected"
    assert guest.browser.post(f"{guest.path}/restart").status_code == 303


def test_the_owner_sees_how_far_the_guest_is(ann: Browser, guest: Guest) -> None:
    guest.connect()
    assert "Connected. Now see it work." in ann.get(f"~/onboarding/{guest.id}").get_data(as_text=True)


def test_the_page_leads_nowhere_else(guest: Guest) -> None:
    guest.connect()
    assert "/t/bakery" not in guest.page()


@pytest.mark.parametrize("token", ["x", "a.b", "a" * 300, "8062045e-b1e3-46d6-828f-6d616843f04f"])
def test_a_made_up_link_opens_nothing(browser: Browser, token: str) -> None:
    answer = browser.get(f"/setup/{token}")
    assert answer.status_code == 410
    assert "no longer works" in answer.get_data(as_text=True)


def test_an_expired_link_opens_nothing(world: World, browser: Browser, link: SetupLink, path: str) -> None:
    with tenant_scope(world.bakery.id):
        SetupLink.get_or_404(link.id).expires_at = now() - dt.timedelta(seconds=1)
    assert browser.get(path).status_code == 410
    assert browser.post(f"{path}/code", {"code": "x"}).status_code == 410


def test_a_link_that_was_taken_back_opens_nothing(ann: Browser, browser: Browser, link: SetupLink, path: str) -> None:
    assert ann.post(f"~/onboarding/links/{link.id}/withdrawal").status_code == 303
    assert browser.get(path).status_code == 410


def test_a_link_dies_with_its_makers_right(world: World, browser: Browser, link: SetupLink, path: str) -> None:
    with tenant_scope(world.bakery.id):
        SetupLink.get_or_404(link.id).created_by_id = world.ben.id
    assert browser.get(path).status_code == 410


def test_an_agent_makes_no_links(ben: Browser) -> None:
    assert ben.post("~/onboarding/links", {"days": "7"}).status_code == 403
