"""A tenant's ledger to be read: its journals, the newest first, and what belongs to one of them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from sqlalchemy import Select, select, tuple_

from app.billing.ledger import KINDS, OF_MESSAGES, Entry, Journal, Posting
from app.billing.money import percent
from app.billing.rate_cards import RateCard
from app.billing.verification import problem_of_link
from app.costs.months import SENDERS
from app.inbox.conversations import Message
from app.tenancy import as_uuid, db
from app.wabas.models import PhoneNumber
from app.words import N_

PAGE = 50
# A message is repriced as often as cards and tiers change; more than this is shown in part.
LONGEST_CHAIN = 40
LONGEST_QUERY = 200


@dataclass(frozen=True)
class LedgerQuery:
    """`words`: the id of a message or journal, or a wamid; then month and kind do not count. `before`: where the page
    begins, as a day and an id."""

    words: str = ""
    month: dt.date | None = None
    kind: str = ""
    before: str = ""

    @classmethod
    def read(cls, words: str, month: str, kind: str, before: str) -> Self:
        """From an address; what is no such thing is left out."""
        return cls(words.strip()[:LONGEST_QUERY], read_month(month), kind if kind in KINDS else "", before)

    def page(self) -> tuple[list[Journal], str]:
        """Needs the tenant's scope. Returns a page, and where the next one begins; "" where there is none."""
        if self.words:
            return self.named(), ""
        query = select(Journal).order_by(Journal.day.desc(), Journal.id.desc()).limit(PAGE + 1)
        if self.month:
            following = (self.month + dt.timedelta(days=32)).replace(day=1)
            query = query.where(Journal.day >= self.month, Journal.day < following)
        if self.kind:
            query = query.where(Journal.kind == self.kind)
        if start := read_place(self.before):
            query = query.where(tuple_(Journal.day, Journal.id) < tuple_(*start))
        rows = list(db.session.scalars(query))
        last = rows[PAGE - 1] if len(rows) > PAGE else None
        return rows[:PAGE], f"{last.day}.{last.id}" if last else ""

    def named(self) -> list[Journal]:
        """The journals of one message with their corrections, or one journal with those that belong to it."""
        first = Journal.find(as_uuid(self.words)) if as_uuid(self.words) else None
        first = first or db.session.scalar(first_of_message(self.wamid))
        return chain_of(first)[::-1] if first else []

    @property
    def wamid(self) -> str:
        """Of a message that is stored here, by our id; else as it was typed."""
        from_id = as_uuid(self.words)
        stored = Message.find(from_id) if from_id else None
        return (stored.wamid if stored else None) or self.words


def first_of_message(wamid: str) -> Select[Journal]:
    """By uq_journals_message."""
    numbers = list(db.session.scalars(select(PhoneNumber.id)))
    mine = Journal.kind == "message", Journal.phone_number_id.in_(numbers), Journal.wamid == wamid
    return select(Journal).where(*mine).limit(1)


def chain_of(journal: Journal) -> list[Journal]:
    """A journal with those it takes back or replaces, and those that do so with it; in the order they were written."""
    first = journal
    for _ in range(LONGEST_CHAIN):
        if (before := Journal.find(first.reverses_id)) is None:
            break
        first = before
    chain = [first]
    while len(chain) < LONGEST_CHAIN and (following := followers(chain[-1])):
        chain += following
    return chain


def followers(journal: Journal) -> list[Journal]:
    """What takes a journal back, and what was written anew beside that. By uq_journals_reversed."""
    reversal = db.session.scalar(select(Journal).where(Journal.kind == "reversal", Journal.reverses_id == journal.id))
    if reversal is None:
        return []
    same = Journal.posting_id == reversal.posting_id, Journal.reverses_id == journal.id, Journal.kind == "repricing"
    return [reversal, *db.session.scalars(select(Journal).where(*same))]


@dataclass(frozen=True)
class JournalFacts:
    """One journal with all that belongs to it. `problem`: what is wrong with its link of the chain, "" where the hash
    is right. `message` is None where other software sent it."""

    journal: Journal
    entries: Sequence[Entry]
    chain: list[Journal]
    posting: Posting | None
    problem: str
    card: RateCard | None
    number: PhoneNumber | None
    message: Message | None

    @classmethod
    def of(cls, journal: Journal) -> Self:
        """Needs the tenant's scope."""
        posting = Posting.find(journal.posting_id)
        return cls(
            journal=journal,
            entries=db.session.scalars(select(Entry).where(Entry.journal_id == journal.id).order_by(Entry.id)).all(),
            chain=chain_of(journal),
            posting=posting,
            problem=problem_of_link(posting) if posting else "it belongs to no posting",
            card=db.session.get(RateCard, journal.rate_card_id) if journal.rate_card_id else None,
            number=PhoneNumber.find(journal.phone_number_id),
            message=message_of(journal) if journal.wamid else None,
        )

    @property
    def is_of_message(self) -> bool:
        return self.journal.kind in OF_MESSAGES

    @property
    def sender_words(self) -> str:
        """What kind of sender it was; team members are not named."""
        kind = self.journal.sender.partition(":")[0]
        return N_("Team member") if kind == "agent" else SENDERS.get(kind, SENDERS["system"])

    @property
    def markup_percent(self) -> str:
        return percent(self.journal.markup)


def message_of(journal: Journal) -> Message | None:
    mine = Message.phone_number_id == journal.phone_number_id, Message.wamid == journal.wamid
    return db.session.scalars(select(Message).where(*mine)).unique().one_or_none()


def read_month(value: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(f"{value}-01") if len(value) == len("2026-11") else None
    except ValueError:
        return None


def read_place(value: str) -> tuple[dt.date, uuid.UUID] | None:
    day, _dot, id = value.partition(".")
    try:
        read = dt.date.fromisoformat(day)
    except ValueError:
        return None
    row_id = as_uuid(id)
    return (read, row_id) if row_id else None
