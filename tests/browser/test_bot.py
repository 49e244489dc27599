"""A bot answers and hands over, and is silent once somebody of the team has replied."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from dev.stack import Stack
from tests.browser.conftest import Person
from tests.browser.steps import begin, connect, slug_of, write_as_customer

BUSINESS = "Bot House"


def says(page: Page, words: str) -> None:
    page.get_by_test_id("phone-compose").fill(words)
    page.keyboard.press("Enter")


def test_a_bot_answers_hands_over_and_is_silenced_by_a_person(stack: Stack, agent: Person, customer: Person) -> None:
    desk, phone = agent.page, customer.page
    begin(desk, stack, BUSINESS)
    connect(desk, BUSINESS)
    for starter in ("Menu of choices", "Talk to a person"):
        desk.goto(f"{stack.web}/t/{slug_of(BUSINESS)}/automation/starters")
        desk.get_by_role("button", name=f"Use this: {starter}").click()
        desk.get_by_role("button", name="Publish and switch on").click()
        expect(desk.get_by_text("Off", exact=True)).to_have_count(0)
    write_as_customer(phone, stack, "Nora", "menu", BUSINESS)
    bubbles = phone.get_by_test_id("phone-bubble")
    expect(bubbles.filter(has_text="What can we do for you?")).to_be_visible()
    says(phone, "Prices")
    expect(bubbles.filter(has_text="You'll find our prices on our website.")).to_be_visible()
    says(phone, "I need help from a person")
    expect(bubbles.filter(has_text="One moment, please.")).to_be_visible()
    desk.goto(f"{stack.web}/t/{slug_of(BUSINESS)}/inbox/?view=all")
    desk.get_by_role("link", name="Nora").click()
    expect(desk.get_by_text("handed this to the team").first).to_be_visible()
    desk.get_by_label("Message", exact=True).fill("Nora, this is Ann. How can I help?")
    desk.keyboard.press("Enter")
    expect(bubbles.filter(has_text="this is Ann")).to_be_visible()
    says(phone, "menu")
    expect(desk.locator("#messages").get_by_text("menu", exact=True)).to_have_count(2)
    # As long as the first reply took, and more: nothing says that none comes.
    phone.wait_for_timeout(3_000)
    expect(bubbles.filter(has_text="What can we do for you?")).to_have_count(1)
