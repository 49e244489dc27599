"""Finds the conversation of each message, and creates those that are missing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import text

from app.meta.events import InboundMessage, MessageEcho
from app.tenancy import Actor, current_tenant_id, database_now, db, happened_each, uuid7s
from app.wabas.models import PhoneNumber

from .incoming import Incoming


class Pair(NamedTuple):
    """A conversation before it has an id: our number, and a contact."""

    number: str
    contact: str


@dataclass(frozen=True, slots=True)
class Placed:
    """A message with the id it will have here, where it belongs, and when it was written (ISO 8601)."""

    incoming: Incoming
    id: str
    number_id: str
    conversation_id: str
    at: str

    @property
    def message(self) -> InboundMessage | MessageEcho:
        return self.incoming.message


def place(incoming: Sequence[Incoming], numbers: dict[str, PhoneNumber], contacts: Sequence[str]) -> list[Placed]:
    """Places messages for our numbers, in order. `contacts` are the ids of who wrote each (`recognise`)."""
    number_ids = {meta_id: str(number.id) for meta_id, number in numbers.items()}
    pairs = [
        Pair(number_ids[one.message.phone_number_id], contact) for one, contact in zip(incoming, contacts, strict=True)
    ]
    groups = {pair for one, pair in zip(incoming, pairs, strict=True) if one.group_id}
    conversations = conversations_of(set(pairs), groups)
    return [
        Placed(one, id, pair.number, conversations[pair], one.message.timestamp.isoformat())
        for one, id, pair in zip(incoming, uuid7s(len(incoming)), pairs, strict=True)
    ]


def conversations_of(pairs: set[Pair], groups: set[Pair], *, by: Actor | None = None) -> dict[Pair, str]:
    """The conversation of each pair, made where there is none. `by` opened the new ones; None: the customers did."""
    conversations = find_conversations(pairs)
    if missing := sorted(pairs - conversations.keys()):
        ids = uuid7s(len(missing))
        rows = [{"id": id, **pair._asdict(), "is_group": pair in groups} for id, pair in zip(ids, missing, strict=True)]
        values = {"rows": json.dumps(rows), "tenant": current_tenant_id(), "now": database_now()}
        made = db.session.scalars(NEW_CONVERSATIONS, values).all()
        facts = {row["id"]: {"contact_id": row["contact"], "phone_number_id": row["number"]} for row in rows}
        happened_each("conversation.opened", [(id, facts[id]) for id in made], actors=[by] * len(made))
        conversations |= find_conversations(set(missing))
    return conversations


def find_conversations(pairs: set[Pair]) -> dict[Pair, str]:
    rows = json.dumps([pair._asdict() for pair in pairs])
    matches = db.session.execute(CONVERSATIONS, {"rows": rows, "tenant": current_tenant_id()}).all()
    return {Pair(number, contact): id for id, number, contact in matches}


CONVERSATIONS = text("""
    select c.id::text, c.phone_number_id::text, c.contact_id::text
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(number uuid, contact uuid)
    join conversations c on c.tenant_id = :tenant and c.phone_number_id = r.number and c.contact_id = r.contact
""")
# A conversation for each pair that has none; its team is the one of its number. Whoever was faster has made it.
# Unique index (tenant_id, phone_number_id, contact_id).
NEW_CONVERSATIONS = text("""
    insert into conversations (tenant_id, id, phone_number_id, contact_id, is_group, unread_count, last_message_at,
                               last_message_preview, last_message_state, created_at, team_id)
    select :tenant, r.id, number, contact, is_group, 0, to_timestamp(0), '', 'received', :now, n.team_id
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, number uuid, contact uuid, is_group boolean)
    left join number_desks n on n.tenant_id = :tenant and n.id = number
    on conflict (tenant_id, phone_number_id, contact_id) do nothing
    returning id::text
""")
