"""A section of a thread: its messages, and the notes and activities between them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from sqlalchemy import select

from app.inbox.conversations import Conversation, Cursor, Message
from app.inbox.conversations.activities import Activity
from app.tenancy import db, exists

from .notes import Note

PAGE = 50
# What the page shows first; older messages are loaded as the reader scrolls up.
FIRST = 20
LONGEST = 500
# Of what was read before, so much is shown above the first unread message.
READ_BEFORE = 3

Entry = Message | Note | Activity


@dataclass(slots=True)
class Thread:
    """Messages in order, oldest first. `has_older`, `has_newer`: whether there are more on either side."""

    conversation: Conversation
    messages: Sequence[Message]
    has_older: bool
    has_newer: bool = False
    # When the next section begins: notes and activities before that belong to this one.
    ends: dt.datetime | None = None
    around: Message | None = None
    since: Cursor | None = field(default=None)
    # The message before which “New messages” stands.
    unread_from: uuid.UUID | None = None

    @classmethod
    def newest(cls, conversation: Conversation) -> Self:
        """The last FIRST messages."""
        loaded = load(conversation.thread(), FIRST + 1)[::-1]
        return cls(conversation, loaded[-FIRST:], has_older=len(loaded) > FIRST)

    @classmethod
    def opened(cls, conversation: Conversation, unread: Message | None) -> Self:
        """The last messages, or those from the first unread one on where there are more."""
        shown = cls.newest(conversation)
        if unread is None:
            return shown
        if shown.has_older and unread.cursor.values < shown.messages[0].cursor.values:
            older = load(conversation.thread(before=unread.cursor), READ_BEFORE + 1)[::-1]
            newer = load(conversation.thread_after(unread.cursor), PAGE)
            messages, more = [*older[-READ_BEFORE:], unread, *newer[: PAGE - 1]], newer[PAGE - 1 :]
            ends = more[0].occurred_at if more else None
            shown = cls(conversation, messages, len(older) > READ_BEFORE, has_newer=bool(more), ends=ends)
        shown.unread_from = unread.id
        return shown

    @classmethod
    def starting_at(cls, conversation: Conversation, since: Cursor, until: Cursor | None) -> Self:
        """The messages from `since` to `until`, or to the newest: what a page already shows, loaded again."""
        shown = load(conversation.thread(since=since), LONGEST)[::-1]
        has_older = exists(conversation.thread(before=since))
        if until is None:
            return cls(conversation, shown, has_older, since=since)
        within = [message for message in shown if message.cursor.values <= until.values]
        newer = shown[len(within)].occurred_at if len(within) < len(shown) else None
        return cls(conversation, within, has_older, has_newer=bool(newer), ends=newer, since=since)

    @classmethod
    def before(cls, conversation: Conversation, before: Cursor) -> Self:
        """The page of messages older than `before`."""
        loaded = load(conversation.thread(before=before), PAGE + 1)[::-1]
        return cls(conversation, loaded[-PAGE:], has_older=len(loaded) > PAGE, ends=before.at)

    @classmethod
    def after(cls, conversation: Conversation, after: Cursor) -> Self:
        """The page of messages newer than `after`."""
        loaded = load(conversation.thread_after(after), PAGE + 1)
        shown, more = loaded[:PAGE], loaded[PAGE:]
        ends = more[0].occurred_at if more else None
        return cls(conversation, shown, has_older=True, has_newer=bool(more), ends=ends)

    @classmethod
    def around_message(cls, conversation: Conversation, message: Message) -> Self:
        """Half a page before a message and half a page after it."""
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
        """Messages, notes and activities in order. The oldest section includes what came before its first message."""
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
        """For the templates that show a thread."""
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
            "unread_from": self.unread_from,
        }


def load(query: Any, limit: int) -> list[Message]:
    return list(db.session.scalars(query.limit(limit)))
