"""Accounts of clients, as the platform looks after them; and the doctor."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import update

from app.extensions import outside
from app.onboarding.jobs import advance
from app.onboarding.models import Onboarding
from app.platform.doctor import CHECKS, Finding, examine
from app.tenancy import db, global_scope, now, platform_scope, tenant_scope
from app.wabas.models import PhoneNumber, Waba
from app.wabas.partners import PartnerWaba
from tests.client import Browser
from tests.simulated import Meta, Road
from tests.world import World


def shared(meta: Meta, road: Road) -> dict[str, str]:
    """An account that was shared with us without any browser."""
    ids = meta.post("signups", name="Orphan", display_phone_number="+1 555 078 3899")

    def is_listed() -> bool:
        with platform_scope("tests"):
            return db.session.get(PartnerWaba, ids["waba_id"]) is not None

    road.until(is_listed)
    return ids


def test_an_unassigned_account_is_shown_and_given_to_its_business(pat: Browser, road: Road, meta: Meta) -> None:
    ids = shared(meta, road)
    assert ids["waba_id"] in pat.get("/platform/accounts").get_data(as_text=True)
    assert pat.post(f"/platform/accounts/{ids['waba_id']}/adoption", {"slug": "shoes"}).status_code == 303
    shoes = road.world.shoes.id
    with tenant_scope(shoes):
        onboarding = db.session.query(Onboarding).one()
    advance(shoes, onboarding.id)
    with tenant_scope(shoes):
        assert db.session.query(PhoneNumber).one().state == "connected"
    assert ids["waba_id"] not in pat.get("/platform/accounts").get_data(as_text=True)


def test_a_business_that_does_not_exist_gets_nothing(pat: Browser, road: Road, meta: Meta) -> None:
    ids = shared(meta, road)
    answer = pat.post(f"/platform/accounts/{ids['waba_id']}/adoption", {"slug": "nobody"}, follow_redirects=True)
    assert "No tenant has the slug “nobody”." in answer.get_data(as_text=True)


def test_an_account_that_was_taken_back_is_no_orphan(pat: Browser, road: Road, meta: Meta) -> None:
    ids = shared(meta, road)
    meta.post("account-events", event="partner_removed", phone_number_id=ids["phone_number_id"])

    def gone() -> bool:
        with platform_scope("tests"):
            return db.session.get_one(PartnerWaba, ids["waba_id"]).removed_at is not None

    road.until(gone)
    assert ids["waba_id"] not in pat.get("/platform/accounts").get_data(as_text=True)


def test_what_is_red_for_the_owner_is_red_here(pat: Browser, world: World) -> None:
    number, _ = world.connect_numbers()
    with tenant_scope(world.bakery.id):
        PhoneNumber.get_or_404(number.id).pause("Something is wrong.", "Fix it.")
    with platform_scope("tests"):
        soon = now() + dt.timedelta(days=2, hours=1)
        db.session.execute(update(Waba).where(Waba.tenant_id == world.shoes.id).values(token_expires_at=soon))
    page = pat.get("/platform/accounts").get_data(as_text=True)
    assert "Something is wrong." in page
    assert "expires in 2 days" in page


def test_the_platform_takes_an_account_off_with_a_reason(pat: Browser, world: World) -> None:
    number, _ = world.connect_numbers()
    path = f"/platform/tenants/{world.bakery.id}/wabas/{number.waba_id}/offboarding"
    pat.post(path, {"reason": ""})
    with tenant_scope(world.bakery.id):
        assert PhoneNumber.get_or_404(number.id).state == "connected"
    pat.post(path, {"reason": "does not pay"})
    with tenant_scope(world.bakery.id):
        assert PhoneNumber.get_or_404(number.id).state == "disconnected"


def findings() -> dict[str, Finding]:
    with global_scope():
        return {finding.title: finding for finding in examine()}


def test_every_check_ends_in_words(app: Flask, world: World, meta: Meta) -> None:
    results = findings()
    assert len(results) == len(CHECKS)
    assert [one.title for one in results.values() if not one.is_well and not (one.words and one.fix)] == []


def test_what_is_well_says_so(app: Flask, world: World, meta: Meta) -> None:
    results = findings()
    for title in (
        "Meta knows the app and its secret",
        "Webhook fields",
        "System user at Meta",
        "Credit line",
        "Hosted sign-up page",
        "Time",
        "Postgres and row security",
        "Webhooks are processed",
        "File storage",
        "Encryption keys",
        "Mail",
    ):
        assert results[title].is_well, results[title]


def test_what_is_wrong_names_its_fix(app: Flask, world: World, meta: Meta) -> None:
    results = findings()
    assert "python -m app.clock" in results["Scheduler"].words
    assert "Start python -m app.worker" in results["Redis and the workers"].fix
    assert "Set the callback" in results["Meta sends webhooks to this installation"].fix


def test_a_secret_that_no_key_opens_is_found(app: Flask, world: World, meta: Meta) -> None:
    world.connect_numbers()
    with platform_scope("tests"):
        db.session.execute(update(Waba).values(token_ciphertext=b"gone" + b"0" * 40))
    assert not findings()["Encryption keys"].is_well


def test_no_finding_holds_a_secret(app: Flask, world: World, meta: Meta) -> None:
    facts = str(findings())
    settings = outside().settings
    hidden = [settings.meta_system_user_token, settings.meta_verify_token, *settings.meta_app_secrets]
    assert [secret for secret in hidden if secret in facts] == []


def test_the_console_shows_it(pat: Browser, world: World, meta: Meta) -> None:
    page = pat.get("/platform/doctor").get_data(as_text=True)
    assert "Redis and the workers" in page
    assert "Start python -m app.worker" in page


def test_the_command_fails_where_a_check_fails(app: Flask, world: World, meta: Meta) -> None:
    done = app.test_cli_runner().invoke(args=["doctor"])
    assert done.exit_code == 1
    assert "Some checks failed" in done.output


@pytest.mark.parametrize(
    "address",
    [
        "http://www.facebook.com/x?app_id=1234567890&config_id=9876543210",
        "https://evilfacebook.com/x?app_id=1234567890&config_id=9876543210",
        "https://business.facebook.com/x?app_id=666&config_id=9876543210",
        "https://business.facebook.com/x",
    ],
)
def test_a_sign_up_page_of_somebody_else_is_found(app: Flask, world: World, meta: Meta, address: str) -> None:
    here = app.extensions["outside"]
    usual, here.settings = here.settings, here.settings.model_copy(update={"meta_hosted_signup_url": address})
    finding = findings()["Hosted sign-up page"]
    here.settings = usual
    assert not finding.is_well
    assert finding.fix


def test_the_console_shows_what_is_left_of_the_credit_line(pat: Browser, world: World, meta: Meta) -> None:
    meta.post("credit-line", owed=2500)
    page = pat.get("/platform/credit-line").get_data(as_text=True)
    assert "US$7,500.00" in page
    assert "US$10,000.00" in page


@pytest.mark.parametrize(("owed", "words"), [(8_500, "running low."), (10_000, "is used up")])
def test_a_line_that_runs_short_is_reported_in_words(
    pat: Browser, world: World, meta: Meta, owed: int, words: str
) -> None:
    meta.post("credit-line", owed=owed)
    assert words in pat.get("/platform/credit-line", headers={"HX-Request": "true"}).get_data(as_text=True)


def test_a_used_up_line_is_for_the_doctor_too(app: Flask, world: World, meta: Meta) -> None:
    meta.post("credit-line", owed=10_000)
    assert not findings()["Credit line"].is_well


def test_where_meta_does_not_say_the_console_says_so(pat: Browser, world: World, meta: Meta) -> None:
    meta.post("faults", edge="GET node", kind="error", code=200)
    page = pat.get("/platform/credit-line").get_data(as_text=True)
    assert "report the credit line" in page
