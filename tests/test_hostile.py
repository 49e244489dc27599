"""No request costs more than it may, whatever somebody has put into texts, cards, lists, names and searches.

Counted in the process's own CPU time, best of a few, by a clock that runs as fast as the machine does.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select

from app.inbox.conversations import Conversation, Message
from app.inbox.desk.notes import Note
from app.tenancy import db, platform_scope, tenant_scope
from app.webhook_events.models import HeldChange, WebhookEvent
from tests.client import FRAGMENT, Browser, isolated
from tests.cpu import Meter
from tests.hostile import Hostile
from tests.test_isolation import WORDS, Foreign
from tests.world import World

BYTES = 1_000_000
SEARCHES = (
    "a",
    "apple",
    "*",
    "n",
    "1",
    "https",
    "\u0627",
    "\u738b",
    "a b c d e f g h i j",
    "x" * 3000,
    "\u00e9 " * 200,
)
EARLIEST, LATEST = ("0-00000000-0000-0000-0000-000000000000", "9999999999999999-00000000-0000-0000-0000-000000000000")


@pytest.fixture
def hostile(world: World, superuser_url: str) -> Hostile:
    filled = Hostile(world, Foreign.create(world).ids).fill()
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        # As autovacuum does, which is off here: tables that seem empty are read without their indexes.
        connection.execute("analyze")
    return filled


@pytest.fixture
def sue(app: Flask, world: World) -> Browser:
    """The owner of Shoes at home."""
    return Browser(app, tenant="shoes").signed_in_as(world.sue).confirmed()


def pages_of(app: Flask, hostile: Hostile) -> Iterator[str]:
    """Every page of the tenant, the ways to ask for parts of them, and each of its messages as a whole."""
    with tenant_scope(hostile.world.shoes.id):
        contact = str(Conversation.get_or_404(hostile.conversation_id).contact_id)
        messages = [str(id) for id in db.session.scalars(select(Message.id))]
        notes = [str(id) for id in db.session.scalars(select(Note.id))]
    ids = WORDS | hostile.ids | {"conversation_id": str(hostile.conversation_id), "contact_id": contact}
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if "tenant_slug" in rule.arguments and "GET" in (rule.methods or ()) and not rule.rule.endswith("/live"):
            values = {name: ids[name] for name in rule.arguments - {"tenant_slug"}}
            yield adapter.build(rule.endpoint, {"tenant_slug": "shoes"} | values, force_external=False)
    thread = f"/t/shoes/inbox/{hostile.conversation_id}"
    yield from (f"{thread}/messages?{way}" for way in (f"from={EARLIEST}", f"before={LATEST}", f"after={EARLIEST}"))
    yield from (f"{thread}/messages?at={id}" for id in messages[::10])
    yield from (f"{thread}/messages/{id}" for id in messages)
    yield from (f"{thread}/notes/{id}" for id in notes[::5])
    yield from (f"/t/shoes/stories/{id}" for id in messages[::5])
    yield from (f"/t/shoes/contacts/{contact}/parts/{part}" for part in ("tags", "fields", "notes", "links", "consent"))
    yield from (f"/t/shoes/templates/{id}/draft" for id in hostile.template_ids)
    for id in hostile.template_ids[::4]:
        yield from (f"/t/shoes/templates/{id}{part}" for part in ("", "/versions", "/history", "/removal"))
        yield f"/t/shoes/templates/new?copy={id}&language=ar"
    yield from ("/t/shoes/templates/?q=hostile", "/t/shoes/templates/?page=2", "/t/shoes/templates/reviews")
    for words in map(quote, SEARCHES):
        yield from (f"/t/shoes/{path}?q={words}" for path in ("inbox/search", "inbox/palette", "contacts/", "stories"))
        yield f"{thread}/canned-replies?q={words}"


def console_pages(world: World) -> Iterator[str]:
    with platform_scope("tests"):
        posts = [str(id) for id in db.session.scalars(select(WebhookEvent.id))]
        held = [str(id) for id in db.session.scalars(select(HeldChange.id))]
    yield from (
        "/platform/",
        "/platform/posts",
        "/platform/posts?q=wamid",
        "/platform/held-changes",
        "/platform/tenants",
    )
    yield from (f"/platform/tenants/{world.shoes.id}", "/platform/failures", "/platform/messages?q=16505550001")
    yield from (f"/platform/posts/{id}" for id in posts[::3])
    yield from (f"/platform/held-changes/{id}" for id in held)


def dear(browser: Browser, paths: Iterator[str]) -> list[str]:
    """Those that cost too much, with what they cost."""
    meter, results = Meter(), []
    for path in paths:
        for headers in ({}, FRAGMENT):
            size = 0

            def request(path: str = path, headers: dict[str, str] = headers) -> None:
                nonlocal size
                response = isolated(browser.client.get, path, headers=headers)
                size = len(response.get_data())
                response.close()
                assert response.status_code < 500, path

            seconds = meter.seconds(request)
            if seconds > meter.most or size > BYTES:
                results.append(f"{path[:100]}: {seconds * 1000:.0f} ms, {size:,} bytes")
    return results


def test_no_page_of_a_hostile_tenant_costs_more_than_it_may(
    app: Flask, world: World, hostile: Hostile, sue: Browser, pat: Browser
) -> None:
    assert dear(sue, pages_of(app, hostile)) == []
    assert dear(pat, console_pages(world)) == []
