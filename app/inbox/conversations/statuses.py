"""Delivery statuses from Meta: each is saved as an event; a message's state only climbs in rank."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row as SqlRow
from sqlalchemy import text

from app.billing.usage import Usage
from app.meta.events import StatusUpdate
from app.tenancy import Actor, announce, current_tenant_id, database_now, db, happened_each, uuid7
from app.wabas.models import numbers_by_meta_id

from .callback import attempt_of
from .states import RANKS

Row = dict[str, Any]


def record_statuses(statuses: Sequence[StatusUpdate]) -> None:
    """Saves each status as an event, raises the messages' states, and counts what Meta charges for."""
    numbers = numbers_by_meta_id({status.phone_number_id for status in statuses})
    mine = [status for status in statuses if status.phone_number_id in numbers]
    rows = [as_status_row(status, numbers[status.phone_number_id].id) for status in mine]
    # By number and wamid, and by the attempt that Meta hands back.
    messages: dict[Any, str] = {}
    for match in db.session.execute(MESSAGES, {"rows": json.dumps(rows), "tenant": current_tenant_id()}):
        key = str(match.attempt_id) if match.attempt_id else (str(match.phone_number_id), match.wamid)
        messages[key] = str(match.message_id)
    for row in rows:
        row["message_id"] = messages.get((row["phone_number_id"], row["wamid"])) or messages.get(row["attempt_id"])
    save_orphans([row for row in rows if not row["message_id"]])
    climb([row for row in rows if row["message_id"]])
    Usage.record(mine, numbers)


def as_status_row(status: StatusUpdate, number_id: uuid.UUID) -> Row:
    return {
        "id": str(uuid7()),
        "phone_number_id": str(number_id),
        "wamid": status.wamid,
        "attempt_id": attempt_of(status.callback_data),
        "status": status.status,
        "occurred_at": status.timestamp.isoformat(),
        "pricing": status.pricing and asdict(status.pricing),
        "errors": [error.as_dict() for error in status.errors] or None,
    }


# Which messages are these statuses of? By the unique index (tenant_id, phone_number_id, wamid), and by the primary key
# of the attempt that Meta hands back; a null attempt_id names none.
MESSAGES = text("""
    with r as (
        select distinct phone_number_id, wamid, attempt_id
        from jsonb_to_recordset(cast(:rows as jsonb)) as r(phone_number_id uuid, wamid text, attempt_id uuid)
    )
    select m.id as message_id, r.phone_number_id, r.wamid, null::uuid as attempt_id
    from r join messages m on m.tenant_id = :tenant and m.phone_number_id = r.phone_number_id and m.wamid = r.wamid
    union all
    select a.message_id, null, null, a.id
    from r join send_attempts a on a.tenant_id = :tenant and a.id = r.attempt_id
""")


def save_orphans(rows: list[Row]) -> None:
    """Saves statuses without a message here: sent by other software, or received before Meta's response to our call."""
    if rows:
        db.session.execute(
            NEW_ORPHANS, {"rows": json.dumps(rows), "tenant": current_tenant_id(), "now": database_now()}
        )


NEW_ORPHANS = text("""
    insert into orphan_statuses (tenant_id, id, phone_number_id, wamid, status, occurred_at, received_at, pricing,
                                 errors)
    select :tenant, id, phone_number_id, wamid, status, occurred_at, :now, pricing, errors
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, phone_number_id uuid, wamid text, status text,
                                                       occurred_at timestamptz, pricing jsonb, errors jsonb)
    on conflict (tenant_id, phone_number_id, wamid, status, occurred_at) do nothing
""")


def adopt_orphans(number_id: uuid.UUID, message_ids: Mapping[str, uuid.UUID]) -> None:
    """Applies the statuses that arrived before these messages had their wamids."""
    mine = {"tenant": current_tenant_id(), "number": number_id, "wamids": list(message_ids)}
    orphans = db.session.execute(ADOPT, mine).mappings()
    rows = [dict(row) | {"message_id": str(message_ids[row["wamid"]])} for row in orphans]
    climb([row | {"occurred_at": row["occurred_at"].astimezone(dt.UTC).isoformat()} for row in rows])


