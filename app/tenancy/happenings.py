"""What happened, as rows that other features read: written in the transaction of the change, delivered afterwards.

A subscriber handles some of the kinds. Each has a cursor for each tenant, and gets everything at least
once. A cursor is a snapshot of Postgres, not an id or a time: what a transaction wrote becomes visible when it commits,
in whatever order it began, so "since last time" is exactly what this snapshot shows and that one did not.

On a Citus cluster snapshots and `xact` are the coordinator's, so the app has to be connected to it and not to a worker.
What a transaction wrote on several machines is committed on the coordinator first, and a moment later there: a cursor
moves on only when nothing that its snapshot may show is still in between (`is_settled`).
"""

from __future__ import annotations

import datetime as dt
import json
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import FetchedValue, Index, SmallInteger, UniqueConstraint, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from .actor import Actor
from .catalogue import KINDS
from .database import TenantModel, db, now, of_tenant, uuid7
from .queue import later
from .scope import current_scope, current_tenant_id

log = structlog.get_logger()

PAGE = 500
# A backlog is read in stretches of about so many rows, whole transactions: the pages of each are sorted by id, so that
# one of a million rows would be sorted two thousand times.
STRETCH = 5_000
# How far back a new subscriber starts, instead of at the oldest row.
FIRST = dt.timedelta(hours=1)
# After how many tries one that a subscriber cannot take is passed over, and how long each try waits.
TRIES = 8
PAUSE = dt.timedelta(seconds=5)
# How far back the frequent sweep looks; what is older and was lost is found by the one of all tenants.
LATELY = dt.timedelta(minutes=5)
LOOKS, BETWEEN_LOOKS = 20, 0.02
# Partitions used in turn, one a week: the oldest is emptied before it is written again.
WEEK, SLOTS, RETENTION = 7 * 86_400, 7, dt.timedelta(days=30)


class Happening(TenantModel):
    """One thing that happened. Rows are added and never changed; after 30 days their partition is emptied.

    No foreign key: nothing waits for a lock on the subject, which may be gone while this row is still read.
    """

    __table_args__ = (Index("ix_happenings_at", "at", postgresql_using="brin"),)
    # What the database fills in is for its readers, not for whoever adds the row.
    __mapper_args__ = {"eager_defaults": False}

    kind: Mapped[str]
    subject_id: Mapped[uuid.UUID]
    # Who did it; null for the customer and for WhatsApp.
    actor: Mapped[dict[str, Any] | None]
    facts: Mapped[dict[str, Any]]
    at: Mapped[dt.datetime] = mapped_column(default=now)
    # Which transaction wrote it, and its partition: filled in by the database.
    xact: Mapped[int] = mapped_column(server_default=FetchedValue())
    slot: Mapped[int] = mapped_column(SmallInteger, server_default=FetchedValue())


@dataclass(frozen=True, slots=True)
class Happened:
    """A happening as subscribers get it; `facts` are of the class that the catalogue has for its kind."""

    id: uuid.UUID
    kind: str
    subject_id: uuid.UUID
    actor: Actor | None
    facts: Any
    at: dt.datetime


def happened(kind: str, subject_id: uuid.UUID, *, by: Actor | None = None, **facts: object) -> None:
    """Records that something happened, in this transaction. Raises `ValidationError` for facts not in the catalogue."""
    insert_happenings(kind, [(subject_id, as_facts(kind, facts))], [by], current_tenant_id())


def happened_each(
    kind: str,
    rows: Sequence[tuple[object, dict[str, Any]]],
    *,
    actors: Sequence[Actor | None] | None = None,
    tenant_id: uuid.UUID | None = None,
) -> None:
    """The same for many at once, each (subject's id, facts), with one INSERT. Facts hold text, numbers and null only.

    The platform, which works for no tenant, says for which.
    """
    if rows:
        as_facts(kind, rows[0][1])
        insert_happenings(kind, rows, actors or (), tenant_id or current_tenant_id())


def insert_happenings(
    kind: str, rows: Sequence[tuple[object, dict[str, Any]]], actors: Sequence[Actor | None], tenant_id: uuid.UUID
) -> None:
    """With a statement of its own, and not through the session, which takes twice the time for one row."""
    # One after the other, so that they keep their order; a thousand cost as much as one.
    first = uuid7().int
    values: list[dict[str, Any]] = [
        {"id": f"{first + place:032x}", "subject": str(subject), "facts": facts}
        for place, (subject, facts) in enumerate(rows)
    ]
    for value, by in zip(values, actors, strict=False):
        value["actor"] = by and by.as_json()
    # What the session still holds is written once, at its end.
    db.session.connection().execute(NEW, {"rows": json.dumps(values), "kind": kind, "tenant": tenant_id, "at": now()})
    wake_subscribers(kind, tenant_id)


