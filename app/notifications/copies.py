"""The notifications of a business as its sandbox has them, so that a test key sends what the live key will."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from app.tenancy import current_tenant_id, db

from .models import Notification

# Its number and the field of the language are not there; which keys may send it is the same.
COPIED = (
    *("id", "name", "title", "template", "language", "mapping"),
    *("access", "api_key_ids", "pause_minutes", "paused_at", "created_at"),
)


def read() -> list[dict[str, Any]]:
    columns = [getattr(Notification, name) for name in COPIED]
    return [dict(row) for row in db.session.execute(select(*columns).order_by(Notification.id)).mappings()]


def write(rows: list[dict[str, Any]], gone: list[Any]) -> None:
    """Makes the current tenant, a sandbox, have these under the same ids, and none of those that are gone."""
    names, ids = [row["name"] for row in rows], [row["id"] for row in rows]
    alike = Notification.name.in_(names) & Notification.id.not_in(ids)
    db.session.execute(delete(Notification).where(alike | Notification.id.in_(gone)))
    if not rows:
        return
    new = insert(Notification).values([row | {"tenant_id": current_tenant_id()} for row in rows])
    changed = {name: new.excluded[name] for name in COPIED}
    db.session.execute(new.on_conflict_do_update(index_elements=["tenant_id", "id"], set_=changed))
