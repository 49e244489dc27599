from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.egress import Egress
from app.extensions import outside
from app.hooks.deliverer import Deliverer
from app.hooks.deliveries import DeliveryAttempt, WebhookDelivery
from app.hooks.endpoints import WebhookEndpoint
from app.inbox.conversations import Conversation
from app.tenancy import Actor, Tenant, db, happened_each, now, tenant_scope
from app.wabas.models import PhoneNumber
from tests.api.conftest import caller, shop
from tests.happenings import deliver_to_subscriber
from tests.world import World, conversation

from .receivers import URL, Receiver, receiving

__all__ = ["caller", "shop"]


@pytest.fixture(scope="session")
def running_receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Receiver, Egress]]:
    receiver = Receiver()
    with receiving(receiver, tmp_path_factory.mktemp("receiver")) as egress:
        yield receiver, egress


@pytest.fixture
def receiver(app: Flask, running_receiver: tuple[Receiver, Egress]) -> Iterator[Receiver]:
    """A server on the open internet, and the app reaches it."""
    receiver, egress = running_receiver
    receiver.reset()
    usual, outside().egress = outside().egress, egress
    yield receiver
    outside().egress = usual


class Hooks:
    """The webhooks of one business: what happens, what is sent, and what the log says."""

    def __init__(self, tenant: Tenant, number: PhoneNumber) -> None:
        self.tenant, self.number = tenant, number
        self.talk = conversation(number)

    def add(self, url: str = URL, **settings: Any) -> WebhookEndpoint:
        with tenant_scope(self.tenant.id):
            return WebhookEndpoint.create(url, by=Actor.system("tests"), **settings)

    def secret(self, endpoint: WebhookEndpoint) -> str:
        with tenant_scope(self.tenant.id):
            return str(WebhookEndpoint.get_or_404(endpoint.id).secret)

    def endpoint(self, endpoint: WebhookEndpoint) -> WebhookEndpoint:
        """As it is now."""
        with tenant_scope(self.tenant.id):
            return db.session.get_one(WebhookEndpoint, (self.tenant.id, endpoint.id))

    def happens(self, kind: str = "conversation.resolved", talk: Conversation | None = None, times: int = 1) -> None:
        """It happens, and the subscriber hears of it."""
        with tenant_scope(self.tenant.id):
            happened_each(kind, [((talk or self.talk).id, {})] * times)
        self.hear()

    def hear(self) -> None:
        deliver_to_subscriber("webhooks", self.tenant.id)

    def send(self) -> None:
        """What a worker does until nothing is due soon."""
        Deliverer(outside().egress).run()

    def make_due(self) -> None:
        """Time passes until the next retry."""
        with tenant_scope(self.tenant.id):
            waits = (WebhookDelivery.state == "waiting") & WebhookDelivery.next_attempt_at.is_not(None)
            db.session.execute(update(WebhookDelivery).where(waits).values(next_attempt_at=now()))

    def deliveries(self) -> Sequence[WebhookDelivery]:
        with tenant_scope(self.tenant.id):
            return db.session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id)).all()

    def attempts(self) -> Sequence[DeliveryAttempt]:
        with tenant_scope(self.tenant.id):
            return db.session.scalars(select(DeliveryAttempt).order_by(DeliveryAttempt.id)).all()

    @property
    def states(self) -> list[str]:
        return [delivery.state for delivery in self.deliveries()]


@pytest.fixture
def hooks(world: World, receiver: Receiver) -> Hooks:
    """Bakery's, with Carla's conversation."""
    return Hooks(world.bakery, world.connect_numbers()[0])
