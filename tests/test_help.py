"""The help: every page has its own, every link in it leads somewhere, and it is found in every script."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from app.help.topics import TOPICS, search, topic_of
from app.tenancy.places import all_places
from tests.client import FRAGMENT, Browser
from tests.world import World, conversation

ADDRESSES = [f"/help/{topic.name}" for topic in TOPICS]


def test_every_place_in_a_menu_has_a_help_page(app: Flask) -> None:
    assert [place.endpoint for place in all_places(app) if topic_of(place.endpoint) is None] == []


def test_every_page_that_a_topic_names_exists(app: Flask) -> None:
    named = {page for topic in TOPICS for page in topic.pages}
    assert {page for page in named if not any(name.startswith(page) for name in app.view_functions)} == set()


@pytest.mark.parametrize("address", ["/help/", *ADDRESSES])
def test_every_link_in_the_help_leads_to_a_page(browser: Browser, address: str) -> None:
    page = browser.get(address).text
    inner = page[page.index("<main") : page.index("</main>")]
    links = {link.partition("#")[0] for link in re.findall(r'href="(/[^"]*)"', inner)}
    pages = {link for link in links if not link.startswith("/static/")}
    assert pages and {link: code for link in pages if (code := browser.get(link).status_code) != 200} == {}


def test_a_page_leads_to_its_own_help(ann: Browser, pat: Browser) -> None:
    for path, name in (("~/hours/", "hours"), ("~/inbox/", "inbox"), ("~/team", "team"), ("~/settings", "first-steps")):
        assert f'href="/help/{name}" data-into="#help-body"' in ann.get(path).text
    assert 'href="/help/console"' in pat.get("/platform/").text


def test_an_open_conversation_leads_to_help_where_no_rail_is_shown(ann: Browser, world: World) -> None:
    number, _ = world.connect_numbers()
    talk = conversation(number)
    page = ann.get(f"~/inbox/{talk.id}").text
    menu = page[page.index('id="more"') : page.index('id="macros"')]
    assert 'href="/help/' in menu and 'data-into="#help-body"' in menu


def test_the_panel_holds_the_text_alone(ann: Browser) -> None:
    panel = ann.get("/help/hours", headers=FRAGMENT).text
    assert "Business hours decide" in panel and "<html" not in panel


def test_a_search_finds_the_topic_whose_title_has_the_word_first(browser: Browser) -> None:
    results = re.findall(r'class="link font-medium" href="([^"]+)"', browser.get("/help/?q=TEMPLATÉ").text)
    assert results[0] == "/help/templates" and len(results) > 2


def test_a_search_needs_all_words_and_no_certain_script(app: Flask) -> None:
    with app.test_request_context():
        assert {hit.topic.name for hit in search("blue ticks opens")} >= {"inbox"}
        assert search("blue zeppelin") == search("مساعدة") == search("") == search("   ") == []


def test_a_search_without_a_result_lists_every_topic(browser: Browser) -> None:
    page = browser.get("/help/?q=zeppelin").text
    assert "No topic has all of these words" in page
    assert all(address in page for address in ADDRESSES)


def test_a_topic_that_does_not_exist_is_not_found(world: World, browser: Browser) -> None:
    assert browser.get("/help/nothing").status_code == 404
