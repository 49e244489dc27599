"""An agent's day in Chromium, by keyboard: what each step takes until it is seen, and the keys it needs.

The steps and their targets are those of `TARGETS`. A person's thinking and typing is not in them.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
from playwright.sync_api import Browser, Page, expect, sync_playwright

from bench.report import percentile, table
from dev.stack import Stack
from tests.browser.conftest import ARGUMENTS, chromium_here
from tests.browser.steps import connect, join, sign_up

CUSTOMERS = 14
# Looked at with every frame: Playwright's own `expect` looks after 100, 350, 850 and 1,850 ms.
UNTIL = """([selector, text]) => new Promise((seen, fail) => {
    const end = performance.now() + 20000
    const holds = (one) => one.checkVisibility() && (text === null || one.textContent.trim() === text)
    const look = () => {
        if ([...document.querySelectorAll(selector)].some(holds)) seen()
        else if (performance.now() > end) fail(new Error(`not seen: ${selector} ${text}`))
        else requestAnimationFrame(look)
    }
    look()
})"""
# Milliseconds until the step is seen; which keys.
TARGETS = {
    "open the app": ("", 1000),
    "open the next conversation": ("j", 1000),
    "canned reply found": ("/ h o", 300),
    "its words sent": ("Enter Enter", 300),
    "a colleague sees them": ("", 1000),
    "write a note": ("n … Enter", 1000),
    "take it": ("i", 1000),
    "tag": ("l … Enter", 1000),
    "snooze": ("s Enter", 1000),
    "undo": ("z", 1000),
    "resolve and go on": ("Shift+E", 1000),
    "find an old message": ("/ …", 600),
    "jump to it": ("", 1000),
}


def run(stack: Stack) -> None:
    for name in ("simulator", "web", "door", "worker", "clock"):
        stack.start(name, "python -m simulator --speed 5" if name == "simulator" else "")
    stack.wait_for(f"{stack.web}/healthz")
    stack.wait_for(stack.meta)
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_here(), args=ARGUMENTS)
        times = Day(stack, browser).walk()
        browser.close()
    for name in ("clock", "worker", "door", "web", "simulator"):
        stack.parts.pop(name).stop()
    rows = []
    for step, (keys, target) in TARGETS.items():
        seconds = times[step]
        p50, p95 = (percentile(seconds, share) * 1000 for share in (0.5, 0.95))
        rows.append([step, keys, f"{p50:.0f} / {p95:.0f}", str(target), "met" if p95 <= target else "MISSED"])
    table("An agent's day by keyboard", ["", "keys", "p50 / p95 ms", "target ms", ""], rows)


def see(page: Page, selector: str, text: str | None = None) -> None:
    """Waits until one of these is visible, with exactly this text."""
    page.evaluate(UNTIL, [selector, text])


class Day:
    def __init__(self, stack: Stack, browser: Browser) -> None:
        self.stack, self.times = stack, defaultdict[str, list[float]](list)
        self.page, self.colleague = browser.new_page(), browser.new_context().new_page()
        self.base = f"{stack.web}/t/day/inbox"
        sign_up(self.page, stack, "Day")
        connect(self.page, "Day", "6505550133")
        join(self.colleague, stack, self.page, "day", "ben@day.example.com")
        self.insert_canned_reply()
        self.customers_write()

    def insert_canned_reply(self) -> None:
        self.page.goto(f"{self.base}/canned-replies")
        self.page.get_by_label("Shortcut", exact=True).fill("hours")
        self.page.get_by_label("Reply", exact=True).fill("We are open until six, {{first_name}}.")
        self.page.get_by_role("button", name="Save").click()

    def customers_write(self) -> None:
        control = httpx.Client(base_url=f"{self.stack.meta}/control/api", trust_env=False)
        number = next(
            one["id"] for one in control.get("/state").json()["phone_numbers"] if one["digits"] == "16505550133"
        )
        for n in range(CUSTOMERS):
            sender = {"phone_number_id": number, "from": f"49151000000{n:02}", "name": f"Customer {n:02}"}
            control.post(
                "/inbound", json=sender | {"text": f"Is order {n:02} ready, with the zebra cake?"}
            ).raise_for_status()
        self.page.goto(f"{self.base}/?view=all")
        expect(self.page.locator("[data-conversation]")).to_have_count(CUSTOMERS)

    @contextmanager
    def measure(self, step: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.times[step].append(time.perf_counter() - started)

    def walk(self) -> dict[str, list[float]]:
        for _ in range(5):
            with self.measure("open the app"):
                self.page.goto(f"{self.base}/?view=all")
                expect(self.page.locator("[data-conversation]").first).to_be_visible()
        for n in range(CUSTOMERS - 2):
            self.one_conversation(n)
        for n in range(5):
            self.search(n)
        return self.times

    def one_conversation(self, n: int) -> None:
        page, press = self.page, self.page.keyboard.press
        if n == 0:
            with self.measure("open the next conversation"):
                press("j")
                see(page, "[data-testid=bubble]")
        page.wait_for_url(re.compile(r"/inbox/[0-9a-f-]{36}"))
        self.colleague.goto(page.url)
        expect(self.colleague.locator("body")).to_have_attribute("data-live-state", "open")
        field = page.get_by_label("Message", exact=True)
        field.focus()
        self.answer(field.press)
        self.commands(press)

    def answer(self, press: Callable[[str], None]) -> None:
        page = self.page
        press("/")
        press("h")
        with self.measure("canned reply found"):
            press("o")
            see(page, "#suggestions [role=option]")
        press("Enter")
        with self.measure("a colleague sees them"):
            with self.measure("its words sent"):
                press("Enter")
                see(page, "#messages .bubble-ours")
            see(self.colleague, "#messages .bubble-ours")

    def commands(self, press: Callable[[str], None]) -> None:
        page = self.page
        press("Escape")
        press("n")
        page.keyboard.type("Ask the baker")
        with self.measure("write a note"):
            press("Enter")
            see(page, "[data-testid=note]")
        expect(page.get_by_label("Message", exact=True)).to_be_focused()
        press("Escape")
        with self.measure("take it"):
            press("i")
            see(page, "#head:not(:has([data-testid=take]))")
        press("l")
        page.keyboard.type("vip")
        with self.measure("tag"):
            press("Enter")
            see(page, "#details *", "vip")
        press("Escape")
        with self.measure("snooze"):
            press("s")
            see(page, "#snooze .menu-item:focus")
            press("Enter")
            see(page, "#toasts *", "Snoozed")
        with self.measure("undo"):
            press("z")
            see(page, "#head [data-command=snooze]")
        shown = page.url.rpartition("/")[2].partition("?")[0]
        with self.measure("resolve and go on"):
            press("Shift+E")
            see(page, f"#head:not([data-head='{shown}']) ~ * [data-testid=bubble]")

    def search(self, n: int) -> None:
        page = self.page
        page.goto(f"{self.base}/?view=all")
        page.keyboard.press("/")
        page.wait_for_url("**/search")
        page.keyboard.type(f"zebra {n:02}"[:-1])
        with self.measure("find an old message"):
            page.keyboard.type(f"{n:02}"[-1])
            see(page, ".hit mark")
        with self.measure("jump to it"):
            page.locator(".hit").filter(has=page.locator("mark")).first.click()
            expect(page.locator(".bubble.here")).to_be_visible()
