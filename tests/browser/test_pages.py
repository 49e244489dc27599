"""Every page, as assistive technology and small screens meet it: axe finds nothing serious, nothing overflows."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from dev.stack import ROOT, Stack
from tests.browser.conftest import Person
from tests.browser.steps import begin, connect, write_as_customer

AXE = ROOT / "node_modules/axe-core/axe.min.js"
CONTACTS = ["contacts/", "contacts/new", "contacts/imports", "contacts/tags", "contacts/fields"]
DESK = [
    "inbox/",
    "inbox/?filter=unread",
    "inbox/?view=snoozed",
    "inbox/search?q=blue",
    "inbox/canned-replies",
    "inbox/macros",
    "inbox/shortcuts",
    "inbox/views/new?view=mine",
    "inbox/numbers",
    "inbox/scheduled",
]
SETTINGS = ["settings", "numbers", "onboarding/ways", "team", "team/teams", "hours/", "push/", "keys"]
WELCOME = ["welcome", "welcome/samples/delivery"]
RECORDS = ["appointments", "listings/", "records/", "payments/", "subscriptions/"]
AUTOMATIC = ["automation/", "assistant/", "assistant/knowledge", "whatsapp-flows/", "notifications/", "entry-points/"]
OFFICE = ["templates/", "costs", "webhooks/", "crm/", "closing"]
REPORTS = [
    "reports",
    "reports/agents",
    "reports/surveys",
    "reports/delivery",
    "reports/conversations",
    "reports/messages",
]
PAGES = [
    *DESK,
    *CONTACTS,
    *SETTINGS,
    *WELCOME,
    *RECORDS,
    *AUTOMATIC,
    *OFFICE,
    *REPORTS,
    "account",
    "account/confirmation",
]
OF_A_NUMBER = ["", "/profile", "/links", "/greeting", "/blocked"]
PUBLIC = [
    "",
    "terms",
    "privacy",
    "help/",
    "help/replying",
    "help/links-and-buttons",
    "help/?q=template",
    "sign-in",
    "sign-up",
    "offline",
    "nowhere",
]
PUBLIC += ["forgotten-password", "platform/sign-in"]
PUBLIC += ["developers/", "developers/messages", "developers/conversations", "developers/problems"]
PUBLIC += ["developers/problems/not_found", "developers/changelog"]
SCREENS: list[ViewportSize] = [{"width": 1440, "height": 900}, {"width": 360, "height": 740}]
WIDTHS = (360, 768, 1024)


@pytest.fixture(scope="module")
def cookies(stack: Stack, chromium: Browser) -> Any:
    """A business with a number and a conversation; the cookies of its owner."""
    ann, carla = Person(chromium), Person(chromium)
    begin(ann.page, stack, "Pages")
    connect(ann.page, "Pages")
    write_as_customer(carla.page, stack, "Dora", "Is the *blue* one still there?\nhttps://example.com", "Pages")
    expect(ann.page.get_by_text("It works.")).to_be_visible()
    saved = ann.context.cookies()
    ann.close()
    carla.close()
    return saved


@pytest.mark.parametrize("paths", [PAGES[::2], PAGES[1::2]], ids=["one half", "the other half"])
def test_no_page_has_a_serious_problem_or_scrolls_sideways(
    stack: Stack, chromium: Browser, cookies: Any, paths: list[str]
) -> None:
    """With our policy in force: an inline style or script would be a complaint, which fails the test."""
    person = visitor(chromium, cookies)
    for path in paths:
        person.page.goto(f"{stack.web}/t/pages/{path}")
        look_at(person.page)
    person.close()


def test_no_page_of_a_number_has_a_serious_problem(stack: Stack, chromium: Browser, cookies: Any) -> None:
    person = visitor(chromium, cookies)
    page = person.page
    page.goto(f"{stack.web}/t/pages/numbers")
    number = page.get_by_role("link", name="Profile, health").get_attribute("href")
    for path in OF_A_NUMBER:
        page.goto(f"{stack.web}{number}{path}")
        look_at(page)
    page.goto(f"{stack.web}/t/pages/numbers")
    page.get_by_role("button", name="Connect WhatsApp").first.click()
    page.wait_for_url("**/onboarding/**")
    look_at(page)
    person.close()


def test_no_public_page_has_a_serious_problem_or_scrolls_sideways(stack: Stack, chromium: Browser) -> None:
    person = visitor(chromium, [])
    for path in PUBLIC:
        person.page.goto(f"{stack.web}/{path}")
        look_at(person.page)
    person.close()


@pytest.mark.parametrize("screen", SCREENS, ids=["wide", "phone"])
def test_nothing_that_opens_in_a_conversation_has_a_serious_problem(
    stack: Stack, chromium: Browser, cookies: Any, screen: ViewportSize
) -> None:
    person = visitor(chromium, cookies, screen)
    page = person.page
    page.goto(f"{stack.web}/t/pages/inbox/")
    page.get_by_role("link", name="Dora").click()
    expect(page.get_by_test_id("bubble").first).to_be_visible()
    inspect(page)
    look_into_the_composer(page)
    for opened in ("snooze", "more", "assignment"):
        # On a phone the others are in the menu “More”.
        button = page.locator(f"[popovertarget={opened}]:visible")
        if not button.count():
            page.locator("[popovertarget=more]").click()
        button.click()
        inspect(page)
        # Once more would leave the conversation.
        while page.locator(":popover-open").count():
            page.keyboard.press("Escape")
    for key in ("?", "Control+k"):
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press(key)
        inspect(page)
        page.keyboard.press("Escape")
    page.evaluate(LONG_CHIP)
    fits(page)
    person.close()


def visitor(chromium: Browser, cookies: Any, screen: ViewportSize = SCREENS[0]) -> Person:
    """Somebody who has axe on every page, by day."""
    person = Person(chromium, viewport=screen, color_scheme="light", service_workers="block")
    person.context.add_init_script(path=AXE)
    person.context.add_cookies(cookies)
    return person


def look_at(page: Page) -> None:
    """At a page as it was loaded on a wide screen, and then on every other."""
    for screen in SCREENS:
        page.set_viewport_size(screen)
        inspect(page)
    fits(page)
    page.set_viewport_size(SCREENS[0])


# As for a customer who came by an advertisement, in a language of long words.
LONG_CHIP = """() => document.querySelector("#window").insertAdjacentHTML("beforeend",
    '<span class="chip chip-blue">Reply now for seventy-two hours without any charge for what you send</span>')"""
# What is chosen in a list must not run under its arrow.
FAULTS = """(direction) => {
    document.documentElement.dir = direction
    const canvas = document.createElement("canvas").getContext("2d")
    const isCut = (list) => {
        const style = getComputedStyle(list)
        canvas.font = style.font
        const room = list.clientWidth - parseFloat(style.paddingInlineStart) - parseFloat(style.paddingInlineEnd)
        return canvas.measureText(list.selectedOptions[0].textContent.trim()).width > room + 1
    }
    const seen = (what) => [...document.querySelectorAll(what)].filter((one) => one.checkVisibility())
    return {
        sideways: document.documentElement.scrollWidth > innerWidth,
        nameless: seen("button, a[href], summary")
            .filter((one) => !one.innerText.trim() && !one.ariaLabel && !one.querySelector("[aria-label], .sr-only"))
            .map((one) => one.outerHTML),
        cut: seen("select:not([multiple])")
            .filter((list) => list.selectedOptions.length && isCut(list))
            .map((list) => list.outerHTML.slice(0, 200)),
    }
}"""


def fits(page: Page) -> None:
    """On no screen it scrolls sideways, cuts what is chosen in a list, or has a button or link that says nothing to
    whoever does not see the icon."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 740})
        for direction in ("rtl", "ltr"):
            where = f"{page.url} at {width}, {direction}"
            assert page.evaluate(FAULTS, direction) == {"sideways": False, "nameless": [], "cut": []}, where


