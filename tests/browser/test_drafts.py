"""What an agent types is never lost: another conversation, another browser, a cut line, a closed tab."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from dev.stack import Stack
from tests.browser.conftest import Person
from tests.browser.steps import begin, connect, write_as_customer


@pytest.fixture(scope="module")
def cookies(stack: Stack, chromium: Browser) -> Any:
    """A business with two conversations; the cookies of its owner."""
    ann, fay = Person(chromium), Person(chromium)
    begin(ann.page, stack, "Drafts")
    connect(ann.page, "Drafts")
    write_as_customer(fay.page, stack, "Fay", "Is the rye bread still there?", "Drafts")
    write_as_customer(fay.page, stack, "Gus", "Good morning", "Drafts")
    expect(ann.page.get_by_text("It works.")).to_be_visible()
    stored = ann.context.cookies()
    ann.close()
    fay.close()
    return stored


@pytest.fixture
def person(stack: Stack, chromium: Browser, cookies: Any) -> Iterator[Any]:
    """Another browser of the same agent, as often as one wants."""
    people = []

    def sit_down() -> Page:
        people.append(Person(chromium, viewport={"width": 1280, "height": 800}))
        people[-1].context.add_cookies(cookies)
        people[-1].page.goto(f"{stack.web}/t/drafts/inbox/?view=all")
        return people[-1].page

    yield sit_down
    for each in people:
        each.close()


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("link", name=name)


def open_talk(page: Page, name: str) -> Locator:
    row(page, name).click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    return page.get_by_label("Message", exact=True)


def saved(page: Page, act: Any) -> None:
    with page.expect_response(lambda answer: answer.request.method == "PUT" and answer.status == 204):
        act()


def test_switching_quickly_loses_and_mixes_nothing(person: Any) -> None:
    page = person()
    open_talk(page, "Fay").type("Yes, until six")
    saved(page, lambda: open_talk(page, "Gus"))
    expect(page.get_by_label("Message", exact=True)).to_have_value("")
    expect(row(page, "Fay")).to_contain_text("Draft: Yes, until six")
    expect(open_talk(page, "Fay")).to_have_value("Yes, until six")
    expect(open_talk(person(), "Fay")).to_have_value("Yes, until six")


def test_sent_is_gone_everywhere(person: Any) -> None:
    page, other = person(), person()
    field = open_talk(page, "Fay")
    saved(page, lambda: field.fill("It is"))
    expect(open_talk(other, "Fay")).to_have_value("It is")
    field.press("Enter")
    expect(page.get_by_test_id("bubble").filter(has_text="It is")).to_have_count(1)
    expect(row(other, "Fay")).not_to_contain_text("Draft:")
    other.reload()
    expect(other.get_by_label("Message", exact=True)).to_have_value("")


def test_without_a_line_it_stays_here_and_is_saved_later(person: Any) -> None:
    page = person()
    field = open_talk(page, "Gus")
    page.context.set_offline(True)
    field.fill("Good morning to you")

    def come_back() -> None:
        field.blur()
        page.context.set_offline(False)

    saved(page, come_back)
    expect(open_talk(person(), "Gus")).to_have_value("Good morning to you")


def test_a_note_that_was_begun_is_open_again(person: Any) -> None:
    page = person()
    saved(page, lambda: open_talk(page, "Gus").fill(""))
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    saved(page, lambda: page.keyboard.type("Ask the baker"))
    other = person()
    row(other, "Gus").click()
    expect(other.get_by_label("Private note")).to_have_value("Ask the baker")
    other.get_by_label("Private note").press("Enter")
    expect(other.get_by_test_id("note").filter(has_text="Ask the baker")).to_have_count(1)
    page.reload()
    expect(page.get_by_label("Private note")).to_be_hidden()
