"""Keys and clicks that overtake an answer still mean what the person meant, in whatever order answers come."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from dev.stack import Stack
from tests.browser.conftest import SECONDS, Person
from tests.browser.line import RETRIES, Line
from tests.browser.steps import begin, connect, write_as_customer

NAMES = ("Ada", "Bea", "Cid")
# What has the focus when the tags are replaced, and whether the field is ready to send.
WITH_THE_NEXT_TAG = """() => {
    new MutationObserver(() => {
        const field = document.querySelector("#contact-tag")
        window.shown = [document.activeElement.id, field.closest("form").hasAttribute("data-htmx-powered")]
    }).observe(document.querySelector("#contact-tags").parentNode, { childList: true })
}"""


@pytest.fixture(scope="module")
def business(stack: Stack, chromium: Browser) -> Any:
    """The owner's cookies; the addresses of the conversations with Ada, Bea and Cid; the headers that forms need."""
    ann, phone = Person(chromium), Person(chromium)
    begin(ann.page, stack, "Overtaking")
    connect(ann.page, "Overtaking")
    for name in NAMES:
        write_as_customer(phone.page, stack, name, f"{name} asks for rye bread", "Overtaking")
    expect(ann.page.get_by_text("It works.")).to_be_visible()
    ann.page.goto(f"{stack.web}/t/overtaking/inbox/?view=all")
    addresses = {}
    for name in NAMES:
        address = row(ann.page, name).get_attribute("href") or ""
        addresses[name] = f"{stack.web}{address.partition('?')[0]}"
    token = ann.page.locator("[name=csrf_token]").first.input_value()
    cookies = ann.context.cookies()
    ann.close()
    phone.close()
    return cookies, addresses, {"X-CSRFToken": token, "HX-Request": "true"}


@pytest.fixture
def desk(stack: Stack, chromium: Browser, business: Any) -> Iterator[Page]:
    person = Person(chromium, viewport={"width": 1440, "height": 900}, service_workers="block")
    person.context.add_cookies(business[0])
    for name in NAMES:
        put_back(person.page, business, name)
    person.page.goto(f"{stack.web}/t/overtaking/inbox/?view=all")
    expect(person.page.locator("[data-conversation]")).to_have_count(3)
    yield person.page
    person.close()


def put_back(page: Page, business: Any, name: str, state: str = "open") -> None:
    """A conversation in this state, without a draft, whatever a test before has done to it."""
    _, addresses, headers = business
    forms: list[tuple[str, str, dict[str, str | float | bool]]] = [("POST", "state", {"state": state})]
    forms += [("PUT", f"drafts/{what}", {"body": "", "age": "0"}) for what in ("reply", "note")]
    for method, path, form in forms:
        address = f"{addresses[name]}/{path}"
        answer = page.request.fetch(address, method=method, headers=headers, form=form, max_retries=RETRIES)
        assert answer.ok, answer.text()


@pytest.fixture
def line(desk: Page) -> Line:
    return Line(desk)


def row(page: Page, name: str) -> Locator:
    return page.locator("a.row").filter(has_text=name)


def rows(page: Page) -> list[str]:
    return page.locator(".row-name").all_inner_texts()


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.type(key) if len(key) > 1 and " " in key else page.keyboard.press(key)


def opened(page: Page, name: str) -> None:
    expect(page.locator("#head h2")).to_have_text(name)


def is_open(page: Page, business: Any, name: str) -> bool:
    """As the server has it."""
    return 'data-testid="resolve"' in read(page, business, name)


def read(page: Page, business: Any, name: str) -> str:
    return page.request.get(business[1][name], max_retries=RETRIES).text()


@pytest.mark.parametrize("reverse", [False, True], ids=["in order", "reversed"])
def test_of_two_that_were_opened_the_second_is_shown_and_resolved(
    desk: Page, line: Line, business: Any, reverse: bool
) -> None:
    first, second = rows(desk)[:2]
    line.hold()
    press(desk, "j", "j", "e")
    line.let_through(reverse=reverse)
    opened(desk, second)
    expect(desk.get_by_test_id("reopen")).to_be_visible()
    assert is_open(desk, business, first) and not is_open(desk, business, second)


def test_a_note_typed_before_the_conversation_is_there_is_a_note_in_it(desk: Page, line: Line) -> None:
    second = rows(desk)[1]
    line.hold()
    press(desk, "j", "j", "n", "Ask the baker first", "Enter", "Escape", "e")
    line.let_through(reverse=True)
    opened(desk, second)
    expect(desk.get_by_test_id("note").filter(has_text="Ask the baker first")).to_have_count(1)
    expect(desk.get_by_test_id("reopen")).to_be_visible()
    expect(desk.get_by_label("Message", exact=True)).to_have_value("")


