"""Runs the turns that are due in all businesses, many at a time: most of a turn is waiting for a model."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic, sleep
from typing import Any

import structlog
from flask import Flask, current_app
from sqlalchemy import select

from app.tenancy import db, in_turn, now, platform_scope, tenant_scope
from app.tenancy.queue import stopping

from .answering import answer
from .engagements import PATIENCE, Engagement

log = structlog.get_logger()

THREADS = 16
# Of one business, so that its slow model leaves room to the others.
OF_TENANT = 6
BUDGET_SECONDS = 30
POLL_SECONDS = 0.2
AT_ONCE = 200

Place = tuple[uuid.UUID, uuid.UUID]


class Runner:
    """One run over all businesses. Several processes may run at once: claims and leases are in Postgres."""

    def __init__(self) -> None:
        self.app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        self.under_way: dict[Place, Future[Any]] = {}

    def run(self) -> bool:
        """Until nothing is due soon, at most BUDGET_SECONDS. Returns whether the time ran out first."""
        end = monotonic() + BUDGET_SECONDS
        with ThreadPoolExecutor(THREADS, "turn") as pool:
            while True:
                has_time = monotonic() < end and not stopping.is_set()
                due, is_expecting = self.due() if has_time else ([], False)
                for place in self.fitting(due):
                    self.under_way[place] = pool.submit(self.execute, *place)
                self.under_way = {place: one for place, one in self.under_way.items() if not one.done()}
                if not self.under_way and not (has_time and (due or is_expecting)):
                    return monotonic() >= end
                sleep(POLL_SECONDS / 4)

    def due(self) -> tuple[list[Place], bool]:
        """The turns that are due, and whether others will be soon."""
        with platform_scope("turns of assistants that are due"):
            at = now()
            soon = select(Engagement.tenant_id, Engagement.conversation_id, Engagement.due_at)
            soon = soon.where(Engagement.due_at <= at + PATIENCE)
            rows = db.session.execute(in_turn(soon, Engagement.due_at, AT_ONCE)).all()
        due = [(row.tenant_id, row.conversation_id) for row in rows if row.due_at <= at]
        return due, len(due) < len(rows)

    def fitting(self, due: list[Place]) -> list[Place]:
        counts = Counter(tenant_id for tenant_id, _conversation_id in self.under_way)
        fitting: list[Place] = []
        for place in due:
            if (
                place in self.under_way
                or len(self.under_way) + len(fitting) >= THREADS
                or counts[place[0]] >= OF_TENANT
            ):
                continue
            counts[place[0]] += 1
            fitting.append(place)
        return fitting

    def execute(self, tenant_id: uuid.UUID, conversation_id: uuid.UUID) -> None:
        with self.app.app_context():
            try:
                with tenant_scope(tenant_id):
                    answer(conversation_id)
            except Exception as error:  # noqa: BLE001  one turn must not end the others; its lease brings it back
                log.error("turn failed", conversation_id=str(conversation_id), error=type(error).__name__)
                with tenant_scope(tenant_id):
                    if engagement := Engagement.of(conversation_id):
                        engagement.refresh_locked().put_off()


def expired() -> list[Place]:
    """The turns whose worker died. Needs a platform scope."""
    over = select(Engagement.tenant_id, Engagement.conversation_id).where(Engagement.lease_until < now())
    return [(row[0], row[1]) for row in db.session.execute(in_turn(over, Engagement.lease_until, AT_ONCE))]


def is_anything_due(within: dt.timedelta = dt.timedelta()) -> bool:
    """Needs a platform scope."""
    return bool(db.session.scalar(select(Engagement.id).where(Engagement.due_at <= now() + within).limit(1)))