# `on conflict` has a cluster send it through the coordinator, which row security needs there.
NEW = text("""
    insert into happenings (tenant_id, id, kind, subject_id, actor, facts, at)
    select :tenant, id, :kind, subject, actor, facts, :at
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, subject uuid, actor jsonb, facts jsonb)
    on conflict do nothing
""")


def as_facts(kind: str, facts: dict[str, Any]) -> dict[str, Any]:
    return KINDS[kind](**facts).model_dump(mode="json", exclude_none=True)


Handler = Callable[[list[Happened]], None]


@dataclass(frozen=True, slots=True)
class Subscriber:
    name: str
    kinds: tuple[str, ...]
    handle: Handler


SUBSCRIBERS: dict[str, Subscriber] = {}


def subscriber(name: str, *kinds: str) -> Callable[[Handler], Handler]:
    """Has the decorated function called with what happened of these kinds, in a scope of the tenant.

    It works in the transaction that moves the cursor on, so it must not commit; what it wants done outside it enqueues.
    """
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise ValueError(f"no such kinds: {unknown}")

    def register(handle: Handler) -> Handler:
        SUBSCRIBERS[name] = Subscriber(name, kinds, handle)
        return handle

    return register


def wake_subscribers(kind: str, tenant_id: uuid.UUID) -> None:
    """Enqueues a delivery after the commit for all that subscribe to it, each once in a transaction."""
    woken = current_scope().woken
    for one in SUBSCRIBERS.values():
        if kind in one.kinds and (tenant_id, one.name) not in woken:
            woken.add((tenant_id, one.name))
            later("happenings.deliver", one.name, tenant_id=tenant_id)


class HappeningCursor(TenantModel):
    """How far one subscriber has read a tenant's happenings: all of `since`, and of `until` those up to `after_id`."""

    __table_args__ = (of_tenant(), UniqueConstraint("tenant_id", "subscriber"))

    subscriber: Mapped[str]
    since: Mapped[str | None]
    # While a backlog is read in pages: the snapshot that they are of.
    until: Mapped[str | None]
    after_id: Mapped[uuid.UUID | None]
    # What the first of them failed with, how often, and when it is tried again.
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[dt.datetime | None]
    error: Mapped[str | None]
    passed_over: Mapped[int] = mapped_column(default=0)

    @classmethod
    def locked(cls, name: str) -> HappeningCursor:
        """One delivery at a time: who comes second waits, because the first may have looked before its news came."""
        mine = {"tenant_id": current_tenant_id(), "id": uuid7(), "subscriber": name, "attempts": 0, "passed_over": 0}
        db.session.execute(insert(cls).values(mine).on_conflict_do_nothing())
        query = select(cls).where(cls.subscriber == name).with_for_update()
        return db.session.scalars(query.execution_options(populate_existing=True)).one()

    def deliver(self, subscriber: Subscriber) -> bool:
        """Delivers the next page of happenings. Returns whether more are waiting."""
        if self.next_attempt_at and self.next_attempt_at > now():
            return False
        if self.until is None and not self.start_page():
            self.next_attempt_at = now() + PAUSE
            return False
        happenings = self.read(subscriber.kinds)
        if not self.hand_over(subscriber, happenings):
            return False
        if len(happenings) == PAGE:
            self.after_id = happenings[-1].id
            return True
        self.since, self.until, self.after_id = self.until, None, None
        return bool(db.session.scalar(IS_MORE, {"tenant": current_tenant_id(), "since": self.since}))

    def start_page(self) -> bool:
        """Takes a snapshot; false where other machines have not committed all of it yet.

        After a restore into another cluster old snapshots say nothing: the last hour is delivered again.
        """
        row = db.session.execute(SNAPSHOT, {"since": self.since}).one()
        if row.has_workers and not is_settled():
            return False
        self.until, self.since = row.snapshot, None if row.is_foreign else self.since
        values = {"tenant": current_tenant_id(), "since": self.since, "until": self.until, "most": STRETCH}
        if end := self.since and db.session.scalar(STRETCH_END, values):
            self.until = f"{end}:{end}:"
        return True

    def read(self, kinds: Sequence[str]) -> list[Happened]:
        values = {"tenant": current_tenant_id(), "kinds": list(kinds), "since": self.since, "until": self.until}
        values |= {"after": self.after_id, "young": None if self.since else now() - FIRST, "most": PAGE}
        return [
            Happened(row.id, row.kind, row.subject_id, Actor.read(row.actor), KINDS[row.kind](**row.facts), row.at)
            for row in db.session.execute(READ, values)
        ]

    def hand_over(self, subscriber: Subscriber, happenings: list[Happened]) -> bool:
        """All at once; where that fails one by one, up to the one that fails. Returns whether all were taken."""
        if not happenings or self.took(subscriber, happenings):
            self.attempts, self.next_attempt_at = 0, None
            return True
        for one in happenings:
            if len(happenings) > 1 and self.took(subscriber, [one]):
                self.attempts = 0
            elif self.attempts + 1 < TRIES:
                self.attempts += 1
                self.next_attempt_at = now() + PAUSE * 2 ** (self.attempts - 1)
                return False
            else:
                log.error("happening passed over", subscriber=subscriber.name, id=str(one.id), error=self.error)
                self.attempts, self.passed_over = 0, self.passed_over + 1
            self.after_id = one.id
        self.next_attempt_at = None
        return True

    def took(self, subscriber: Subscriber, happenings: list[Happened]) -> bool:
        scope = current_scope()
        waiting = len(scope.callbacks)
        try:
            with db.session.begin_nested():
                subscriber.handle(happenings)
        except Exception as error:
            del scope.callbacks[waiting:]
            log.exception("subscriber failed", subscriber=subscriber.name, happenings=len(happenings))
            self.error = type(error).__name__
            return False
        return True