def test_a_checkbox_is_not_taken_for_a_radio_button(stack: Stack, chromium: Browser, cookies: Any) -> None:
    person = Person(chromium)
    person.context.add_cookies(cookies)
    for path in ("inbox/macros", "inbox/", "hours/", "team/teams", "push/", "contacts/"):
        person.page.goto(f"{stack.web}/t/pages/{path}")
        assert person.page.evaluate(ROUND) == [], path
    person.close()


# A switch is round on purpose.
ROUND = """() => [...document.querySelectorAll("input[type=checkbox]:not(.toggle)")]
    .filter((one) => one.offsetWidth > 0 && parseFloat(getComputedStyle(one).borderRadius) > one.offsetWidth / 3)
    .map((one) => one.outerHTML)"""


def test_a_phone_shows_an_open_conversation_alone(stack: Stack, chromium: Browser, cookies: Any) -> None:
    person = Person(chromium, viewport={"width": 360, "height": 740})
    person.context.add_cookies(cookies)
    page = person.page
    page.goto(f"{stack.web}/t/pages/inbox/")
    expect(page.get_by_role("navigation", name="Places")).to_be_visible()
    page.get_by_role("link", name="Dora").click()
    expect(page.get_by_test_id("bubble").first).to_be_visible()
    expect(page.get_by_role("navigation", name="Places")).to_be_hidden()
    person.close()


