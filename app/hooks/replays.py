"""Sends a stretch of time again: what arrived, what failed, and what happened while a webhook was disabled."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import select, text

from app.tenancy import current_tenant_id, database_now, db, first_id, later

from .deliveries import REPLAY
from .endpoints import WebhookEndpoint
from .events import OutgoingEvent
from .outbox import queue_for

PAGE = 500


def replay_later(endpoint: WebhookEndpoint, since: dt.datetime, until: dt.datetime) -> None:
    """Queues again what happened from `since` to `until`, in the background."""
    later("hooks.replay", endpoint.id, first_id(since), first_id(until))


def replay_range(endpoint_id: str, first: str, last: str) -> uuid.UUID | None:
    """Queues a page of it. Returns the id from which the next page begins, or None at the end."""
    endpoint = WebhookEndpoint.find(endpoint_id)
    if endpoint is None or not endpoint.is_active:
        return None
    between = OutgoingEvent.id >= uuid.UUID(first), OutgoingEvent.id < uuid.UUID(last)
    events = list(db.session.scalars(select(OutgoingEvent).where(*between).order_by(OutgoingEvent.id).limit(PAGE)))
    if not events:
        return None
    wanted = [event for event in events if endpoint.wants(event)]
    values = {"tenant": current_tenant_id(), "endpoint": endpoint.id, "now": database_now()}
    ids = [event.id for event in wanted]
    sent = db.session.execute(DELIVERIES_OF, values | {"events": ids}).all() if ids else []
    if sent:
        db.session.execute(REPLAY, values | {"ids": [row.id for row in sent]})
    sent_ids = {id for row in sent for id in row.event_ids}
    queue_for([endpoint], [event for event in wanted if event.id not in sent_ids], is_replay=True)
    later("hooks.deliver")
    return uuid.UUID(int=events[-1].id.int + 1) if len(events) == PAGE else None


# The deliveries of these events to one webhook. A batch is found by its first event, whose row names the others too.
DELIVERIES_OF = text("""
    select d.id, d.event_ids from webhook_deliveries d
    where d.tenant_id = :tenant and d.endpoint_id = :endpoint and d.event_id = any(cast(:events as uuid[]))
""")
