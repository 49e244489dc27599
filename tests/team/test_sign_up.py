"""Signing up: an address is confirmed by a link, and only then a business is founded."""

import datetime as dt
import re

import pytest
import time_machine
from flask import Flask
from flask_babel import gettext

from app.team.jobs import resend_mails
from app.team.models import EmailConfirmation
from app.team.models.businesses import checked_slug, slug_of
from app.tenancy import Tenant, User, now
from app.tenancy.models import TenantSlug
from tests.client import Browser, isolated
from tests.enqueued import Enqueued
from tests.team.helpers import (
    PASSWORD,
    accept,
    ask_to_sign_up,
    create_business,
    deliver_mails,
    invite,
    is_in,
    link_in,
    member,
    rows,
    user_with,
)
from tests.world import World


def test_a_confirmed_address_founds_a_business_and_its_owner_is_signed_in(browser: Browser) -> None:
    answer = create_business(browser, ask_to_sign_up(browser, "Tom@Tea.example"))
    assert (answer.status_code, answer.location) == (303, "/t/tea-and-sons/")
    tom = user_with("tom@tea.example")
    assert member(rows(Tenant)[0], tom).role == "owner"
    assert browser.get("/t/tea-and-sons/team").status_code == 200


def test_nothing_is_saved_before_the_link_is_used_but_the_address(browser: Browser) -> None:
    link = ask_to_sign_up(browser)
    assert browser.get(link).status_code == 200
    assert rows(Tenant) == rows(User) == rows(TenantSlug) == []
    assert rows(EmailConfirmation)[0].email == "tom@tea.example"


def test_the_link_may_be_opened_in_another_browser(browser: Browser, other: Browser) -> None:
    link = ask_to_sign_up(browser)
    assert "tom@tea.example" in other.get(link).text
    assert create_business(other, link).status_code == 303
    assert is_in(other) and not is_in(browser)


def test_a_link_works_once(browser: Browser, other: Browser) -> None:
    link = ask_to_sign_up(browser)
    create_business(browser, link)
    assert other.get(link).status_code == 410
    assert create_business(other, link, password="another long one").status_code == 410
    assert len(rows(Tenant)) == 1


def test_a_second_click_opens_the_business_that_the_first_founded(browser: Browser, other: Browser) -> None:
    link = ask_to_sign_up(browser)
    create_business(browser, link)
    assert create_business(other, link).location == "/"
    assert is_in(other) and len(rows(Tenant)) == 1


def test_a_link_expires_after_a_day(browser: Browser) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        link = ask_to_sign_up(browser)
        clock.shift(dt.timedelta(days=1, seconds=1))
        assert browser.get(link).status_code == 410
        assert create_business(browser, link).status_code == 410
    assert rows(Tenant) == []


@pytest.mark.parametrize("token", ["", "x", "WyJ4Il0.abc"])
def test_a_forged_link_opens_nothing(browser: Browser, token: str) -> None:
    assert browser.get(f"/sign-up/business?token={token}").status_code == 410
    assert create_business(browser, f"?token={token}").status_code == 410


def unsigned(page: str) -> str:
    """Without the token against forgery, which says in which second it was made."""
    return re.sub(r'"X-CSRFToken": *"[^"]+"|name="csrf_token"[^>]+', "", page)


def test_an_address_with_an_account_gets_the_same_page_and_another_mail(world: World, browser: Browser) -> None:
    unknown = unsigned(browser.post("/sign-up", {"email": "eve@example.com"}).text)
    deliver_mails()
    existing = unsigned(browser.post("/sign-up", {"email": "ann@example.com"}).text)
    assert existing.replace("ann@", "eve@") == unknown
    [(to, _subject, words)] = deliver_mails()
    assert to == "ann@example.com"
    assert "You already have an account" in words
    assert "/sign-in" in words and "/forgotten-password" in words and "/sign-up" not in words


def test_an_address_that_got_an_account_meanwhile_founds_nothing(ann: Browser, browser: Browser) -> None:
    link = ask_to_sign_up(browser, "ned@example.com")
    accept(browser, invite(ann, "ned@example.com"))
    browser.post("/sign-out")
    assert create_business(browser, link, password="another long one").status_code == 410
    assert len(rows(Tenant)) == 2


def test_the_mail_can_be_sent_again(browser: Browser) -> None:
    ask_to_sign_up(browser)
    page = browser.post("/sign-up", {"email": "tom@tea.example", "again": "1"})
    assert "We have sent another email" in page.text
    assert create_business(browser, link_in(deliver_mails()[0][2])).status_code == 303


