"""What people do on the road, for several tests."""

from __future__ import annotations

import contextlib
import functools
import itertools
import re
import time
from email import message_from_bytes, policy

from flask import Flask
from playwright.sync_api import Error, Locator, Page, expect

from app import create_app
from app.config import Settings
from dev.stack import Stack

numbers = itertools.count(100)
SECONDS = 20


def wait_until(page: Page, expression: str) -> None:
    """Until this holds in the page. Playwright's own waiting evaluates in the page, which our policy forbids; a promise
    awaited there might never end."""
    end = time.monotonic() + SECONDS
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"never true: {expression}"
        page.wait_for_timeout(50)


PASSWORD = "a long walk on the beach"


def sign_up(page: Page, stack: Stack, business: str) -> None:
    """The whole way: an address, the link in the mail, the business."""
    email = owner_of(business)
    page.goto(f"{stack.web}/sign-up")
    page.get_by_label("Email").fill(email)
    page.get_by_role("button", name="Send link").click()
    expect(page.get_by_role("heading", name="Check your email")).to_be_visible()
    page.goto(link_mailed_to(email, stack))
    page.get_by_label("Your business").fill(business)
    page.get_by_label("Your name").fill("Ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create business").click()
    page.wait_for_url("**/t/**")


def begin(page: Page, stack: Stack, business: str) -> None:
    """A business made by the command line, whose owner signs in: a network may not sign up as often as tests do."""
    email, slug = owner_of(business), slug_of(business)
    owner = ["--owner-email", email, "--owner-name", "Ann", "--password", PASSWORD]
    command(stack, "tenants", "create", "--name", business, "--slug", slug, *owner)
    page.goto(f"{stack.web}/sign-in")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/t/**")


def command(stack: Stack, *words: str) -> None:
    done = app_of(stack).test_cli_runner().invoke(args=words)
    assert done.exit_code == 0, done.output


@functools.cache
def app_of(stack: Stack) -> Flask:
    """The app in this process, for its command line: starting it takes two seconds each time."""
    return create_app(Settings.from_environment(stack.env))


def owner_of(business: str) -> str:
    return f"ann@{slug_of(business)}.example.com"


def slug_of(business: str) -> str:
    return business.lower().replace(" ", "-")


def go_to(page: Page, place: str) -> None:
    """By the rail; on a phone most of its places are under More."""
    if (more := page.get_by_role("button", name="More", exact=True)).is_visible():
        more.click()
    page.get_by_role("link", name=place, exact=True).click()


def connect(page: Page, business: str, number: str = "") -> None:
    go_to(page, "Numbers")
    page.get_by_role("button", name="Connect WhatsApp").first.click()
    page.wait_for_url("**/onboarding/**")
    wait_until(page, "window.FB !== undefined")
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Continue with Facebook").click()
    walk_dialog(opened.value, business, number or new_number())
    expect(page.get_by_text("Connected. Now see it work.")).to_be_visible()


def new_number() -> str:
    """All tests of a process share a simulator, in which a number belongs to whoever came first."""
    return f"6505550{next(numbers)}"


def walk_dialog(popup: Page, business: str, number: str) -> None:
    """Embedded Signup's screens: who, permission, portfolio, profile, number, code, review, done."""
    proceed(popup, popup.get_by_test_id("persona-new"))
    onward, finish = popup.get_by_test_id("dialog-continue"), popup.get_by_test_id("dialog-finish")
    for _ in range(10):
        expect(onward.or_(finish)).to_be_visible()
        popup.wait_for_load_state()
        if finish.is_visible():
            with contextlib.suppress(Error):  # the window may be gone before the click is answered
                finish.click()
            return
        for label, value in (("Business name", business), ("Display name", business), ("Phone number", number)):
            if (field := popup.get_by_label(label, exact=True)).count():
                field.fill(value)
        proceed(popup, onward)
    raise AssertionError("the dialog has no end")


def proceed(popup: Page, button: Locator) -> None:
    """The next screen is there afterwards: while its answer is slow, the last one still looks like a next one."""
    with popup.expect_navigation():
        button.click()


def write_as_customer(page: Page, stack: Stack, name: str, text: str, business: str) -> None:
    page.goto(f"{stack.meta}/phone")
    page.get_by_test_id("phone-new-customer").click()
    page.get_by_test_id("phone-new-name").fill(name)
    page.get_by_test_id("phone-new-number").fill(new_number())
    page.get_by_test_id("phone-new-save").click()
    expect(page.get_by_test_id("phone-customer-name")).to_have_text(name)
    page.get_by_test_id("phone-business").filter(has_text=business).click()
    page.wait_for_load_state()
    page.get_by_test_id("phone-compose").fill(text)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("phone-bubble").first).to_be_visible()


def join(page: Page, stack: Stack, owner: Page, slug: str, email: str) -> None:
    """A colleague is invited by the owner, finds the link in the mail, and comes in."""
    owner.goto(f"{stack.web}/t/{slug}/team")
    owner.get_by_label("Email addresses").fill(email)
    owner.get_by_role("button", name="Invite").click()
    page.goto(link_mailed_to(email, stack))
    page.get_by_label("Your name").fill(email.partition("@")[0].title())
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Join").click()
    page.wait_for_url("**/inbox/")


def link_mailed_to(email: str, stack: Stack) -> str:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        for file in (stack.folder / "mail").glob("*.eml"):
            mail = message_from_bytes(file.read_bytes(), policy=policy.default)
            if mail["To"] == email and (results := re.search(r"https?://\S+", mail.get_content())):
                return results[0]
        time.sleep(0.1)
    raise AssertionError(f"no mail to {email}")
