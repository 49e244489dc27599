"""Facebook's own page instead of its window: it names no tenant, so the account itself has to say whose it is."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import update

from app.onboarding.hosted import find_owner
from app.onboarding.jobs import enqueue_shared_accounts
from app.onboarding.models import Onboarding
from app.onboarding.setup_links import SetupLink
from app.tenancy import db, now, platform_scope, tenant_scope
from app.wabas.partners import PartnerWaba
from simulator.businesses import Business
from simulator.phone_numbers import PhoneNumber
from simulator.sharing import share_with_partner
from simulator.wabas import Waba
from simulator.world import World as PlayedWorld
from tests.client import Browser
from tests.enqueued import Enqueued
from tests.onboarding.attempts import Attempt, LaterAttempt
from tests.simulated import Meta, Road
from tests.world import World

NUMBER, DIGITS = "+1 555 078 3881", "15550783881"


@pytest.fixture
def played(meta: Meta) -> PlayedWorld:
    results: PlayedWorld = meta.world
    return results


@pytest.fixture
def waiting(attempt: Attempt) -> Attempt:
    """Ann waits for what comes from Facebook's own page."""
    assert attempt.answer("hosted", phone=NUMBER).status_code == 303
    return attempt


def share(played: PlayedWorld, name: str, *, number: str = DIGITS, business: Business | None = None) -> str:
    """Somebody finishes Facebook's own page; the id of the account that is shared."""
    waba = Waba.open(business or Business.open(played, "Bakery", "US"), name)
    if number:
        PhoneNumber.add(waba, number, "Bakery", verified=True).sign_up()
    share_with_partner(waba)
    return waba.id


def arrived(road: Road, waba_id: str) -> str:
    def is_registered() -> bool:
        with platform_scope("tests"):
            return db.session.get(PartnerWaba, waba_id) is not None

    road.until(is_registered)
    return waba_id


def look_again(waba_id: str) -> None:
    """A minute later."""
    with platform_scope("tests"):
        db.session.execute(update(PartnerWaba).values(next_look_at=now() - dt.timedelta(seconds=1)))
    find_owner(waba_id)


def test_an_account_with_the_word_in_its_name_goes_on_by_itself(
    waiting: Attempt, played: PlayedWorld, road: Road
) -> None:
    find_owner(arrived(road, share(played, f"Bakery {waiting.load().hosted_word.lower()}", number="15550783899")))
    waiting.run()
    assert waiting.state == "connected"
    with tenant_scope(waiting.tenant_id):
        assert Onboarding.get_or_404(waiting.id).waba.token is not None


def test_the_named_number_is_the_one_of_several(waiting: Attempt, played: PlayedWorld, road: Road) -> None:
    waba_id = share(played, f"Bakery {waiting.load().hosted_word}", number="15550783811")
    first = Waba.where(played, "id = ?", waba_id)[0]
    second = PhoneNumber.add(first, "15550783822", "Bakery", verified=True)
    waiting.answer("hosted", phone="+1 555 078 3822")
    find_owner(arrived(road, waba_id))
    waiting.run()
    assert (waiting.state, waiting.load().claims["phone_number_id"]) == ("connected", second.id)


def test_a_number_that_was_only_named_proves_nothing(waiting: Attempt, played: PlayedWorld, road: Road) -> None:
    waiting.answer("hosted", phone="+1 555 078 3877")
    find_owner(arrived(road, share(played, "Bakery", number="15550783877")))
    assert waiting.state == "started"
    assert "Waiting for Facebook" in waiting.page()