def test_an_answer_to_a_note_leaves_the_focus_where_somebody_has_gone(desk: Page, line: Line) -> None:
    press(desk, "j")
    expect(desk.get_by_test_id("bubble").first).to_be_visible()
    line.hold()
    press(desk, "n", "Kept for later", "Enter", "Escape", "e")
    line.let_through(reverse=True)
    expect(desk.get_by_test_id("note").filter(has_text="Kept for later")).to_have_count(1)
    expect(desk.get_by_test_id("reopen")).to_be_visible()
    expect(desk.get_by_label("Message", exact=True)).to_have_value("")


def test_two_notes_in_a_row_are_two_notes_and_the_third_stays_typed(desk: Page, line: Line) -> None:
    press(desk, "j")
    expect(desk.get_by_test_id("bubble").first).to_be_visible()
    line.hold()
    for words in ("The first thing", "The second thing"):
        press(desk, "n", words, "Enter", "Escape")
    press(desk, "n", "A third one")
    line.let_through(reverse=True)
    for words in ("The first thing", "The second thing"):
        expect(desk.get_by_test_id("note").filter(has_text=words)).to_have_count(1)
    expect(desk.get_by_label("Private note")).to_have_value("A third one")
    expect(desk.get_by_label("Private note")).to_be_focused()


def test_a_reply_typed_before_the_conversation_is_there_goes_to_it(desk: Page, line: Line, business: Any) -> None:
    first, second = rows(desk)[:2]
    line.hold()
    press(desk, "j", "j", "r", "We are open until six", "Enter")
    line.let_through(reverse=True)
    opened(desk, second)
    mine = desk.locator("#messages [data-direction=outbound]").filter(has_text="We are open until six")
    expect(mine.locator("[data-state=read], [data-state=delivered], [data-state=sent]")).to_be_visible()
    assert "We are open until six" not in read(desk, business, first)


def soon(is_so: Callable[[], bool]) -> bool:
    """Whether it is so within some seconds: what the page shows may be ahead of what is stored."""
    end = time.monotonic() + SECONDS
    while not (reached := is_so()) and time.monotonic() < end:
        time.sleep(0.1)
    return reached


def test_undo_waits_for_what_it_undoes(desk: Page, line: Line, business: Any) -> None:
    first = rows(desk)[0]
    press(desk, "j")
    expect(desk.get_by_test_id("bubble").first).to_be_visible()
    line.hold()
    press(desk, "e", "z")
    line.let_through()
    expect(desk.get_by_test_id("resolve")).to_be_visible()
    assert soon(lambda: is_open(desk, business, first))


def test_a_message_that_is_on_its_way_is_undone_once_it_is_there(desk: Page, line: Line) -> None:
    press(desk, "j")
    expect(desk.get_by_test_id("bubble").first).to_be_visible()
    line.hold()
    press(desk, "r", "Not yet", "Enter", "Escape", "z")
    line.let_through()
    expect(desk.get_by_label("Message", exact=True)).to_have_value("Not yet")


def test_what_was_resolved_can_be_undone_from_the_next_one(desk: Page, line: Line, business: Any) -> None:
    first, second = rows(desk)[:2]
    press(desk, "j")
    expect(desk.get_by_test_id("bubble").first).to_be_visible()
    line.hold()
    press(desk, "e", "j", "z")
    line.let_through(reverse=True)
    opened(desk, second)
    expect(row(desk, first)).to_be_visible()
    expect(desk.get_by_role("button", name="Undo")).to_have_count(0)
    assert is_open(desk, business, first) and is_open(desk, business, second)


def test_resolve_and_next_twice_resolves_two(desk: Page, line: Line, business: Any) -> None:
    first, second, third = rows(desk)
    press(desk, "j")
    expect(desk.get_by_test_id("bubble").first).to_be_visible()
    line.hold()
    press(desk, "Shift+E", "Shift+E")
    line.let_through(reverse=True)
    opened(desk, third)
    expect(desk.locator("[data-conversation]")).to_have_count(1)
    assert [is_open(desk, business, name) for name in (first, second, third)] == [False, False, True]


def test_the_menu_that_is_still_empty_takes_its_keys(desk: Page, line: Line) -> None:
    press(desk, "j")
    expect(desk.get_by_test_id("bubble").first).to_be_visible()
    line.hold()
    press(desk, "a", "Enter")
    line.let_through()
    expect(desk.locator("#head [data-command=assign]")).to_have_attribute("aria-label", "Assigned to Ann. Change")
    press(desk, "s", "ArrowDown", "Enter")
    expect(desk.locator("#head .state-snoozed")).to_be_visible()
    press(desk, "a", "ArrowDown", "Enter")
    expect(desk.locator("#head [data-command=assign]")).to_have_attribute("aria-label", "Assign")


