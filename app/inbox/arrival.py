"""What arrives from Meta for one tenant, written set-wise: new messages, and the statuses of ours.

Every function here runs inside a tenant's scope, in the transaction that has claimed the posts. All of it may
happen twice: the second time changes nothing.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import text

from app.contacts.arrival import Sender, recognise
from app.meta.events import InboundMessage, StatusUpdate, preview
from app.tenancy import announce, current_tenant_id, db, uuid7
from app.wabas.models import numbers_by_meta_id

from .callback import attempt_of
from .models import RANKS

Row = dict[str, Any]
Pair = tuple[str, str]


def receive(messages: Sequence[InboundMessage]) -> None:
    """New messages: contacts and conversations found or made, messages stored once, conversations moved up."""
    numbers = numbers_by_meta_id({message.phone_number_id for message in messages})
    mine = [message for message in messages if message.phone_number_id in numbers]
    contacts = recognise([sender_of(message) for message in mine])
    pairs = [(str(numbers[m.phone_number_id].id), contact) for m, contact in zip(mine, contacts, strict=True)]
    conversations = conversations_of(set(pairs))
    rows = [as_row(message, pair[0], conversations[pair]) for message, pair in zip(mine, pairs, strict=True)]
    fresh = insert_messages(rows)
    move_up([row for row in rows if row["id"] in fresh])
    for number in numbers.values():
        number.greet()


def sender_of(message: InboundMessage) -> Sender:
    return Sender(
        wa_id=message.from_,
        bsuid=message.user_id,
        parent_bsuid=message.parent_user_id,
        username=message.username,
        name=message.profile_name or "",
    )


def as_row(message: InboundMessage, number_id: str, conversation_id: str) -> Row:
    shown = preview(message)
    return {
        "id": str(uuid7()),
        "conversation_id": conversation_id,
        "phone_number_id": number_id,
        "wamid": message.wamid,
        "type": message.type,
        "body": message.text or "",
        "content": content_of(message, shown),
        "occurred_at": message.timestamp.isoformat(),
        "preview": shown,
    }


def content_of(message: InboundMessage, shown: str) -> Row | None:
    """What a message holds beside its words. A plain text holds nothing."""
    content = {
        "raw": message.content if message.type != "text" else None,
        "context": message.context and asdict(message.context),
        "referral": message.referral,
        "errors": [error.as_dict() for error in message.errors],
    }
    told = {key: value for key, value in content.items() if value}
    return told | {"preview": shown} if told or not message.text else None


def conversations_of(pairs: set[Pair]) -> dict[Pair, str]:
    """The conversation of each (number, contact); made where there is none."""
    found = find_conversations(pairs)
    if missing := sorted(pairs - found.keys()):
        rows = [{"id": str(uuid7()), "number": number, "contact": contact} for number, contact in missing]
        db.session.execute(NEW_CONVERSATIONS, {"rows": json.dumps(rows), "tenant": current_tenant_id()})
        found |= find_conversations(set(missing))
    return found


def find_conversations(pairs: set[Pair]) -> dict[Pair, str]:
    rows = json.dumps([{"number": number, "contact": contact} for number, contact in pairs])
    found = db.session.execute(CONVERSATIONS, {"rows": rows, "tenant": current_tenant_id()})
    return {(number, contact): id for id, number, contact in found}


CONVERSATIONS = text("""
    select c.id::text, c.phone_number_id::text, c.contact_id::text
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(number uuid, contact uuid)
    join conversations c on c.tenant_id = :tenant and c.phone_number_id = r.number and c.contact_id = r.contact
""")
NEW_CONVERSATIONS = text("""
    insert into conversations (tenant_id, id, phone_number_id, contact_id, unread_count, last_message_at,
                               last_message_preview, last_message_state, created_at)
    select :tenant, id, number, contact, 0, to_timestamp(0), '', 'received', clock_timestamp()
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, number uuid, contact uuid)
    on conflict (tenant_id, phone_number_id, contact_id) do nothing
""")


def insert_messages(rows: list[Row]) -> set[str]:
    """The ids of those that were not known yet."""
    inserted = db.session.execute(NEW_MESSAGES, {"rows": json.dumps(rows), "tenant": current_tenant_id()})
    return {id for (id,) in inserted}


NEW_MESSAGES = text("""
    insert into messages (tenant_id, id, conversation_id, phone_number_id, direction, type, body, content, state,
                          wamid, occurred_at, created_at, fence, attempts)
    select :tenant, id, conversation_id, phone_number_id, 'inbound', type, body, content, 'received',
           wamid, occurred_at, clock_timestamp(), 0, 0
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(
        id uuid, conversation_id uuid, phone_number_id uuid, type text, body text, content jsonb, wamid text,
        occurred_at timestamptz)
    on conflict (tenant_id, phone_number_id, wamid) do nothing
    returning id::text
