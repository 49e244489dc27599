"""Full-text search over messages and notes, in any script and of any age."""

from __future__ import annotations

import datetime as dt
import functools
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import joinedload

from app import zones
from app.contacts.models import Contact
from app.folding import fold_letters
from app.inbox.conversations import SENDERS, Conversation, Cursor, Message
from app.meta.message_types import SEARCHABLE
from app.meta.written_numbers import SHORTEST
from app.tenancy import as_uuid, db

from .notes import Note

PAGE = 30
MILLISECONDS = 250
CONTEXT = 70
TYPES = (*SEARCHABLE, "note")

Run = tuple[str, bool]


@dataclass(frozen=True, slots=True)
class Search:
    """A query, as its address has it: words, filters, a span of days. The SQL is `search_entries` (migration 0060)."""

    words: str = ""
    conversation: uuid.UUID | None = None
    number: uuid.UUID | None = None
    agent: uuid.UUID | None = None
    tag: uuid.UUID | None = None
    entry: uuid.UUID | None = None
    type: str = ""
    sender: str = ""
    since: dt.date | None = None
    until: dt.date | None = None

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Any]) -> Search:
        """Parses an address. Values that are malformed are ignored, words are cut at 200 characters."""
        kind, sender = str(arguments.get("type") or ""), str(arguments.get("sender") or "")
        return cls(
            words=" ".join(str(arguments.get("q") or "").replace("\x00", "").split())[:200],
            conversation=as_uuid(arguments.get("conversation")),
            number=as_uuid(arguments.get("number")),
            agent=as_uuid(arguments.get("agent")),
            tag=as_uuid(arguments.get("tag")),
            entry=as_uuid(arguments.get("entry")),
            type=kind if kind in TYPES else "",
            sender=sender if sender in SENDERS else "",
            since=as_date(arguments.get("since")),
            until=as_date(arguments.get("until")),
        )

    @property
    def arguments(self) -> dict[str, str]:
        filters: dict[str, object] = {
            "conversation": self.conversation,
            "number": self.number,
            "agent": self.agent,
            "tag": self.tag,
            "entry": self.entry,
            "type": self.type,
            "sender": self.sender,
        }
        filters |= {"q": self.words, "since": self.since, "until": self.until}
        return {name: str(value) for name, value in filters.items() if value}

    @property
    def is_number(self) -> bool:
        """Whether the query may be a phone number that no contact has."""
        return sum(map(str.isdecimal, self.words)) >= SHORTEST

    @property
    def is_filtered(self) -> bool:
        chosen = self.number, self.agent, self.tag, self.entry, self.type, self.sender, self.since, self.until
        return any(chosen)

    def find(self, before: Cursor | None = None) -> Results:
        """A page of messages and notes, newest first, after `before`. Stops after MILLISECONDS in the database."""
        if not self.words:
            return Results([], None, None)
        rows = db.session.execute(ENTRIES, self.values(before)).all()
        stopped = next((row.occurred_at for row in rows if row.kind == "stopped"), None)
        found = [row for row in rows if row.kind != "stopped"]
        more = Cursor(found[-1].occurred_at, found[-1].id) if len(found) == PAGE else None
        return Results(self.hits(found), more, stopped)

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
            "entry": self.entry,
            "senders": list(SENDERS[self.sender]) if self.sender else None,
        }

    def hits(self, rows: list[Any]) -> list[Hit]:
        entries = {row.id: row for row in [*load(Message, rows, "message"), *load(Note, rows, "note")]}
        ids = {row.conversation_id for row in rows}
        query = select(Conversation).where(Conversation.id.in_(ids)).options(joinedload(Conversation.contact))
        conversations = {each.id: each for each in db.session.scalars(query)}
        hits, excerpts = [], Excerpts(self.words)
        for row in rows:
            entry = entries.get(row.id)
            # A text that was merged into the next one is found there.
            has_bubble = isinstance(entry, Note) or (entry and entry.is_shown)
            if entry and has_bubble and row.conversation_id in conversations:
                around = excerpts.of(entry.body)
                hits.append(Hit(entry, conversations[row.conversation_id], around, row.occurred_at, row.id))
        return hits

    def people(self, limit: int = 8) -> list[tuple[Contact, Conversation | None]]:
        """The customers whose name or number matches, each with a conversation; those who have none come last."""
        if not self.words:
            return []
        contacts = Contact.matching(self.words, limit)
        mine = Conversation.contact_id.in_([contact.id for contact in contacts]), Conversation.merged_into_id.is_(None)
        query = select(Conversation).where(*mine).order_by(Conversation.last_message_at.desc()).limit(limit)
        conversations = db.session.scalars(query.options(joinedload(Conversation.contact))).all() if contacts else []
        written = {conversation.contact_id for conversation in conversations}
        people: list[tuple[Contact, Conversation | None]] = [(each.contact, each) for each in conversations]
        people += [(contact, None) for contact in contacts if contact.id not in written]
        return people[:limit]


