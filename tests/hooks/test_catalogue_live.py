"""What really happens follows the schema of its type."""

from __future__ import annotations

import uuid
from typing import Any

import jsonschema
import pytest

from app.hooks.event_types import TEST, event_types
from app.hooks.events import schema_of
from app.hooks.samples import fact_of
from app.tenancy import Actor, happened, tenant_scope
from tests.world import World

from .conftest import Hooks
from .receivers import Receiver


@pytest.mark.parametrize("name", [name for name in event_types() if name != TEST])
def test_an_event_of_each_type_follows_its_schema(hooks: Hooks, receiver: Receiver, world: World, name: str) -> None:
    """Also where its subject is gone."""
    kind = event_types()[name]
    facts: dict[str, Any] = {field: fact_of(field, info.annotation) for field, info in kind.facts.model_fields.items()}
    existing = {"conversation": hooks.talk.id, "number": hooks.number.id, "contact": hooks.talk.contact_id}
    facts |= {"conversation_id": hooks.talk.id} if "conversation_id" in facts else {}
    subject = existing.get(kind.resources[0], uuid.uuid4())
    hooks.add()
    with tenant_scope(hooks.tenant.id):
        happened(name, subject, by=Actor.agent(world.ann), **facts)
    hooks.hear()
    hooks.send()
    event = receiver.got[0].json
    jsonschema.validate(event, schema_of(name), format_checker=jsonschema.FormatChecker())
    assert event["type"] == name and event["data"]["actor"]["name"] == "Ann"
