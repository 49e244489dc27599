"""The latest ratings of a period, each with what the customer wrote after it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import joinedload

from app.inbox.conversations import Conversation, Message
from app.tenancy import db

from .figures import Report
from .statements import made_of

MOST = 25
COMMENTED_WITHIN = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Rating:
    """`comment`: the first message of the customer within a day after the rating, before the business wrote again."""

    at: dt.datetime
    score: str
    conversation: Conversation
    actor_id: Any
    comment: Message | None


def latest_ratings(report: Report) -> Sequence[Rating]:
    rows = db.session.execute(LATEST, report.values | {"most": MOST, "within": COMMENTED_WITHIN}).all()
    query = db.select(Conversation).where(Conversation.id.in_([row.conversation_id for row in rows]))
    talks = {talk.id: talk for talk in db.session.scalars(query.options(joinedload(Conversation.contact)))}
    query = db.select(Message).where(Message.id.in_([row.comment_id for row in rows if row.comment_id]))
    comments = {one.id: one for one in db.session.scalars(query.options(*Message.with_all_around_it()))}
    return [
        Rating(row.at, row.score, talks[row.conversation_id], row.actor_id, comments.get(row.comment_id))
        for row in rows
        if row.conversation_id in talks
    ]


# Bad ratings first. The next message of each conversation, where it is one of the customer: by ix_messages_thread.
LATEST = made_of("""
    select f.at, f.score, f.conversation_id, f.actor_id, next.id as comment_id
    from (
        select * from report_facts f where f.kind = 'survey' and f.tenant_id = :tenant and f.at >= :start
          and f.at < :end and «mine»
        order by f.score = 'bad' desc, f.at desc limit :most
    ) f
    left join lateral (
        select m.id, m.direction from messages m
        where m.tenant_id = :tenant and m.conversation_id = f.conversation_id and m.occurred_at > f.at
          and m.occurred_at < f.at + cast(:within as interval) and m.type not in ('system', 'reaction')
        order by m.occurred_at, m.id limit 1
    ) next on next.direction = 'inbound'
    order by f.score = 'bad' desc, f.at desc
""")
