"""Events: happenings in the shape in which programs get them."""

from __future__ import annotations

import datetime as dt
import functools
import uuid
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, create_model
from sqlalchemy.orm import Mapped, mapped_column

from app.api.declaring import Time, in_utc
from app.api.versions import NEWEST
from app.inbox.api.shapes import ActorShape
from app.tenancy import Actor, Happened, TenantModel, as_uuid, now, of_tenant

from .event_types import EventType, event_types
from .resources import SHAPES, Resources, find

PREFIX = "evt_"


class OutgoingEvent(TenantModel):
    """One event of a business that has webhooks; its id is the happening's. Deleted after 30 days.

    Facts hold ids and words of ours; what customers wrote is read when the event is sent.
    """

    __table_args__ = (of_tenant(),)

    type: Mapped[str]
    subject_id: Mapped[uuid.UUID]
    conversation_id: Mapped[uuid.UUID | None]
    phone_number_id: Mapped[uuid.UUID | None]
    # Its place among the events of its conversation, from 1, without gaps.
    sequence: Mapped[int | None]
    actor: Mapped[dict[str, Any] | None]
    facts: Mapped[dict[str, Any]]
    at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def with_ids(cls, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, OutgoingEvent]:
        return find(cls, ids)

    @property
    def event_type(self) -> EventType:
        return event_types()[self.type]

    @property
    def resources(self) -> tuple[str, ...]:
        return self.event_type.resources

    @property
    def public_id(self) -> str:
        return public_id(self.id)

    def rendered(self, resources: Resources) -> dict[str, Any]:
        """As it is sent now, ready for JSON."""
        data = self.facts | {"actor": ActorShape.of(Actor.read(self.actor))} | resources.around(self)
        event: dict[str, Any] = {"id": self.public_id, "type": self.type, "timestamp": in_utc(self.at)}
        event |= {"api_version": NEWEST}
        if self.sequence is not None:
            event["sequence"] = self.sequence
        return event | {"data": data}


class EventSequence(TenantModel):
    """How many events a conversation has had; its id is the conversation's."""

    __table_args__ = (of_tenant(),)

    last: Mapped[int]


def public_id(id: uuid.UUID) -> str:
    return PREFIX + id.hex


def id_of(public: str) -> uuid.UUID | None:
    """The id behind `evt_…`, or None."""
    digits = public.removeprefix(PREFIX)
    return as_uuid(str(uuid.UUID(digits))) if len(digits) == 32 and HEX.issuperset(digits) else None


HEX = frozenset("0123456789abcdef")


def conversation_of(one: Happened) -> uuid.UUID | None:
    """Which conversation a happening belongs to."""
    if one.kind.startswith("conversation."):
        return one.subject_id
    return getattr(one.facts, "conversation_id", None)


@functools.cache
def model_of(name: str) -> type[BaseModel]:
    """The shape of a whole event of this type, for its JSON Schema."""
    kind = event_types()[name]
    fields: dict[str, Any] = {field: (info.annotation, info) for field, info in kind.facts.model_fields.items()}
    fields["actor"] = (ActorShape | None, ...)
    fields |= {resource: (SHAPES[resource] | None, ...) for resource in kind.resources}
    data = create_model("Data", __config__=STRICT, __doc__=kind.facts.__doc__, **fields)
    whole: dict[str, Any] = {"id": (str, ...), "type": (Literal[name], ...), "timestamp": (Time, ...)}
    whole |= {"api_version": (str, ...), "sequence": (int | None, None), "data": (data, ...)}
    return create_model(name.title().replace(".", "").replace("_", ""), __config__=STRICT, **whole)


STRICT = ConfigDict(extra="forbid", hide_input_in_errors=True)


@functools.cache
def schema_of(name: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of an event of this type."""
    schema = model_of(name).model_json_schema(mode="validation")
    # An event outside a conversation has no `sequence`, rather than null.
    if "sequence" in schema["properties"]:
        schema["properties"]["sequence"] = {"type": "integer", "title": "Sequence"}
        if not event_types()[name].is_of_conversation:
            del schema["properties"]["sequence"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema
