"""Bakery's API at an address, with the simulated Meta behind it, as the clients of other programs reach it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from app.inbox.conversations import Conversation, Message
from app.tenancy import tenant_scope
from tests.api.conftest import Caller
from tests.simulated import Road, Served


class Live:
    """A running API, a key for it, and Carla, who wrote a moment ago."""

    def __init__(self, url: str, key: str, road: Road) -> None:
        self.url, self.key, self.road = url, key, road
        self.talk: Conversation = road.customer_writes()

    @property
    def environment(self) -> dict[str, str]:
        """What a client on the command line is given."""
        return {"SWITCHBOARD_URL": self.url, "SWITCHBOARD_KEY": self.key}

    def deliver_until_read(self, message_id: str) -> None:
        """Sends what waits; the customer gets it and reads it."""

        def state() -> str:
            with tenant_scope(self.road.world.bakery.id):
                return Message.get_or_404(message_id).state

        self.road.deliver()
        self.road.until(lambda: state() == "delivered")
        self.road.meta.post("reads", phone_number_id=self.road.number.meta_id, **{"from": "16505551234"})
        self.road.until(lambda: state() == "read")


@pytest.fixture
def live(app: Flask, shop: Caller, road: Road) -> Iterator[Live]:
    with Served(app) as product:
        yield Live(product.url, shop.secret, road)
