"""The whole of Switchboard as processes, and a Chromium to walk it with."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from typing import Any, ClassVar

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright
from redis import Redis

from app.tenancy.lanes import WORKERS
from dev.services import FAST
from dev.stack import Stack, given_databases
from tests.databases import another

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
# A microphone that hums, and no one to ask whether it may be used.
ARGUMENTS += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
# As long as a busy machine may need for a dozen calls one after the other.
SECONDS = 30
# Of each log in the report of a failure.
LINES = 30
# Chromium itself reports 4xx answers, which are ours to give, and a line that a test has cut.
NO_COMPLAINT = (
    "the server responded with a status of 4",
    "net::ERR_INTERNET_DISCONNECTED",
    "net::ERR_FAILED",
    "Failed to fetch",
)


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="switchboard-browser-", dir="/tmp"))
    folder.chmod(0o755)
    # Each process of the run has a stack of its own, from other ports on.
    place = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    ours = None if given_databases() else another(request.getfixturevalue("prepared"), f"browser_{place}")
    stack = Stack(folder, port=8700 + 50 * place, postgres=FAST, seed="browser")
    try:
        stack.start_services(ours)
        stack.start("simulator", f"{sys.executable} -m simulator --speed 5")
        for name in ("web", "door", "worker", "clock"):
            stack.start(name)
        for url in (f"{stack.web}/healthz", f"{stack.door}/healthz", stack.meta):
            stack.wait_for(url)
        wait_for_workers(stack)
        yield stack
    finally:
        stack.stop()
        shutil.rmtree(folder, ignore_errors=True)


def wait_for_workers(stack: Stack, seconds: float = 120) -> None:
    """Until each lane has its worker: on a busy machine that is long after the pages answer."""
    end = time.monotonic() + seconds
    with Redis.from_url(stack.env["REDIS_URL"]) as redis:
        while int(redis.scard("rq:workers")) < len(WORKERS):
            stack.check_alive()
            assert time.monotonic() < end, "The workers have not started."
            time.sleep(0.1)


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

    everybody: ClassVar[list[Person]] = []

    def __init__(self, chromium: Browser, **screen: Any) -> None:
        self.everybody.append(self)
        self.context: BrowserContext = chromium.new_context(**screen)
        self.context.set_default_timeout(SECONDS * 1000)
        self.complaints: list[str] = []
        self.page: Page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self.hear)

    def hear(self, message: Any) -> None:
        if message.type == "error" and not any(words in message.text for words in NO_COMPLAINT):
            self.complaints.append(message.text)

    @property
    def sight(self) -> str:
        """What this person sees. One whose browser ended before it had a page sees nothing."""
        if "page" not in vars(self):
            return "no page"
        with contextlib.suppress(Error):
            return f"{self.page.url}\n{self.page.locator('body').aria_snapshot(timeout=2_000)}"
        return f"{self.page.url} does not answer."

    def close(self) -> None:
        self.everybody.remove(self)
        # Where a test failed, answers may still be held back, for which closing would wait for ever.
        self.page.unroute_all(behavior="ignoreErrors")
        self.context.close()
        assert self.complaints == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where a test fails, its report has what everybody saw and the end of each log."""
    report = yield
    if report.failed and report.when != "teardown" and "stack" in item.fixturenames:  # type: ignore[attr-defined]
        report.sections += [(f"screen {place}", one.sight) for place, one in enumerate(Person.everybody, 1)]
        stack = item.funcargs.get("stack")  # type: ignore[attr-defined]
        report.sections += [(part.log.name, tail(part.log)) for part in stack.parts.values()] if stack else []
    return report


def tail(log: pathlib.Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-LINES:])


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
