"""The templates of a business as its sandbox has them, so that a test key sends what the live key will."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import delete, null, select
from sqlalchemy.dialects.postgresql import insert

from app.message_templates.models import DRAFT, MessageTemplate, TemplateList
from app.meta import pretend
from app.meta.message_templates import SENDABLE
from app.tenancy import db, now
from app.wabas.models import Waba

AT_ONCE = 500
COPIED = (
    "id",
    "name",
    "language",
    "category",
    "status",
    "parameter_format",
    "components",
    "ttl_seconds",
    "created_at",
    "status_at",
    "status_facts",
    "quality_score",
    "correct_category",
    "previous_category",
    "source",
    "folder",
    "is_hidden",
)


def read() -> list[dict[str, Any]]:
    """All that the current tenant has at Meta; of several accounts' the oldest of a name, that can be sent if any."""
    columns = [getattr(MessageTemplate, name) for name in COPIED]
    is_waiting = MessageTemplate.status.not_in(SENDABLE)
    query = select(*columns).where(MessageTemplate.status != DRAFT).order_by(is_waiting, MessageTemplate.id)
    copies: dict[tuple[str, str], dict[str, Any]] = {}
    for row in db.session.execute(query).mappings():
        copies.setdefault((row["name"], row["language"]), dict(row))
    return list(copies.values())


def write(templates: list[dict[str, Any]]) -> None:
    """Makes the current tenant, a sandbox, have these under the same ids. What it has besides stays."""
    waba = db.session.scalars(select(Waba)).one()
    listed = TemplateList.of(waba.id)
    listed.asked_at = listed.fetched_at = now()
    db.session.add(listed)
    for first in range(0, len(templates), AT_ONCE):
        rows = [copied(one, waba) for one in templates[first : first + AT_ONCE]]
        make_way(rows, waba.id)
        new = insert(MessageTemplate).values(rows)
        changed = {name: new.excluded[name] for name in (*COPIED, "meta_id")}
        db.session.execute(new.on_conflict_do_update(index_elements=["tenant_id", "id"], set_=changed))


def copied(template: dict[str, Any], waba: Waba) -> dict[str, Any]:
    meta_id = pretend.template_id(waba.meta_id, template["name"], template["language"])
    place = {"tenant_id": waba.tenant_id, "waba_id": waba.id, "meta_id": meta_id}
    return template | place | {"status_facts": template["status_facts"] or null()}


def make_way(rows: list[dict[str, Any]], waba_id: uuid.UUID) -> None:
    """Deletes what was made in the sandbox under the name of one that the business has by now."""
    ids = {(row["name"], row["language"]): row["id"] for row in rows}
    alike = MessageTemplate.of(waba_id).where(MessageTemplate.name.in_([name for name, _ in ids]))
    others = [one.id for one in db.session.scalars(alike) if ids.get((one.name, one.language), one.id) != one.id]
    if others:
        db.session.execute(delete(MessageTemplate).where(MessageTemplate.id.in_(others)))
