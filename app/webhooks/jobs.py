"""Background jobs of webhooks: drains them, replays what was held, forgets what is old."""

from __future__ import annotations

import datetime as dt
import time
import uuid

from sqlalchemy import case, select, text, update

from app.tenancy import database_now, db, enqueue, exists, job, later, platform_scope, sweep
from app.webhook_events.models import HeldChange, WebhookEvent
from app.webhook_events.replays import Replay
from app.webhook_events.routing import owners_of

from .callbacks import MetaCallback
from .drain import drain_batch

BUDGET_SECONDS = 20
RETENTION = dt.timedelta(days=30)
FORGET_SECONDS, FORGOTTEN_AT_ONCE = 30, 5_000
QUARANTINE = dt.timedelta(days=7)
# The next posts by id: where they end, and whether all of them arrived before the time given. Those that are drained
# and old are deleted, by the primary key.
FORGET = text("""
    with next as (
        select id, received_at, drained_at from webhook_events where id > :after order by id limit :batch
    ), forgotten as (
        delete from webhook_events w using next
        where w.id = next.id and next.drained_at < :before returning w.id
    )
    select max(id), coalesce(bool_and(received_at < :before), false) from next
""")


@job("webhooks.drain", "inbound", per_tenant=False, seconds=180)
def drain() -> None:
    end, little_first = time.monotonic() + BUDGET_SECONDS, True
    while drain_batch(little_first=little_first):
        little_first = not little_first
        if time.monotonic() > end:
            enqueue("webhooks.drain")
            return


@job("webhooks.handle_callback", per_tenant=False)
def handle_callback(callback_id: str) -> None:
    mine = select(MetaCallback).where(MetaCallback.id == callback_id, MetaCallback.handled_at.is_(None))
    with platform_scope("somebody removed the app, or wants data deleted"):
        if callback := db.session.scalar(mine.with_for_update(skip_locked=True)):
            callback.handle()


@sweep(every=10)
def enqueue_callbacks() -> None:
    with platform_scope("callbacks not handled yet"):
        for callback_id in db.session.scalars(select(MetaCallback.id).where(MetaCallback.handled_at.is_(None))):
            enqueue("webhooks.handle_callback", str(callback_id))


@sweep(every=5)
def enqueue_waiting_events() -> None:
    with platform_scope("are webhooks waiting?"):
        waiting = exists(select(WebhookEvent.id).where(WebhookEvent.drained_at.is_(None)))
    if waiting:
        enqueue("webhooks.drain")


@sweep(every=60)
def forget_old_events() -> None:
    """Deletes what was drained a month ago, the oldest first: more in a minute than can arrive in one."""
    end = time.monotonic() + FORGET_SECONDS
    place = 0
    while time.monotonic() < end:
        with platform_scope("forget old webhooks"):
            values = {"after": place, "batch": FORGOTTEN_AT_ONCE, "before": database_now() - RETENTION}
            last, is_old = db.session.execute(FORGET, values).one()
        if last is None or not is_old:
            return
        place = last


@sweep(every=5)
def release_from_quarantine() -> None:
    """Drains again what waited for a number, within the last week, once a tenant has connected it.

    Routes are read by statements of their own: in a cluster every machine has them, held changes stay on one.
    """
    waiting = (HeldChange.kind == "unrouted") & HeldChange.released_at.is_(None) & HeldChange.discarded_at.is_(None)
    number, waba = HeldChange.phone_number_meta_id, HeldChange.waba_meta_id
    address = case((number != "", number), else_=waba)
    with platform_scope("route what waited in quarantine"):
        recent = HeldChange.received_at > database_now() - QUARANTINE
        owned = address.in_(owners_of(set(db.session.scalars(select(address).where(waiting, recent).distinct()))))
        freed = update(HeldChange).where(waiting, recent, owned).values(released_at=database_now())
        ids = set(db.session.scalars(freed.returning(HeldChange.webhook_event_id)))
        if ids:
            db.session.execute(update(WebhookEvent).where(WebhookEvent.id.in_(ids)).values(drained_at=None))
            later("webhooks.drain")


@job("webhooks.replay", per_tenant=False, seconds=180)
def replay(replay_id: str) -> None:
    """Has its posts drained again, some hundreds at a time."""
    more = True
    while more:
        with platform_scope("replay held changes"):
            replay_row = db.session.get_one(Replay, uuid.UUID(replay_id), with_for_update=True)
            more = replay_row.state == "collecting" and replay_row.collect()
            later("webhooks.drain")


@sweep(every=5)
def look_after_replays() -> None:
    with platform_scope("replays under way"):
        for each in db.session.scalars(Replay.unfinished()).all():
            each.settle()
            if each.state == "collecting":
                later("webhooks.replay", each.id)
