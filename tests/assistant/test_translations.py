"""A customer's message in the reader's language: once, below the original, within the budget."""

from __future__ import annotations

import uuid

import pytest

from app.assistant.jobs import forget_contact
from app.assistant.translations import MessageTranslation
from app.inbox.conversations import Message
from app.tenancy import db, tenant_scope
from tests.client import Browser

from .conftest import Shop


def message_id(shop: Shop) -> uuid.UUID:
    with tenant_scope(shop.world.bakery.id):
        return uuid.UUID(str(db.session.query(Message).filter_by(direction="inbound").one().id))


def test_a_message_is_translated_below_the_original(shop: Shop, ann: Browser) -> None:
    shop.write("¿Tienen pan de centeno?")
    id = message_id(shop)
    assert "Translate" in ann.get(f"~/inbox/{shop.carla.id}/messages/{id}/actions").text
    ann.post(f"~/assistant/translations/{id}")
    page = ann.get(f"~/inbox/{shop.carla.id}").text
    assert "[English] ¿Tienen pan de centeno?" in page and page.count("¿Tienen pan de centeno?") >= 2
    assert "Translated by AI" in page


def test_it_is_translated_once_and_counted(shop: Shop, ann: Browser) -> None:
    shop.write("¿Tienen pan de centeno?")
    for _ in range(2):
        ann.post(f"~/assistant/translations/{message_id(shop)}")
    [turn] = shop.turns()
    assert (turn.reason, len(shop.model.requested)) == ("translate", 1) and turn.cost


def test_nothing_is_translated_over_the_budget(shop: Shop, ann: Browser) -> None:
    shop.set_up(money_per_day=0)
    shop.write("¿Tienen pan de centeno?")
    ann.post(f"~/assistant/translations/{message_id(shop)}")
    assert shop.model.requested == [] and "budget of the day" in ann.get(f"~/inbox/{shop.carla.id}").text


@pytest.mark.parametrize("trouble", ["[500]", "[half]"])
def test_a_model_in_trouble_says_so(shop: Shop, ann: Browser, trouble: str) -> None:
    shop.write(f"Hola {trouble}")
    ann.post(f"~/assistant/translations/{message_id(shop)}")
    assert "Translated by AI" not in ann.get(f"~/inbox/{shop.carla.id}").text and shop.turns()[0].problem


def test_an_erased_contact_is_gone_from_translations(shop: Shop, ann: Browser) -> None:
    shop.write("¿Tienen pan de centeno?")
    ann.post(f"~/assistant/translations/{message_id(shop)}")
    forget_contact(shop.world.bakery.id, str(shop.carla.contact_id))
    with tenant_scope(shop.world.bakery.id):
        assert db.session.query(MessageTranslation).count() == 0
