from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from flask import Flask

from app.extensions import outside
from app.inbox.conversations import Message
from app.meta.outgoing import Outgoing
from app.tenancy import Actor, db, tenant_scope
from tests.billing.stripe_double import OLD_SECRET, SECRET, Stripe, started
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
        message = Message.outbound(talk, Outgoing("text", "Hello"), by=Actor.agent(world.ann), client_id=uuid.uuid4())
        message.state, message.wamid = "accepted", "wamid.hello"
        db.session.add(message)
    return message


@pytest.fixture
def account(app: Flask) -> Iterator[Stripe]:
    """The platform has an account with Stripe, whose webhook secret is being replaced."""
    here = outside(app)
    before = here.settings
    more = {"stripe_secret_key": "sk_test_1", "stripe_webhook_secrets": (SECRET, OLD_SECRET)}
    here.settings = before.model_copy(update=more)
    yield from started()
    here.settings = before