@pytest.mark.parametrize("email", ["tom@tea.example", "ann@example.com"])
def test_an_address_gets_five_mails_in_an_hour_whether_it_has_an_account(
    world: World, browser: Browser, email: str
) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        answers = [browser.post("/sign-up", {"email": email}) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        assert "Wait 60 minutes" in answers[-1].text
        clock.shift(dt.timedelta(hours=1, seconds=1))
        assert browser.post("/sign-up", {"email": email}).status_code == 200


def test_a_network_signs_up_ten_times_in_an_hour(browser: Browser) -> None:
    answers = [browser.post("/sign-up", {"email": f"t{number}@tea.example"}).status_code for number in range(11)]
    assert answers == [200] * 10 + [429]


def test_a_mail_that_was_lost_on_the_way_is_enqueued_again(browser: Browser, enqueued: Enqueued) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        browser.post("/sign-up", {"email": "tom@tea.example"})
        enqueued.clear()
        clock.shift(dt.timedelta(minutes=1))
        resend_mails()
    assert enqueued.names == ["team.mail_email_confirmation"]


def test_a_name_that_is_taken_gets_a_number(world: World, browser: Browser, other: Browser) -> None:
    first = create_business(browser, ask_to_sign_up(browser), business="Bakery")
    second = create_business(other, ask_to_sign_up(other, "eve@tea.example"), business="bakery!")
    assert (first.location, second.location) == ("/t/bakery-2/", "/t/bakery-3/")


@pytest.mark.parametrize(("name", "address"), [("Platform", "/t/platform-2/"), ("ベーカリー", "/t/business-")])
def test_a_name_that_makes_no_address_gets_another(browser: Browser, name: str, address: str) -> None:
    assert create_business(browser, ask_to_sign_up(browser), business=name).location.startswith(address)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Bäckerei Müller & Söhne", "backerei-muller-and-sohne"),
        ("Пекарня Щука", "pekarnya-shchuka"),
        ("Αρτοποιείο Ψωμί", "artopoieio-psomi"),
        ("Ann's   Café!!", "anns-cafe"),
        ("Łódź Straße", "lodz-strasse"),
        ("../../etc", "etc"),
        ("x" * 80, "x" * 40),
        ("مخبز", ""),
    ],
)
def test_a_slug_is_made_of_the_name(name: str, slug: str) -> None:
    assert slug_of(name) == slug


@pytest.mark.parametrize("slug", ["", "-a", "a-", "A", "a b", "a/b", "платформа", "a" * 49, "platform", "a\n"])
def test_a_slug_that_will_not_do_is_refused(app: Flask, slug: str) -> None:
    with pytest.raises(ValueError, match="slug"):
        checked_slug(slug)


def test_somebody_who_is_signed_in_sets_up_another_business(ann: Browser) -> None:
    assert ann.get("/sign-up").location == "/businesses/new"
    answers = [ann.post("/businesses/new", {"business": "Tea & Sons"}) for _ in range(2)]
    assert [answer.location for answer in answers] == ["/t/tea-and-sons/"] * 2
    assert len(rows(Tenant)) == 3


def test_somebody_who_is_signed_in_sets_up_five_in_an_hour(ann: Browser) -> None:
    answers = [ann.post("/businesses/new", {"business": f"Tea {number}"}).status_code for number in range(6)]
    assert answers == [303] * 5 + [429]


def test_setting_up_another_business_takes_a_session(browser: Browser, pat: Browser) -> None:
    assert browser.post("/businesses/new", {"business": "Tea"}).location.startswith("/sign-in")
    assert pat.post("/businesses/new", {"business": "Tea"}).location == "/"
    assert len(rows(Tenant)) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"business": ""},
        {"business": "\u202e\n "},
        {"business": "Win at https://evil.example"},
        {"name": "x" * 81},
        {"password": "12345678"},
        {"password": "tom@tea.example"},
    ],
)
def test_a_form_that_will_not_do_founds_nothing(browser: Browser, wrong: dict[str, str]) -> None:
    link = ask_to_sign_up(browser)
    answer = create_business(browser, link, **wrong)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text and PASSWORD not in answer.text
    assert rows(Tenant) == rows(User) == rows(TenantSlug) == []
    assert create_business(browser, link).status_code == 303


def test_what_is_no_address_gets_no_mail(browser: Browser) -> None:
    assert browser.post("/sign-up", {"email": "tom"}).status_code == 422
    assert rows(EmailConfirmation) == []


def test_a_name_is_on_one_line(browser: Browser) -> None:
    link = ask_to_sign_up(browser)
    create_business(browser, link, business="Tea\r\nBcc: all@example.com", name="  Tom\t\x1b[31m  T. ")
    assert rows(Tenant)[0].name == "Tea Bcc: all@example.com"
    assert rows(User)[0].name == "Tom [31m T."


def test_signing_up_takes_the_token_of_the_form(browser: Browser) -> None:
    assert isolated(browser.client.post, "/sign-up", data={"email": "tom@tea.example"}).status_code == 400


def test_the_mail_is_in_the_language_of_the_browser(browser: Browser) -> None:
    browser.post("/sign-up", {"email": "tom@tea.example"}, headers={"Accept-Language": "de"})
    (mail,) = deliver_mails()
    with browser.client.application.test_request_context(headers={"Accept-Language": "de"}):
        assert mail[1] == gettext("Confirm your email address for Switchboard")
