"""Which tenant each event of a webhook is for. What is unreadable, or for none, is held with its reason."""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from app.meta import events
from app.tenancy import db
from app.tenancy.models import PhoneNumberRoute, WabaRoute

from .models import HeldChange

LONGEST_EXCERPT = 2_000


@dataclass(slots=True)
class Arrived:
    """An event with its webhook and its position in it."""

    webhook_event_id: int
    position: int
    event: events.Event

    def held(self, kind: str, reason: str, tenant_id: uuid.UUID | None = None, detail: str = "") -> dict[str, Any]:
        """What is stored of it where it can't be applied (`HeldChange.hold`)."""
        event = self.event
        raw = event.raw if isinstance(event, events.Unreadable) else type(event).__name__
        return {
            "webhook_event_id": self.webhook_event_id,
            "position": self.position,
            "kind": kind,
            "reason": reason,
            "detail": detail,
            "field": getattr(event, "field", ""),
            "phone_number_meta_id": getattr(event, "phone_number_id", None) or "",
            "waba_meta_id": event.waba_id or "",
            "tenant_id": tenant_id,
            "payload": json.dumps(raw, default=str)[:LONGEST_EXCERPT].encode(errors="replace"),
        }


def route(posts: Sequence[Row[Any]]) -> tuple[list[Arrived], dict[uuid.UUID, list[Arrived]]]:
    """Parses posts. Returns every event, and by tenant those that can be applied; holds the others."""
    arrived = [
        Arrived(post.id, n, event)
        for post in posts
        for n, event in enumerate(events.parse(post.body, post.received_at))
    ]
    owners = owners_of(addresses_of(arrived))
    groups: dict[uuid.UUID, list[Arrived]] = defaultdict(list)
    held: list[dict[str, Any]] = []
    for item in arrived:
        owner = owners.get(address_of(item.event) or "")
        if isinstance(item.event, events.Unreadable):
            held.append(item.held("unreadable", item.event.reason, owner, item.event.detail))
        elif owner:
            groups[owner].append(item)
        else:
            held.append(item.held("unrouted", "unrouted"))
    HeldChange.hold(held)
    return arrived, groups


def owners_of(addresses: Collection[str]) -> dict[str, uuid.UUID]:
    """The tenant of each of these numbers and WABAs, given by Meta's ids, as far as one has connected them."""
    owners: dict[str, uuid.UUID] = {}
    if not addresses:
        return owners
    for route in (WabaRoute, PhoneNumberRoute):
        routes = select(route.meta_id, route.tenant_id).where(route.meta_id.in_(addresses))
        owners.update((row.meta_id, row.tenant_id) for row in db.session.execute(routes))
    return owners


def addresses_of(arrived: Sequence[Arrived]) -> set[str]:
    """The numbers (else WABAs) that events are for, by Meta's ids."""
    return {address for item in arrived if (address := address_of(item.event))}


def address_of(event: events.Event) -> str | None:
    """The number an event is for, else its WABA."""
    return getattr(event, "phone_number_id", None) or event.waba_id
