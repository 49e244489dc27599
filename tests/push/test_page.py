"""The page where somebody chooses what to hear, with and without JavaScript."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from app.push.models import NotificationRule
from app.tenancy import db, tenant_scope
from app.wabas.models import PhoneNumber
from tests.client import Browser
from tests.world import World

from .conftest import Desk
from .push_services import Chromium

CHOICE = {
    "about": "all",
    "preview": "y",
    "quiet_from": "22:00",
    "quiet_until": "07:00",
    "time_zone": "Europe/Berlin",
    "digest": "daily",
}


def rules(world: World) -> list[NotificationRule]:
    with tenant_scope(world.bakery.id):
        return list(db.session.scalars(select(NotificationRule)))


def test_everybody_has_the_page(ben: Browser) -> None:
    page = ben.get("~/push/").get_data(as_text=True)
    assert "Turn on in this browser" in page and "Quiet hours" in page


def test_quiet_hours_begin_in_the_zone_of_the_browser_named_by_its_city(ben: Browser) -> None:
    ben.client.set_cookie("time_zone", "Asia/Calcutta")
    page = ben.get("~/push/").get_data(as_text=True)
    assert '<option selected value="Asia/Kolkata">Kolkata' in page
    assert '<optgroup label="America">' in page and ">Buenos Aires" in page


def test_what_is_chosen_stays(ben: Browser, world: World, number: PhoneNumber) -> None:
    answer = ben.post("~/push/rule", CHOICE)
    assert answer.status_code == 303
    (rule,) = rules(world)
    assert (rule.about, rule.time_zone, rule.digest, rule.sound) == ("all", "Europe/Berlin", "daily", False)
    assert rule.muted_numbers == [str(number.id)]
    page = ben.get("~/push/").get_data(as_text=True)
    assert 'value="22:00"' in page and '<option selected value="Europe/Berlin">' in page


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"quiet_until": ""}, "Enter both times, or leave both empty."),
        ({"time_zone": "Mars/Olympus"}, "Not a valid choice."),
        ({"about": "everything"}, "Choose one of these."),
    ],
)
def test_what_cannot_be_is_an_error_and_what_was_typed_stays(
    ben: Browser, world: World, change: dict[str, str], words: str
) -> None:
    answer = ben.post("~/push/rule", CHOICE | change)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and words in page and 'value="22:00"' in page
    assert rules(world) == []


def test_a_browser_is_listed_and_can_be_removed(desk: Desk, ann: Browser) -> None:
    desk.turn_on(ann)
    (browser,) = desk.browsers()
    assert str(browser.id) in ann.get("~/push/").get_data(as_text=True)
    ann.post(f"~/push/browsers/{browser.id}/removal")
    assert desk.browsers() == []


def test_a_colleagues_browser_is_not_there(desk: Desk, ann: Browser, ben: Browser) -> None:
    desk.turn_on(ann)
    (browser,) = desk.browsers()
    for what in ("removal", "renewal"):
        assert ben.post(f"~/push/browsers/{browser.id}/{what}").status_code == 404
    assert str(browser.id) not in ben.get("~/push/").get_data(as_text=True)
    assert len(desk.browsers()) == 1


def test_a_browser_is_one_row_however_often_it_says_so(desk: Desk, ann: Browser) -> None:
    chromium = Chromium(desk.service)
    ids = {ann.post("~/push/browsers", chromium.form).json["id"] for _ in range(3)}  # type: ignore[index]
    assert len(ids) == len(desk.browsers()) == 1


def test_a_browser_that_comes_back_with_another_address_is_reached_there(desk: Desk, ann: Browser) -> None:
    chromium, moved = desk.turn_on(ann), Chromium(desk.service, "moved")
    answer = ann.post(f"~/push/browsers/{chromium.id}/renewal", moved.form)  # type: ignore[attr-defined]
    desk.write()
    desk.pass_on()
    assert answer.status_code == 204
    assert (len(chromium.heard()), len(moved.heard())) == (0, 1)


def test_the_address_is_stored_encrypted(desk: Desk, ann: Browser) -> None:
    desk.turn_on(ann)
    (browser,) = desk.browsers()
    assert b"push.example" not in browser.target_ciphertext
    assert browser.destination.endpoint == "https://push.example/ann"


@pytest.mark.parametrize(
    "change",
    [
        {"endpoint": "http://push.example/ann"},
        {"endpoint": "https://push.example:8443/ann"},
        {"endpoint": "https://push.example/" + "x" * 2000},
        {"endpoint": ""},
        {"p256dh": "AAAA"},
        {"p256dh": "é" * 87},
        {"auth": "AAAA"},
    ],
)
def test_an_address_that_cannot_be_one_is_refused_in_words(desk: Desk, ann: Browser, change: dict[str, Any]) -> None:
    answer = ann.post("~/push/browsers", Chromium(desk.service).form | change)
    assert answer.status_code == 400 and "Your browser" in answer.get_data(as_text=True)
    assert desk.browsers() == []


def test_a_test_reaches_the_browser(desk: Desk, ann: Browser) -> None:
    chromium = desk.turn_on(ann)
    ann.post("~/push/test")
    desk.pass_on()
    assert [heard["title"] for heard in chromium.heard()] == ["It works"]


def test_without_a_browser_the_test_says_so(ann: Browser) -> None:
    answer = ann.post("~/push/test", follow_redirects=True)
    assert "Turn on notifications in a browser first." in answer.get_data(as_text=True)


def test_every_page_knows_how_much_is_new(desk: Desk, ann: Browser) -> None:
    assert 'data-unread="0"' in ann.get("~/account").get_data(as_text=True)
    desk.write()
    facts = ann.get("~/push/unread").get_data(as_text=True)
    assert 'data-unread="1"' in facts and "data-sounds" in facts


def test_what_somebody_does_not_want_to_hear_makes_no_sound(desk: Desk, ann: Browser) -> None:
    desk.choose(desk.world.ann, about="none", sound=False)
    desk.write()
    facts = ann.get("~/push/unread").get_data(as_text=True)
    assert 'data-unread="0"' in facts and "data-sounds" not in facts


def test_at_most_twenty_browsers_are_stored(desk: Desk, ann: Browser) -> None:
    for place in range(22):
        desk.turn_on(ann, f"browser-{place}")
    saved = {browser.destination.endpoint.rpartition("-")[2] for browser in desk.browsers()}
    assert saved == {str(place) for place in range(2, 22)}
