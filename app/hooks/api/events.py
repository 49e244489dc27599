"""Events for programs that poll: everything that happened, in one order that never changes."""

from __future__ import annotations

import base64
import binascii
import json
import uuid
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, field_validator
from pydantic_core import to_json
from sqlalchemy import Row, select, text

from app.api import Fault, Problem, Shape, current_key, endpoint, scope
from app.api.declaring import AddressTime
from app.hooks.event_types import TEST, event_types
from app.hooks.events import OutgoingEvent, schema_of
from app.hooks.outbox import numbers_of
from app.hooks.resources import Resources
from app.inbox.api import reach
from app.tenancy import as_uuid, current_tenant_id, db
from app.tenancy.happenings import is_settled
from app.wabas.models import PhoneNumber
from app.words import N_

from .shapes import EventShape, checked_types

READ = scope("events:read", N_("Read everything that happened, with the messages and contacts it is about"))
TAG = "Events"
# So many rows are read for a page at most; where few of them match the filter, the page is short.
READ_AT_ONCE = 2_000
FIRST = uuid.UUID(int=0)


@dataclass(frozen=True, slots=True)
class Position:
    """After which event: rows are in the order of their transactions, and of their ids within one."""

    xact: int = 0
    id: uuid.UUID = FIRST

    @classmethod
    def read(cls, cursor: str | None) -> Position:
        """Raises a `Problem` for what is no cursor of this list."""
        if cursor is None:
            return cls()
        try:
            xact, id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
            row_id = as_uuid(id)
            if type(xact) is int and 0 <= xact < 2**63 and row_id:
                return cls(xact, row_id)
        except (ValueError, TypeError, binascii.Error, RecursionError):
            pass
        fault = Fault("invalid_cursor", "Use the value of `next` as it is.", parameter="after")
        raise Problem("invalid_request", errors=[fault])

    def __str__(self) -> str:
        written = json.dumps([self.xact, str(self.id)], separators=(",", ":"))
        return base64.urlsafe_b64encode(written.encode()).decode().rstrip("=")


class EventsQuery(Shape):
    limit: int = Field(50, ge=1, le=100, description="How many to return at most.")
    after: str | None = Field(None, max_length=500, description="The `next` of the answer before.")
    type: list[Annotated[str, Field(max_length=100)]] | None = Field(None, alias="filter[type]", max_length=100)
    conversation_id: uuid.UUID | None = Field(None, alias="filter[conversation_id]")
    created_after: AddressTime | None = Field(
        None, description="Where to begin without `after`; else with the oldest that is stored, 30 days back."
    )

    @field_validator("type")
    @classmethod
    def check_types(cls, types: list[str] | None) -> list[str] | None:
        return checked_types(types)


class EventPage(Shape):
    """Events, the oldest first. Ask again with `after=<next>`: at once while `has_more`, else whenever you like."""

    data: list[EventShape]
    next: str
    has_more: bool


@endpoint("GET", "/events", scope=READ, query=EventsQuery, gives=EventPage, tag=TAG)
def list_events(query: EventsQuery) -> EventPage:
    """List events.

    Everything that happened, in one order: nothing is ever added before a place that you have read. A page may be
    shorter than `limit`, or empty, and still have more behind it where a filter leaves most out.
    """
    position = Position.read(query.after)
    horizon = settled_until()
    if horizon is None:
        return EventPage(data=[], next=str(position), has_more=True)
    values: dict[str, Any] = {"tenant": current_tenant_id(), "xact": position.xact, "id": position.id}
    values |= {"since": query.created_after if query.after is None else None, "horizon": horizon}
    rows = db.session.execute(READ_EVENTS, values | {"most": READ_AT_ONCE}).all()
    matching = chosen(rows, query)
    shown = matching[: query.limit]
    is_cut = len(matching) > query.limit
    last = shown[-1][0] if is_cut else rows[-1] if rows else None
    following = Position(last.xact, last.id) if last else position
    events = [event for _, event in shown]
    resources = Resources.of(events)
    data = [EventShape(**json.loads(to_json(event.rendered(resources)))) for event in events]
    return EventPage(data=data, next=str(following), has_more=is_cut or len(rows) == READ_AT_ONCE)


