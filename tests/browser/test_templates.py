"""Writing templates in a browser: four clicks to the first, a preview that follows typing, keys that move rows."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from dev.stack import Stack
from tests.browser.conftest import Person
from tests.browser.line import Line
from tests.browser.steps import begin, connect

BUSINESS = "Stationery"


@pytest.fixture(scope="module")
def ann(stack: Stack, chromium: Browser) -> Any:
    """The owner of a business with a number."""
    person = Person(chromium, viewport={"width": 1280, "height": 900})
    begin(person.page, stack, BUSINESS)
    connect(person.page, BUSINESS)
    yield person.page
    person.close()


def begun(page: Page) -> None:
    """At an empty builder."""
    page.get_by_role("link", name="Templates", exact=True).first.click()
    page.get_by_role("link", name="New template").first.click()
    page.get_by_role("link", name="Start blank").click()
    page.wait_for_load_state()


def test_the_first_template_takes_four_clicks(ann: Page) -> None:
    ann.get_by_role("link", name="Templates", exact=True).click()
    ann.get_by_role("link", name="New template").first.click()
    ann.get_by_role("link", name="Package on its way").click()
    ann.get_by_role("button", name="Submit to Meta").click()
    expect(ann.get_by_role("heading", name="Package on its way")).to_be_visible()


def test_the_preview_follows_typing_without_a_request_per_key(ann: Page) -> None:
    begun(ann)
    checks: list[Request] = []
    ann.on("request", lambda request: checks.append(request) if request.method == "POST" else None)
    ann.get_by_label("Text", exact=True).press_sequentially("Hi {{first_name}}, *it is* here.")
    expect(ann.locator("[data-written=body]")).to_have_text("Hi {{first_name}}, it is here.")
    # The rules are checked once in a pause of typing; on a slow machine there may be two.
    assert len(checks) < 3
    ann.get_by_label("{{first_name}}", exact=True).fill("Pablo")
    expect(ann.locator("[data-written=body]")).to_have_text("Hi Pablo, it is here.")
    expect(ann.locator("[data-written=body] strong")).to_have_text("it is")


def test_rows_are_moved_with_the_keyboard_alone(ann: Page) -> None:
    begun(ann)
    for label in ("One", "Two", "Three"):
        ann.get_by_role("button", name="Add button").click()
        expect(ann.get_by_label("Label").last).to_be_focused()
        ann.keyboard.type(label)
    ann.get_by_role("button", name="Move down").first.focus()
    for place in (1, 2):
        expect(ann.locator(f"button[value='down:buttons.{place - 1}']")).to_be_focused()
        ann.keyboard.press("Enter")
        expect(ann.get_by_label("Label").nth(place)).to_have_value("One")
    expect(ann.get_by_role("button", name="Move up").last).to_be_focused()


def test_what_is_typed_while_a_choice_is_answered_stays(ann: Page) -> None:
    begun(ann)
    line = Line(ann)
    line.hold()
    ann.get_by_label("Language of the text").select_option(label="German (de)")
    ann.get_by_label("Text", exact=True).fill("Hallo {{first_name}}")
    line.let_through()
    expect(ann.get_by_label("{{first_name}}", exact=True)).to_be_visible()
    expect(ann.get_by_label("Text", exact=True)).to_have_value("Hallo {{first_name}}")
    ann.unroute_all(behavior="ignoreErrors")
