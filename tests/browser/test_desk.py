"""The desk by keyboard: an agent takes, notes, resolves and undoes without a mouse; a colleague sees it at once."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from dev.stack import Stack
from tests.browser.conftest import Person
from tests.browser.steps import begin, connect, write_as_customer


@pytest.fixture(scope="module")
def cookies(stack: Stack, chromium: Browser) -> Any:
    """A business with a number and two conversations; the cookies of its owner."""
    ann, carla = Person(chromium), Person(chromium)
    begin(ann.page, stack, "Desk")
    connect(ann.page, "Desk")
    write_as_customer(carla.page, stack, "Dora", "Is the rye bread still there?", "Desk")
    write_as_customer(carla.page, stack, "Emil", "Good morning", "Desk")
    expect(ann.page.get_by_text("It works.")).to_be_visible()
    saved = ann.context.cookies()
    ann.close()
    carla.close()
    return saved


@pytest.fixture
def desk(stack: Stack, agent: Person, cookies: Any) -> Page:
    agent.context.add_cookies(cookies)
    agent.page.goto(f"{stack.web}/t/desk/inbox/?view=all")
    expect(agent.page.get_by_role("link", name="Dora")).to_be_visible()
    return agent.page


def test_a_day_by_keyboard(desk: Page) -> None:
    desk.keyboard.press("j")
    expect(desk.get_by_test_id("bubble").first).to_be_visible()
    desk.keyboard.press("Escape")
    desk.keyboard.press("i")
    expect(desk.get_by_text("Assigned to you")).to_be_visible()
    desk.keyboard.press("n")
    desk.keyboard.type("Ask the baker first")
    desk.keyboard.press("Enter")
    expect(desk.get_by_test_id("note").filter(has_text="Ask the baker first")).to_have_count(1)
    desk.keyboard.press("Escape")
    desk.keyboard.press("Escape")
    desk.keyboard.press("e")
    expect(desk.get_by_test_id("reopen")).to_be_visible()
    desk.keyboard.press("z")
    expect(desk.get_by_test_id("resolve")).to_be_visible()


def test_a_conversation_never_scrolls_the_window(desk: Page) -> None:
    desk.set_viewport_size({"width": 1440, "height": 500})
    desk.get_by_role("link", name="Dora").click()
    expect(desk.get_by_test_id("bubble").first).to_be_visible()
    assert desk.evaluate("document.documentElement.scrollHeight") == 500


def test_the_palette_leads_anywhere(desk: Page) -> None:
    desk.keyboard.press("Control+k")
    desk.keyboard.type("snoo")
    expect(desk.get_by_role("option", name="Snoozed")).to_be_visible()
    desk.keyboard.press("Escape")
    desk.keyboard.press("?")
    expect(desk.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    desk.keyboard.press("Escape")
    expect(desk.get_by_role("dialog", name="Keyboard shortcuts")).not_to_be_visible()


def test_a_command_that_is_typed_comes_before_the_search_of_messages(desk: Page) -> None:
    desk.keyboard.press("Control+k")
    desk.keyboard.type("new mess")
    expect(desk.get_by_role("option").last).to_have_text("Search messages for “new mess”")
    desk.keyboard.press("Enter")
    desk.wait_for_url("**/inbox/new")


def test_keys_and_palette_work_among_the_contacts_too(desk: Page) -> None:
    desk.keyboard.press("g")
    desk.keyboard.press("c")
    desk.wait_for_url("**/contacts/")
    desk.keyboard.press("/")
    expect(desk.get_by_role("searchbox")).to_be_focused()
    desk.keyboard.press("Control+k")
    desk.keyboard.type("Dora")
    expect(desk.get_by_role("option", name="Dora").first).to_be_visible()
    desk.keyboard.press("Escape")
    desk.keyboard.press("Escape")
    desk.keyboard.press("c")
    desk.wait_for_url("**/inbox/new")


def test_what_is_for_browsers_without_scripts_is_in_no_answer(desk: Page) -> None:
    """A button of it would be the first of its form, which Enter presses."""
    desk.get_by_role("link", name="Dora").click()
    expect(desk.get_by_test_id("bubble").first).to_be_visible()
    expect(desk.locator("#conversation noscript")).to_have_count(0)


def test_who_is_blocked_is_unblocked_where_one_would_write(desk: Page) -> None:
    desk.get_by_role("link", name="Dora").click()
    desk.locator("[popovertarget=more]:visible").click()
    desk.get_by_role("button", name="Abuse or threats").click()
    desk.locator("#composer").get_by_role("button", name="Unblock").click()
    expect(desk.get_by_label("Message", exact=True)).to_be_visible()


def test_what_is_found_is_shown_in_its_thread(desk: Page) -> None:
    desk.keyboard.press("/")
    desk.wait_for_url("**/search")
    desk.get_by_role("searchbox").fill("rye")
    desk.get_by_role("link", name="Dora").filter(has_text="rye").click()
    expect(desk.locator(".bubble.here")).to_contain_text("rye bread")


def test_several_are_chosen_with_the_keyboard_and_put_back(desk: Page) -> None:
    for name in ("Dora", "Emil"):
        desk.get_by_label(f"Select {name}").check(force=True)
    desk.locator("#bulk").get_by_role("button", name="Archive").click()
    expect(desk.get_by_text("2 conversations changed")).to_be_visible()
    expect(desk.get_by_role("link", name="Dora")).to_have_count(0)
    desk.keyboard.press("z")
    expect(desk.get_by_role("link", name="Dora")).to_be_visible()


def test_what_one_window_does_the_other_shows(stack: Stack, chromium: Browser, desk: Page, cookies: Any) -> None:
    desk.get_by_role("link", name="Dora").click()
    expect(desk.get_by_test_id("bubble").first).to_be_visible()
    desk.wait_for_url(re.compile(r"/inbox/[0-9a-f-]{36}"))
    other = Person(chromium)
    other.context.add_cookies(cookies)
    other.page.goto(desk.url)
    expect(other.page.get_by_test_id("bubble").first).to_be_visible()
    other.page.get_by_test_id("resolve").click()
    expect(desk.get_by_test_id("reopen")).to_be_visible()
    other.page.get_by_test_id("reopen").click()
    expect(desk.get_by_test_id("resolve")).to_be_visible()
    other.close()


def test_several_are_tagged_at_once_and_it_is_undone(desk: Page) -> None:
    desk.get_by_role("link", name="Dora").click()
    desk.locator("#contact-tag").fill("Regular")
    desk.locator("#contact-tag").press("Enter")
    expect(desk.locator("#contact-tags .tag")).to_have_count(1)
    desk.get_by_label("Select Emil").check(force=True)
    desk.locator("#bulk").get_by_role("button", name="Tags").click()
    desk.locator("#bulk-tags").get_by_role("button", name="Regular").first.click()
    expect(desk.get_by_role("link", name="Emil")).to_contain_text("Regular")
    desk.keyboard.press("z")
    expect(desk.get_by_role("link", name="Emil")).not_to_contain_text("Regular")


def test_list_and_details_come_beside_a_conversation_that_was_asked_for(desk: Page) -> None:
    desk.get_by_role("link", name="Emil").click()
    expect(desk.get_by_test_id("bubble").first).to_be_visible()
    desk.reload()
    expect(desk.get_by_role("link", name="Dora")).to_be_visible()
    expect(desk.locator("#details")).to_contain_text("Writes to")
    expect(desk.locator("#views")).to_contain_text("Unassigned")


def test_details_follow_what_arrives_and_keep_what_is_typed(desk: Page, stack: Stack, customer: Person) -> None:
    write_as_customer(customer.page, stack, "Fay", "Hello", "Desk")
    desk.set_viewport_size({"width": 1440, "height": 900})
    desk.get_by_role("link", name="Fay").click()
    details = desk.locator("#details")
    expect(details).to_contain_text("Open until")
    details.get_by_text("Rename").click()
    details.get_by_label("Name", exact=True).fill("Fay Half")
    note = details.get_by_label("Note", exact=True)
    note.fill("Comes on Fridays")
    details.locator("#contact-timeline > summary").click()
    expect(details.locator("#contact-timeline [data-loaded]")).to_be_visible()
    note.focus()
    with desk.expect_response(re.compile("/details$")) as again:
        customer.page.get_by_test_id("phone-compose").fill("Are you there?")
        customer.page.keyboard.press("Enter")
    assert again.value.ok
    expect(details.get_by_label("Name", exact=True)).to_have_value("Fay Half")
    expect(note).to_have_value("Comes on Fridays")
    expect(note).to_be_focused()


def test_details_follow_what_somebody_else_changes(desk: Page) -> None:
    desk.set_viewport_size({"width": 1440, "height": 900})
    desk.get_by_role("link", name="Emil").click()
    expect(desk.locator("#details")).to_contain_text("Writes to")
    other = desk.context.new_page()
    other.goto(desk.url)
    field = other.locator("#details #contact-tag")
    field.fill("seen elsewhere")
    field.press("Enter")
    expect(desk.locator("#details .tags")).to_contain_text("seen elsewhere")
    other.close()


def test_a_phone_has_five_places_and_the_rest_under_more(desk: Page, stack: Stack) -> None:
    desk.set_viewport_size({"width": 360, "height": 740})
    desk.goto(f"{stack.web}/t/desk/settings")
    bar = desk.locator(".rail > .rail-link:visible")
    expect(bar).to_have_count(5)
    more = desk.get_by_role("button", name="More")
    expect(more).to_have_attribute("aria-current", "true")
    more.focus()
    desk.keyboard.press("Enter")
    expect(desk.locator("#rail-rest").get_by_role("link", name="Settings")).to_have_attribute("aria-current", "page")
    desk.keyboard.press("Tab")
    expect(desk.locator("#rail-rest .rail-link").first).to_be_focused()
    desk.keyboard.press("Escape")
    expect(desk.locator("#rail-rest")).to_be_hidden()


def test_without_scripts_no_skeleton_is_shown_and_links_lead_on(
    stack: Stack, chromium: Browser, cookies: Any, desk: Page
) -> None:
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 1440, "height": 900})
    context.add_cookies(cookies)
    page = context.new_page()
    page.goto(f"{stack.web}/t/desk/inbox/?view=all")
    page.get_by_role("link", name="Dora").click()
    for pane, place in (("#list", "Show the list"), ("#details", "Customer details"), ("#views", "All views")):
        expect(page.locator(pane).get_by_role("link", name=place)).to_be_visible()
    for pane in ("#list", "#details", "#views-list"):
        expect(page.locator(pane)).to_have_css("background-image", "none")
    page.get_by_role("link", name="Show the list").click()
    expect(page.get_by_role("link", name="Emil")).to_be_visible()
    context.close()


def test_a_zone_is_found_by_its_country(desk: Page, stack: Stack) -> None:
    desk.goto(f"{stack.web}/t/desk/hours/")
    desk.get_by_placeholder("Find a city, a country or an offset").fill("india")
    desk.keyboard.press("Enter")
    expect(desk.get_by_label("Time zone", exact=True)).to_have_value("Asia/Kolkata")


def test_on_a_phone_escape_closes_the_details_and_the_arrow_leads_to_the_same_view(desk: Page, stack: Stack) -> None:
    desk.set_viewport_size({"width": 360, "height": 740})
    desk.goto(f"{stack.web}/t/desk/inbox/?view=all")
    desk.get_by_role("link", name="Emil").click()
    desk.locator("[data-command=details]").click()
    expect(desk.locator("#details")).to_contain_text("Writes to")
    desk.keyboard.press("Escape")
    expect(desk.locator("#details")).to_be_hidden()
    expect(desk.get_by_test_id("bubble").first).to_be_visible()
    desk.get_by_role("link", name="Back to the list").click()
    expect(desk.get_by_role("heading", name=re.compile("^All"))).to_be_visible()
