import pytest
from flask import Flask

from app.team.models import UserSession
from app.tenancy import Role, User, db, tenant_scope
from app.tenancy.models import admit
from tests.client import Browser
from tests.team.helpers import NEW_PASSWORD, PASSWORD, cookie, is_in, rows, sign_in, user_with, with_cookie
from tests.world import World


def test_everybody_sees_their_own_page(ben: Browser) -> None:
    page = ben.get("~/account")
    assert page.status_code == 200
    assert "ben@example.com" in page.text


def test_the_page_does_not_exist_for_strangers(sue: Browser) -> None:
    assert sue.get("~/account").status_code == 404


def test_one_changes_ones_own_name(ben: Browser) -> None:
    assert ben.post("~/account/name", {"name": " Benjamin  B. "}).location == "/t/bakery/account"
    assert user_with("ben@example.com").name == "Benjamin B."


def test_a_name_is_needed(ben: Browser) -> None:
    assert ben.post("~/account/name", {"name": " "}).status_code == 422
    assert user_with("ben@example.com").name == "Ben"


def test_a_new_password_takes_the_current_one(world: World, ben: Browser) -> None:
    answer = ben.post("~/account/password", {"current": "wrong", "password": NEW_PASSWORD})
    assert answer.status_code == 422
    assert "your current password" in answer.text


def test_a_new_password_works_and_the_old_one_does_not(world: World, ben: Browser, browser: Browser) -> None:
    ben.post("~/account/password", {"current": PASSWORD, "password": NEW_PASSWORD})
    assert sign_in(browser, "ben@example.com").status_code == 422
    assert sign_in(browser, "ben@example.com", NEW_PASSWORD).status_code == 303


def test_a_new_password_ends_the_other_sessions_and_renews_this_one(
    world: World, app: Flask, browser: Browser, other: Browser
) -> None:
    sign_in(browser)
    sign_in(other)
    saved, before = cookie(other), cookie(browser)
    browser.tenant = "bakery"
    browser.post("~/account/password", {"current": PASSWORD, "password": NEW_PASSWORD})
    assert is_in(browser)
    assert not is_in(with_cookie(app, saved))
    assert not is_in(with_cookie(app, before))


def test_guessing_the_current_password_is_throttled(world: World, ben: Browser) -> None:
    form = {"current": "wrong", "password": NEW_PASSWORD}
    answers = [ben.post("~/account/password", form).status_code for _ in range(11)]
    assert answers == [422] * 10 + [429]


@pytest.mark.parametrize("password", ["short", "ben@example.com", "password1"])
def test_an_easy_password_is_refused(world: World, ben: Browser, password: str) -> None:
    assert ben.post("~/account/password", {"current": PASSWORD, "password": password}).status_code == 422


def test_where_one_is_signed_in_is_listed(world: World, browser: Browser) -> None:
    sign_in(browser, **{"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0"})
    page = browser.get("/t/bakery/account").text
    assert "Firefox on Linux" in page
    assert "This device" in page


def test_a_session_elsewhere_is_ended(world: World, ann: Browser, other: Browser) -> None:
    sign_in(other)
    newest = max(rows(UserSession), key=lambda session: session.created_at)
    ann.post(f"~/account/sessions/{newest.id}/end")
    assert not is_in(other)
    assert is_in(ann)


def test_all_sessions_elsewhere_are_ended(world: World, ann: Browser, ben: Browser, other: Browser) -> None:
    sign_in(other)
    ann.post("~/account/sessions/end")
    assert not is_in(other)
    assert is_in(ann)
    assert is_in(ben)


def test_the_session_of_another_cannot_be_ended(world: World, ann: Browser, ben: Browser, sue: Browser) -> None:
    anns = next(each for each in rows(UserSession) if each.user_id == world.ann.id)
    path = f"~/account/sessions/{anns.id}/end"
    assert ben.post(path).status_code == 404
    assert sue.post(path).status_code == 404
    assert sue.post(path.replace("~", "/t/shoes")).status_code == 404
    assert is_in(ann)


@pytest.mark.parametrize("path", ["name", "password", "sessions/end"])
def test_strangers_change_nothing_here(sue: Browser, path: str) -> None:
    assert sue.post(f"~/account/{path}", {"name": "Sue"}).status_code == 404


def test_the_page_leads_to_ones_other_businesses(world: World, ann: Browser) -> None:
    assert "/t/shoes/" not in ann.get("~/account").text
    with tenant_scope(world.shoes.id):
        admit(db.session.get_one(User, world.ann.id), Role.AGENT)
    assert 'href="/t/shoes/"' in ann.get("~/account").text
    assert ann.get("/t/shoes/account").status_code == 200
