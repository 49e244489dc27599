"""Which claimed messages are paid for, where the tenant has a plan: the price of each is held before it is sent."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Row, select, text

from app.billing.balances import NO_ROOM
from app.billing.holds import Claimed, Funds
from app.inbox.conversations.gate import AS_ERROR
from app.message_templates.models import MessageTemplate
from app.tenancy import current_tenant_id, database_now, db

# A message that is not paid for is claimed again after this long, or as soon as the balance is topped up.
WAIT = dt.timedelta(minutes=10)
# Functions that make due what features keep back for want of money.
RELEASES: list[Callable[[], None]] = []


def waits_for_money(release: Callable[[], None]) -> Callable[[], None]:
    """Registers a function that runs, in a scope of the tenant, when there is money or room again."""
    RELEASES.append(release)
    return release


def funded(rows: list[Row[Any]], funds: Funds | None) -> list[Row[Any]]:
    """Holds the price of each claimed message. Those for which there is no room are queued again, with the reason."""
    if funds is None or not rows:
        return rows
    categories, at = categories_of(rows), database_now()
    refused = funds.hold([claimed(row, categories, at) for row in rows])
    if refused:
        queue_again(refused)
    return [row for row in rows if row.id not in refused]


def claimed(row: Row[Any], categories: dict[uuid.UUID, str], at: dt.datetime) -> Claimed:
    category = row.category or categories.get(row.template_id) or ("marketing" if row.type == "template" else "service")
    is_free = row.type == "reaction" or bool(row.free_until and row.free_until > at)
    return Claimed(row.id, category, row.wa_id, is_free)


def categories_of(rows: Sequence[Row[Any]]) -> dict[uuid.UUID, str]:
    ids = {row.template_id for row in rows if row.template_id}
    if not ids:
        return {}
    query = select(MessageTemplate.id, MessageTemplate.category).where(MessageTemplate.id.in_(ids))
    return {row.id: row.category.lower() for row in db.session.execute(query)}


def queue_again(refused: dict[uuid.UUID, str]) -> None:
    rows = [
        {"message": str(id), "error": {"kind": "funds", "title": NO_ROOM[why], "fix": AS_ERROR[fixes(why)]["fix"]}}
        for id, why in refused.items()
    ]
    values = {"tenant": current_tenant_id(), "again_at": database_now() + WAIT, "rows": json.dumps(rows)}
    db.session.execute(QUEUE_AGAIN, values)


def fixes(why: str) -> str:
    """Whose advice applies, a key of AS_ERROR."""
    return "business_closed" if why == "closed" else "not_funded"


# A queued message that is not paid for waits with the reason; its attempt did not take place.
QUEUE_AGAIN = text("""
    update messages m set state = 'queued', attempts = m.attempts - 1, lease_until = null,
        next_attempt_at = :again_at, error = r.error
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(message uuid, error jsonb)
    where m.tenant_id = :tenant and m.id = r.message and m.state = 'dispatching'
""")
# Those of the tenant that wait for money are due now. Index: ix_messages_due.
FUND = text("""
    update messages set next_attempt_at = null
    where tenant_id = :tenant and state = 'queued' and error ->> 'kind' = 'funds'
""")
