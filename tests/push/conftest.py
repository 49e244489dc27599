from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from flask import Flask

from app.extensions import outside
from app.inbox.desk.jobs import record_closing
from app.push.jobs import push
from app.push.models import NotificationRule, PushSubscription
from app.push.news import GRACE
from app.tenancy import Membership, User, db, now, tenant_scope
from app.wabas.models import PhoneNumber
from tests.arrivals import arrive
from tests.client import Browser
from tests.happenings import deliver_to_subscriber
from tests.posts import message
from tests.world import World

from .push_services import Chromium, PushService, serving


@pytest.fixture(scope="session")
def running_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PushService, Any]]:
    service = PushService()
    with serving(service, tmp_path_factory.mktemp("push")) as egress:
        yield service, egress


@pytest.fixture
def service(app: Flask, running_service: tuple[PushService, Any]) -> Iterator[PushService]:
    """A push service, and the app reaches it."""
    service, egress = running_service
    service.status, service.got = 201, []
    usual, outside().egress = outside().egress, egress
    yield service
    outside().egress = usual


@pytest.fixture
def number(world: World) -> PhoneNumber:
    """Bakery's number, at which customers write."""
    return world.connect_numbers()[0]


class Desk:
    """Bakery's people and what reaches them."""

    def __init__(self, world: World, service: PushService) -> None:
        self.world, self.service = world, service

    def turn_on(self, browser: Browser, name: str = "ann") -> Chromium:
        chromium = Chromium(self.service, name)
        answer = browser.post("~/push/browsers", chromium.form)
        assert answer.status_code == 201
        chromium.id = answer.json["id"]  # type: ignore[attr-defined,index]
        return chromium

    def choose(self, user: User, **choices: Any) -> NotificationRule:
        with tenant_scope(self.world.bakery.id):
            member = db.session.query(Membership).filter_by(user_id=user.id).one()
            rule = NotificationRule.of(member)
            for name, value in choices.items():
                setattr(rule, name, value)
            db.session.add(rule)
        return rule

    def write(self, body: str = "Hello", **more: Any) -> None:
        """A customer wrote a few seconds ago."""
        arrive(message(body, **{"at": time.time() - 5} | more))

    def pass_on(self) -> None:
        """What the clock and the workers do."""
        self.notify()
        push(self.world.bakery.id)

    def notify(self) -> None:
        """Queues what is new, without pushing it."""
        record_closing(self.world.bakery.id)
        deliver_to_subscriber("push", self.world.bakery.id)

    def pass_on_later(self) -> None:
        """After the moment in which somebody may read it first."""
        with time_machine.travel(now() + GRACE * 2, tick=True):
            self.pass_on()

    def browsers(self) -> list[PushSubscription]:
        with tenant_scope(self.world.bakery.id):
            return PushSubscription.awake()


@pytest.fixture
def desk(world: World, service: PushService, number: PhoneNumber) -> Desk:
    return Desk(world, service)
