from __future__ import annotations

import uuid

import pytest

from app.inbox.conversations import Message
from app.tenancy import Actor, db, tenant_scope
from tests.world import World, conversation


@pytest.fixture(autouse=True)
def cards(own_cards: None) -> None:
    """Every test here may load some."""


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
