"""What was written with the people whom a record is about."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import joinedload

from app.inbox.conversations import Conversation
from app.tenancy import User, current_tenant_id, db

from .models import Record, RecordLink

MOST_CONVERSATIONS = 20
# Of a longer conversation only so many of its newest messages are counted.
MOST_COUNTED = 1_000


@dataclass(frozen=True, slots=True)
class Interaction:
    """One conversation with what was written in it. `is_cut`: it has more messages than were counted."""

    conversation: Conversation
    inbound: int
    outbound: int
    first_at: dt.datetime | None
    last_at: dt.datetime | None
    agents: list[str]

    @property
    def count(self) -> int:
        return self.inbound + self.outbound

    @property
    def is_cut(self) -> bool:
        return self.count >= MOST_COUNTED


def interactions(record: Record) -> list[Interaction]:
    """The newest conversations with those whom a record is about: how much was written, when, and by which agents."""
    links = list(db.session.scalars(record.links().limit(MOST_CONVERSATIONS)))
    within = [link.conversation_id for link in links if link.conversation_id]
    whole = [link.contact_id for link in links if not link.conversation_id]
    mine = Conversation.id.in_(within) | Conversation.contact_id.in_(whole)
    newest = Conversation.newest_first().where(mine).limit(MOST_CONVERSATIONS)
    conversations = list(db.session.scalars(newest))
    given = {"ids": [str(one.id) for one in conversations], "tenant": current_tenant_id(), "most": MOST_COUNTED}
    counted = {row.id: row for row in db.session.execute(COUNTED, given)}
    names = names_of({id for row in counted.values() for id in row.agents or ()})
    return [interaction(one, counted[one.id], names) for one in conversations]


def interaction(conversation: Conversation, row: Any, names: dict[uuid.UUID, str]) -> Interaction:
    agents = sorted(names[id] for id in row.agents or () if id in names)
    return Interaction(conversation, row.inbound, row.outbound, row.first_at, row.last_at, agents)


def names_of(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    named = select(User.id, User.name).where(User.id.in_(list(ids)))
    return {id: name for id, name in db.session.execute(named)}  # noqa: C416  typed so


def linked_contacts(record: Record) -> list[RecordLink]:
    """Its links, with whom they lead to."""
    return list(db.session.scalars(record.links().options(joinedload(RecordLink.contact)).limit(MOST_CONVERSATIONS)))


# Of some conversations: messages either way, from when to when, and which members wrote. Index: ix_messages_thread.
COUNTED = text("""
    select c.id, m.inbound, m.outbound, m.first_at, m.last_at, m.agents
    from conversations c cross join lateral (
        select count(*) filter (where direction = 'inbound') as inbound,
            count(*) filter (where direction = 'outbound') as outbound,
            min(occurred_at) as first_at, max(occurred_at) as last_at,
            array_agg(distinct author_id) filter (where author_kind = 'agent') as agents
        from (
            select direction, occurred_at, author_kind, author_id from messages
            where tenant_id = :tenant and conversation_id = c.id
            order by occurred_at desc, id desc limit :most
        ) newest
    ) m
    where c.tenant_id = :tenant and c.id = any(cast(:ids as uuid[]))
""")
