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

STATUS = "FLOW_STATUS_CHANGE"
MOST_CHARACTERS = 4_000


def apply_flow_news(changes: Sequence[OtherChange]) -> None:
    """In the order of their times. Of a form that is not here, the account's list is read again."""
    for change in sorted((one for one in changes if one.field == "flows"), key=lambda one: one.timestamp):
        version = FlowVersion.with_meta_id(identifier(change.value.get("flow_id")) or "")
        if version:
            apply(version, change)
        elif change.waba_id and (waba := Waba.with_meta_id(change.waba_id)):
            later("flows.fetch", waba.id)


def apply(version: FlowVersion, change: OtherChange) -> None:
    event = text(change.value.get("event"), 60) or ""
    status = (text(change.value.get("new_status"), 40) or "").upper()
    is_newest = change.timestamp >= (last_status_at(version) or change.timestamp)
    facts = bounded({key: value for key, value in change.value.items() if key != "flow_id"}, MOST_CHARACTERS)
    FlowNotice.add(version, event, facts, change.timestamp)
    if event == STATUS and status and is_newest and status != version.status:
        version.refresh_locked().status = status
        if status == "PUBLISHED":
            version.published_at = version.published_at or change.timestamp
    version.announce()


def last_status_at(version: FlowVersion) -> dt.datetime | None:
    query = select(func.max(FlowNotice.at)).where(FlowNotice.version_id == version.id, FlowNotice.event == STATUS)
    return db.session.scalar(query)