SNAPSHOT = text("""
    select pg_current_snapshot()::text as snapshot,
        coalesce(pg_snapshot_xmax(cast(:since as pg_snapshot)) > pg_snapshot_xmax(pg_current_snapshot()), false)
            as is_foreign,
        to_regproc('run_command_on_workers') is not null as has_workers
""")


def is_settled() -> bool:
    """Whether what the coordinator has committed by now is committed on every machine; waits for it a little while.

    There a transaction is prepared before the coordinator commits. So once those that are prepared now have ended,
    all that an earlier snapshot of the coordinator shows can be read.
    """
    prepared = set(db.session.scalars(PREPARED))
    for _ in range(LOOKS):
        if not prepared:
            return True
        time.sleep(BETWEEN_LOOKS)
        prepared &= set(db.session.scalars(PREPARED))
    return not prepared


# Transactions that are prepared on other machines of a Citus cluster. A machine that cannot be asked counts as one.
PREPARED = text("""
    select unnest(case when success then string_to_array(nullif(result, ''), ',') else array[result] end)
    from run_command_on_workers(
        'select string_agg(gid, '','') from pg_prepared_xacts where database = current_database()')
""")
# Where a stretch of a long backlog ends, in the order of the primary key (tenant_id, xact, …): after how many rows, if
# every transaction before has ended and `since` shows none behind it. Null: there are fewer rows.
STRETCH_END = text("""
    select last.xact + 1 from (
        select greatest(h.xact, pg_snapshot_xmax(cast(:since as pg_snapshot))::text::bigint) as xact from happenings h
        where h.tenant_id = :tenant and h.xact >= pg_snapshot_xmin(cast(:since as pg_snapshot))::text::bigint
          and not pg_visible_in_snapshot(h.xact::text::xid8, cast(:since as pg_snapshot))
        order by h.xact offset :most limit 1) last
    where last.xact < pg_snapshot_xmin(cast(:until as pg_snapshot))::text::bigint
""")
# Whether a stretch ended before all that there is now. What comes later wakes the subscriber by itself.
IS_MORE = text("""
    select exists (select from happenings h
        where h.tenant_id = :tenant and h.xact >= pg_snapshot_xmax(cast(:since as pg_snapshot))::text::bigint
          and h.xact < pg_snapshot_xmin(pg_current_snapshot())::text::bigint)
""")
# What `until` shows and `since` does not, oldest first, by the primary key (tenant_id, xact, …). `since` null: what is
# younger than `young`. `after` null: from the beginning.
READ = text("""
    select h.id, h.kind, h.subject_id, h.actor, h.facts, h.at from happenings h
    where h.tenant_id = :tenant and h.kind = any(:kinds)
      and h.xact >= coalesce(pg_snapshot_xmin(cast(:since as pg_snapshot))::text::bigint, 0)
      and h.xact < pg_snapshot_xmax(cast(:until as pg_snapshot))::text::bigint
      and (cast(:since as text) is null
        or not pg_visible_in_snapshot(h.xact::text::xid8, cast(:since as pg_snapshot)))
      and pg_visible_in_snapshot(h.xact::text::xid8, cast(:until as pg_snapshot))
      and (cast(:after as uuid) is null or h.id > :after)
      and (cast(:young as timestamptz) is null or h.at > :young)
    order by h.id limit :most
""")


