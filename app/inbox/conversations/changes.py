"""What senders changed afterwards: edits and deletions. A message's own row stays as it came."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import TenantModel, belongs_to, current_tenant_id, database_now, db, now, one_of

KINDS = ("edit", "revoke")
MOST_CHANGES = 10


class MessageChange(TenantModel):
    """One edit (with the new words) or the deletion of a message, which may come later than its change."""

    __table_args__ = (
        belongs_to("phone_numbers", "phone_number_id"),
        UniqueConstraint("tenant_id", "phone_number_id", "wamid"),
        one_of("kind", KINDS),
        Index("ix_message_changes_target", "tenant_id", "phone_number_id", "target_wamid"),
    )

    phone_number_id: Mapped[uuid.UUID]
    wamid: Mapped[str]
    target_wamid: Mapped[str]
    kind: Mapped[str]
    body: Mapped[str] = mapped_column(default="")
    occurred_at: Mapped[dt.datetime]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)


def save_changes(rows: list[dict[str, Any]]) -> None:
    """Saves those that are new. Of each message the last MOST_CHANGES stay."""
    if rows:
        values = {"rows": json.dumps(rows), "tenant": current_tenant_id()}
        db.session.execute(NEW_CHANGES, values | {"now": database_now()})
        db.session.execute(FORGET_CHANGES, values | {"most": MOST_CHANGES})


def show_changes(wamids: Iterable[str]) -> list[str]:
    """Where a changed message is the last of its conversation, the list shows what it says now.

    Returns the conversations of all of them.
    """
    changed = sorted(set(wamids))
    return list(db.session.scalars(SHOW_CHANGES, {"wamids": changed, "tenant": current_tenant_id()})) if changed else []


NEW_CHANGES = text("""
    insert into message_changes (tenant_id, id, phone_number_id, wamid, target_wamid, kind, body, occurred_at,
                                 created_at)
    select :tenant, id, phone_number_id, wamid, target, type, body, occurred_at, :now
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, phone_number_id uuid, wamid text, target text,
                                                       type text, body text, occurred_at timestamptz)
    on conflict (tenant_id, phone_number_id, wamid) do nothing
""")
# Deletes what is older than the last :most changes of a message; a deletion stays. By ix_message_changes_target.
FORGET_CHANGES = text("""
    delete from message_changes old using (
        select distinct phone_number_id, target from jsonb_to_recordset(cast(:rows as jsonb))
            as r(phone_number_id uuid, target text)
    ) changed
    where old.tenant_id = :tenant and old.phone_number_id = changed.phone_number_id
        and old.target_wamid = changed.target and old.kind = 'edit' and (
            select count(*) from message_changes newer
            where newer.tenant_id = :tenant and newer.phone_number_id = changed.phone_number_id
                and newer.target_wamid = changed.target
                and (newer.occurred_at, newer.id) > (old.occurred_at, old.id)
        ) >= :most
""")
# What do changed messages say after their last edit, and is that the line of their conversation? A deletion outweighs
# every edit, and leaves a kind without words. By the changes' (tenant_id, target_wamid) and the messages' unique wamid.
SHOW_CHANGES = text("""
    with changed as (
        select m.id, m.conversation_id, bool_or(x.kind = 'revoke') as is_deleted,
            (array_agg(x.body order by x.kind = 'edit' desc, x.occurred_at desc, x.id desc))[1] as body
        from message_changes x join messages m
            on m.tenant_id = :tenant and m.phone_number_id = x.phone_number_id and m.wamid = x.target_wamid
        where x.tenant_id = :tenant and x.target_wamid = any(:wamids)
        group by m.id, m.conversation_id
    ), shown as (
        update conversations c set
            last_message_preview =
                case when is_deleted then '' else left(regexp_replace(body, '\\s+', ' ', 'g'), 160) end,
            last_message_facts = case when is_deleted then '{"kind": "revoke"}' else c.last_message_facts end
        from changed where c.tenant_id = :tenant and c.id = changed.conversation_id and c.last_message_id = changed.id
    )
    select distinct conversation_id::text from changed
""")