def test_letters_lead_to_the_item_that_begins_with_them(desk: Page) -> None:
    press(desk, "j")
    expect(desk.get_by_test_id("bubble").first).to_be_visible()
    press(desk, "s", "t", "o")
    expect(desk.locator("#snooze .menu-item").filter(has_text="Tomorrow")).to_be_focused()


def test_letters_lead_into_the_menu_that_is_still_empty(desk: Page, line: Line) -> None:
    press(desk, "j")
    expect(desk.get_by_test_id("bubble").first).to_be_visible()
    press(desk, "i")
    assign = desk.locator("#head [data-command=assign]")
    expect(assign).to_have_attribute("aria-label", "Assigned to Ann. Change")
    line.hold()
    press(desk, "a", "u", "n")
    line.let_through()
    expect(desk.locator("#assignment .menu-item").filter(has_text="Unassign")).to_be_focused()
    press(desk, "Enter")
    expect(assign).to_have_attribute("aria-label", "Assign")


def test_a_menu_that_was_closed_stays_closed(desk: Page, line: Line) -> None:
    press(desk, "j")
    expect(desk.get_by_test_id("bubble").first).to_be_visible()
    line.hold()
    press(desk, "a", "Escape", "r", "Good morning to you")
    line.let_through()
    expect(desk.locator("#assignment")).to_be_hidden()
    expect(desk.get_by_label("Message", exact=True)).to_have_value("Good morning to you")
    expect(desk.get_by_label("Message", exact=True)).to_be_focused()


def test_a_form_that_was_closed_before_it_came_does_not_open(desk: Page, line: Line) -> None:
    row(desk, "Ada").click()
    expect(desk.get_by_test_id("bubble").first).to_be_visible()
    line.hold()
    desk.get_by_test_id("attach").click()
    desk.locator("#attach-menu").get_by_text("Buttons", exact=True).click()
    expect(desk.get_by_role("dialog")).to_be_visible()
    press(desk, "Escape")
    desk.get_by_label("Message", exact=True).click()
    press(desk, "Nothing to tap")
    line.let_through()
    expect(desk.get_by_label("Message", exact=True)).to_have_value("Nothing to tap")
    expect(desk.get_by_role("dialog")).to_have_count(0)
    expect(desk.get_by_label("Message", exact=True)).to_be_focused()


def test_words_typed_into_a_form_that_is_still_coming_are_in_it(desk: Page, line: Line) -> None:
    row(desk, "Ada").click()
    expect(desk.get_by_test_id("bubble").first).to_be_visible()
    line.hold()
    desk.get_by_test_id("attach").click()
    desk.locator("#attach-menu").get_by_text("Location", exact=True).click()
    desk.keyboard.type("52.520")
    line.let_through()
    expect(desk.get_by_role("dialog").locator("input:focus")).to_have_value("52.520")


def test_the_palette_waits_for_whom_it_finds(desk: Page, line: Line) -> None:
    line.hold()
    press(desk, "Control+k")
    desk.keyboard.type("Bea")
    press(desk, "Enter")
    line.arrived(1)
    line.let_through()
    opened(desk, "Bea")


def test_words_after_the_key_that_searches_are_searched_for(desk: Page, line: Line, business: Any) -> None:
    first = rows(desk)[0]
    press(desk, "j")
    expect(desk.get_by_test_id("bubble").first).to_be_visible()
    line.hold()
    press(desk, "/")
    desk.keyboard.type("rye")
    line.arrived(1)
    line.let_through()
    expect(desk.get_by_role("searchbox")).to_have_value("rye")
    expect(desk.get_by_role("link", name=first).filter(has_text="rye").first).to_be_visible()
    assert is_open(desk, business, first)


def test_of_two_searches_the_newer_is_shown(desk: Page, stack: Stack, line: Line) -> None:
    desk.goto(f"{stack.web}/t/overtaking/inbox/search")
    expect(desk.get_by_role("searchbox")).to_be_focused()
    line.hold()
    desk.keyboard.type("Ada")
    line.arrived(1)
    desk.get_by_role("searchbox").fill("Cid")
    desk.locator("#search-filters summary").click()
    desk.get_by_label("Type", exact=True).select_option("text")
    line.arrived(2)
    line.let_through(reverse=True)
    expect(desk.locator("#found")).to_contain_text("Cid")
    expect(desk.locator("#found")).not_to_contain_text("Ada asks")


