"""A section of a thread: its messages, and the notes and activities between them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Self

from sqlalchemy import Select, Text, cast, func, select, tuple_
from sqlalchemy.orm import raiseload

from app import shortening
from app.inbox.conversations import Conversation, Cursor, Message
from app.inbox.conversations.activities import Activity
from app.tenancy import db, exists

from .notes import Note

PAGE = 50
# What the page shows first; older messages are loaded as the reader scrolls up.
FIRST = 20
# The most messages, and the most entries between them.
LONGEST = 200
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
    # The message above which “New messages” is shown.
    unread_from: uuid.UUID | None = None

    @classmethod
    def newest(cls, conversation: Conversation) -> Self:
        """The last FIRST messages."""
        shown, has_older = load(conversation.thread(), FIRST)
        return cls(conversation, shown[::-1], has_older)

    @classmethod
    def opened(cls, conversation: Conversation, unread: Message | None) -> Self:
        """The last messages, or those from the first unread one on where there are more."""
        shown = cls.newest(conversation)
        if unread is None:
            return shown
        if shown.has_older and unread.cursor.values < shown.messages[0].cursor.values:
            older, has_older = load(conversation.thread(before=unread.cursor), READ_BEFORE, HEAVIEST // 8)
            shown = cls.after(conversation, unread.cursor, HEAVIEST * 3 // 4)
            shown.messages, shown.has_older = [*older[::-1], unread, *shown.messages], has_older
        shown.unread_from = unread.id
        return shown

    @classmethod
    def starting_at(cls, conversation: Conversation, since: Cursor, until: Cursor | None) -> Self:
        """The messages from `since` to `until`, or to the newest: what a page already shows, loaded again."""
        query = conversation.thread(since=since)
        if until:
            query = query.where(tuple_(Message.occurred_at, Message.id) <= tuple_(*until.values))
        shown, is_cut = load(query, LONGEST)
        begins = shown[-1].cursor if is_cut else since
        has_older = is_cut or exists(conversation.thread(before=since))
        newer = db.session.scalar(conversation.thread_after(until).limit(1)) if until else None
        ends = newer.occurred_at if newer else None
        return cls(conversation, shown[::-1], has_older, has_newer=bool(newer), ends=ends, since=begins)

    @classmethod
    def before(cls, conversation: Conversation, before: Cursor) -> Self:
        """The page of messages older than `before`."""
        shown, has_older = load(conversation.thread(before=before), PAGE)
        return cls(conversation, shown[::-1], has_older, ends=before.at)

    @classmethod
    def after(cls, conversation: Conversation, after: Cursor, heaviest: int | None = None) -> Self:
        """The page of messages newer than `after`."""
        shown, has_newer = load(conversation.thread_after(after), PAGE, heaviest or HEAVIEST)
        newer = conversation.thread_after(shown[-1].cursor) if has_newer else None
        following = db.session.scalar(newer.limit(1)) if newer is not None else None
        ends = following.occurred_at if following else None
        return cls(conversation, shown, has_older=True, has_newer=has_newer, ends=ends)

    @classmethod
    def around_message(cls, conversation: Conversation, message: Message) -> Self:
        """Half a page before a message and half a page after it."""
        older, has_older = load(conversation.thread(before=message.cursor), PAGE // 2)
        newer, has_newer = load(conversation.thread_after(message.cursor), PAGE // 2)
        last = newer[-1] if newer else message
        following = db.session.scalar(conversation.thread_after(last.cursor).limit(1)) if has_newer else None
        return cls(
            conversation,
            [*older[::-1], message, *newer],
            has_older=has_older,
            has_newer=has_newer,
            ends=following.occurred_at if following else None,
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
        entries = db.session.scalars(query.order_by(kind.occurred_at.desc(), kind.id.desc()).limit(LONGEST)).all()
        totals = accumulate(EACH + 2 * min(len(getattr(entry, "body", "")), LONG) for entry in entries)
        return [entry for entry, total in zip(entries, totals, strict=True) if total <= HEAVIEST]

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


# About how many bytes a section adds to a page, and to the memory that loads it.
HEAVIEST = 400_000
EACH = 2_500
LONG = shortening.LONGEST
WEIGHT = (
    EACH
    + 2 * func.least(func.length(Message.body), LONG)
    + func.coalesce(func.octet_length(cast(Message.content, Text)), 0)
)


def load(query: Select[Message], limit: int, heaviest: int = HEAVIEST) -> tuple[list[Message], bool]:
    """The first `limit` messages as far as a section may hold them, one at least; and whether there are more."""
    weighed = query.options(raiseload("*")).with_only_columns(Message.id, WEIGHT).limit(limit + 1)
    totals = list(accumulate(weight for _id, weight in db.session.execute(weighed)))
    fitting = max(sum(total <= heaviest for total in totals[:limit]), 1)
    return list(db.session.scalars(query.limit(fitting))), len(totals) > fitting
