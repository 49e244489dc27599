import datetime as dt
import re
import threading
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from cryptography.exceptions import InvalidKey
from flask import Flask
from sqlalchemy import delete, update

from app.team import passwords
from app.team.door import is_ours
from app.team.models import PlatformAdmin, SignInAttempt, TooManyTries, UserSession
from app.tenancy import Role, User, db, global_scope, now, platform_scope, tenant_scope
from app.tenancy.models import UserTenant, admit
from tests.client import FRAGMENT, Browser, isolated
from tests.team.helpers import PASSWORD, is_in, rows, sign_in
from tests.world import World


def test_an_anonymous_visitor_is_led_from_sign_in_to_sign_up(browser: Browser) -> None:
    assert 'href="/sign-up"' in browser.get("/sign-in").text


def test_somebody_in_one_business_goes_straight_in(world: World, browser: Browser) -> None:
    answer = sign_in(browser)
    assert (answer.status_code, answer.location) == (303, "/")
    assert browser.get("/").location == "/t/bakery/"


def test_an_address_may_be_typed_in_any_case(world: World, browser: Browser) -> None:
    sign_in(browser, " Ann@EXAMPLE.com ")
    assert is_in(browser)


def test_somebody_in_several_businesses_chooses(world: World, browser: Browser) -> None:
    with tenant_scope(world.shoes.id):
        admit(db.session.get_one(User, world.ann.id), Role.AGENT)
    sign_in(browser)
    assert browser.get("/").location == "/businesses"
    page = browser.get("/businesses").text
    assert page.index('href="/t/bakery/"') < page.index('href="/t/shoes/"')


def test_somebody_in_no_business_reads_so(world: World, browser: Browser) -> None:
    with platform_scope("tests"):
        db.session.query(UserTenant).delete()
    sign_in(browser)
    assert browser.get("/").location == "/businesses"
    assert "You aren't in a business yet" in browser.get("/businesses").text


def test_the_chooser_is_for_people_with_a_session(browser: Browser) -> None:
    assert browser.get("/businesses").location == "/sign-in?next=/businesses"


def test_the_chooser_shows_no_other_persons_business(sue: Browser) -> None:
    page = sue.get("/businesses").text
    assert "Shoes" in page
    assert "Bakery" not in page


def test_whoever_is_signed_in_is_led_past_the_sign_in_page(ann: Browser) -> None:
    assert ann.get("/sign-in?next=/t/bakery/team").location == "/t/bakery/team"


def test_a_wrong_password_and_an_unknown_address_are_answered_alike(
    world: World, browser: Browser, other: Browser
) -> None:
    wrong = sign_in(browser, "ann@example.com", "not her password")
    unknown = sign_in(other, "xyz@example.com", "not her password")
    assert wrong.status_code == unknown.status_code == 422
    assert without_tokens(wrong.text) == without_tokens(unknown.text).replace("xyz@example.com", "ann@example.com")
    assert not is_in(browser)


def without_tokens(page: str) -> str:
    return re.sub(r'(csrf_token" value="|X-CSRFToken": ")[^"]+', "", page)


