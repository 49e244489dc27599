"""The whole of Switchboard as processes, and a Chromium to walk it with."""

from __future__ import annotations

import os
import pathlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from dev.services import FAST
from dev.stack import Stack

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
# A microphone that hums, and nobody to ask whether it may be used.
ARGUMENTS += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
SECONDS = 15
# Chromium itself reports 4xx answers, which are ours to give, and a line that a test has cut.
NO_COMPLAINT = (
    "the server responded with a status of 4",
    "net::ERR_INTERNET_DISCONNECTED",
    "net::ERR_FAILED",
    "Failed to fetch",
)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="switchboard-browser-", dir="/tmp"))
    folder.chmod(0o755)
    # Each process of the run has a stack of its own, from other ports on.
    place = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    stack = Stack(folder, port=8700 + 50 * place, postgres=FAST, seed="browser")
    try:
        stack.start_services()
        stack.start("simulator", f"{sys.executable} -m simulator --speed 5")
        for name in ("web", "door", "worker", "clock"):
            stack.start(name)
        for url in (f"{stack.web}/healthz", f"{stack.door}/healthz", stack.meta):
            stack.wait_for(url)
        yield stack
    finally:
        stack.stop()
        shutil.rmtree(folder, ignore_errors=True)


def chromium_here() -> str:
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if not program:
        pytest.fail("No Chromium on this machine. Debian/Ubuntu: apt-get install chromium")
    return program


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    program = chromium_here()
    expect.set_options(timeout=SECONDS * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


class Person:
    """Somebody at a screen. Whatever the console complains of fails the test."""

    def __init__(self, chromium: Browser, **screen: Any) -> None:
        self.context: BrowserContext = chromium.new_context(**screen)
        self.context.set_default_timeout(SECONDS * 1000)
        self.complaints: list[str] = []
        self.page: Page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self.hear)

    def hear(self, message: Any) -> None:
        if message.type == "error" and not any(words in message.text for words in NO_COMPLAINT):
            self.complaints.append(message.text)

    def close(self) -> None:
        self.context.close()
        assert self.complaints == []


@pytest.fixture
def agent(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Person]:
    person = Person(chromium, viewport=getattr(request, "param", {"width": 1280, "height": 800}))
    yield person
    person.close()


@pytest.fixture
def customer(chromium: Browser) -> Iterator[Person]:
    person = Person(chromium, viewport={"width": 420, "height": 800})
    yield person
    person.close()
