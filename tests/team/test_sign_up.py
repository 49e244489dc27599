import pytest
from flask import Flask

from app.team.models import PasswordReset, SignInAttempt
from app.team.models.businesses import checked_slug, slug_of
from app.tenancy import Tenant, User
from app.tenancy.models import TenantSlug
from tests.client import Browser, alone
from tests.team.helpers import PASSWORD, deliver_mails, is_in, member, rows, user_with
from tests.world import World

FORM = {"business": "Tea & Sons", "name": "Tom", "email": "Tom@Tea.example", "password": PASSWORD}


def test_signing_up_founds_a_business_and_signs_its_owner_in(browser: Browser) -> None:
    answer = browser.post("/sign-up", FORM)
    assert (answer.status_code, answer.location) == (303, "/t/tea-and-sons/")
    tom = user_with("tom@tea.example")
    assert tom
    assert member(rows(Tenant)[0], tom).role == "owner"
    assert browser.get("/t/tea-and-sons/team").status_code == 200


def test_a_new_businesss_first_page_says_what_to_do_next(browser: Browser) -> None:
    browser.post("/sign-up", FORM)
    assert browser.get("/t/tea-and-sons/", follow_redirects=True).status_code == 200


def test_a_name_that_is_taken_gets_a_number(world: World, browser: Browser, other: Browser) -> None:
    first = browser.post("/sign-up", FORM | {"business": "Bakery"})
    second = other.post("/sign-up", FORM | {"business": "bakery!", "email": "eve@tea.example"})
    assert (first.location, second.location) == ("/t/bakery-2/", "/t/bakery-3/")


def test_a_reserved_word_gets_a_number(browser: Browser) -> None:
    assert browser.post("/sign-up", FORM | {"business": "Platform"}).location == "/t/platform-2/"


def test_a_name_in_another_script_gets_an_address_that_can_be_typed(browser: Browser) -> None:
    assert browser.post("/sign-up", FORM | {"business": "ベーカリー"}).location.startswith("/t/business-")


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


def test_a_known_person_with_the_right_password_gets_one_more_business(world: World, browser: Browser) -> None:
    answer = browser.post("/sign-up", FORM | {"email": "ann@example.com"})
    assert answer.location == "/t/tea-and-sons/"
    assert "Bakery" in browser.get("/businesses").text
    assert user_with("ann@example.com").name == "Ann"


def test_signing_up_twice_founds_one_business(browser: Browser) -> None:
    first, second = browser.post("/sign-up", FORM), browser.post("/sign-up", FORM)
    assert first.location == second.location == "/t/tea-and-sons/"
    assert len(rows(Tenant)) == 1


def test_a_known_address_with_a_wrong_password_gets_a_mail_and_nothing_else(world: World, browser: Browser) -> None:
    answer = browser.post("/sign-up", FORM | {"email": "ann@example.com", "password": "not Ann's words"})
    assert answer.status_code == 422
    assert "We could not sign you up like this" in answer.text
    assert not is_in(browser)
    assert len(rows(Tenant)) == 2
    [(to, _subject, words)] = deliver_mails()
    assert to == "ann@example.com"
    assert "tried to sign up with this address" in words


def test_asking_about_known_addresses_is_throttled(world: World, browser: Browser) -> None:
    form = FORM | {"email": "ann@example.com", "password": "not Ann's words"}
    answers = [browser.post("/sign-up", form).status_code for _ in range(11)]
    assert answers == [422] * 10 + [429]
    assert len(rows(PasswordReset)) == 3


def test_new_businesses_from_one_place_are_counted(browser: Browser) -> None:
    browser.post("/sign-up", FORM)
    assert len(rows(SignInAttempt)) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"business": ""},
        {"business": "\u202e\n "},
        {"business": "Win at https://evil.example"},
        {"name": "x" * 81},
        {"email": "tom"},
        {"password": "12345678"},
        {"password": "tom@tea.example"},
    ],
)
def test_a_form_that_will_not_do_founds_nothing(browser: Browser, wrong: dict[str, str]) -> None:
    answer = browser.post("/sign-up", FORM | wrong)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert rows(Tenant) == rows(User) == rows(TenantSlug) == []


def test_a_password_never_comes_back_in_the_page(browser: Browser) -> None:
    assert PASSWORD not in browser.post("/sign-up", FORM | {"business": ""}).text


def test_a_name_is_kept_on_one_line(browser: Browser) -> None:
    browser.post("/sign-up", FORM | {"business": "Tea\r\nBcc: all@example.com", "name": "  Tom\t\x1b[31m  T. "})
    assert rows(Tenant)[0].name == "Tea Bcc: all@example.com"
    assert rows(User)[0].name == "Tom [31m T."


def test_signing_up_takes_the_token_of_the_form(browser: Browser) -> None:
    assert alone(browser.client.post, "/sign-up", data=FORM).status_code == 400
