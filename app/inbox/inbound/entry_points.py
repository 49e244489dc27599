"""Free entry points: who came by an advertisement or a page's button and was answered within a day is free to write to.

Whether that is so, WhatsApp tells with the statuses of what we send; here it is only noted.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence

from sqlalchemy import text

from app.meta.events import StatusUpdate
from app.tenancy import announce, current_tenant_id, db
from app.wabas.models import numbers_by_meta_id

# It begins with our answer. WhatsApp may let it last longer, and then says until when.
LASTS = dt.timedelta(hours=72)


def note_free_entries(statuses: Sequence[StatusUpdate]) -> None:
    """Called when the messages are known by their wamids. What is missing comes again with the next status."""
    free = [status for status in statuses if status.is_free_entry or status.free_until]
    numbers = numbers_by_meta_id({status.phone_number_id for status in free})
    rows = [
        {
            "number": str(numbers[status.phone_number_id].id),
            "wamid": status.wamid,
            "at": status.timestamp.isoformat(),
            "ends": (status.timestamp + LASTS).isoformat(),
            "until": status.free_until and status.free_until.isoformat(),
        }
        for status in free
        if status.phone_number_id in numbers
    ]
    if rows:
        given = {"rows": json.dumps(rows), "tenant": current_tenant_id()}
        for conversation_id in db.session.scalars(NOTE, given):
            announce("conversation", conversation_id)


# Until when are these conversations free to write to? By the unique key of messages (number, wamid), then the primary
# key. What Meta reports counts; a null `until`: it reported nothing, so 72 hours from our first answer, unless an end
# that is still to come is known.
NOTE = text("""
    with r as (
        select m.conversation_id, max(r.until) as reported, min(r.at) as at, min(r.ends) as ends
        from jsonb_to_recordset(cast(:rows as jsonb)) as r(
            number uuid, wamid text, at timestamptz, ends timestamptz, until timestamptz)
        join messages m on m.tenant_id = :tenant and m.phone_number_id = r.number and m.wamid = r.wamid
        group by m.conversation_id
    )
    update conversations c set free_until = coalesce(r.reported, r.ends)
    from r where c.tenant_id = :tenant and c.id = r.conversation_id
      and (r.reported is distinct from c.free_until and r.reported is not null
        or r.reported is null and (c.free_until is null or c.free_until < r.at))
    returning c.id::text
""")
