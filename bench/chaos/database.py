"""What is in the database, in the model's words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg

from bench.chaos.findings import Finding, differences
from bench.chaos.model import Model

MESSAGES = """
    select p.meta_id, m.wamid, m.direction, m.type, m.body, floor(extract(epoch from m.occurred_at))::bigint,
        (select value from contact_identities i where i.tenant_id = c.tenant_id and i.contact_id = c.contact_id
            and i.kind = 'wa_id'), m.state
    from messages m join phone_numbers p on p.tenant_id = m.tenant_id and p.id = m.phone_number_id
    join conversations c on c.tenant_id = m.tenant_id and c.id = m.conversation_id where p.meta_id = any(%s)
"""
REACTIONS = """
    select p.meta_id, r.wamid, r.target_wamid, r.emoji, floor(extract(epoch from r.occurred_at))::bigint
    from reactions r join phone_numbers p on p.tenant_id = r.tenant_id and p.id = r.phone_number_id
    where p.meta_id = any(%s)
"""
CHANGES = """
    select p.meta_id, x.wamid, x.kind, x.target_wamid, x.body, floor(extract(epoch from x.occurred_at))::bigint
    from message_changes x join phone_numbers p on p.tenant_id = x.tenant_id and p.id = x.phone_number_id
    where p.meta_id = any(%s)
"""
STATUSES = """
    select p.meta_id, m.wamid, e.status, floor(extract(epoch from e.occurred_at))::bigint, true
    from message_events e join messages m on m.tenant_id = e.tenant_id and m.id = e.message_id
    join phone_numbers p on p.tenant_id = m.tenant_id and p.id = m.phone_number_id where p.meta_id = any(%s)
"""
ORPHANS = """
    select p.meta_id, o.wamid, o.status, floor(extract(epoch from o.occurred_at))::bigint, false
    from orphan_statuses o join phone_numbers p on p.tenant_id = o.tenant_id and p.id = o.phone_number_id
    where p.meta_id = any(%s)
"""
# Words in the list are compared where they are a person's own; the state only matters for what we wrote.
CONVERSATIONS = """
    select p.meta_id, i.value, c.unread_count, floor(extract(epoch from c.last_message_at))::bigint, m.wamid,
        case when m.type = 'text' then c.last_message_preview end, floor(extract(epoch from c.last_inbound_at))::bigint
    from conversations c join phone_numbers p on p.tenant_id = c.tenant_id and p.id = c.phone_number_id
    join contact_identities i on i.tenant_id = c.tenant_id and i.contact_id = c.contact_id and i.kind = 'wa_id'
    left join messages m on m.tenant_id = c.tenant_id and m.id = c.last_message_id where p.meta_id = any(%s)
"""
TICKS = """
    select p.meta_id, m.wamid, c.last_message_state
    from conversations c join phone_numbers p on p.tenant_id = c.tenant_id and p.id = c.phone_number_id
    join messages m on m.tenant_id = c.tenant_id and m.id = c.last_message_id and m.direction = 'outbound'
    where p.meta_id = any(%s)
"""
LEFT = """
    select id, 'not drained' from webhook_events where drained_at is null
    union all select webhook_event_id, kind || ': ' || reason from held_changes where released_at is null
"""


class Database:
    def __init__(self, url: str) -> None:
        self.url = url

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, connect_timeout=5) as connection:
            return connection.execute(query, values or None).fetchall()

    def change(self, statement: str, *values: Any) -> None:
        with psycopg.connect(self.url, connect_timeout=5) as connection:
            connection.execute(statement, values or None)

    def number(self, query: str, *values: Any) -> int:
        return int(self.rows(query, *values)[0][0])

    def against(self, model: Model, numbers: list[str]) -> list[Finding]:
        """All that differs from what the posts say."""

        def rows_of(query: str, key: int = 2) -> Iterable[tuple[Any, Any]]:
            for row in self.rows(query, numbers):
                yield row[:key], row[key:] if len(row) - key > 1 else row[key]

        talks = model.conversations
        shown = [(key, talks[key] if row in talks.get(key, ()) else row) for key, row in rows_of(CONVERSATIONS)]
        ticks = {key: model.state(key) for key in model.ours}
        return [
            *differences("message", model.messages, rows_of(MESSAGES)),
            *differences("reaction", model.reactions, rows_of(REACTIONS)),
            *differences("change", model.changes, rows_of(CHANGES)),
            *differences("status", model.statuses, [*rows_of(STATUSES, 4), *rows_of(ORPHANS, 4)]),
            *differences("conversation", talks, shown),
            *differences("ticks in the list", ticks, rows_of(TICKS)),
            *(Finding("stuck", "post", id, "drained", reason) for id, reason in self.rows(LEFT)),
        ]
