"""Which tenant each event of a webhook is for."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from app.meta import events
from app.tenancy import db
from app.tenancy.models import PhoneNumberRoute, WabaRoute


@dataclass(slots=True)
class Arrived:
    """An event with its webhook and its position in it."""

    webhook_event_id: int
    position: int
    event: events.Event


def arrived_with(post: Row[Any]) -> list[Arrived]:
    return [Arrived(post.id, n, event) for n, event in enumerate(events.parse(post.body, post.received_at))]


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