def test_a_macro_is_chosen_beside_the_composer(stack: Stack, chromium: Browser, cookies: Any) -> None:
    person = Person(chromium, viewport={"width": 1440, "height": 900})
    person.context.add_cookies(cookies)
    page = person.page
    page.goto(f"{stack.web}/t/pages/inbox/")
    page.get_by_role("link", name="Dora").click()
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("m")
    expect(page.locator("#macros .menu-item").first).to_be_focused()
    menu, composer = page.locator("#macros").bounding_box(), page.locator("#composer").bounding_box()
    assert menu and composer and abs(menu["y"] + menu["height"] - composer["y"]) < 40
    assert menu["x"] >= composer["x"] - 10
    person.close()


def test_a_message_is_copied(stack: Stack, chromium: Browser, cookies: Any) -> None:
    person = Person(
        chromium, viewport={"width": 1440, "height": 900}, permissions=["clipboard-read", "clipboard-write"]
    )
    person.context.add_cookies(cookies)
    page = person.page
    page.goto(f"{stack.web}/t/pages/inbox/")
    page.get_by_role("link", name="Dora").click()
    page.get_by_test_id("bubble").first.get_by_label("Message actions").click()
    page.get_by_role("button", name="Copy text").click()
    assert "blue one" in str(page.evaluate("navigator.clipboard.readText()"))
    person.close()


def look_into_the_composer(page: Page) -> None:
    """The menu, the form with the most fields, and what can be done with a message."""
    page.get_by_test_id("attach").click()
    inspect(page)
    page.locator("#attach-menu").get_by_text("List", exact=True).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    inspect(page)
    page.get_by_role("link", name="Cancel").click()
    page.get_by_test_id("bubble").first.get_by_label("Message actions").click()
    expect(page.locator("#message-actions").get_by_text("Reply")).to_be_visible()
    inspect(page)
    page.keyboard.press("Escape")


def inspect(page: Page) -> None:
    """By day with all rules. By night only the colours are others, on all screens alike: on the phone they are seen."""
    refuse_serious(page, {})
    if page.viewport_size == SCREENS[1]:
        page.emulate_media(color_scheme="dark")
        refuse_serious(page, {"runOnly": ["color-contrast"]})
        page.emulate_media(color_scheme="light")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{page.url} overflows"


# Colours that are on their way to others are there at once.
VIOLATIONS = """async (options) => {
    const moving = () => document.getAnimations().filter((one) => one instanceof CSSTransition)
    for (let some = moving(); some.length; some = moving()) some.forEach((one) => one.finish())
    return (await axe.run({resultTypes: ['violations'], ...options})).violations
}"""


def refuse_serious(page: Page, options: dict[str, Any]) -> None:
    results = page.evaluate(VIOLATIONS, options)
    serious = [
        f"{problem['id']}: {problem['nodes'][0]['html'][:200]} {problem['nodes'][0].get('failureSummary', '')[:200]}"
        for problem in results
        if problem["impact"] in ("serious", "critical")
    ]
    assert serious == [], page.url
