"""Telling customers that nobody is there: once to each, for each time the business is closed."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable

from sqlalchemy import text

from app.hours.models import ServicePolicy
from app.tenancy import announce, current_tenant_id, db, now, uuid7


def tell_that_nobody_is_there(conversation_ids: Iterable[str]) -> None:
    """These customers wrote a moment ago. The time of opening names the message, so that it is sent once until then.

    The clock rings for it within seconds; nobody waits for such a message.
    """
    policy = ServicePolicy.current()
    opens = policy.away_since(now())
    if opens is None:
        return
    rows = [
        {"id": str(uuid7()), "conversation": id, "client": str(uuid.uuid5(uuid.UUID(id), f"away until {opens}"))}
        for id in sorted(set(conversation_ids))
    ]
    told = {"tenant": current_tenant_id(), "body": policy.away_text, "rows": json.dumps(rows)}
    for conversation_id in db.session.scalars(TELL, told):
        announce("conversation", conversation_id)


TELL = text("""
    insert into messages (tenant_id, id, conversation_id, phone_number_id, direction, type, body, state, client_id,
                          occurred_at, created_at, expires_at, fence, attempts)
    select :tenant, r.id, c.id, c.phone_number_id, 'outbound', 'text', :body, 'queued', r.client, clock_timestamp(),
           clock_timestamp(), c.last_inbound_at + interval '24 h', 0, 0
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, conversation uuid, client uuid)
    join conversations c on c.tenant_id = :tenant and c.id = r.conversation
    join phone_numbers p on p.tenant_id = :tenant and p.id = c.phone_number_id and p.state in ('connected', 'paused')
    where c.last_inbound_at > clock_timestamp() - interval '1 h' and c.state not in ('spam', 'blocked')
    on conflict (tenant_id, conversation_id, client_id) do nothing
    returning conversation_id
""")
