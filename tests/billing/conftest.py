from __future__ import annotations

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select

from app.billing.rate_cards import RateCard
from app.inbox.conversations import Message
from app.tenancy import Actor, db, platform_scope, tenant_scope
from tests.world import World, conversation


@pytest.fixture(autouse=True)
def own_cards(app: Flask, superuser_url: str) -> Iterator[None]:
    """The cards that a test loads are gone after it; those of the product stay."""
    with platform_scope("tests"):
        known = list(db.session.scalars(select(RateCard.id)))
    yield
    with psycopg.connect(superuser_url) as connection:
        for table, column in (("rates", "rate_card_id"), ("market_codes", "rate_card_id"), ("rate_cards", "id")):
            connection.execute(f"delete from {table} where not {column} = any(%s)", (known,))


@pytest.fixture
def sent(world: World) -> Message:
    """A message to Carla, in the United States, that Meta has taken."""
    bakery, _ = world.connect_numbers()
    talk = conversation(bakery)
    with tenant_scope(world.bakery.id):
        message = Message.outbound(talk, "Hello", by=Actor.agent(world.ann), client_id=uuid.uuid4())
        message.state, message.wamid = "accepted", "wamid.hello"
        db.session.add(message)
    return message
