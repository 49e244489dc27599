"""Saves reactions, each once. Shown under a message is the last one of each side."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import text

from app.tenancy import current_tenant_id, database_now, db

# Of each side to one message.
MOST_REACTIONS = 10


def save_reactions(rows: list[dict[str, Any]]) -> set[str]:
    """Saves those that are new, and forgets those that many came after. Returns the new ones' wamids."""
    if not rows:
        return set()
    parameters = {"rows": json.dumps(rows), "tenant": current_tenant_id()}
    new = set(db.session.scalars(NEW_REACTIONS, parameters | {"now": database_now()}))
    db.session.execute(FORGET_REACTIONS, parameters | {"most": MOST_REACTIONS})
    return new


# Stores reactions that are not here yet, by their unique key of number and wamid; returns which those were. A null
# `direction`: the customer's.
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
# Deletes what the same side has replaced :most times since. By ix_reactions_target. One that goes out itself stays.
FORGET_REACTIONS = text("""
    delete from reactions old using (
        select distinct phone_number_id, target from jsonb_to_recordset(cast(:rows as jsonb))
            as r(phone_number_id uuid, target text)
    ) changed
    where old.tenant_id = :tenant and old.phone_number_id = changed.phone_number_id
        and old.target_wamid = changed.target and old.message_id is null and (
            select count(*) from reactions newer
            where newer.tenant_id = :tenant and newer.phone_number_id = changed.phone_number_id
                and newer.target_wamid = changed.target and newer.direction = old.direction
                and (newer.occurred_at, newer.id) > (old.occurred_at, old.id)
        ) >= :most
""")
