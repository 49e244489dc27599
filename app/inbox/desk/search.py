"""Finding what was said, in any script and of any age."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import joinedload

from app import zones
from app.contacts import search
from app.contacts.models import Contact
from app.inbox.conversations import SENDERS, Conversation, Cursor, Message
from app.meta.message_types import SEARCHABLE
from app.tenancy import db

from .lists import as_uuid
from .notes import Note

PAGE = 30
MILLISECONDS = 250
CONTEXT = 70
TYPES = (*SEARCHABLE, "note")

Run = tuple[str, bool]


@dataclass(frozen=True, slots=True)
class Search:
    words: str = ""
    conversation: uuid.UUID | None = None
    number: uuid.UUID | None = None
    agent: uuid.UUID | None = None
    tag: uuid.UUID | None = None
    type: str = ""
    sender: str = ""
    since: dt.date | None = None
    until: dt.date | None = None

    @classmethod
    def read(cls, arguments: Mapping[str, Any]) -> Search:
        kind, sender = str(arguments.get("type") or ""), str(arguments.get("sender") or "")
        return cls(
            words=" ".join(str(arguments.get("q") or "").replace("\x00", "").split())[:200],
            conversation=as_uuid(arguments.get("conversation")),
            number=as_uuid(arguments.get("number")),
            agent=as_uuid(arguments.get("agent")),
            tag=as_uuid(arguments.get("tag")),
            type=kind if kind in TYPES else "",
            sender=sender if sender in SENDERS else "",
            since=as_date(arguments.get("since")),
            until=as_date(arguments.get("until")),
        )

    @property
    def arguments(self) -> dict[str, str]:
        found: dict[str, object] = {
            "conversation": self.conversation,
            "number": self.number,
            "agent": self.agent,
            "tag": self.tag,
            "type": self.type,
            "sender": self.sender,
        }
        found |= {"q": self.words, "since": self.since, "until": self.until}
        return {name: str(value) for name, value in found.items() if value}

    @property
    def is_filtered(self) -> bool:
        chosen = self.number, self.agent, self.tag, self.type, self.sender, self.since, self.until
        return any(chosen)

    def find(self, before: Cursor | None = None) -> Found:
        """A page of messages and notes, newest first; from `before` on, if it is given."""
        if not self.words:
            return Found([], None, None)
        rows = db.session.execute(ENTRIES, self.values(before)).all()
        stopped = next((row.occurred_at for row in rows if row.kind == "stopped"), None)
        hits = self.hits([row for row in rows if row.kind != "stopped"])
        more = Cursor(hits[-1].at, hits[-1].id) if len(hits) == PAGE else None
        return Found(hits, more, stopped)

    def values(self, before: Cursor | None) -> dict[str, Any]:
        end = self.until and zones.ends(self.until)
        return {
            "words": self.words,
            "conversation": self.conversation,
            "number": self.number,
            "author": self.agent,
            "tag": self.tag,
            "type": self.type or None,
            "since": self.since and zones.begins(self.since),
            "before": before.at if before else end,
            "before_id": before.id if before else (FIRST if end else None),
            "enough": PAGE,
            "milliseconds": MILLISECONDS,
            "senders": list(SENDERS[self.sender]) if self.sender else None,
        }

    def hits(self, rows: list[Any]) -> list[Hit]:
        said = {row.id: row for row in loaded(Message, rows, "message")}
        noted = {row.id: row for row in loaded(Note, rows, "note")}
        wanted = {row.conversation_id for row in rows}
        with_people = select(Conversation).where(Conversation.id.in_(wanted)).options(joinedload(Conversation.contact))
        talks = {talk.id: talk for talk in db.session.scalars(with_people)}
        found = []
        for row in rows:
            entry = said.get(row.id) or noted.get(row.id)
            if entry and row.conversation_id in talks:
                excerpt = excerpted(entry.body, self.words)
                found.append(Hit(entry, talks[row.conversation_id], excerpt, row.occurred_at, row.id))
        return found

    def people(self, limit: int = 8) -> list[Conversation]:
        """Conversations with whoever is called so, or whose number begins so."""
        if not self.words:
            return []
        ids = [place.id for place in search.find(self.words, limit)]
        talks = (
            select(Conversation)
            .where(Conversation.contact_id.in_(ids), Conversation.merged_into_id.is_(None))
            .join(Contact, Contact.id == Conversation.contact_id)
        )
        newest = talks.order_by(Conversation.last_message_at.desc()).limit(limit)
        return list(db.session.scalars(newest.options(joinedload(Conversation.contact)))) if ids else []


@dataclass(frozen=True, slots=True)
class Hit:
    entry: Message | Note
    conversation: Conversation
    excerpt: list[Run]
    at: dt.datetime
    id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Found:
    """A page of hits; `more` is where the next begins, `stopped` how far back was looked when the time was up."""

    hits: list[Hit]
    more: Cursor | None
    stopped: dt.datetime | None

    @property
    def next_page(self) -> Cursor | None:
        return Cursor(self.stopped, FIRST) if self.stopped else self.more


# Comes before every other id.
FIRST = uuid.UUID(int=0)
ENTRIES = text("""
    select * from search_entries(:words, :conversation, :number, :author, :tag, :type, :since, :before, :before_id,
                                 :enough, :milliseconds, cast(:senders as text[]))
""")


def loaded(kind: type[Any], rows: list[Any], name: str) -> list[Any]:
    ids = [row.id for row in rows if row.kind == name]
    return list(db.session.scalars(select(kind).where(kind.id.in_(ids)))) if ids else []


def as_date(value: object) -> dt.date | None:
    try:
        return dt.date.fromisoformat(str(value)) if value else None
    except ValueError:
        return None


def folded(letter: str) -> str:
    """A letter as search compares it (the database's `search_fold`)."""
    plain = unicodedata.normalize("NFKD", letter.lower())
    kept = "".join(
        part for part in plain if not re.match(r"[\u0300-\u036f\u0610-\u061a\u0640\u064b-\u065f\u0670]", part)
    )
    return unicodedata.normalize("NFKC", kept).translate(ALIKE)


ALIKE = str.maketrans("ٱىة", "ايه")


def excerpted(body: str, words: str) -> list[Run]:
    """The place where the words are, with what stands around it: runs of text, each with whether it is a hit."""
    text_, places = "", []
    for place, letter in enumerate(body):
        same = folded(letter)
        text_ += same
        places += [place] * len(same)
    hits = sorted(spans(text_, ["".join(map(folded, word)) for word in words.split()]))
    if not hits:
        return [(body[: CONTEXT * 2], False)]
    start = max(0, places[hits[0][0]] - CONTEXT)
    end, runs, at = min(len(body), start + CONTEXT * 3), [], start
    for first, last in hits:
        begin, stop = places[first], places[last - 1] + 1
        if begin < at or stop > end:
            continue
        runs += [(body[at:begin], False), (body[begin:stop], True)]
        at = stop
    runs.append((body[at:end], False))
    return [("…", False)] * (start > 0) + [run for run in runs if run[0]] + [("…", False)] * (end < len(body))


def spans(text_: str, words: list[str]) -> list[tuple[int, int]]:
    return [(found.start(), found.end()) for word in words if word for found in re.finditer(re.escape(word), text_)]
