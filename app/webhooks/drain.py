"""Drains webhook events: claims them in batches, sorts them by tenant, and has each tenant's applied."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from sqlalchemy import DateTime, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import BigInteger

from app.contacts.models import lock_free
from app.tenancy import db, platform_scope
from app.wabas.partners import PartnerWaba
from app.webhook_events.models import HeldChange, WebhookEvent
from app.webhook_events.routing import Arrived, route

from .handlers import apply_events
from .turns import claim


def drain_batch(*, little_first: bool = True) -> int:
    """Drains posts that no other drain has claimed, tenants in turn. Returns how many there were.

    `little_first`: of tenants with little to drain, where there are any; else of those with much.
    """
    with platform_scope("drain webhooks"):
        posts, locked = claim(little_first=little_first)
        HeldChange.release([post.id for post in posts if post.drains])
        arrived, groups = route(posts)
        PartnerWaba.note(item.event for item in arrived)
        left = posts_of_busy_tenants(groups, locked)
        for tenant_id, group in groups.items():
            if mine := [item for item in group if item.webhook_event_id not in left]:
                apply_events(tenant_id, mine)
        finish([post.id for post in posts if post.id not in left])
        return len(posts) - len(left)


def posts_of_busy_tenants(groups: dict[uuid.UUID, list[Arrived]], locked: Collection[str]) -> set[int]:
    """One drain at a time writes for a tenant. A post for several tenants waits until none of them is busy."""
    others = [str(tenant_id) for tenant_id in groups if str(tenant_id) not in locked]
    free = lock_free(others, len(others)) if others else []
    busy = set(others) - set(free)
    return {item.webhook_event_id for tenant_id, group in groups.items() if str(tenant_id) in busy for item in group}


def finish(ids: list[int]) -> None:
    if ids:
        # When all is through, not when the batch began.
        through = db.session.scalars(select(func.clock_timestamp(type_=DateTime(timezone=True)))).one()
        done = bindparam("ids", type_=ARRAY(BigInteger))
        statement = update(WebhookEvent).where(WebhookEvent.id == func.any(done))
        db.session.execute(
            statement.values(drained_at=through, drains=WebhookEvent.drains + 1),
            {"ids": ids},
            execution_options=UNSYNCHRONISED,
        )


UNSYNCHRONISED = {"synchronize_session": False}
