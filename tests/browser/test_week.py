"""The heart of a week: people are imported, a message goes later, a colleague takes over, the day is closed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from dev.stack import Stack
from tests.browser.conftest import Person
from tests.browser.steps import begin, connect, join, write_as_customer

NAMES = ("Käthe Groß", "Björn Weiß")
FILE = "Kundenname;Handynummer;Schlagworte\r\n" + "\r\n".join(
    f"Jürgen Müller {place};0151 234567{place:02};Stammkunde" for place in range(21)
)


@pytest.fixture
def agents(stack: Stack, chromium: Browser) -> Iterator[tuple[Page, Page]]:
    """The owner, and an agent in another time zone with a phone."""
    lena = Person(chromium, viewport={"width": 1440, "height": 900}, timezone_id="Africa/Lagos")
    screen: dict[str, Any] = {"viewport": {"width": 360, "height": 780}, "timezone_id": "Asia/Dubai"}
    amira = Person(chromium, **screen, locale="en-AE", color_scheme="dark")
    begin(lena.page, stack, "Week")
    connect(lena.page, "Week", "+49 30 901820")
    join(amira.page, stack, lena.page, "week", "amira@week.example.com")
    yield lena.page, amira.page
    lena.close()
    amira.close()


def test_a_week(stack: Stack, agents: tuple[Page, Page], customer: Person) -> None:
    lena, amira = agents
    soon = dt.date.today() + dt.timedelta(days=30)
    for name in NAMES:
        write_as_customer(customer.page, stack, name, "Guten Tag", "Week")

    lena.goto(f"{stack.web}/t/week/contacts/imports")
    file = {"name": "kunden.csv", "mimeType": "text/csv", "buffer": FILE.encode("cp1252")}
    lena.locator("[type=file]").set_input_files(file)  # type: ignore[arg-type]
    lena.get_by_role("button", name="Upload and check").click()
    lena.get_by_role("button", name="Import 21 contacts").click()
    expect(lena.get_by_text("21 contacts added")).to_be_visible()

    lena.goto(f"{stack.web}/t/week/inbox/?view=all")
    lena.keyboard.press("c")
    lena.get_by_label("To").press_sequentially("muller")
    expect(lena.get_by_text("There are more.")).to_be_visible()

    lena.goto(f"{stack.web}/t/week/inbox/?view=all")
    lena.locator("a.row").filter(has_text=NAMES[0]).click()
    box = lena.get_by_label("Message", exact=True)
    expect(box).to_be_focused()
    box.fill("Morgen früh")
    lena.get_by_role("button", name="Attach").click()
    lena.get_by_text("Send later").click()
    sheet = lena.locator("#compose")
    expect(sheet.get_by_role("textbox").first).to_have_value("Morgen früh")
    sheet.locator("[type=datetime-local]").fill(f"{soon}T09:00")
    sheet.get_by_role("button", name="Schedule").click()
    expect(lena.get_by_text(re.compile("Scheduled for .*, 09:00"))).to_be_visible()

    lena.locator("#head [data-command=assign]").first.click()
    expect(lena.locator("#assignment .menu-item").first).to_be_focused()
    lena.keyboard.type("Amira")
    lena.keyboard.press("Enter")
    expect(lena.locator("#head [data-command=assign]").first).to_have_attribute("aria-label", re.compile("Amira"))

    amira.goto(f"{stack.web}/t/week/inbox/?view=mine")
    amira.locator("a.row").filter(has_text=NAMES[0]).click()
    expect(amira.get_by_text(re.compile("Scheduled for .*, 12:00"))).to_be_visible()
    amira.get_by_label("Message", exact=True).fill("Gern!")
    amira.get_by_role("button", name="Send", exact=True).click()
    expect(amira.get_by_test_id("bubble").filter(has_text="Gern!")).to_be_visible()
    assert amira.evaluate("document.documentElement.scrollWidth <= innerWidth")

    lena.goto(f"{stack.web}/t/week/inbox/?view=all")
    lena.locator("[data-pick]").first.check(force=True)
    lena.get_by_label("Select all in the list").check()
    lena.locator("#bulk").get_by_label("Resolve").click()
    expect(lena.get_by_text("All done")).to_be_visible()
