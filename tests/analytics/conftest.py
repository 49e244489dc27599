"""A bakery in Berlin with one number, and what was written at given times by its own clock."""

from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import time_machine
from flask import Flask

from app.analytics.figures import Report
from app.analytics.jobs import recount
from app.analytics.models import Fact, MessageCount, ReportProgress
from app.analytics.periods import Period
from app.hours.models import ServicePolicy
from app.inbox.conversations import Conversation, Message
from app.inbox.conversations.activities import Activity
from app.inbox.inbound.surveys import SurveyAnswer
from app.tenancy import Actor, Tenant, db, tenant_scope
from app.wabas.models import PhoneNumber
from tests.world import World
from tests.world import conversation as talk_with

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
# The day before clocks went back.
NOW = dt.datetime(2026, 10, 30, 12, 0, tzinfo=BERLIN)


def berlin(day: int, clock: str, month: int = 10, *, fold: int = 0) -> dt.datetime:
    hour, minute = map(int, clock.split(":"))
    return dt.datetime(2026, month, day, hour, minute, tzinfo=BERLIN, fold=fold).astimezone(dt.UTC)


@dataclass
class Bakery:
    world: World
    number: PhoneNumber
    talks: dict[str, Conversation] = field(default_factory=dict)

    @property
    def tenant(self) -> Tenant:
        return self.world.bakery

    @property
    def ann(self) -> Actor:
        return Actor.agent(self.world.ann)

    @property
    def ben(self) -> Actor:
        return Actor.agent(self.world.ben)

    def talk(self, name: str = "Carla") -> Conversation:
        if name not in self.talks:
            self.talks[name] = talk_with(self.number, wa_id=f"1650555{len(self.talks):04}", name=name)
        return self.talks[name]

    def hears(self, at: dt.datetime, name: str = "Carla", **more: Any) -> uuid.UUID:
        """The customer wrote."""
        return self.put(at, name, direction="inbound", state="received", **more)

    def says(self, at: dt.datetime, by: Actor | None, name: str = "Carla", **more: Any) -> uuid.UUID:
        """Somebody or something of the business wrote."""
        about = by.columns("author") | {"source": by.source} if by else {}
        values = {"direction": "outbound", "state": "read", "client_id": uuid.uuid4(), "wamid": f"wamid.{uuid.uuid4()}"}
        return self.put(at, name, **(values | about | more))

    def put(self, at: dt.datetime, name: str, **values: Any) -> uuid.UUID:
        talk = self.talk(name)
        with tenant_scope(self.tenant.id):
            message = Message(conversation_id=talk.id, phone_number_id=self.number.id, type="text", body="Bread")
            for key, value in ({"occurred_at": at, "created_at": at} | values).items():
                setattr(message, key, value)
            db.session.add(message)
            db.session.flush()
            return uuid.UUID(str(message.id))

    def does(self, at: dt.datetime, kind: str, by: Actor | None, name: str = "Carla") -> None:
        """Somebody changed the conversation."""
        talk = self.talk(name)
        with tenant_scope(self.tenant.id):
            columns = by.columns("actor") if by else {}
            db.session.add(Activity(conversation_id=talk.id, kind=kind, occurred_at=at, **columns))

    def rates(self, at: dt.datetime, score: str, message_id: uuid.UUID) -> None:
        with tenant_scope(self.tenant.id):
            db.session.add(SurveyAnswer(message_id=message_id, score=score, answered_at=at))

    def open_from(self, hours: str, days: int = 5, **more: Any) -> None:
        with tenant_scope(self.tenant.id):
            policy = ServicePolicy.to_change()
            policy.week, policy.time_zone = [hours] * days + [""] * (7 - days), "Europe/Berlin"
            for name, value in more.items():
                setattr(policy, name, value)
            db.session.add(policy)

    def count(self) -> None:
        """Counts everything anew, as for a business that has no reports yet."""
        with tenant_scope(self.tenant.id):
            for model in (Fact, MessageCount, ReportProgress):
                db.session.execute(db.delete(model))
        for _ in range(80):
            recount(self.tenant.id)
            with tenant_scope(self.tenant.id):
                if db.session.scalars(db.select(ReportProgress)).one().is_complete:
                    return
        raise AssertionError("the counting does not end")

    def report(self, first: int, last: int | None = None, month: int = 10, **more: Any) -> Report:
        """Of these days. Read it within `scope`."""
        days = dt.date(2026, month, first), dt.date(2026, month, last or first)
        return Report(Period(*days, BERLIN, NOW.astimezone(dt.UTC)), **more)

    def scope(self) -> Any:
        return tenant_scope(self.tenant.id)


@pytest.fixture(autouse=True)
def clock(app: Flask) -> Iterator[Any]:
    with time_machine.travel(NOW, tick=True) as traveller:
        yield traveller


@pytest.fixture
def bakery(world: World, clock: Any) -> Bakery:
    number, _ = world.connect_numbers()
    made = Bakery(world, number)
    made.open_from("09:00–17:00", first_response_minutes=30, next_response_minutes=60)
    return made