def test_a_wrong_password_and_an_unknown_address_take_the_same_work(
    world: World, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = []

    def count(_password: bytes, stored: str) -> None:
        costs.append(stored.split("$")[3])
        raise InvalidKey

    passwords.dummy_hash()
    monkeypatch.setattr(passwords, "Argon2id", SimpleNamespace(verify_phc_encoded=count))
    sign_in(browser, "ann@example.com", "wrong")
    sign_in(browser, "unknown@example.com", "wrong")
    assert costs == ["m=8,t=1,p=1"] * 2


def test_somebody_without_a_password_cannot_sign_in_with_its_mark(world: World, browser: Browser) -> None:
    with global_scope():
        db.session.execute(update(User).values(password_hash="!"))
    assert sign_in(browser, "ann@example.com", "!").status_code == 422


def test_a_platform_admin_does_not_sign_in_here(world: World, browser: Browser) -> None:
    assert sign_in(browser, "pat@example.com", "!").status_code == 422


def test_the_console_may_ask_for_its_own_people(world: World) -> None:
    with global_scope():
        assert SignInAttempt.check(PlatformAdmin, "ann@example.com", PASSWORD, ip="192.0.2.1") is None


@pytest.mark.parametrize(
    "form", [{}, {"email": "ann"}, {"email": "ann@example.com"}, {"email": "\x00 @x.com", "password": "x"}]
)
def test_a_half_filled_form_says_what_is_missing(world: World, browser: Browser, form: dict[str, str]) -> None:
    answer = browser.post("/sign-in", form)
    assert answer.status_code == 422
    assert 'class="problem"' in answer.text


def test_signing_in_takes_the_token_of_the_form(world: World, browser: Browser) -> None:
    form = {"email": "ann@example.com", "password": PASSWORD}
    assert isolated(browser.client.post, "/sign-in", data=form).status_code == 400


# The throttle


def guess(browser: Browser, times: int, email: str = "ann@example.com", ip: str = "") -> int:
    more = {"X-Forwarded-For": ip} if ip else {}
    return [sign_in(browser, email, "wrong guess", **more).status_code for _ in range(times)][-1]


def test_the_eleventh_wrong_guess_in_a_quarter_of_an_hour_is_refused(world: World, browser: Browser) -> None:
    assert guess(browser, 10) == 422
    answer = sign_in(browser, "ann@example.com", PASSWORD)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "900"
    assert "Too many tries" in answer.text
    assert not is_in(browser)


def test_an_unknown_address_is_throttled_alike(world: World, browser: Browser) -> None:
    assert guess(browser, 11, "unknown@example.com") == 429


def test_guesses_from_many_places_at_one_address_count_together(world: World, browser: Browser) -> None:
    answers = [guess(browser, 1, ip=f"192.0.2.{number}") for number in range(11)]
    assert answers == [422] * 10 + [429]


def test_guesses_from_one_place_at_many_addresses_count_together(world: World) -> None:
    with global_scope():
        for number in range(100):
            SignInAttempt.claim(f"user{number}@example.com", "192.0.2.7")
        with pytest.raises(TooManyTries):
            SignInAttempt.claim("another@example.com", "192.0.2.7")
        SignInAttempt.claim("another@example.com", "192.0.2.8")


def test_a_line_of_ipv6_counts_as_one_place(world: World) -> None:
    with global_scope():
        first = SignInAttempt.claim("a@example.com", "2001:db8:1:2::1")
        second = SignInAttempt.claim("b@example.com", "2001:db8:1:2:ffff::9")
    assert first.ip == second.ip == "2001:db8:1:2::/64"


def test_a_forged_forwarding_header_does_not_make_a_new_place(world: World, browser: Browser) -> None:
    """No proxy is in front of the tests' app, so no header is believed about where a request comes from."""
    for number in range(3):
        guess(browser, 1, f"u{number}@example.com", ip=f"10.0.0.{number}, 192.0.2.7")
    assert {attempt.ip for attempt in rows(SignInAttempt)} == {"127.0.0.1"}


def test_guesses_made_at_once_count_too(world: World, app: Flask) -> None:
    outcomes: list[str] = []

    def claim() -> None:
        with app.app_context():
            try:
                SignInAttempt.claim("users ann@example.com", "192.0.2.7")
                outcomes.append("tried")
            except TooManyTries:
                outcomes.append("refused")

    threads = [threading.Thread(target=claim) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("tried") == 10


def test_the_throttle_survives_a_flush_of_redis(world: World, app: Flask, browser: Browser) -> None:
    guess(browser, 10)
    app.extensions["outside"].redis.flushall()
    assert guess(browser, 1) == 429


def test_after_a_quarter_of_an_hour_there_is_a_new_try(world: World, browser: Browser) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        assert guess(browser, 11) == 429
        clock.shift(dt.timedelta(minutes=15, seconds=1))
        sign_in(browser)
        assert is_in(browser)


def test_signing_in_rightly_does_not_count(world: World, browser: Browser) -> None:
    for _ in range(12):
        assert sign_in(browser).status_code == 303


def test_a_known_device_cannot_be_locked_out(world: World, browser: Browser, other: Browser) -> None:
    sign_in(browser)
    browser.post("/sign-out")
    assert guess(other, 11) == 429
    assert sign_in(browser).status_code == 303


def test_a_known_device_has_no_more_tries_than_others(world: World, browser: Browser) -> None:
    sign_in(browser)
    browser.post("/sign-out")
    assert guess(browser, 11) == 429


def test_one_persons_device_is_not_known_for_another(world: World, browser: Browser, other: Browser) -> None:
    sign_in(browser, "ben@example.com")
    browser.post("/sign-out")
    assert guess(other, 11) == 429
    assert sign_in(browser, "ann@example.com").status_code == 429


# Where to go next

ELSEWHERE = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/./\\evil.example",
    "https://evil.example",
    "http:evil.example",
    "evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/ /evil.example",
    "/%09//evil.example",
    "/a//b",
    "/\x00/evil.example",
    "/\x7f/evil.example",
    "/\u2028/evil.example",
    "/／evil.example",
    "?//evil.example",
    "/x\r\nLocation: https://evil.example",
    "",
]


@pytest.mark.parametrize("target", ELSEWHERE)
def test_signing_in_leads_to_no_other_site(world: World, browser: Browser, target: str) -> None:
    assert not is_ours(target)
    assert sign_in(browser, next=target).location == "/"


def test_signing_out_leads_to_no_other_site(ann: Browser) -> None:
    assert ann.post("/sign-out", {"next": "//evil.example"}).location == "/sign-in"


@pytest.mark.parametrize(
    "target", ["/t/bakery/team", "/t/bakery/inbox/?view=mine&q=a%20b", "/invitation?token=abc.def"]
)
def test_signing_in_leads_on_to_where_one_wanted_to_be(world: World, browser: Browser, target: str) -> None:
    assert sign_in(browser, next=target).location == target


def test_a_page_asked_for_without_a_session_comes_after_signing_in(world: World, browser: Browser) -> None:
    there = browser.get("/t/bakery/team").location
    assert there == "/sign-in?next=/t/bakery/team"
    answer = browser.post(there, {"email": "ann@example.com", "password": PASSWORD})
    assert answer.location == "/t/bakery/team"


def end_every_session() -> None:
    with global_scope():
        db.session.execute(delete(UserSession))


def test_whoevers_session_ended_reads_so_and_returns_to_the_page(world: World, browser: Browser) -> None:
    sign_in(browser)
    end_every_session()
    there = browser.get("/t/bakery/inbox/?view=mine").location
    assert "Your session has ended" in browser.get(there).text
    answer = browser.post(there, {"email": "ann@example.com", "password": PASSWORD})
    assert answer.location == "/t/bakery/inbox/?view=mine"


@pytest.mark.parametrize("header", ["HX-Current-URL", "Referer"])
def test_a_fragment_or_form_without_a_session_leads_back_to_its_page(
    world: World, browser: Browser, header: str
) -> None:
    page = f"/t/bakery/inbox/{world.bakery.id}?view=mine"
    answer = browser.post("/t/bakery/inbox/bulk", {}, headers={header: f"http://localhost{page}", **FRAGMENT})
    assert answer.status_code == 401
    assert parse_qs(urlsplit(answer.headers["HX-Redirect"]).query) == {"next": [page]}


def test_a_page_elsewhere_is_not_led_back_to(world: World, browser: Browser) -> None:
    answer = browser.post("/t/bakery/inbox/bulk", {}, headers={"Referer": "https://evil.example//evil.example/x"})
    assert browser.post(answer.location, {"email": "ann@example.com", "password": PASSWORD}).location == "/"


def test_a_stranger_does_not_learn_of_a_session(browser: Browser) -> None:
    page = browser.get("/sign-in?next=/t/bakery/team").text
    assert "Sign in to open this page." in page and "session has ended" not in page
    assert "Sign in to open this page." not in browser.get("/sign-in").text
