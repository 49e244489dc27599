"""Reply windows that close within the hour while the customer waits: recorded once for each window."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import text

from app.inbox.conversations import CUSTOMER_SERVICE_WINDOW, WINDOW_MARGIN
from app.tenancy import current_tenant_id, db, happened_each, now

CLOSING = dt.timedelta(hours=1)
AT_ONCE = 500


def span() -> dict[str, dt.datetime]:
    """The times between which the last message came, for windows that close soon."""
    opened = now() - CUSTOMER_SERVICE_WINDOW
    return {"begin": opened + WINDOW_MARGIN, "end": opened + CLOSING}


def record_closing() -> None:
    """Of the current tenant."""
    rows = db.session.execute(RECORD, span() | {"tenant": current_tenant_id(), "most": AT_ONCE}).all()
    closing = [(row.id, {"closes_at": (row.last_inbound_at + CUSTOMER_SERVICE_WINDOW).isoformat()}) for row in rows]
    happened_each("conversation.closing", closing)


# Which tenants have any, by ix_conversations_window: one probe for each number. A cluster looks from one table of
# tenants into another, and not from `tenants` itself, of which each machine has a copy.
TENANTS = text("""
    select distinct p.tenant_id from phone_numbers p where exists (
        select from conversations c where c.tenant_id = p.tenant_id and c.state in ('open', 'pending')
          and c.last_inbound_at between :begin and :end and c.waiting_since is not null
          and (c.closing_recorded_for is null or c.closing_recorded_for < c.last_inbound_at))
""")
# Marks up to :most of the tenant's windows that close soon and are not recorded, and returns them. By
# ix_conversations_window. A null `closing_recorded_for`: no window of it was recorded before.
RECORD = text("""
    update conversations u set closing_recorded_for = u.last_inbound_at
    from (
        select c.id from conversations c where c.tenant_id = :tenant and c.state in ('open', 'pending')
          and c.last_inbound_at between :begin and :end and c.waiting_since is not null
          and (c.closing_recorded_for is null or c.closing_recorded_for < c.last_inbound_at)
        order by c.id limit :most for no key update skip locked
    ) c
    where u.tenant_id = :tenant and u.id = c.id
    returning u.id, u.last_inbound_at
""")
