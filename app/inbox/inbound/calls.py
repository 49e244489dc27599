"""Phone calls as lines in the thread. They can't be answered here: each one waits for a reply in writing."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import text

from app.tenancy import announce, current_tenant_id, db

from .placing import Placed
from .storing import news_of, row_of


def settle_calls(placed: Sequence[Placed]) -> None:
    """A call that was there as ringing has ended: its line says how."""
    ended = [one for one in placed if one.message.type == "call" and one.message.content.get("event") == "terminate"]
    if ended:
        rows = [row_of(one) | {"facts": (summary := news_of(one).summary) and summary.as_dict()} for one in ended]
        for conversation_id in db.session.scalars(SETTLE, {"rows": json.dumps(rows), "tenant": current_tenant_id()}):
            announce("conversation", conversation_id)


# Gives calls that are known as begun the word of their end, by the unique index (tenant_id, phone_number_id, wamid);
# where such a call is the last message, the list says so too.
SETTLE = text("""
    with settled as (
        update messages m set content = r.content
        from jsonb_to_recordset(cast(:rows as jsonb)) as r(phone_number_id uuid, wamid text, content jsonb, facts jsonb)
        where m.tenant_id = :tenant and m.phone_number_id = r.phone_number_id and m.wamid = r.wamid
          and m.type = 'call' and m.content #>> '{raw,event}' is distinct from 'terminate'
        returning m.id, m.conversation_id, r.facts
    ), shown as (
        update conversations c set last_message_facts = s.facts from settled s
        where c.tenant_id = :tenant and c.id = s.conversation_id and c.last_message_id = s.id
    )
    select conversation_id::text from settled
""")
