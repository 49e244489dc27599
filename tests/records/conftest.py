"""Records of Bakery, and Carla, whom they are about."""

from __future__ import annotations

from typing import Any

import pytest

from app.inbox.conversations import Conversation
from app.records.models import Record, Values
from app.tenancy import Actor, db, tenant_scope
from tests.api.conftest import caller, carla, number, shop
from tests.world import World

__all__ = ["caller", "carla", "number", "shop"]


class Shelf:
    """What Bakery has records of."""

    def __init__(self, world: World, carla: Conversation) -> None:
        self.world, self.id, self.talk = world, world.bakery.id, carla
        self.by = Actor.agent(world.ann)

    def add(
        self, title: str, *, type: str = "deal", linked: bool = False, source: str = "agency", **values: Any
    ) -> Any:
        external_id = values.pop("external_id", title.lower().replace(" ", "-"))
        with tenant_scope(self.id):
            record, _ = Record.upsert(source, type, external_id, Values(title, **values), by=self.by)
            if linked:
                record.link(self.talk.contact_id, by=self.by)
        return record

    def now(self, record: Record) -> Record:
        with tenant_scope(self.id):
            return db.session.get_one(Record, (self.id, record.id))


@pytest.fixture
def shelf(world: World, carla: Conversation) -> Shelf:
    return Shelf(world, carla)
