"""Posts what Meta charged for to the ledger, in bulk: a journal for each message, whatever its statuses did."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text

from app.tenancy import current_tenant_id, db

from .balances import Balance
from .holds import ReplyCount, release
from .ledger import Draft, Ledger, message_draft
from .rate_cards import day_of
from .totals import DayTotal
from .usage import accounts_by_number

AT_ONCE = 5_000


def post_usages() -> int:
    """Writes the journals of up to AT_ONCE charged messages of the current tenant, and counts as many free ones.

    Returns how many there were. Rows that are being posted are locked by the ledger: several may run at once.
    """
    ledger, mine = Ledger(), {"tenant": current_tenant_id(), "limit": AT_ONCE}
    charged, free = db.session.execute(UNPOSTED, mine).all(), db.session.execute(UNPOSTED_FREE, mine).all()
    ledger.post([draft_of(row, ledger.balance, place) for place, row in enumerate(charged)])
    DayTotal.add(total_of(row) for row in free)
    count_replies(charged, free)
    if ledger.balance:
        arrived = [row.message_id for row in [*charged, *free] if row.message_id]
        release(ledger.balance, arrived)
    for rows, statement in ((charged, MARK), (free, MARK_FREE)):
        if rows:
            db.session.execute(statement, {"tenant": mine["tenant"], "ids": [str(row.id) for row in rows]})
    return max(len(charged), len(free))


def draft_of(row: Row[Any], balance: Balance | None, place: int) -> Draft:
    """The journal of a message that is charged; `place`: how many of the same batch are before it."""
    plan = balance.plan if balance else None
    free = "" if plan else "no_plan"
    if balance and plan and row.micros is not None and place < balance.included_left:
        free = "included"
    markup = plan.markup_of(row.category) if plan else 0
    return message_draft(row, kind="message", list_micros=row.micros, markup=markup, free=free, unknown=row.unknown)


def total_of(row: Row[Any]) -> dict[str, Any]:
    return {
        "day": row.day.isoformat(),
        "phone_number_id": str(row.phone_number_id),
        "category": row.category,
        "country": row.country,
        "sender": row.sender,
        "free": row.free,
        "currency": row.currency,
        "messages": 1,
        "list_micros": row.micros or 0,
        "charged_micros": 0,
        "unpriced": int(row.micros is None),
        "no_plan_micros": 0,
    }


def count_replies(charged: Sequence[Row[Any]], free: Sequence[Row[Any]]) -> None:
    """In months of the account's zone, as Meta counts the free ones."""
    counts: dict[tuple[uuid.UUID, dt.date], list[int]] = defaultdict(lambda: [0, 0])
    accounts = accounts_by_number()
    for place, rows in enumerate((free, charged)):
        for row in rows:
            if row.category == "service" and (place or row.free == "free_customer_service"):
                month = day_of(row.arrived_at, accounts[row.phone_number_id].zone).replace(day=1)
                counts[row.phone_number_id, month][place] += 1
    ReplyCount.add({key: (free, charged) for key, (free, charged) in counts.items()})


# Which charged messages have no journal yet, in the order in which they arrived, and who sent them? By
# ix_usages_unposted and the unique key of messages; without a message here, other software did.
UNPOSTED = text("""
    select u.id, u.phone_number_id, u.wamid, u.arrived_at, (u.arrived_at at time zone 'UTC')::date as day, u.category,
        u.market, u.country, u.currency, u.micros, u.unknown, u.rate_card_id, m.id as message_id,
        case when m.id is null then 'other'
             when m.author_id is null then coalesce(m.author_kind, 'system')
             else coalesce(m.author_kind, 'agent') || ':' || m.author_id end as sender
    from (select * from usages where tenant_id = :tenant and not is_posted order by id limit :limit) u
    left join lateral (
        select id, author_kind, author_id from messages
        where tenant_id = :tenant and phone_number_id = u.phone_number_id and wamid = u.wamid limit 1) m on true
    order by u.arrived_at, u.wamid
""")
# The same of messages that Meta did not charge, in the order of their ids. By ix_free_messages_unposted.
UNPOSTED_FREE = text("""
    select u.id, u.phone_number_id, u.wamid, u.arrived_at, (u.arrived_at at time zone 'UTC')::date as day, u.category,
        u.country, u.currency, u.micros, u.free, m.id as message_id,
        case when m.id is null then 'other'
             when m.author_id is null then coalesce(m.author_kind, 'system')
             else coalesce(m.author_kind, 'agent') || ':' || m.author_id end as sender
    from (select * from free_messages where tenant_id = :tenant and not is_posted order by id limit :limit) u
    left join lateral (
        select id, author_kind, author_id from messages
        where tenant_id = :tenant and phone_number_id = u.phone_number_id and wamid = u.wamid limit 1) m on true
    order by u.id
""")
MARK = text("update usages set is_posted = true where tenant_id = :tenant and id = any(cast(:ids as uuid[]))")
MARK_FREE = text("""
    update free_messages set is_posted = true where tenant_id = :tenant and id = any(cast(:ids as uuid[]))
""")
