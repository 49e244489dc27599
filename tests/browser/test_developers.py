"""A call is tried from its page: with a key that stays in the page."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from dev.stack import Stack
from tests.browser.conftest import Person


def test_a_call_is_sent_from_its_page(stack: Stack, chromium: Browser) -> None:
    person = Person(chromium)
    page = person.page
    page.goto(f"{stack.web}/developers/keys")
    call = page.locator("section.call").filter(has=page.locator("#get_me"))
    call.get_by_text("Try it").click()
    call.get_by_label("API key").fill("sb_test_nothing")
    expect(call.locator("[data-real]")).to_be_hidden()
    call.get_by_label("API key").fill("sb_live_nothing")
    expect(call.locator("[data-real]")).to_be_visible()
    call.get_by_role("button", name="Send request").click()
    expect(call.locator("[data-status]")).to_contain_text("401")
    expect(call.locator("[data-answer]")).to_contain_text('"code": "unauthorized"')
    expect(call.locator("[data-headers]")).to_contain_text("request-id: req_")
    person.close()