def test_who_is_chosen_after_the_bulk_act_stays_chosen(desk: Page, line: Line) -> None:
    first, second, third = rows(desk)
    for name in (first, second):
        desk.get_by_label(f"Select {name}").check(force=True)
    line.hold()
    desk.locator("#bulk").get_by_role("button", name="Archive").click()
    desk.get_by_label(f"Select {third}").check(force=True)
    line.let_through()
    expect(desk.get_by_text("2 conversations changed")).to_be_visible()
    expect(desk.locator("[data-conversation]")).to_have_count(1)
    expect(desk.get_by_label(f"Select {third}")).to_be_checked()
    expect(desk.locator("[data-bulk-count]")).to_have_text("1")


def test_after_another_view_was_chosen_the_keys_mean_its_list(desk: Page, line: Line, business: Any) -> None:
    first, second = rows(desk)[:2]
    press(desk, "j")
    expect(desk.get_by_test_id("bubble").first).to_be_visible()
    press(desk, "e")
    expect(desk.locator("[data-conversation]")).to_have_count(2)
    line.hold()
    desk.locator("#views").get_by_role("link", name="Resolved").click()
    press(desk, "j")
    line.let_through(reverse=True)
    expect(desk.locator("#view-name")).to_contain_text("Resolved")
    opened(desk, first)
    assert is_open(desk, business, second)


def test_enter_waits_for_the_canned_reply(desk: Page, stack: Stack, line: Line) -> None:
    desk.goto(f"{stack.web}/t/overtaking/inbox/canned-replies")
    if not desk.get_by_text("/hours").count():
        desk.get_by_label("Shortcut", exact=True).fill("hours")
        desk.get_by_label("Reply", exact=True).fill("From seven to six.")
        desk.get_by_role("button", name="Save").click()
    desk.goto(f"{stack.web}/t/overtaking/inbox/?view=all")
    row(desk, "Ada").click()
    expect(desk.get_by_test_id("bubble").first).to_be_visible()
    line.hold()
    desk.get_by_label("Message", exact=True).press_sequentially("/hou")
    press(desk, "Enter", "See you then")
    line.let_through(reverse=True)
    expect(desk.get_by_label("Message", exact=True)).to_have_value("From seven to six.See you then")


def test_the_second_tag_stays_typed_while_the_first_is_added(desk: Page, line: Line) -> None:
    row(desk, "Cid").click()
    expect(desk.locator("#contact-tag")).to_be_visible()
    line.hold()
    desk.locator("#contact-tag").fill("Regular")
    press(desk, "Enter")
    desk.locator("#contact-tag").fill("Wholesale")
    line.let_through()
    expect(desk.locator("#contact-tags .tag").filter(has_text="Regular")).to_have_count(1)
    expect(desk.locator("#contact-tag")).to_have_value("Wholesale")
    expect(desk.locator("#contact-tag")).to_be_focused()


def test_what_is_shown_takes_keys_at_once(desk: Page, line: Line) -> None:
    """Escape comes with the new tag, before anything else could happen."""
    row(desk, "Cid").click()
    expect(desk.locator("#contact-tag")).to_be_visible()
    desk.evaluate(WITH_THE_NEXT_TAG)
    desk.locator("#contact-tag").fill("At once")
    desk.keyboard.press("Enter")
    expect(desk.locator("#contact-tags .tag").filter(has_text="At once")).to_have_count(1)
    assert desk.evaluate("shown") == ["contact-tag", True]


def test_an_open_menu_is_not_closed_by_what_happens_meanwhile(
    desk: Page, stack: Stack, business: Any, chromium: Browser
) -> None:
    row(desk, "Ada").click()
    expect(desk.get_by_test_id("bubble").first).to_be_visible()
    press(desk, "Escape", "a")
    expect(desk.locator("#assignment .menu-item").first).to_be_focused()
    put_back(desk, business, "Ada", "pending")
    expect(desk.locator("#head .state-pending")).to_be_visible()
    expect(desk.locator("#assignment").get_by_role("button", name="Ann")).to_be_visible()
    expect(desk.locator("#assignment .menu-item").first).to_be_focused()


def test_keys_for_what_never_comes_are_dropped_with_a_message(desk: Page, business: Any) -> None:
    first, second = rows(desk)[:2]
    press(desk, "j")
    expect(desk.get_by_test_id("bubble").first).to_be_visible()
    requested: list[Route] = []
    desk.route("**/inbox/*-*-*", lambda route: requested.append(route))  # noqa: PLW0108
    press(desk, "j", "e")
    while not requested:
        desk.wait_for_timeout(25)
    requested[0].abort()
    expect(desk.get_by_text("Switchboard could not be reached.")).to_be_visible()
    opened(desk, first)
    expect(row(desk, first)).to_have_attribute("aria-current", "true")
    desk.unroute("**/inbox/*-*-*")
    assert is_open(desk, business, first) and is_open(desk, business, second)