def behind(tenant_ids: Sequence[uuid.UUID]) -> list[tuple[uuid.UUID, str]]:
    """Which subscribers have not seen all there is of these tenants, whatever its kind, so that no cursor stays far
    behind. Needs a platform scope."""
    values = {"tenants": list(tenant_ids), "names": list(SUBSCRIBERS)}
    cursors = {(row.tenant_id, row.subscriber): row for row in db.session.execute(CURSORS, values)}
    wanted = [(tenant_id, name) for tenant_id in tenant_ids for name in SUBSCRIBERS]
    new = [key for key in wanted if key not in cursors or cursors[key].since is None]
    at = now()
    waiting = {key for key, row in cursors.items() if row.next_attempt_at and row.next_attempt_at > at}
    # Whoever reads a backlog is behind. Not asked about, since it would have the others read as far back.
    reading = {key for key, row in cursors.items() if row.until}
    asked = {key: row.since for key, row in cursors.items() if row.since and key not in reading | waiting}
    values["seen"] = min((int(since.partition(":")[0]) for since in asked.values()), default=0)
    late = {(row.tenant_id, row.subscriber) for row in db.session.execute(BEHIND, values)} if asked else set()
    return [key for key in [*new, *sorted(reading | (late & asked.keys()))] if key not in waiting]


def active_tenants() -> list[uuid.UUID]:
    """Where something happened lately, or a cursor waits. Needs a platform scope."""
    recent = set(db.session.scalars(ACTIVE, {"since": now() - LATELY}))
    return sorted(recent | set(db.session.scalars(WAITING, {"now": now()})))


CURSORS = text("""
    select tenant_id, subscriber, since, until, next_attempt_at from happening_cursors
    where tenant_id = any(:tenants) and subscriber = any(:names)
""")
# `seen` is the oldest transaction of which one of these cursors may not know: happenings are read from there on, by
# their key (tenant_id, xact, …), and never all that a tenant has.
BEHIND = text("""
    select c.tenant_id, c.subscriber from happening_cursors c
    where c.tenant_id = any(:tenants) and c.subscriber = any(:names) and c.since is not null and exists (
        select from happenings h
        where h.tenant_id = c.tenant_id and h.tenant_id = any(:tenants) and h.xact >= :seen
          and not pg_visible_in_snapshot(h.xact::text::xid8, cast(c.since as pg_snapshot)))
""")
# By the index ix_happenings_at, which is as small as a few pages.
ACTIVE = text("select distinct tenant_id from happenings where at >= :since")
WAITING = text("select distinct tenant_id from happening_cursors where next_attempt_at <= :now or until is not null")

EMPTY = (
    text("truncate happening_slots.slot_0"),
    text("truncate happening_slots.slot_1"),
    text("truncate happening_slots.slot_2"),
    text("truncate happening_slots.slot_3"),
    text("truncate happening_slots.slot_4"),
    text("truncate happening_slots.slot_5"),
    text("truncate happening_slots.slot_6"),
)


def empty_oldest(at: dt.datetime) -> int | None:
    """Empties the partition that will be written next week, if all in it is old enough. Needs a platform scope."""
    slot = (int(at.timestamp()) // WEEK + 1) % SLOTS
    values = {"slot": slot, "before": at - RETENTION}
    db.session.execute(text("set local lock_timeout = '2s'"))
    if db.session.scalar(text("select exists (select from happenings where slot = :slot and at >= :before)"), values):
        db.session.execute(text("delete from happenings where slot = :slot and at < :before"), values)
        return None
    if db.session.scalar(text("select exists (select from happenings where slot = :slot)"), values):
        db.session.execute(EMPTY[slot])
    return slot
