"""Applies Meta's webhooks about forms: their status, and what goes wrong on phones or with the data endpoint."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import func, select

from app.meta.events import OtherChange
from app.meta.payload import bounded, identifier, text
from app.tenancy import db, later
from app.wabas.models import Waba

from .models import FlowNotice, FlowVersion

FIELDS = ("flows",)
STATUS = "FLOW_STATUS_CHANGE"
MOST_CHARACTERS = 4_000


def apply_flow_news(changes: Sequence[OtherChange]) -> None:
    """In the order of their times. The account's list is read again, which settles what came too late."""
    for change in sorted((one for one in changes if one.field in FIELDS), key=lambda one: one.timestamp):
        if version := FlowVersion.with_meta_id(identifier(change.value.get("flow_id")) or ""):
            apply(version, change)
        if change.waba_id and (waba := Waba.with_meta_id(change.waba_id)):
            later("flows.fetch", waba.id)


def apply(version: FlowVersion, change: OtherChange) -> None:
    event = text(change.value.get("event"), 60) or ""
    status = (text(change.value.get("new_status"), 40) or "").upper()
    newest = last_reported_at(version)
    facts = bounded({key: value for key, value in change.value.items() if key != "flow_id"}, MOST_CHARACTERS)
    FlowNotice.add(version, event, facts, change.timestamp)
    if event == STATUS and status and (newest is None or change.timestamp >= newest):
        locked = version.refresh_locked()
        locked.status = status
        if status == "PUBLISHED":
            locked.published_at = locked.published_at or change.timestamp
    version.announce()


def last_reported_at(version: FlowVersion) -> dt.datetime | None:
    """When Meta last reported a status by a webhook; what we read ourselves is by another clock."""
    mine = FlowNotice.version_id == version.id, FlowNotice.event == STATUS
    reported = FlowNotice.facts["event"].astext == STATUS
    return db.session.scalar(select(func.max(FlowNotice.at)).where(*mine, reported))
