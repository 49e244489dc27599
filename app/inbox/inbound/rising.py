"""What a batch shows of each conversation: what is unread, since when the customer waits, its line, its files."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import text

from app.inbox.conversations import assignment
from app.inbox.conversations.changes import show_changes
from app.inbox.files.media import file_row, save_files
from app.languages import is_surely
from app.meta.events import InboundMessage, MessageEcho
from app.meta.previews import cut
from app.tenancy import announce, current_tenant_id, database_now, db, later

from .storing import News, Stored


def show(stored: Stored) -> None:
    """Moves conversations up for what is new, shows what changed in them, and has the files fetched."""
    by_conversation: dict[str, list[News]] = defaultdict(list)
    for one in stored.news:
        by_conversation[one.placed.conversation_id].append(one)
    rises = [Rise.of(conversation_id, news) for conversation_id, news in by_conversation.items()]
    if rises:
        rows = json.dumps([rise._asdict() for rise in rises])
        db.session.execute(MOVE_UP, {"rows": rows, "tenant": current_tenant_id(), "now": database_now()})
        assignment.wake([rise.id for rise in rises if rise.reopens])
    for rise in rises:
        announce("arrival" if rise.inbound_at or rise.unread else "conversation", rise.id)
    for conversation_id in show_changes(stored.changed):
        announce("conversation", conversation_id)
    fetch_files((one.id, one.message) for one in stored.messages)


# Moves the conversations of a batch up, each by its primary key. A null time changes nothing; what is not newer than
# the last message leaves the line as it is; `facts` is null where the line is the words alone. Whoever has an answer
# of ours as the last message does not wait.
MOVE_UP = text("""
    update conversations c set
        unread_count = c.unread_count + r.unread,
        last_inbound_at = greatest(c.last_inbound_at, r.inbound_at),
        entry_at = greatest(c.entry_at, r.entry_at),
        language = coalesce(r.language, c.language),
        handled_by = case when r.is_ours and c.handled_by = 'other_app' then null else c.handled_by end,
        handler_name = case when r.is_ours and c.handled_by = 'other_app' then null else c.handler_name end,
        news_at = case when r.unread > 0 then :now else c.news_at end,
        waiting_since = case when l.state <> 'received' and l.at >= c.last_message_at then null
            when r.unread > 0 then coalesce(c.waiting_since, r.waits_since) else c.waiting_since end,
        last_message_at = greatest(c.last_message_at, l.at),
        last_message_id = case when l.at >= c.last_message_at then l.message_id else c.last_message_id end,
        last_message_preview = case when l.at >= c.last_message_at then l.preview else c.last_message_preview end,
        last_message_facts = case when l.at >= c.last_message_at then l.facts else c.last_message_facts end,
        last_message_state = case when l.at >= c.last_message_at then l.state else c.last_message_state end
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, unread bigint, inbound_at timestamptz,
                                                       entry_at timestamptz, waits_since timestamptz, last jsonb,
                                                       is_ours boolean, language text)
    cross join lateral jsonb_to_record(r.last) as l(at timestamptz, message_id uuid, preview text, facts jsonb,
                                                    state text)
    where c.tenant_id = :tenant and c.id = r.id
""")


class Rise(NamedTuple):
    """What is new of one conversation. Times are ISO 8601, or null where nothing of the kind came."""

    id: str
    unread: int
    inbound_at: str | None
    entry_at: str | None
    waits_since: str | None
    last: dict[str, Any]
    reopens: bool
    # The customer wrote to us, so no other app has the thread any more.
    is_ours: bool
    # What the customer wrote in, where that is certain.
    language: str | None = None

    @classmethod
    def of(cls, conversation_id: str, news: Sequence[News]) -> Rise:
        coming = [(one.placed.incoming, one.placed.at) for one in news]
        return cls(
            id=conversation_id,
            unread=sum(incoming.is_unread for incoming, _ in coming),
            inbound_at=max((at for incoming, at in coming if incoming.opens_window), default=None),
            entry_at=max((at for incoming, at in coming if incoming.is_entry), default=None),
            waits_since=min((at for incoming, at in coming if incoming.waits), default=None),
            # Of two at the same moment the later in Meta's order.
            last=line_of(max(enumerate(news), key=lambda each: (each[1].placed.at, each[0]))[1]),
            reopens=any(incoming.reopens for incoming, _ in coming),
            is_ours=any(incoming.is_answerable for incoming, _ in coming),
            language=language_of(news),
        )


def line_of(news: News) -> dict[str, Any]:
    return {
        "at": news.placed.at,
        "message_id": news.message_id,
        "preview": cut(news.words),
        "facts": news.summary and news.summary.as_dict(),
        "state": news.placed.incoming.state,
    }


def language_of(news: Sequence[News]) -> str | None:
    """Of the newest words of the customer that are surely in one."""
    theirs = (one.words for one in sorted(news, key=lambda one: one.placed.at, reverse=True) if is_theirs(one))
    return next(filter(None, map(is_surely, theirs)), None)


def is_theirs(news: News) -> bool:
    return bool(news.message_id) and news.placed.incoming.is_answerable


def fetch_files(messages: Iterable[tuple[str, InboundMessage | MessageEcho]]) -> None:
    """Enqueues the download of the messages' files for after the commit."""
    rows = (file_row(id, message.type, message.content) for id, message in messages)
    for media_id in save_files(row for row in rows if row):
        later("inbound.fetch_media", media_id)
