"""What happened, and having a subscriber hear of it: what the worker would do."""

from __future__ import annotations

import uuid

from app.tenancy import db, tenant_scope
from app.tenancy.happenings import Happening
from app.tenancy.jobs import deliver_happenings


def deliver_to_subscriber(subscriber: str, tenant_id: uuid.UUID) -> None:
    deliver_happenings(tenant_id, subscriber)


def kinds(tenant_id: uuid.UUID) -> list[str]:
    """Of all that happened, in order."""
    with tenant_scope(tenant_id):
        return list(db.session.scalars(db.select(Happening.kind).order_by(Happening.id)))


def happenings(tenant_id: uuid.UUID, kind: str) -> list[Happening]:
    with tenant_scope(tenant_id):
        return list(db.session.scalars(db.select(Happening).where(Happening.kind == kind).order_by(Happening.id)))
