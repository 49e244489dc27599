from __future__ import annotations

import uuid

import pytest

from app.inbox.conversations import Conversation
from app.tenancy import db, tenant_scope
from app.wabas.models import Waba
from tests.arrivals import arrive
from tests.client import Browser
from tests.posts import status
from tests.world import World, conversation


@pytest.fixture
def carla(world: World) -> Conversation:
    bakery, _ = world.connect_numbers()
    return conversation(bakery)


def test_the_prices_are_shown_by_market_and_category(pat: Browser, carla: Conversation) -> None:
    page = pat.get("/platform/rates").text
    assert "USD, 1 October 2026" in page and "In force" in page
    for words in ("Germany", "US$0.1365", "Rest of Western Europe", "+1809", "every other code", ">unknown<"):
        assert words in page
    assert "Every charged message has a price." in page


def test_what_is_missing_is_named(pat: Browser, world: World, carla: Conversation) -> None:
    with tenant_scope(world.bakery.id):
        db.session.query(Waba).one().currency = "BRL"
    price = {"type": "regular", "category": "utility", "billable": True}
    arrive(status("wamid.x", "delivered", pricing=price))
    page = pat.get("/platform/rates").text
    assert "1 account is billed in BRL, which has no price list." in page
    assert "1 message was charged at an unknown price:" in page and "Every charged message" not in page


def test_a_card_that_is_not_there_is_not_found(pat: Browser) -> None:
    assert pat.get(f"/platform/rates?card={uuid.uuid4()}").status_code == 404


def test_only_admins_see_it(ann: Browser, browser: Browser) -> None:
    assert {somebody.get("/platform/rates").status_code for somebody in (ann, browser)} == {303}
