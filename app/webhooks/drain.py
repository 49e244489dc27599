"""Drains webhook events: claims them in batches and writes each tenant's with a few statements."""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Collection

import structlog
from sqlalchemy import bindparam, func, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import BigInteger

from app.contacts.arrival import SenderMissing
from app.contacts.models import lock_free
from app.meta import events
from app.tenancy import db, platform_scope, within_tenant
from app.wabas.partners import PartnerWaba
from app.webhook_events.models import HeldChange, WebhookEvent
from app.webhook_events.routing import Arrived, address_of, addresses_of, arrived_with, owners_of

from .handlers import apply_events
from .turns import claim

log = structlog.get_logger()

LONGEST_EXCERPT = 2_000
# Classes of SQLSTATE: connection, deadlock, resources, locks, and an operator who stops the server.
PASSING = ("08", "40", "53", "55", "57")
# Releases what a post that is drained again had held; what still fails is held again.
RELEASE = text("""
    update held_changes set released_at = clock_timestamp()
    where webhook_event_id = any(:ids) and released_at is null and discarded_at is null
""")


def drain_batch() -> int:
    """Drains posts that no other drain has claimed, tenants in turn. Returns how many there were."""
    with platform_scope("drain webhooks"):
        posts, locked = claim()
        arrived = [item for post in posts for item in arrived_with(post)]
        if again := [post.id for post in posts if post.drains]:
            db.session.execute(RELEASE, {"ids": again})
        PartnerWaba.note(item.event for item in arrived)
        groups = sort_by_tenant(arrived)
        left = posts_of_busy_tenants(groups, locked)
        for tenant_id, group in groups.items():
            if mine := [item for item in group if item.webhook_event_id not in left]:
                write(tenant_id, mine)
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
        done = bindparam("ids", type_=ARRAY(BigInteger))
        statement = update(WebhookEvent).where(WebhookEvent.id == func.any(done))
        db.session.execute(
            statement.values(drained_at=func.clock_timestamp(), drains=WebhookEvent.drains + 1),
            {"ids": ids},
            execution_options=UNSYNCHRONISED,
        )


UNSYNCHRONISED = {"synchronize_session": False}


def sort_by_tenant(arrived: list[Arrived]) -> dict[uuid.UUID, list[Arrived]]:
    """The events of each tenant. Holds what is unreadable or unrouted, with the reason."""
    owners = owners_of(addresses_of(arrived))
    groups: dict[uuid.UUID, list[Arrived]] = defaultdict(list)
    held: list[dict[str, object]] = []
    for item in arrived:
        owner = owners.get(address_of(item.event) or "")
        if isinstance(item.event, events.Unreadable):
            held.append(hold(item, "unreadable", item.event.reason, owner, item.event.detail))
        elif owner:
            groups[owner].append(item)
        else:
            held.append(hold(item, "unrouted", "unrouted"))
    if held:
        hold_changes(held)
    return groups


def write(tenant_id: uuid.UUID, group: list[Arrived]) -> None:
    """Applies a tenant's events at once; if that fails, in halves, until those that fail are alone and held."""
    try:
        with within_tenant(tenant_id):
            apply_events([item.event for item in group])
    except Exception as error:
        refuse_if_it_passes(error)
        if len(group) == 1:
            log.exception("change held", tenant_id=str(tenant_id), event_id=group[0].webhook_event_id)
            reason, detail = ("nameless", "") if isinstance(error, SenderMissing) else ("failed", type(error).__name__)
            hold_changes([hold(group[0], "failed", reason, tenant_id, detail)])
        else:
            half = len(group) // 2
            write(tenant_id, group[:half])
            write(tenant_id, group[half:])


def refuse_if_it_passes(error: Exception) -> None:
    """Re-raises if the database is unavailable or aborted: no change is to blame, so the batch is retried later."""
    if not isinstance(error, DBAPIError):
        return
    state = getattr(error.orig, "sqlstate", None) or ""
    if error.connection_invalidated or not db.session.is_active or state[:2] in PASSING:
        raise error


def hold_changes(rows: list[dict[str, object]]) -> None:
    """Holds these changes. One that was held before is the same again, unless somebody has discarded it."""
    new = insert(HeldChange)
    columns = ("kind", "reason", "detail", "field", "phone_number_meta_id", "waba_meta_id", "tenant_id", "payload")
    anew = {name: new.excluded[name] for name in columns} | {"released_at": None, "tries": HeldChange.tries + 1}
    again = HeldChange.discarded_at.is_(None)
    db.session.execute(new.on_conflict_do_update(SAME_CHANGE, set_=anew, where=again), rows)


SAME_CHANGE = "uq_held_changes_webhook_event_id_position"


def hold(
    item: Arrived, kind: str, reason: str, tenant_id: uuid.UUID | None = None, detail: str = ""
) -> dict[str, object]:
    event = item.event
    raw = event.raw if isinstance(event, events.Unreadable) else type(event).__name__
    return {
        "webhook_event_id": item.webhook_event_id,
        "position": item.position,
        "kind": kind,
        "reason": reason,
        "detail": detail,
        "field": getattr(event, "field", ""),
        "phone_number_meta_id": getattr(event, "phone_number_id", None) or "",
        "waba_meta_id": event.waba_id or "",
        "tenant_id": tenant_id,
        "payload": json.dumps(raw, default=str)[:LONGEST_EXCERPT].encode(errors="replace"),
    }
