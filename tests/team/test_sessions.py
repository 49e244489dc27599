import datetime as dt

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.config import Settings
from app.team.models import UserSession
from app.tenancy import User, db, global_scope, now
from tests.client import Browser, isolated
from tests.team.helpers import PASSWORD, cookie, is_in, rows, sign_in, with_cookie
from tests.world import World


def test_the_cookies_token_is_stored_as_a_hash_only(world: World) -> None:
    with global_scope():
        token = UserSession.begin(world.ann, user_agent="tests", ip="127.0.0.1")
    stored = rows(UserSession)[0]
    assert len(token) >= 22
    assert token not in str(vars(stored))


def test_a_session_opens_its_owners_pages(ann: Browser) -> None:
    assert ann.get("/").location == "/t/bakery/"


def test_a_platform_admin_is_led_to_the_console(pat: Browser) -> None:
    assert pat.get("/").location == "/platform/"
    assert pat.get("/businesses").location == "/"


@pytest.mark.parametrize("junk", ["", "x", "☃", "\x00", "0" * 5000, "\udcff", 7, None, ["a"], {"a": 1}])
def test_a_junk_token_opens_nothing(browser: Browser, junk: object) -> None:
    with browser.client.session_transaction() as session:
        session["_user_id"] = junk
    assert not is_in(browser)


@pytest.mark.parametrize("value", ["x", "eyJfdXNlcl9pZCI6ImEifQ.x.y", "%00", "a" * 3000])
def test_a_forged_cookie_opens_nothing(app: Flask, value: str) -> None:
    assert not is_in(with_cookie(app, value))


def test_signing_in_begins_a_new_session_whatever_the_browser_brought(world: World, browser: Browser) -> None:
    with browser.client.session_transaction() as session:
        session["_user_id"] = session["planted"] = "chosen by somebody else"
    sign_in(browser)
    with browser.client.session_transaction() as session:
        assert session["_user_id"] != "chosen by somebody else"
        assert "planted" not in session


def test_signing_in_again_ends_the_session_before(world: World, app: Flask, browser: Browser) -> None:
    sign_in(browser)
    before = cookie(browser)
    sign_in(browser, "ben@example.com")
    assert not is_in(with_cookie(app, before))
    assert is_in(browser)


def test_the_cookie_of_a_site_with_https_is_bound_to_its_host(world: World, settings: Settings) -> None:
    from app import create_app

    app = create_app(settings.model_copy(update={"public_url": "https://switchboard.example"}))
    client = app.test_client()
    with app.app_context():
        form = {"email": "ann@example.com", "password": PASSWORD}
        app.config["WTF_CSRF_ENABLED"] = False
        answer = client.post("/sign-in", data=form, base_url="https://switchboard.example")
        for engine in db.engines.values():
            engine.dispose()
    for header in answer.headers.getlist("Set-Cookie"):
        assert header.startswith("__Host-")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(header.split("; "))
        assert "Domain" not in header


def test_signing_out_kills_the_session_and_clears_the_browser(world: World, app: Flask, browser: Browser) -> None:
    sign_in(browser)
    before = cookie(browser)
    answer = browser.post("/sign-out")
    assert answer.location == "/sign-in"
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert cookie(browser) == ""
    assert not is_in(with_cookie(app, before))
    assert rows(UserSession) == []


def test_signing_out_takes_a_post_with_a_token(ann: Browser) -> None:
    assert ann.get("/sign-out").status_code == 405
    assert isolated(ann.client.post, "/sign-out").status_code == 400
    assert is_in(ann)


def test_a_session_lives_on_while_it_is_used(world: World, browser: Browser) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        sign_in(browser)
        for _ in range(6):
            clock.shift(dt.timedelta(days=13))
            assert is_in(browser)


def test_a_session_ends_after_two_idle_weeks(world: World, browser: Browser) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        sign_in(browser)
        clock.shift(dt.timedelta(days=14, seconds=1))
        assert not is_in(browser)


def test_a_session_ends_after_ninety_days_however_busy(world: World, app: Flask, browser: Browser) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        sign_in(browser)
        for _ in range(8):
            clock.shift(dt.timedelta(days=11))
            assert is_in(browser)
        clock.shift(dt.timedelta(days=3))
        assert not is_in(browser)


def test_use_is_noted_every_five_minutes_at_most(ann: Browser) -> None:
    began = rows(UserSession)[0].last_seen_at
    ann.get("/businesses")
    assert rows(UserSession)[0].last_seen_at == began
    with time_machine.travel(began + dt.timedelta(minutes=6), tick=False):
        ann.get("/businesses")
    assert rows(UserSession)[0].last_seen_at == began + dt.timedelta(minutes=6)


def test_an_error_page_needs_no_database(ann: Browser) -> None:
    assert ann.get("/nowhere").status_code == 404


def test_the_sessions_of_others_are_not_listed(ann: Browser, ben: Browser, world: World) -> None:
    with global_scope():
        listed = db.session.scalars(UserSession.of(world.ann)).all()
        everything = db.session.scalars(select(UserSession)).all()
    assert len(listed) == 1
    assert len(everything) == 2


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari on iPhone",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/150.0 Safari/537.36 Edg/150.0", "Edge on Windows"),
        ("curl/8", ""),
    ],
)
def test_a_device_is_called_by_its_browser_and_system(user_agent: str, device: str) -> None:
    assert UserSession(user_agent=user_agent).device == device


def test_what_a_browser_speaks_is_remembered_for_mails(world: World, browser: Browser) -> None:
    assert sign_in(browser, **{"Accept-Language": "pt-BR,pt;q=0.9"}).status_code == 303
    with global_scope():
        assert db.session.get_one(User, world.ann.id).browser_language == "pt"
