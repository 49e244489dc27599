"""A stretch of a thread: its messages, and the notes and activities that fall between them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from sqlalchemy import select

from app.inbox.conversations import Conversation, Cursor, Message
from app.inbox.conversations.activities import Activity
from app.tenancy import db, exists

from .notes import Note

PAGE = 50
# What a first view shows; the rest comes as one scrolls up.
FIRST = 20
LONGEST = 500

Entry = Message | Note | Activity


@dataclass(slots=True)
class Thread:
    """Messages in order, oldest first; `has_older` and `has_newer` say whether there are more on either side."""

    conversation: Conversation
    messages: Sequence[Message]
    has_older: bool
    has_newer: bool = False
    # Where the neighbouring stretches begin: what lies between belongs to this one.
    ends: dt.datetime | None = None
    around: Message | None = None
    since: Cursor | None = field(default=None)

    @classmethod
    def newest(cls, conversation: Conversation) -> Self:
        found = load(conversation.thread(), FIRST + 1)[::-1]
        return cls(conversation, found[-FIRST:], has_older=len(found) > FIRST)

    @classmethod
    def from_on(cls, conversation: Conversation, since: Cursor, until: Cursor | None) -> Self:
        shown = load(conversation.thread(since=since), LONGEST)[::-1]
        has_older = exists(conversation.thread(before=since))
        if until is None:
            return cls(conversation, shown, has_older, since=since)
        kept = [message for message in shown if message.cursor.values <= until.values]
        newer = shown[len(kept)].occurred_at if len(kept) < len(shown) else None
        return cls(conversation, kept, has_older, has_newer=bool(newer), ends=newer, since=since)

    @classmethod
    def before(cls, conversation: Conversation, before: Cursor) -> Self:
        found = load(conversation.thread(before=before), PAGE + 1)[::-1]
        return cls(conversation, found[-PAGE:], has_older=len(found) > PAGE, ends=before.at)

    @classmethod
    def after(cls, conversation: Conversation, after: Cursor) -> Self:
        found = load(conversation.thread_after(after), PAGE + 1)
        shown, more = found[:PAGE], found[PAGE:]
        ends = more[0].occurred_at if more else None
        return cls(conversation, shown, has_older=True, has_newer=bool(more), ends=ends)

    @classmethod
    def around_message(cls, conversation: Conversation, message: Message) -> Self:
        older = load(conversation.thread(before=message.cursor), PAGE // 2 + 1)[::-1]
        newer = load(conversation.thread_after(message.cursor), PAGE // 2 + 1)
        shown = [*older[-(PAGE // 2) :], message, *newer[: PAGE // 2]]
        more = newer[PAGE // 2 :]
        return cls(
            conversation,
            shown,
            has_older=len(older) > PAGE // 2,
            has_newer=bool(more),
            ends=more[0].occurred_at if more else None,
            around=message,
        )

    @property
    def entries(self) -> list[Entry]:
        """All of it in order. A stretch with nothing older also holds what came before its first message."""
        between: list[Entry] = [*self.between(Note), *self.between(Activity)]
        return sorted([*self.messages, *between], key=lambda entry: (entry.occurred_at, entry.id))

    def between(self, kind: type[Note | Activity]) -> list[Any]:
        query = select(kind).where(kind.conversation_id == self.conversation.id)
        if self.has_older and self.messages:
            query = query.where(kind.occurred_at >= self.messages[0].occurred_at)
        if self.ends:
            query = query.where(kind.occurred_at < self.ends)
        return list(db.session.scalars(query.order_by(kind.occurred_at.desc(), kind.id.desc()).limit(LONGEST)))

    @property
    def context(self) -> dict[str, Any]:
        first, last = (self.messages[0], self.messages[-1]) if self.messages else (None, None)
        return {
            "conversation": self.conversation,
            "messages": self.messages,
            "entries": self.entries,
            "since": self.since or (first and first.cursor),
            "until": last.cursor if self.has_newer and last else None,
            "has_older": self.has_older,
            "has_newer": self.has_newer,
            "around": self.around,
        }


def load(query: Any, limit: int) -> list[Message]:
    return list(db.session.scalars(query.limit(limit)))