@dataclass(frozen=True, slots=True)
class Hit:
    """A message or note that matches, with an excerpt around the first match."""

    entry: Message | Note
    conversation: Conversation
    excerpt: list[Run]
    at: dt.datetime
    id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Results:
    """A page of hits. `more`: where the next page begins; `stopped`: how far back the search got in its time."""

    hits: list[Hit]
    more: Cursor | None
    stopped: dt.datetime | None

    @property
    def next_page(self) -> Cursor | None:
        return Cursor(self.stopped, FIRST) if self.stopped else self.more


# Sorts before every other id.
FIRST = uuid.UUID(int=0)
# Which messages and notes match? A security-definer function (migration 0060), since row security would keep the GIN
# indexes ix_messages_search and ix_notes_search from being used. A null filter does not filter; `before` with
# `before_id` null: from the newest on. It gives a row of kind `stopped` when its :milliseconds are over.
ENTRIES = text("""
    select * from search_entries(:words, :conversation, :number, :author, :tag, :type, :since, :before, :before_id,
                                 :enough, :milliseconds, cast(:senders as text[]), :entry)
""")


def load(kind: type[Any], rows: list[Any], name: str) -> list[Any]:
    ids = [row.id for row in rows if row.kind == name]
    return list(db.session.scalars(select(kind).where(kind.id.in_(ids)))) if ids else []


def as_date(value: object) -> dt.date | None:
    """The date (ISO 8601), or None where it is none."""
    try:
        return dt.date.fromisoformat(str(value)) if value else None
    except ValueError:
        return None


# Few letters make up most texts: each is folded once.
fold_letter = functools.lru_cache(10_000)(fold_letters)
# Texts are searched for their first match in pieces of this length, which overlap by the longest word worth a match.
PIECE, OVERLAP = 1_000, 60
# How many characters one page of results may fold, and how many different words it marks.
MOST_FOLDED, MOST_WORDS = 150_000, 8


@dataclass(slots=True)
class Excerpts:
    """Cuts the excerpts of one page of results."""

    words: str
    left: int = MOST_FOLDED

    def of(self, body: str) -> list[Run]:
        """The text around the first match: runs of text, each with whether it is a match."""
        words = self.folded_words
        for start in range(0, len(body), PIECE - OVERLAP):
            piece = body[start : start + PIECE]
            self.left -= len(piece)
            if self.left < 0:
                break
            folded = fold_letters(piece)
            if any(word in folded for word in words) and (hits := spans(piece, words)):
                return excerpt(body, start, hits)
        return [(body[: CONTEXT * 2], False)] + [("…", False)] * (len(body) > CONTEXT * 2)

    @property
    def folded_words(self) -> list[str]:
        folded = ("".join(map(fold_letter, word)) for word in self.words.split())
        return list(dict.fromkeys(filter(None, folded)))[:MOST_WORDS]


def excerpt(body: str, offset: int, hits: list[tuple[int, int]]) -> list[Run]:
    """A few lines of the body from a little before the first hit. Hits are places from the offset on."""
    start = max(0, offset + hits[0][0] - CONTEXT)
    end, runs, at = min(len(body), start + CONTEXT * 3), [], start
    for first, last in hits:
        begin, stop = offset + first, offset + last
        if begin >= at and stop <= end:
            runs += [(body[at:begin], False), (body[begin:stop], True)]
            at = stop
    runs.append((body[at:end], False))
    return [("…", False)] * (start > 0) + [run for run in runs if run[0]] + [("…", False)] * (end < len(body))


def spans(piece: str, words: list[str]) -> list[tuple[int, int]]:
    """Where words are in a piece, in order; the piece is folded letter by letter to know the places."""
    folded, places = "", []
    for place, letter in enumerate(piece):
        same = fold_letter(letter)
        folded += same
        places += [place] * len(same)
    matches = (match.span() for word in words for match in re.finditer(re.escape(word), folded))
    return sorted((places[first], places[last - 1] + 1) for first, last in matches)
