"""Everybody who may sit in front of Facebook's window: each comes through, or reads on the page what helps."""

from __future__ import annotations

import contextlib
import json
import time
import urllib.request
from typing import Any

from playwright.sync_api import Browser, Error, Page, expect

from dev.stack import Stack
from tests.browser import steps
from tests.browser.conftest import Person
from tests.browser.steps import proceed, wait_until

CONNECTED = "Connected. Now see it work."


def begin(page: Page, stack: Stack, business: str) -> None:
    steps.begin(page, stack, business)
    page.get_by_role("link", name="Numbers", exact=True).click()
    page.get_by_role("button", name="Connect WhatsApp").first.click()
    page.wait_for_url("**/onboarding/**")
    wait_until(page, "window.FB !== undefined")


def go_through(page: Page, persona: str, button: str = "Continue with Facebook", without: str = "") -> None:
    """Through the whole window, taking what it proposes; `without` is what is left out on the way."""
    with page.expect_popup() as opened:
        page.get_by_role("button", name=button).click()
    popup = opened.value
    proceed(popup, popup.get_by_test_id(f"persona-{persona}"))
    onward, finish = popup.get_by_test_id("dialog-continue"), popup.get_by_test_id("dialog-finish")
    for _ in range(12):
        expect(onward.or_(finish)).to_be_visible()
        popup.wait_for_load_state()
        if finish.is_visible():
            with contextlib.suppress(Error):  # the window may be gone before the click is answered
                finish.click()
            return
        if without and (other := popup.get_by_test_id(without)).count():
            proceed(popup, other)
        else:
            proceed(popup, onward)


def verify(page: Page, stack: Stack, digits: str, button: str) -> None:
    page.get_by_role("button", name=button).click()
    expect(page.get_by_label("Code", exact=True)).to_be_visible()
    page.get_by_label("Code", exact=True).fill(code_sent(stack, digits))
    page.get_by_role("button", name="Verify the number").click()


def code_sent(stack: Stack, digits: str) -> str:
    number = next(one for one in control(stack, "state")["phone_numbers"] if one["digits"] == digits)
    return str(control(stack, f"verification-code?phone_number_id={number['id']}")["code"])


