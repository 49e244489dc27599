"""A customer comes from a page of somebody else's in their language, is answered in it, and confirms a viewing."""

from __future__ import annotations

from playwright.sync_api import expect

from dev.agency import SLUG, create_app
from dev.stack import Stack
from tests.browser.conftest import Person
from tests.browser.steps import begin, connect, new_number, slug_of
from tests.simulated import Served

BUSINESS = "Sahel Homes"
TEXTS = {"fr": "Bonjour, je suis intéressé par {title}", "ar": "مرحبا، أنا مهتم بـ {title}"}
REPLIES = {"fr": "Merci de votre intérêt pour Villa à Dakar", "ar": "شكراً لاهتمامك بـ فيلا في داكار"}


def test_a_visitor_of_a_page_is_answered_in_its_language(stack: Stack, agent: Person, customer: Person) -> None:
    page = agent.page
    begin(page, stack, BUSINESS)
    connect(page, BUSINESS)
    here = f"{stack.web}/t/{slug_of(BUSINESS)}"
    page.goto(f"{here}/entry-points/new")
    page.get_by_label("Name", exact=True).fill("Villas")
    page.get_by_label("Short link").fill(SLUG)
    for code, text in TEXTS.items():
        field = page.locator(f"[name=text_{code}]")
        field.evaluate("one => one.closest('details') && (one.closest('details').open = true)")
        field.fill(text)
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("button", name="Add an auto-reply").click()
    page.get_by_role("button", name="Publish and switch on").click()
    expect(page.get_by_text("Off", exact=True)).to_have_count(0)
    with Served(create_app(stack.web, SLUG)) as agency:
        for language in TEXTS:
            visit(customer, stack, agency.url, language)
            page.goto(f"{here}/inbox/?view=all")
            expect(page.get_by_text(REPLIES[language].partition("Villa")[0].strip()[:12]).first).to_be_visible()
            expect(page.locator(".row-about").first).to_contain_text("500,000 XOF")


def visit(customer: Person, stack: Stack, agency: str, language: str) -> None:
    """From the page to the chat, with the words that the button proposes."""
    page = customer.page
    page.goto(f"{agency}/{language}")
    page.locator("a.switchboard-chat").first.click()
    page.get_by_text("New customer").click()
    page.locator("[name=name]").fill(f"Customer {language}")
    page.locator("[name=number]").fill(new_number())
    page.locator("form:has([name=number]) button").last.click()
    page.get_by_test_id("phone-compose").press("Enter")
    bubble = page.get_by_test_id("phone-bubble").filter(has_text=REPLIES[language])
    expect(bubble).to_be_visible()
    expect(bubble).to_contain_text("XOF")
