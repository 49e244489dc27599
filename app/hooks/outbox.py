"""From what happened to what is to be sent: events with their sequence, and a delivery for each webhook."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, text

from app.inbox.conversations import Conversation
from app.tenancy import Happened, current_tenant_id, database_now, db, later

from .deliveries import collect, queue
from .endpoints import WebhookEndpoint
from .events import OutgoingEvent, conversation_of


def write(happenings: Sequence[Happened]) -> None:
    """Stores the events and queues their deliveries, with a few statements however many webhooks want them."""
    endpoints = list(db.session.scalars(WebhookEndpoint.listed().where(WebhookEndpoint.is_test.is_(False))))
    if not endpoints:
        return
    events = new_events(happenings)
    if not events:
        return
    # Whoever settles deliveries of an ordered webhook takes this lock too: else one may be held back for ever.
    if ordered := [endpoint.id for endpoint in endpoints if endpoint.is_ordered]:
        lock_endpoints(ordered)
    queue_for([endpoint for endpoint in endpoints if endpoint.is_active], events)
    later("hooks.deliver")


def lock_endpoints(ids: Sequence[uuid.UUID]) -> None:
    query = select(WebhookEndpoint.id).where(WebhookEndpoint.id.in_(ids)).order_by(WebhookEndpoint.id)
    db.session.execute(query.with_for_update(key_share=True))


def new_events(happenings: Sequence[Happened]) -> list[OutgoingEvent]:
    """Stores those that are not stored yet, in their order. Each conversation counts its own."""
    existing = set(
        db.session.scalars(select(OutgoingEvent.id).where(OutgoingEvent.id.in_([one.id for one in happenings])))
    )
    fresh = [one for one in happenings if one.id not in existing]
    talks = [conversation_of(one) for one in fresh]
    numbers = numbers_of({talk for talk in talks if talk})
    last = sequences(Counter(talk for talk in talks if talk))
    events = []
    for one, talk in zip(fresh, talks, strict=True):
        if talk:
            last[talk] += 1
        events.append(
            OutgoingEvent(
                id=one.id,
                type=one.kind,
                subject_id=one.subject_id,
                conversation_id=talk,
                phone_number_id=one.subject_id if one.kind.startswith("number.") else numbers.get(talk),
                sequence=last[talk] if talk else None,
                actor=one.actor and one.actor.as_json(),
                facts=one.facts.model_dump(mode="json", exclude_none=True),
                at=one.at,
            )
        )
    insert_events(events)
    return events


def numbers_of(talks: set[uuid.UUID]) -> dict[uuid.UUID | None, uuid.UUID]:
    """At which number each conversation is."""
    query = select(Conversation.id, Conversation.phone_number_id).where(Conversation.id.in_(talks))
    return {row.id: row.phone_number_id for row in db.session.execute(query)} if talks else {}


def sequences(counts: Counter[uuid.UUID]) -> dict[uuid.UUID, int]:
    """Reserves so many places in the sequence of each conversation. Returns the last one before them."""
    if not counts:
        return {}
    rows = [{"id": str(talk), "count": counts[talk]} for talk in sorted(counts)]
    reserved = db.session.execute(RESERVE, {"tenant": current_tenant_id(), "rows": json.dumps(rows)})
    return {row.id: row.last - counts[row.id] for row in reserved}


RESERVE = text("""
    insert into event_sequences (tenant_id, id, last)
    select :tenant, id, count from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, count bigint)
    on conflict (tenant_id, id) do update set last = event_sequences.last + excluded.last
    returning id, last
""")


def insert_events(events: Sequence[OutgoingEvent]) -> None:
    rows = [
        {
            "id": str(event.id),
            "type": event.type,
            "subject": str(event.subject_id),
            "conversation": event.conversation_id and str(event.conversation_id),
            "number": event.phone_number_id and str(event.phone_number_id),
            "sequence": event.sequence,
            "actor": event.actor,
            "facts": event.facts,
            "at": event.at.isoformat(),
        }
        for event in events
    ]
    db.session.execute(NEW_EVENTS, {"tenant": current_tenant_id(), "rows": json.dumps(rows)})


NEW_EVENTS = text("""
    insert into outgoing_events (tenant_id, id, type, subject_id, conversation_id, phone_number_id, sequence, actor,
        facts, at)
    select :tenant, id, type, subject, conversation, number, sequence, actor, facts, at
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, type text, subject uuid, conversation uuid,
        number uuid, sequence bigint, actor jsonb, facts jsonb, at timestamptz)
    on conflict do nothing
""")


def queue_for(
    endpoints: Sequence[WebhookEndpoint], events: Sequence[OutgoingEvent], *, is_replay: bool = False
) -> None:
    """Queues the events for each of the webhooks that wants them; a replay goes out as single events, at once."""
    at = database_now()
    singles: list[dict[str, Any]] = []
    batches: list[dict[str, Any]] = []
    for endpoint in endpoints:
        wanted = [e for e in events if endpoint.wants(e) and (is_replay or e.at >= endpoint.created_at)]
        is_ordered = endpoint.is_ordered and not is_replay
        held = holding(endpoint.id, wanted) if is_ordered else set()
        if endpoint.batch_seconds and not is_replay:
            due = at + dt.timedelta(seconds=endpoint.batch_seconds)
            batches += batched(endpoint, [event for event in wanted if event.conversation_id], held, due)
            wanted = [event for event in wanted if not event.conversation_id]
        for event in wanted:
            orders = is_ordered and event.conversation_id is not None
            is_held = orders and event.conversation_id in held
            if orders:
                held.add(event.conversation_id)
            singles.append(row_of(endpoint.id, event, orders, None if is_held else at))
    queue(singles)
    collect(batches)


def batched(
    endpoint: WebhookEndpoint, events: Sequence[OutgoingEvent], held: set[uuid.UUID | None], due: dt.datetime
) -> list[dict[str, Any]]:
    """A row for each conversation, with its events in order."""
    rows: dict[uuid.UUID | None, dict[str, Any]] = {}
    for event in events:
        talk = event.conversation_id
        if talk in rows:
            rows[talk]["events"].append(str(event.id))
        else:
            row = row_of(endpoint.id, event, endpoint.is_ordered, None if talk in held else due)
            rows[talk] = row | {"events": [str(event.id)]}
    return list(rows.values())


def row_of(endpoint_id: uuid.UUID, event: OutgoingEvent, is_ordered: bool, due: dt.datetime | None) -> dict[str, Any]:
    return {
        "endpoint": str(endpoint_id),
        "event": str(event.id),
        "type": event.type,
        "conversation": event.conversation_id and str(event.conversation_id),
        "sequence": event.sequence,
        "is_ordered": is_ordered,
        "due": due and due.isoformat(),
    }


def holding(endpoint_id: uuid.UUID, events: Sequence[OutgoingEvent]) -> set[uuid.UUID | None]:
    """The conversations of which something waits already, so that what comes now waits behind it."""
    talks = list({event.conversation_id for event in events if event.conversation_id})
    values = {"tenant": current_tenant_id(), "endpoint": endpoint_id, "talks": talks}
    return set(db.session.scalars(HOLDING, values)) if talks else set()


# Of which of these conversations does a delivery wait that is not collecting? Index: ix_webhook_deliveries_ordered.
HOLDING = text("""
    select talk from unnest(cast(:talks as uuid[])) as t(talk) where exists (
        select from webhook_deliveries d
        where d.tenant_id = :tenant and d.endpoint_id = :endpoint and d.conversation_id = t.talk
          and d.state = 'waiting' and d.is_ordered)
""")