def control(stack: Stack, path: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{stack.meta}/control/api/{path}", timeout=5) as answer:
        return dict(json.load(answer))


def test_who_has_an_account_needs_one_click_and_the_window(stack: Stack, agent: Person) -> None:
    begin(agent.page, stack, "Becker")
    started = time.monotonic()
    go_through(agent.page, "existing")
    expect(agent.page.get_by_text(CONNECTED)).to_be_visible()
    assert time.monotonic() - started < 120


def test_who_did_not_verify_the_number_does_it_here(stack: Stack, agent: Person) -> None:
    begin(agent.page, stack, "Vogt")
    go_through(agent.page, "unverified", without="dialog-verify-later")
    verify(agent.page, stack, "4930901820222", "Send the code by text message")
    expect(agent.page.get_by_text(CONNECTED)).to_be_visible()


def test_who_has_no_number_adds_one_here(stack: Stack, agent: Person) -> None:
    page = agent.page
    begin(page, stack, "Obi")
    go_through(page, "nonumber", without="dialog-without-number")
    page.get_by_label("Country code").fill("49")
    page.get_by_label("Phone number").fill("0151 111 2223")
    page.get_by_label("Name that customers see").fill("Obi Foods")
    page.get_by_role("button", name="Add the number").click()
    verify(page, stack, "491511112223", "Call the number with a code")
    expect(page.get_by_text(CONNECTED)).to_be_visible()


def test_who_uses_the_app_still_has_it(stack: Stack, agent: Person) -> None:
    begin(agent.page, stack, "Russo")
    go_through(agent.page, "app", button="Connect it together with the app")
    expect(agent.page.get_by_text(CONNECTED)).to_be_visible()
    expect(agent.page.locator("[data-step=app_synchronised][data-state=done]")).to_be_visible()


def test_who_is_new_needs_one_click_and_the_window(stack: Stack, agent: Person) -> None:
    begin(agent.page, stack, "Haddad Prints")
    started = time.monotonic()
    go_through(agent.page, "new")
    expect(agent.page.get_by_text(CONNECTED)).to_be_visible()
    assert time.monotonic() - started < 120


def test_whose_number_is_in_use_elsewhere_adds_another(stack: Stack, agent: Person) -> None:
    """The second account of a business: its own number cannot be taken, so the window asks for a new one."""
    begin(agent.page, stack, "Rao Textiles")
    go_through(agent.page, "second")
    expect(agent.page.get_by_text(CONNECTED)).to_be_visible()


def test_who_has_as_many_numbers_as_meta_allows_connects_one_of_them(stack: Stack, agent: Person) -> None:
    begin(agent.page, stack, "Aziz Cars")
    go_through(agent.page, "limit")
    expect(agent.page.get_by_text(CONNECTED)).to_be_visible()


def test_who_wants_one_more_reads_in_the_window_why_not_and_goes_on_here(stack: Stack, agent: Person) -> None:
    page = agent.page
    begin(page, stack, "Aziz Vans")
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Continue with Facebook").click()
    popup = opened.value
    proceed(popup, popup.get_by_test_id("persona-limit"))
    for _ in range(2):
        proceed(popup, popup.get_by_test_id("dialog-continue"))
    popup.locator("input[value^='waba:']").check()
    for _ in range(2):
        proceed(popup, popup.get_by_test_id("dialog-continue"))
    expect(popup.get_by_role("alert")).to_contain_text("You have reached the maximum of phone numbers")
    popup.wait_for_load_state()
    with contextlib.suppress(Error):
        popup.get_by_test_id("dialog-cancel").click()
    expect(page.get_by_text("You left while adding your phone number.")).to_be_visible()
    expect(page.get_by_role("button", name="Continue with Facebook")).to_be_visible()


def test_who_comes_from_another_provider_reads_until_when_it_waits(stack: Stack, agent: Person) -> None:
    begin(agent.page, stack, "Novak")
    go_through(agent.page, "other")
    expect(agent.page.get_by_text("Waiting for a day on which Meta allows this.")).to_be_visible()
    expect(
        agent.page.get_by_text("we check again automatically").or_(agent.page.get_by_text("we retry automatically"))
    ).to_be_visible()
    expect(agent.page.get_by_role("button", name="Try now")).to_be_visible()


def test_whose_browser_opens_no_window_uses_facebooks_own_page(stack: Stack, agent: Person) -> None:
    page = agent.page
    begin(page, stack, "Haddad Flowers")
    page.get_by_text("No window opens?").click()
    page.get_by_label("Number you're going to connect").fill("+1 555 010 7799")
    page.get_by_role("button", name="Continue with Facebook's page").click()
    expect(page.get_by_text("Waiting for Facebook")).to_be_visible()
    word = page.get_by_label("Word").input_value()
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Open Facebook's page").click()
    hosted = opened.value
    proceed(hosted, hosted.get_by_test_id("persona-new"))
    onward, end = hosted.get_by_test_id("dialog-continue"), hosted.get_by_test_id("dialog-hosted-end")
    for _ in range(10):
        expect(onward.or_(end)).to_be_visible()
        if end.is_visible():
            break
        for label, value in (("Account name", f"Haddad Flowers {word}"), ("Phone number", "5550107799")):
            if (field := hosted.get_by_label(label, exact=True)).count():
                field.fill(value)
        proceed(hosted, onward)
    expect(page.get_by_text(CONNECTED)).to_be_visible(timeout=30_000)


def test_who_stops_on_the_way_reads_where(stack: Stack, agent: Person) -> None:
    begin(agent.page, stack, "Haddad")
    with agent.page.expect_popup() as opened:
        agent.page.get_by_role("button", name="Continue with Facebook").click()
    popup = opened.value
    proceed(popup, popup.get_by_test_id("persona-new"))
    proceed(popup, popup.get_by_test_id("dialog-continue"))
    popup.wait_for_load_state()
    with contextlib.suppress(Error):
        popup.get_by_test_id("dialog-cancel").click()
    expect(agent.page.get_by_text("You left while choosing your business.")).to_be_visible()
    expect(agent.page.get_by_role("button", name="Continue with Facebook")).to_be_visible()


def test_somebody_else_connects_it_by_a_link(stack: Stack, agent: Person, chromium: Browser) -> None:
    page = agent.page
    steps.begin(page, stack, "Rao")
    page.goto(f"{stack.web}/t/rao/onboarding/ways")
    page.get_by_role("button", name="Create a link").click()
    link = page.get_by_label("Link", exact=True).input_value()
    guest = Person(chromium)
    guest.page.goto(link)
    wait_until(guest.page, "window.FB !== undefined")
    go_through(guest.page, "existing")
    # Of two businesses that are after the same number one gets it; both see which.
    refused = guest.page.get_by_text("already connected to Switchboard by another business")
    expect(guest.page.get_by_text(CONNECTED).or_(refused)).to_be_visible()
    guest.close()