""")


def move_up(rows: Iterable[Row]) -> None:
    """What a batch does to each conversation: how many more are unread, and which message is now the last."""
    rises: dict[str, Row] = {}
    for row in rows:
        rise = rises.setdefault(row["conversation_id"], {"id": row["conversation_id"], "count": 0, "at": ""})
        rise["count"] += 1
        if row["occurred_at"] >= rise["at"]:
            rise |= {"at": row["occurred_at"], "message_id": row["id"], "preview": row["preview"]}
    if rises:
        changes = json.dumps(list(rises.values()))
        db.session.execute(MOVE_UP, {"rows": changes, "tenant": current_tenant_id()})
        for id in rises:
            announce("arrival", id)


MOVE_UP = text("""
    update conversations c set
        unread_count = c.unread_count + r.count,
        last_inbound_at = greatest(c.last_inbound_at, r.at),
        last_message_at = greatest(c.last_message_at, r.at),
        last_message_id = case when r.at >= c.last_message_at then r.message_id else c.last_message_id end,
        last_message_preview = case when r.at >= c.last_message_at then r.preview else c.last_message_preview end,
        last_message_state = case when r.at >= c.last_message_at then 'received' else c.last_message_state end
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, count bigint, at timestamptz, message_id uuid,
                                                       preview text)
    where c.tenant_id = :tenant and c.id = r.id
""")


def record_statuses(statuses: Sequence[StatusUpdate]) -> None:
    """Ticks: each status is kept as an event; a message only ever climbs to a higher rank."""
    numbers = numbers_by_meta_id({status.phone_number_id for status in statuses})
    rows = [
        as_status_row(status, numbers[status.phone_number_id].id)
        for status in statuses
        if status.phone_number_id in numbers
    ]
    known = messages_of(rows)
    for row in rows:
        row["message_id"] = known.get((row["phone_number_id"], row["wamid"])) or known.get(row["attempt_id"])
    keep_orphans([row for row in rows if not row["message_id"]])
    climb([row for row in rows if row["message_id"]])


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


def messages_of(rows: list[Row]) -> dict[Any, str]:
    """Message ids by (number, wamid), and by the attempt that Meta hands back."""
    found = db.session.execute(MESSAGES_OF_STATUSES, {"rows": json.dumps(rows), "tenant": current_tenant_id()})
    known: dict[Any, str] = {}
    for row in found:
        key = str(row.attempt_id) if row.attempt_id else (str(row.phone_number_id), row.wamid)
        known[key] = str(row.message_id)
    return known


MESSAGES_OF_STATUSES = text("""
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


def keep_orphans(rows: list[Row]) -> None:
    """Statuses of messages we do not know (yet): sent by other software, or told before we were."""
    if rows:
        db.session.execute(NEW_ORPHANS, {"rows": json.dumps(rows), "tenant": current_tenant_id()})


NEW_ORPHANS = text("""
    insert into orphan_statuses (tenant_id, id, phone_number_id, wamid, status, occurred_at, received_at, pricing,
                                 errors)
    select :tenant, id, phone_number_id, wamid, status, occurred_at, clock_timestamp(), pricing, errors
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, phone_number_id uuid, wamid text, status text,
                                                       occurred_at timestamptz, pricing jsonb, errors jsonb)
    on conflict (tenant_id, phone_number_id, wamid, status, occurred_at) do nothing
""")


def adopt_orphans(number_id: uuid.UUID, wamid: str, message_id: uuid.UUID) -> None:
    """The statuses that came before anybody could know the message by this wamid."""
    mine = {"tenant": current_tenant_id(), "number": number_id, "wamid": wamid}
    rows = [dict(row) for row in db.session.execute(ADOPT, mine).mappings()]
    climb([row | {"message_id": str(message_id), "wamid": wamid} for row in rows])


ADOPT = text("""
    delete from orphan_statuses where tenant_id = :tenant and phone_number_id = :number and wamid = :wamid
    returning id::text, status, to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as occurred_at,
        pricing, errors
""")


def climb(rows: list[Row]) -> None:
    if not rows:
        return
    parameters = {"rows": json.dumps(rows), "tenant": current_tenant_id()}
    db.session.execute(NEW_EVENTS, parameters)
    highest: dict[str, Row] = {}
    for row in rows:
        best = highest.get(row["message_id"])
        if row["status"] in RANKS and (best is None or RANKS[row["status"]] > RANKS[best["status"]]):
            highest[row["message_id"]] = row
    steps = [row | {"rank": RANKS[row["status"]]} for _, row in sorted(highest.items())]
    parameters = {"rows": json.dumps(steps), "tenant": current_tenant_id(), "ranks": json.dumps(RANKS)}
    climbed = db.session.execute(CLIMB, parameters).all()
    show_ticks([row.id for row in climbed])
    for conversation_id in {row.conversation_id for row in climbed}:
        announce("conversation", conversation_id)


NEW_EVENTS = text("""
    insert into message_events (tenant_id, id, message_id, status, occurred_at, received_at, pricing, errors)
    select :tenant, id, message_id, status, occurred_at, clock_timestamp(), pricing, errors
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, message_id uuid, status text,
                                                       occurred_at timestamptz, pricing jsonb, errors jsonb)
    on conflict (tenant_id, message_id, status, occurred_at) do nothing
""")
CLIMB = text("""
    update messages m set
        state = r.status,
        wamid = coalesce(m.wamid, r.wamid),
        error = case when r.status = 'failed' then r.errors -> 0 end,
        lease_until = null
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(message_id uuid, wamid text, status text, rank int, errors jsonb)
    where m.tenant_id = :tenant and m.id = r.message_id and m.direction = 'outbound'
      and coalesce((cast(:ranks as jsonb) ->> m.state)::int, 0) < r.rank
    returning m.id, m.conversation_id
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
