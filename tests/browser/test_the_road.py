"""The main road, as people walk it: sign up, connect a number, a customer writes, an agent answers, ticks turn blue."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from dev.stack import Stack
from tests.browser.conftest import Person
from tests.browser.steps import connect, sign_up, write_as_customer

SCREENS = [{"width": 1280, "height": 800}, {"width": 360, "height": 740}]


@pytest.mark.parametrize("agent", SCREENS, indirect=True, ids=["wide", "phone"])
def test_the_road(stack: Stack, agent: Person, customer: Person, request: pytest.FixtureRequest) -> None:
    kind = request.node.callspec.id
    business = f"Bakery {kind}"
    sign_up(agent.page, stack, business)
    connect(agent.page, business)

    write_as_customer(customer.page, stack, f"Carla {kind}", "hello", business)
    expect(agent.page.get_by_text("It works.")).to_be_visible()
    agent.page.get_by_role("link", name="Open the inbox").click()
    agent.page.wait_for_load_state()
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