def test_the_word_in_the_numbers_profile_counts_too(
    waiting: Attempt, played: PlayedWorld, road: Road, meta: Meta
) -> None:
    waba_id = arrived(road, share(played, "Bakery", number="15550783877"))
    find_owner(waba_id)
    number = PhoneNumber.where(played, "waba_id = ?", waba_id)[0]
    token = played.settings.system_user_token
    meta.client.post(
        f"/v25.0/{number.id}/whatsapp_business_profile",
        json={"messaging_product": "whatsapp", "description": f"Fresh bread ({waiting.load().hosted_word})"},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert waiting.answer("hosted-look").status_code == 303
    look_again(waba_id)
    waiting.run()
    assert waiting.state == "connected"


def test_a_word_that_comes_before_the_browser_delays_nothing(attempt: Attempt, played: PlayedWorld, road: Road) -> None:
    """Told by Meta first; whoever begins afterwards has a word of their own."""
    waba_id = arrived(road, share(played, "Bakery", number="15550783877"))
    attempt.answer("hosted", phone=NUMBER)
    Waba.find(played, waba_id).update(name=f"Bakery {attempt.load().hosted_word}")  # type: ignore[union-attr]
    look_again(waba_id)
    attempt.run()
    assert attempt.state == "connected"


def test_of_two_that_fit_neither_gets_it(waiting: Attempt, rival: Attempt, played: PlayedWorld, road: Road) -> None:
    rival.answer("hosted", phone=NUMBER)
    both = f"Bakery {waiting.load().hosted_word} {rival.load().hosted_word}"
    find_owner(arrived(road, share(played, both, number="15550783877")))
    assert (waiting.state, rival.state) == ("started", "started")


def test_an_account_of_somebody_else_here_stays_theirs(
    waiting: Attempt, rival: Attempt, played: PlayedWorld, road: Road
) -> None:
    rival.sign_up("Shoes", "+1 555 078 3882")
    rival.connect()
    waba_id = rival.signed_up["waba_id"]
    Waba.find(played, waba_id).update(name=f"Shoes {waiting.load().hosted_word}")  # type: ignore[union-attr]
    look_again(arrived(road, waba_id))
    assert waiting.state == "started"


def test_ones_own_account_shared_anew_needs_no_word(
    attempt: Attempt, again: LaterAttempt, played: PlayedWorld, road: Road
) -> None:
    attempt.connect()
    again.start()
    again.answer("hosted", phone=NUMBER)
    waba_id = arrived(road, attempt.signed_up["waba_id"])
    with platform_scope("tests"):
        db.session.execute(update(PartnerWaba).values(shared_at=now() + dt.timedelta(seconds=1)))
    look_again(waba_id)
    again.run()
    assert again.state == "connected"


def test_the_word_opens_its_own_account_and_no_other_of_that_business(
    waiting: Attempt, played: PlayedWorld, road: Road
) -> None:
    """The token is the whole business's; who may write in one of its accounts has proved nothing of the others."""
    business = Business.open(played, "Chain of shops", "US")
    other = share(played, "Head office", number="15550783844", business=business)
    waba_id = share(played, f"Branch {waiting.load().hosted_word}", number="15550783845", business=business)
    arrived(road, other)
    find_owner(arrived(road, waba_id))
    waiting.post("session-info", event="FINISH", waba_id=other)
    waiting.run()
    assert waiting.state == "connected"
    with tenant_scope(waiting.tenant_id):
        assert waiting.load().waba.meta_id == waba_id


def test_what_the_platform_gives_cannot_be_exchanged_for_another(
    waiting: Attempt, played: PlayedWorld, road: Road, pat: Browser
) -> None:
    business = Business.open(played, "Chain of shops", "US")
    other = arrived(road, share(played, "Head office", number="15550783844", business=business))
    given = arrived(road, share(played, "Branch", number="15550783845", business=business))
    pat.post(f"/platform/accounts/{given}/adoption", {"slug": "bakery"})
    waiting.post("session-info", event="FINISH", waba_id=other)
    assert waiting.load().claims["waba_id"] == given


def test_only_while_somebody_waits_meta_is_asked(
    attempt: Attempt, played: PlayedWorld, road: Road, enqueued: Enqueued
) -> None:
    arrived(road, share(played, "Bakery", number="15550783877"))
    enqueued.clear()
    enqueue_shared_accounts()
    assert "onboarding.find_owner" not in enqueued.names
    attempt.answer("hosted", phone=NUMBER)
    enqueue_shared_accounts()
    assert "onboarding.find_owner" in enqueued.names


def test_who_finishes_the_window_after_all_needs_no_page(waiting: Attempt, played: PlayedWorld, road: Road) -> None:
    waiting.connect()
    assert waiting.state == "connected"
    find_owner(arrived(road, share(played, f"Other {waiting.load().hosted_word}", number="15550783877")))
    assert waiting.load().claims["waba_id"] == waiting.signed_up["waba_id"]


def test_the_page_is_waited_for_and_left_again(waiting: Attempt) -> None:
    page = waiting.page()
    assert waiting.load().hosted_word in page
    assert "/messaging/whatsapp/onboard/" in page
    waiting.answer("hosted-end")
    assert "Waiting for Facebook" not in waiting.page()


def test_what_is_no_number_is_an_error(attempt: Attempt) -> None:
    answer = attempt.answer("hosted", phone="mine")
    assert answer.status_code == 422
    assert "Enter its digits only" in answer.get_data(as_text=True)


def test_without_the_setting_the_page_is_not_offered(attempt: Attempt, app: Flask) -> None:
    here = app.extensions["outside"]
    usual, here.settings = here.settings, here.settings.model_copy(update={"meta_hosted_signup_url": ""})
    page = attempt.page()
    here.settings = usual
    assert "Facebook's own page" not in page


def test_the_platform_sees_who_waits_and_gives_it_with_one_click(
    waiting: Attempt, played: PlayedWorld, road: Road, pat: Browser
) -> None:
    waba_id = arrived(road, share(played, "The bakery's", number="15550783877"))
    waiting.answer("hosted", phone="+1 555 078 3877")
    look_again(waba_id)
    page = pat.get("/platform/accounts").get_data(as_text=True)
    assert "Connect for Bakery" in page
    assert "The bakery&#39;s" in page
    pat.post(f"/platform/accounts/{waba_id}/adoption", {"slug": "bakery"})
    waiting.run()
    assert waiting.state == "connected"


def test_a_setup_link_has_the_page_too(ann: Browser, world: World, browser: Browser, meta: Meta) -> None:
    ann.post("~/onboarding/links", {"days": "7"})
    with tenant_scope(world.bakery.id):
        path = db.session.query(SetupLink).one().address.removeprefix("http://localhost")
    browser.post(f"{path}/hosted", {"phone": NUMBER})
    page = browser.get(path).get_data(as_text=True)
    assert "Waiting for Facebook" in page
    assert "every 5s" in page


def test_where_meta_lets_us_not_in_it_says_so_and_is_tried_again(
    waiting: Attempt, played: PlayedWorld, road: Road, pat: Browser, meta: Meta
) -> None:
    waba_id = arrived(road, share(played, f"Bakery {waiting.load().hosted_word}", number="15550783877"))
    meta.post("faults", edge="system_user_access_tokens", kind="error", code=3962)
    find_owner(waba_id)
    assert waiting.state == "started"
    assert "triangle-alert" in pat.get("/platform/accounts").get_data(as_text=True)
    look_again(waba_id)
    assert waiting.state == "running"
