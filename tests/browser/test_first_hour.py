"""A stranger's first hour: from the first page over the mail to a business, its checklist, samples and help."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from dev.stack import Stack
from tests.browser.conftest import Person
from tests.browser.steps import begin, connect, sign_up, write_as_customer


def test_the_first_hour(stack: Stack, agent: Person, customer: Person) -> None:
    page = agent.page
    page.goto(stack.web)
    page.get_by_role("link", name="Sign up your business").click()
    sign_up(page, stack, "Hour")
    page.wait_for_url("**/welcome")
    expect(page.get_by_text("0 of 6 done")).to_be_visible()

    page.get_by_role("link", name="Maya Lindqvist").click()
    page.get_by_label("Message", exact=True).fill("Yes, from 8 to 6.")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Can I pick something up at 10?")).to_be_visible()
    page.locator("summary").filter(has_text="Delete the samples").click()
    page.get_by_role("button", name="Delete the samples").click()
    expect(page.get_by_role("heading", name="First steps")).to_be_visible()
    expect(page.get_by_text("Maya Lindqvist")).to_have_count(0)

    connect(page, "Hour")
    page.goto(f"{stack.web}/t/hour/")
    page.wait_for_url("**/welcome")
    expect(page.get_by_text("1 of 6 done")).to_be_visible()
    write_as_customer(customer.page, stack, "Hugo", "hello", "Hour")
    expect(page.get_by_text("2 of 6 done")).to_be_visible()
    page.goto(f"{stack.web}/t/hour/")
    page.wait_for_url("**/inbox/")


def test_the_help_opens_over_the_page_and_stays_there(stack: Stack, agent: Person) -> None:
    page = agent.page
    begin(page, stack, "Helpful")
    page.goto(f"{stack.web}/t/helpful/hours/")
    page.get_by_role("link", name="Help", exact=True).click()
    panel = page.get_by_role("dialog")
    expect(panel.get_by_text("Business hours decide when")).to_be_visible()
    panel.get_by_label("Search the help").fill("blue ticks")
    page.keyboard.press("Enter")
    panel.get_by_role("link", name="The inbox").click()
    expect(panel.get_by_text("The inbox has three columns")).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    assert page.url.endswith("/t/helpful/hours/")


def test_a_session_that_ended_leads_back_to_where_one_was(stack: Stack, agent: Person) -> None:
    page = agent.page
    begin(page, stack, "Ended")
    page.goto(f"{stack.web}/t/ended/inbox/?view=all")
    session = [one for one in page.context.cookies() if one["name"] == "session"]
    other = page.context.browser.new_context()  # type: ignore[union-attr]
    other.add_cookies(session)  # type: ignore[arg-type]
    elsewhere = other.new_page()
    elsewhere.goto(f"{stack.web}/t/ended/account")
    elsewhere.get_by_role("button", name="Sign out", exact=True).click()
    elsewhere.wait_for_url("**/sign-in")
    other.close()
    page.get_by_role("button", name="Views").click()
    page.get_by_role("link", name="Snoozed").click()
    page.wait_for_url(re.compile(r"/sign-in\?next="))
    expect(page.get_by_text("Your session has ended.")).to_be_visible()
    page.get_by_label("Email").fill("ann@ended.example.com")
    page.get_by_label("Password").fill("a long walk on the beach")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"/t/ended/inbox/\?view=all$"))
