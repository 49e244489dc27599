"""Two agents at one conversation, each in a browser of their own: they never disagree about how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from dev.stack import Stack
from tests.browser.conftest import Person
from tests.browser.steps import begin, connect, join, write_as_customer


@pytest.fixture(scope="module")
def people(stack: Stack, chromium: Browser) -> Any:
    """The cookies of Ann, who owns it, and of Ben, who works for her; the address of a customer's conversation."""
    ann, ben, carla = (Person(chromium) for _ in range(3))
    begin(ann.page, stack, "Two")
    connect(ann.page, "Two")
    write_as_customer(carla.page, stack, "Dora", "Is anybody there?", "Two")
    expect(ann.page.get_by_text("It works.")).to_be_visible()
    join(ben.page, stack, ann.page, "two", "ben@two.example.com")
    ann.page.goto(f"{stack.web}/t/two/inbox/?view=all")
    ann.page.get_by_role("link", name="Dora").click()
    ann.page.wait_for_url("**/inbox/*-*")
    saved = ann.context.cookies(), ben.context.cookies(), ann.page.url
    for person in (ann, ben, carla):
        person.close()
    return saved


@pytest.fixture
def both(chromium: Browser, people: Any) -> Iterator[tuple[Page, Page]]:
    """Ann and Ben look at it, and both their pages show what happens."""
    ann, ben = Person(chromium), Person(chromium)
    for person, cookies in ((ann, people[0]), (ben, people[1])):
        person.context.add_cookies(cookies)
        person.page.goto(people[2])
        expect(person.page.locator("body")).to_have_attribute("data-live-state", "open")
    yield ann.page, ben.page
    ann.close()
    ben.close()


def at_once(pages: tuple[Page, Page], path: str, **form: str) -> list[int]:
    """Both browsers post the same thing in the same moment, as htmx would. What each was answered."""

    def post(requested: tuple[str, dict[str, str], str]) -> int:
        address, cookies, token = requested
        headers = {"HX-Request": "true", "X-CSRFToken": token, "Origin": address.split("/t/")[0]}
        return httpx.post(f"{address}/{path}", data=form, cookies=cookies, headers=headers).status_code

    requested = []
    for page in pages:
        cookies = {one["name"]: one["value"] for one in page.context.cookies()}
        token = page.locator("[name=csrf_token]").first.get_attribute("value") or ""
        requested.append((page.url.split("?")[0], cookies, token))
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(post, requested))


def holder(page: Page) -> str:
    return page.locator("#head [data-command=assign]").get_attribute("aria-label") or ""


def test_of_two_who_take_it_at_once_one_has_it_and_both_pages_say_who(both: tuple[Page, Page]) -> None:
    answers = at_once(both, "assignment", assignee="me", expected="")
    assert sorted(answers) == [200, 409]
    winner = ("Ann", "Ben")[answers.index(200)]
    for page in both:
        expect(page.locator("#head [data-command=assign]")).to_have_attribute(
            "aria-label", f"Assigned to {winner}. Change"
        )
        expect(page.get_by_test_id("take")).to_have_count(0)


def test_who_comes_second_reads_who_was_first(both: tuple[Page, Page]) -> None:
    ann, ben = both
    at_once((ann, ann), "assignment", assignee="")
    # His page hears of nothing from here on.
    ben.route("**/live*", lambda route: route.abort())
    ben.reload()
    for page in both:
        expect(page.get_by_test_id("take")).to_be_visible()
    ann.keyboard.press("Escape")
    ann.keyboard.press("i")
    expect(ann.get_by_text("Assigned to you")).to_be_visible()
    ben.keyboard.press("Escape")
    ben.keyboard.press("i")
    expect(ben.get_by_text("Already assigned to Ann. Nothing was changed.")).to_be_visible()
    assert holder(ben) == holder(ann) == "Assigned to Ann. Change"


def test_one_resolves_while_the_other_writes_and_nothing_is_lost(both: tuple[Page, Page]) -> None:
    ann, ben = both
    ben.get_by_label("Message", exact=True).fill("We are here")
    expect(ann.get_by_text("Ben is typing…")).to_be_visible()
    ann.keyboard.press("Escape")
    ann.keyboard.press("e")
    expect(ben.get_by_test_id("reopen")).to_be_visible()
    expect(ben.get_by_label("Message", exact=True)).to_have_value("We are here")
    ben.get_by_label("Message", exact=True).press("Enter")
    for page in both:
        expect(page.locator("#messages").get_by_text("We are here")).to_have_count(1)
        expect(page.get_by_test_id("reopen")).to_be_visible()
    ben.get_by_test_id("reopen").click()
    expect(ann.get_by_test_id("resolve")).to_be_visible()


def test_both_answer_at_once_and_both_read_both_answers_in_one_order(both: tuple[Page, Page]) -> None:
    for page, words in zip(both, ("Ann says yes", "Ben says yes"), strict=True):
        page.get_by_label("Message", exact=True).fill(words)
    for page in both:
        page.keyboard.press("Enter")
    for page in both:
        for words in ("Ann says yes", "Ben says yes"):
            expect(page.locator("#messages").get_by_text(words)).to_have_count(1)
            expect(page.locator("#messages [data-state=delivered]").last).to_be_visible()
    orders = [page.locator("#messages [data-direction=outbound] .bubble-text").all_inner_texts()[-2:] for page in both]
    assert orders[0] == orders[1]


def test_resolved_and_opened_at_once_both_pages_end_the_same(both: tuple[Page, Page]) -> None:
    for state in ("resolved", "open") * 3:
        assert at_once(both, "state", state=state) == [200, 200]
    for page in both:
        expect(page.get_by_test_id("resolve")).to_be_visible()
