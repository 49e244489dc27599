"""The main road, as people walk it: sign up, connect a number, a customer writes, an agent answers, ticks turn blue."""

from __future__ import annotations

import contextlib
import itertools
import re

import pytest
from playwright.sync_api import Error, Page, expect

from dev.stack import Stack
from tests.browser.conftest import Person

numbers = itertools.count(100)


def sign_up(page: Page, stack: Stack, business: str) -> None:
    page.goto(f"{stack.web}/sign-up")
    page.get_by_label("Your business").fill(business)
    page.get_by_label("Your name").fill("Ann")
    page.get_by_label("E-mail").fill(f"ann@{business.lower().replace(' ', '-')}.example.com")
    page.get_by_label("Password").fill("a long walk on the beach")
    page.get_by_role("button", name="Sign up").click()
    page.wait_for_url("**/inbox/")


def connect(page: Page, business: str, number: str) -> None:
    page.get_by_role("link", name="Numbers", exact=True).click()
    page.get_by_role("button", name="Connect WhatsApp").first.click()
    page.wait_for_url("**/onboarding/**")
    page.wait_for_function("window.FB !== undefined")
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Continue with Facebook").click()
    walk_dialog(opened.value, business, number)
    expect(page.get_by_text("Connected. Now see it work.")).to_be_visible()


def walk_dialog(popup: Page, business: str, number: str) -> None:
    """Embedded Signup's screens: who, permission, portfolio, profile, number, code, review, done."""
    popup.get_by_test_id("persona-new").click()
    onward, finish = popup.get_by_test_id("dialog-continue"), popup.get_by_test_id("dialog-finish")
    for _ in range(10):
        expect(onward.or_(finish)).to_be_visible()
        if finish.is_visible():
            with contextlib.suppress(Error):  # the window may be gone before the click is answered
                finish.click()
            return
        for label, value in (("Business name", business), ("Display name", business), ("Phone number", number)):
            if (field := popup.get_by_label(label, exact=True)).count():
                field.fill(value)
        onward.click()
    raise AssertionError("the dialog has no end")


def write_as_customer(page: Page, stack: Stack, name: str, text: str, business: str) -> None:
    page.goto(f"{stack.meta}/phone")
    page.get_by_test_id("phone-new-customer").click()
    page.get_by_test_id("phone-new-name").fill(name)
    page.get_by_test_id("phone-new-number").fill(f"6505550{next(numbers)}")
    page.get_by_test_id("phone-new-save").click()
    page.get_by_test_id("phone-business").filter(has_text=business).click()
    page.get_by_test_id("phone-compose").fill(text)
    page.keyboard.press("Enter")


SCREENS = [{"width": 1280, "height": 800}, {"width": 360, "height": 740}]


@pytest.mark.parametrize("agent", SCREENS, indirect=True, ids=["wide", "phone"])
def test_the_road(stack: Stack, agent: Person, customer: Person, request: pytest.FixtureRequest) -> None:
    kind = request.node.callspec.id
    business, number = f"Bakery {kind}", f"65055501{'11' if kind == 'wide' else '12'}"
    sign_up(agent.page, stack, business)
    connect(agent.page, business, number)

    write_as_customer(customer.page, stack, f"Carla {kind}", "hello", business)
    expect(agent.page.get_by_text("It works.")).to_be_visible()
    agent.page.get_by_role("link", name="Open the inbox").click()
    agent.page.get_by_role("link", name=re.compile(f"Carla {kind}")).click()
    expect(agent.page.get_by_test_id("bubble").filter(has_text="hello")).to_be_visible()

    agent.page.get_by_label("Message", exact=True).fill("Good morning! What can we do for you?")
    agent.page.keyboard.press("Enter")
    expect(customer.page.get_by_text("What can we do for you?")).to_be_visible()
    mine = agent.page.get_by_test_id("bubble").filter(has_text="What can we do for you?")
    expect(mine.locator("[data-state=read]")).to_be_visible()
    expect(mine).to_have_count(1)

    customer.page.get_by_test_id("phone-compose").fill("Two rye loaves, please 🍞")
    customer.page.keyboard.press("Enter")
    expect(agent.page.get_by_test_id("bubble").filter(has_text="Two rye loaves")).to_be_visible()
    assert agent.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
