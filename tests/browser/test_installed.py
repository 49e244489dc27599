"""What Chromium makes of Switchboard as an app: it may be installed, it has a page offline, it shows what is pushed."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from dev.stack import Stack
from tests.browser.conftest import Person
from tests.browser.steps import begin, command, wait_until
from tests.posts import message, post, signed

WABA, NUMBER = "302290129340398", "306540352242922"


@pytest.fixture(scope="module")
def business(stack: Stack, chromium: Browser) -> tuple[str, Any]:
    """A business with a number: the words of its address, and its owner's cookies."""
    slug = f"installed-{uuid.uuid4().hex[:4]}"
    ann = Person(chromium)
    begin(ann.page, stack, slug.title().replace("-", " "))
    cookies = ann.context.cookies()
    ann.close()
    account = ("--waba-id", WABA, "--phone-number-id", NUMBER, "--display-number", "+1 555 078 3882", "--token", "EAA")
    command(stack, "numbers", "connect", "--tenant", slug, *account, "--without-meta")
    return slug, cookies


def customer_writes(stack: Stack, name: str) -> None:
    body = post(message("Hello", number=NUMBER, wa_id="16505559876", name=name), waba=WABA)
    headers = signed(body, stack.env["META_APP_SECRETS"].split(",")[0])
    assert httpx.post(f"{stack.web}/webhooks/whatsapp", content=body, headers=headers).status_code == 200


@pytest.fixture
def ann(stack: Stack, chromium: Browser, business: tuple[str, Any]) -> Iterator[Person]:
    person = Person(chromium)
    person.context.add_cookies(business[1])
    person.context.grant_permissions(["notifications"], origin=stack.web)
    yield person
    person.context.set_offline(False)
    person.close()


def at(stack: Stack, business: tuple[str, Any], path: str) -> str:
    return f"{stack.web}/t/{business[0]}/{path}"


CONTROLLED = "Boolean(navigator.serviceWorker.controller)"


SHOWN = """() => Promise.race([
    navigator.serviceWorker.ready.then((worker) => worker.getNotifications())
        .then((all) => all.map((one) => [one.title, one.body, one.tag])),
    new Promise((done) => setTimeout(done, 2000, [])),
])"""


def deliver(page: Page, cdp: CDPSession, origin: str, words: dict[str, Any]) -> None:
    """A push as Chromium's service would bring it, to each worker of this site that Chromium knows."""
    results: set[str] = set()
    cdp.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: results.update(
            each["registrationId"] for each in event["registrations"] if not each["isDeleted"]
        ),
    )
    cdp.send("ServiceWorker.enable")
    page.wait_for_timeout(300)
    for worker in results:
        push = {"origin": origin, "registrationId": worker, "data": json.dumps(words)}
        cdp.send("ServiceWorker.deliverPushMessage", push)
    cdp.send("ServiceWorker.disable")


def test_chromium_finds_nothing_that_forbids_to_install_it(stack: Stack, ann: Person, business: Any) -> None:
    ann.page.goto(at(stack, business, "inbox/"))
    wait_until(ann.page, CONTROLLED)
    cdp = ann.context.new_cdp_session(ann.page)
    shown = cdp.send("Page.getAppManifest")
    assert shown["errors"] == [] and json.loads(shown["data"])["name"] == "Switchboard"
    errors = [error["errorId"] for error in cdp.send("Page.getInstallabilityErrors")["installabilityErrors"]]
    assert [error for error in errors if error != "in-incognito"] == []


def test_without_a_connection_there_is_a_page_of_ours_and_no_old_data(stack: Stack, ann: Person, business: Any) -> None:
    ann.page.goto(at(stack, business, "inbox/"))
    wait_until(ann.page, CONTROLLED)
    saved = ann.page.evaluate(
        "async () => (await Promise.all((await caches.keys()).map(async n => (await (await caches.open(n)).keys())"
        ".map(r => new URL(r.url).pathname)))).flat()"
    )
    assert "/offline" in saved and [path for path in saved if not path.startswith(("/offline", "/static/dist/"))] == []
    ann.context.set_offline(True)
    ann.page.goto(at(stack, business, "team"))
    expect(ann.page.get_by_role("heading", name="No connection")).to_be_visible()