def settled_until() -> int | None:
    """Every transaction before this one has ended. None where other machines have not committed all of them yet."""
    row = db.session.execute(HORIZON).one()
    return None if row.has_workers and not is_settled() else row.horizon


def chosen(rows: list[Row[Any]] | Any, query: EventsQuery) -> list[tuple[Row[Any], OutgoingEvent]]:
    """Those of the rows that the filter and the key let through, each with its event."""
    types = event_types()
    pairs = [(row, event_of(row)) for row in rows if row.kind in types and (not query.type or row.kind in query.type)]
    if query.conversation_id:
        pairs = [(row, event) for row, event in pairs if event.conversation_id == query.conversation_id]
    if current_key().kind == "team":
        pairs = within_reach(pairs)
    return pairs


def event_of(row: Row[Any]) -> OutgoingEvent:
    facts = row.facts
    talk = row.subject_id if row.kind.startswith("conversation.") else as_uuid(facts.get("conversation_id"))
    return OutgoingEvent(
        id=row.id,
        type=row.kind,
        subject_id=row.subject_id,
        conversation_id=talk,
        sequence=row.sequence,
        actor=row.actor,
        facts=facts,
        at=row.at,
    )


def within_reach(pairs: list[tuple[Row[Any], OutgoingEvent]]) -> list[tuple[Row[Any], OutgoingEvent]]:
    """Those of the numbers of the key's team. What belongs to no number is not a team's."""
    numbers = set(db.session.scalars(select(PhoneNumber.id).where(reach.reached(PhoneNumber.id))))
    places = numbers_of({event.conversation_id for _, event in pairs if event.conversation_id})

    def number_of(event: OutgoingEvent) -> uuid.UUID | None:
        return event.subject_id if event.type.startswith("number.") else places.get(event.conversation_id)

    return [(row, event) for row, event in pairs if number_of(event) in numbers]


# `xmin`: the oldest transaction that may still be writing. Read by itself, first: on a cluster each machine has others.
HORIZON = text("""
    select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as horizon,
        to_regproc('run_command_on_workers') is not null as has_workers
""")
# What comes after this place, in the order of the primary key (tenant_id, xact, id, …), up to what may still change.
# `since` null: from that place on; else from the first transaction that wrote something so late (ix_happenings_at).
READ_EVENTS = text("""
    select h.xact, h.id, h.kind, h.subject_id, h.actor, h.facts, h.at, e.sequence
    from happenings h
    left join outgoing_events e on e.tenant_id = :tenant and e.id = h.id
    where h.tenant_id = :tenant and (h.xact, h.id) > (:xact, cast(:id as uuid)) and h.xact < :horizon
      and (cast(:since as timestamptz) is null or h.at >= :since and h.xact >= (
        select coalesce(min(f.xact), 0) from happenings f where f.tenant_id = :tenant and f.at >= :since))
    order by h.xact, h.id limit :most
""")


class EventTypeShape(Shape):
    """A type of event. `json_schema` (2020-12) describes a whole event of it."""

    type: str
    description: str
    resources: list[str] = Field(description="What comes with it in `data`, as it is when the event is sent.")
    json_schema: dict[str, Any]


class EventTypesShape(Shape):
    data: list[EventTypeShape]


@endpoint("GET", "/event-types", scope=READ, gives=EventTypesShape, tag=TAG)
def list_types_of_events() -> EventTypesShape:
    """List the types of events, each with its schema."""
    return EventTypesShape(
        data=[
            EventTypeShape(
                type=one.name, description=one.words, resources=list(one.resources), json_schema=schema_of(one.name)
            )
            for one in event_types().values()
            if one.name != TEST
        ]
    )