ADOPT = text("""
    delete from orphan_statuses
    where tenant_id = :tenant and phone_number_id = :number and wamid = any(cast(:wamids as text[]))
    returning id::text, wamid, status, occurred_at, pricing, errors
""")


def climb(rows: list[Row]) -> None:
    if not rows:
        return
    # In the order of their messages, each of which is locked: who records what Meta accepted takes the same order.
    rows = sorted(rows, key=lambda row: str(row["message_id"]))
    parameters = {"rows": json.dumps(rows), "tenant": current_tenant_id(), "now": database_now()}
    new = set(db.session.scalars(NEW_EVENTS, parameters))
    rows = [row for row in rows if row["id"] in new]
    highest: dict[str, Row] = {}
    for row in rows:
        best = highest.get(row["message_id"])
        if row["status"] in RANKS and (best is None or RANKS[row["status"]] > RANKS[best["status"]]):
            highest[row["message_id"]] = row
    steps = [row | {"rank": RANKS[row["status"]]} for _, row in sorted(highest.items())]
    parameters = {"rows": json.dumps(steps), "tenant": current_tenant_id(), "ranks": json.dumps(RANKS)}
    climbed = db.session.execute(CLIMB, parameters).all()
    show_ticks([row.id for row in climbed])
    for status in ("sent", "delivered", "read", "failed"):
        record_progress([row for row in climbed if row.state == status], f"message.{status}")
    for conversation_id in {row.conversation_id for row in climbed}:
        announce("conversation", conversation_id)


def record_progress(rows: Sequence[SqlRow[Any]], kind: str, tenant_id: uuid.UUID | None = None) -> None:
    """Records how far messages got, as done by who wrote them. `rows` are as CLIMB returns them."""
    facts = [{"conversation_id": str(row.conversation_id), "source": row.source} for row in rows]
    if kind == "message.failed":
        facts = [about | {"code": row.code} for about, row in zip(facts, rows, strict=True)]
    actors = [Actor.stored(row.author_kind, row.author_id, row.author_name) for row in rows]
    subjects = list(zip([row.id for row in rows], facts, strict=True))
    happened_each(kind, subjects, actors=actors, tenant_id=tenant_id)


# Each status once: unique index (tenant_id, message_id, status, occurred_at). Nulls are the columns'.
NEW_EVENTS = text("""
    insert into message_events (tenant_id, id, message_id, status, occurred_at, received_at, pricing, errors)
    select :tenant, id, message_id, status, occurred_at, :now, pricing, errors
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, message_id uuid, status text,
                                                       occurred_at timestamptz, pricing jsonb, errors jsonb)
    on conflict (tenant_id, message_id, status, occurred_at) do nothing
    returning id::text
""")
# Raises each message to a higher rank, by its primary key; a rank that is not higher changes nothing. An error stays
# with `failed` only.
CLIMB = text("""
    update messages m set
        state = r.status,
        wamid = coalesce(m.wamid, r.wamid),
        error = case when r.status = 'failed' then r.errors -> 0 end,
        lease_until = null
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(message_id uuid, wamid text, status text, rank int, errors jsonb)
    where m.tenant_id = :tenant and m.id = r.message_id and m.direction = 'outbound'
      and coalesce((cast(:ranks as jsonb) ->> m.state)::int, 0) < r.rank
    returning m.id, m.conversation_id, m.state, m.source, m.author_kind, m.author_id, m.author_name,
        (m.error ->> 'code')::int as code
""")


def show_ticks(message_ids: list[uuid.UUID]) -> None:
    """The list shows the tick of a conversation's last message."""
    if message_ids:
        db.session.execute(SHOW_TICKS, {"ids": [str(id) for id in message_ids], "tenant": current_tenant_id()})


SHOW_TICKS = text("""
    update conversations c set last_message_state = m.state
    from messages m
    where m.tenant_id = :tenant and m.id = any(cast(:ids as uuid[]))
      and c.tenant_id = :tenant and c.id = m.conversation_id and c.last_message_id = m.id
""")