def test_what_is_pushed_is_shown_and_the_newer_replaces_it(stack: Stack, ann: Person, business: Any) -> None:
    page = ann.page
    page.goto(at(stack, business, "inbox/"))
    wait_until(page, CONTROLLED)
    cdp = ann.context.new_cdp_session(page)
    url = at(stack, business, "inbox/1").removeprefix(stack.web)
    words = {"title": "Carla", "body": "Two rye loaves", "tag": "1", "url": url}
    shown: list[Any] = []
    for _ in range(20):
        deliver(page, cdp, stack.web, words)
        deliver(page, cdp, stack.web, words | {"body": "And a cake"})
        if shown := page.evaluate(SHOWN):
            break
    assert shown == [["Carla", "And a cake", "1"]]


# A Chromium of the tests has no push service behind it: this one answers in its place.
PUSH_SERVICE = """
const keys = {p256dh: %r, auth: %r}
let subscription = null
PushManager.prototype.getSubscription = async () => subscription
PushManager.prototype.subscribe = async ({applicationServerKey}) => subscription = {
    options: {applicationServerKey}, unsubscribe: async () => { subscription = null },
    toJSON: () => ({endpoint: "https://push.example/installed", keys}),
}
"""
KEYS = (
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "BTBZMqHH6r4Tts7J_aSIgg",
)


def test_a_browser_is_turned_on_stays_on_and_stays_off_once_it_is_removed(
    stack: Stack, ann: Person, business: Any
) -> None:
    page = ann.page
    page.add_init_script(PUSH_SERVICE % KEYS)
    page.goto(at(stack, business, "push/"))
    page.get_by_role("button", name="Turn on in this browser").click()
    expect(page.get_by_text("Notifications are on in this browser.")).to_be_visible(timeout=15_000)
    expect(page.get_by_text("This browser", exact=True)).to_be_visible(timeout=15_000)
    page.reload()
    expect(page.get_by_text("Notifications are on in this browser.")).to_be_visible(timeout=15_000)
    page.locator("summary").filter(has_text="Remove").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("button", name="Turn on in this browser")).to_be_visible(timeout=15_000)
    expect(page.get_by_role("heading", name="Your browsers")).to_have_count(0)


def test_the_title_counts_what_is_new_and_a_sound_is_played(stack: Stack, ann: Person, business: Any) -> None:
    page = ann.page
    page.goto(at(stack, business, "team"))
    page.get_by_role("heading", name="Team").click()
    page.evaluate("document.body.addEventListener('chime', () => { document.body.dataset.chimed = 'yes' })")
    expect(page.locator("body")).to_have_attribute("data-live-state", "open")
    customer_writes(stack, "Emil")
    expect(page).to_have_title(re.compile(r"^\(1\) Team"), timeout=20_000)
    expect(page.locator("body[data-chimed]")).to_be_attached(timeout=15_000)
    page.goto(at(stack, business, "inbox/"))
    page.get_by_role("link", name="Emil").click()
    expect(page).to_have_title(re.compile("^Emil"), timeout=20_000)


def test_a_members_own_link_is_followed_as_by_anybody(ann: Person, stack: Stack, business: tuple[str, Any]) -> None:
    """What the worker fetched would look like a program, which gets no reference of its own."""
    ann.page.goto(at(stack, business, "inbox/"))
    wait_until(ann.page, CONTROLLED)
    page, link = (ann.page.goto(address) for address in (at(stack, business, "inbox/"), f"{stack.web}/c/nowhere"))
    assert page and link and (page.from_service_worker, link.from_service_worker) == (True, False)
