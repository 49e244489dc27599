"""Automations that begin when a customer comes by a link or button, and that ask by which."""

from __future__ import annotations

from typing import Any

import pytest

from app.automation.starters import starter
from app.entry_points.models import EntryPoint, EntryReference
from app.entry_points.subjects import Subject
from app.inbox.conversations import Conversation
from app.tenancy import db, tenant_scope
from tests.automation.conftest import Shop, reply
from tests.client import Browser
from tests.world import World

VILLA = Subject("property", "V-12", "Villa in Dakar", 500_000_000_000, "XOF")


@pytest.fixture
def shop(world: World) -> Shop:
    return Shop(world)


@pytest.fixture
def villas(shop: Shop) -> EntryPoint:
    with tenant_scope(shop.id):
        return EntryPoint.create("Villas", shop.number, kind="page", texts=[])


def visit(shop: Shop, villas: EntryPoint, subject: Subject | None = VILLA) -> str:
    """What a visitor's message ends in."""
    with tenant_scope(shop.id):
        code = EntryReference.issue(villas, subject, None, "en")
    return f"Hello (ref {code})"


def came(**more: Any) -> dict[str, Any]:
    return {"kind": "entry_point"} | more


def test_a_customer_who_comes_by_a_link_is_answered_with_what_it_is_about(shop: Shop, villas: EntryPoint) -> None:
    shop.rule(came(), reply("About {{subject.title}}, {{subject.price}} {{subject.nothing|here}}"))
    shop.write(visit(shop, villas))
    assert shop.sent() == ["About Villa in Dakar, 500,000\xa0XOF here"]
    shop.write("Hello again")
    assert len(shop.sent()) == 1


def test_what_happened_is_named_in_words(ann: Browser, shop: Shop, villas: EntryPoint) -> None:
    shop.rule(came(), reply("Welcome"))
    shop.write(visit(shop, villas))
    with tenant_scope(shop.id):
        talk = db.session.query(Conversation).one()
    page = ann.get(f"~/automation/conversations/{talk.id}").text
    assert "A customer comes through a link or button" in page and "entry_point.touched" not in page


@pytest.mark.parametrize(
    ("language", "price"), [("fr", "500\u202f000\xa0XOF"), ("ar", "\u2066500,000\xa0XOF\u2069"), ("", "500,000\xa0XOF")]
)
def test_a_price_is_written_as_the_customers_language_does(
    shop: Shop, villas: EntryPoint, language: str, price: str
) -> None:
    shop.write(visit(shop, villas))
    with tenant_scope(shop.id):
        talk = db.session.query(Conversation).one()
        assert talk.subject_values(language)["subject.price"] == price


@pytest.mark.parametrize(
    ("trigger", "begins"),
    [
        ({}, True),
        ({"entry_point": "villas", "about": "property"}, True),
        ({"about": "product"}, False),
        ({"entry_point": "other"}, False),
    ],
)
def test_only_this_entry_point_and_this_type_begin_it(
    shop: Shop, villas: EntryPoint, trigger: dict[str, str], begins: bool
) -> None:
    with tenant_scope(shop.id):
        other = EntryPoint.create("Flats", shop.number, kind="page", texts=[])
    ids = {"villas": str(villas.id), "other": str(other.id)}
    shop.rule(came(**{name: ids.get(value, value) for name, value in trigger.items()}), reply("Hi"))
    shop.write(visit(shop, villas))
    assert shop.sent() == (["Hi"] if begins else [])


def test_the_second_visit_begins_nothing_that_is_for_the_first(shop: Shop, villas: EntryPoint) -> None:
    shop.rule(came(which="first"), reply("Hi"))
    shop.write(visit(shop, villas))
    shop.write(visit(shop, villas))
    assert shop.sent() == ["Hi"]


@pytest.mark.parametrize(("operator", "sent"), [("is", ["Hi"]), ("is_not", [])])
def test_a_condition_asks_by_which_link_a_customer_came(
    shop: Shop, villas: EntryPoint, operator: str, sent: list[str]
) -> None:
    by = {"kind": "entry_point", "operator": operator, "entry_point": str(villas.id)}
    about = {"kind": "about", "operator": operator, "type": "property"}
    shop.rule("message", reply("Hi"), conditions=[by, about])
    shop.write(visit(shop, villas))
    assert shop.sent() == sent


def test_the_starter_greets_with_the_property(shop: Shop, villas: EntryPoint) -> None:
    made = starter("site-inquiry")
    assert made
    with tenant_scope(shop.id):
        definition = made.definition().as_json()
    shop.rule(definition["trigger"], *definition["steps"])
    shop.write(visit(shop, villas))
    assert "interest in Villa in Dakar 500,000\xa0XOF, Carla" in shop.sent()[0]
