"""Saves reactions, each once. Shown under a message is the last one of each side."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import text

from app.tenancy import current_tenant_id, database_now, db


def save_reactions(rows: list[dict[str, Any]]) -> set[str]:
    """Saves those that are new. Returns their wamids."""
    if not rows:
        return set()
    parameters = {"rows": json.dumps(rows), "tenant": current_tenant_id(), "now": database_now()}
    return set(db.session.scalars(NEW_REACTIONS, parameters))


NEW_REACTIONS = text("""
    insert into reactions (tenant_id, id, phone_number_id, wamid, target_wamid, direction, emoji, occurred_at,
                           created_at)
    select :tenant, id, phone_number_id, wamid, target, coalesce(direction, 'inbound'), emoji, occurred_at,
           :now
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, phone_number_id uuid, wamid text, target text,
                                                       direction text, emoji text, occurred_at timestamptz)
    on conflict (tenant_id, phone_number_id, wamid) do nothing
    returning wamid
""")
