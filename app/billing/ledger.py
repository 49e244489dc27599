"""The ledger of a tenant: journals that move money between accounts. Rows are only ever added (docs/ledger.md)."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Select, UniqueConstraint, select, text
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import TenantModel, belongs_to, current_tenant_id, database_now, db, one_of, uuid7
from app.tenancy.database import uuid7s

from .balances import Balance
from .money import Money, share_of
from .rate_cards import UNKNOWN
from .terms import category_words
from .totals import DayTotal

# What the tenant owes us (a prepaid balance is its negative), what we earn, what Meta costs, what we owe Meta, money
# that came in, and tax that we collect.
ACCOUNTS = ("receivable", "revenue", "cost", "payable", "bank", "tax")
# `message` is the first journal of a message; a changed price is a `reversal` and a `repricing`.
KINDS = ("message", "reversal", "repricing", "top_up", "fee", "tax", "adjustment", "credit")
OF_MESSAGES = ("message", "reversal", "repricing")
# Why a charged message costs the tenant nothing.
FREE = ("", "no_plan", "included")


def books_of_tenant() -> ForeignKeyConstraint:
    """A tenant with a ledger is not deleted: books have to be preserved."""
    return ForeignKeyConstraint(["tenant_id"], ["tenants.id"])


class Posting(TenantModel):
    """A batch of journals written together: a link of the chain. `hash` covers the link before and all its rows."""

    __table_args__ = (books_of_tenant(), UniqueConstraint("tenant_id", "position"))

    position: Mapped[int]
    previous_hash: Mapped[bytes]
    hash: Mapped[bytes]
    journals: Mapped[int]
    posted_at: Mapped[dt.datetime]

    @classmethod
    def newest_first(cls) -> Select[Self]:
        return select(cls).order_by(cls.position.desc())

    def hash_with(self, digest: bytes) -> bytes:
        """The hash of the link whose journals have this digest."""
        place = f"{self.position} {self.posted_at.astimezone(dt.UTC).isoformat()}".encode()
        return hashlib.sha256(self.previous_hash + place + bytes(digest)).digest()


class Journal(TenantModel):
    """One event that costs something or brings money in. What it moves is in its entries.

    It names a message by Meta's id alone, so erasing a contact changes nothing here. `sender` says who wrote it, as
    `agent:<id>`; `other` is other software.
    """

    __table_args__ = (
        books_of_tenant(),
        one_of("kind", KINDS),
        one_of("free", FREE),
        one_of("unknown", ("", *UNKNOWN)),
        CheckConstraint("(list_micros is null) = (unknown <> '')", name="known_or_why_not"),
        Index(
            "uq_journals_message",
            "tenant_id",
            "phone_number_id",
            "wamid",
            unique=True,
            postgresql_where=text("kind = 'message'"),
        ),
        Index(
            "uq_journals_reversed",
            "tenant_id",
            "reverses_id",
            unique=True,
            postgresql_where=text("kind = 'reversal'"),
        ),
        Index("ix_journals_posting", "tenant_id", "posting_id", "id"),
        Index("ix_journals_day", "tenant_id", "day", "id"),
    )

    # No foreign key, which would be checked for every row: a posting is written in the same transaction.
    posting_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    occurred_at: Mapped[dt.datetime]
    # The day in UTC that it counts for.
    day: Mapped[dt.date]
    currency: Mapped[str]
    phone_number_id: Mapped[uuid.UUID | None]
    wamid: Mapped[str] = mapped_column(default="")
    category: Mapped[str] = mapped_column(default="")
    market: Mapped[str] = mapped_column(default="")
    country: Mapped[str] = mapped_column(default="")
    sender: Mapped[str] = mapped_column(default="")
    rate_card_id: Mapped[uuid.UUID | None]
    # The volume tier that Meta counts it in, such as `100001:1000000`; empty for the first one.
    tier: Mapped[str] = mapped_column(default="", server_default="")
    # Meta's price; None where it is unknown.
    list_micros: Mapped[int | None]
    # What is added to it, in hundredths of a percent, and how much that is.
    markup: Mapped[int] = mapped_column(default=0)
    markup_micros: Mapped[int] = mapped_column(default=0)
    # What the tenant is charged; negative where it gets something, as by a payment.
    charged_micros: Mapped[int] = mapped_column(default=0)
    free: Mapped[str] = mapped_column(default="")
    unknown: Mapped[str] = mapped_column(default="")
    # The journal that this one takes back, or replaces.
    reverses_id: Mapped[uuid.UUID | None]
    note: Mapped[str] = mapped_column(default="")
    by: Mapped[str] = mapped_column(default="")

    @property
    def category_words(self) -> str:
        return category_words(self.category)

    @property
    def why_unknown(self) -> str:
        return UNKNOWN[self.unknown] if self.unknown else ""

    @property
    def list_price(self) -> Money | None:
        return None if self.list_micros is None else Money(self.list_micros, self.currency)

    @property
    def markup_money(self) -> Money:
        return Money(self.markup_micros, self.currency)

    @property
    def cost(self) -> Money:
        """What a message cost: what the tenant was charged, or Meta's list price of one that was sent without a plan.

        Less where it takes such a journal back.
        """
        micros = (self.list_micros or 0) if self.free == "no_plan" else self.charged_micros
        return Money(-micros if self.kind == "reversal" else micros, self.currency)

    @property
    def received(self) -> Money:
        """What the tenant gets by it; negative where it pays."""
        return Money(-self.charged_micros, self.currency)

    @property
    def charged(self) -> Money:
        return Money(self.charged_micros, self.currency)


class Entry(TenantModel):
    """Moves an amount from the account `credit` to `debit`: so the sum of a journal is zero, whatever is written."""

    __tablename__ = "entries"
    __table_args__ = (
        belongs_to("journals", "journal_id"),
        one_of("debit", ACCOUNTS),
        one_of("credit", ACCOUNTS),
        CheckConstraint("debit <> credit", name="two_accounts"),
        CheckConstraint("micros > 0", name="positive"),
        Index("ix_entries_journal", "tenant_id", "journal_id"),
    )

    journal_id: Mapped[uuid.UUID]
    debit: Mapped[str]
    credit: Mapped[str]
    micros: Mapped[int]
    currency: Mapped[str]

    @property
    def money(self) -> Money:
        return Money(self.micros, self.currency)


@dataclass(slots=True)
class Draft:
    """A journal that is to be written. `moves` are (debit, credit, micros); moves of nothing are left out."""

    kind: str
    occurred_at: dt.datetime
    currency: str
    day: dt.date
    moves: list[tuple[str, str, int]] = field(default_factory=list)
    columns: dict[str, Any] = field(default_factory=dict)

    @property
    def owed(self) -> int:
        """By how much it raises what the tenant owes."""
        debits = sum(micros for debit, _, micros in self.moves if debit == "receivable")
        return debits - sum(micros for _, credit, micros in self.moves if credit == "receivable")

    def reversed(self, journal_id: uuid.UUID) -> Draft:
        """Takes the journal back that was written of it."""
        moves = [(credit, debit, micros) for debit, credit, micros in self.moves]
        columns = self.columns | {"reverses_id": str(journal_id)}
        return Draft("reversal", self.occurred_at, self.currency, self.day, moves, columns)


def message_draft(
    row: Any, *, kind: str, list_micros: int | None, markup: int, free: str = "", unknown: str = "", **more: Any
) -> Draft:
    """The journal of a charged message: what we owe Meta for it, and what the tenant owes us."""
    added = 0 if free or list_micros is None else share_of(list_micros, markup)
    charged = 0 if free or list_micros is None else list_micros + added
    columns = {
        "phone_number_id": str(row.phone_number_id),
        "wamid": row.wamid,
        "category": row.category,
        "market": row.market or "",
        "country": row.country,
        "sender": row.sender,
        "rate_card_id": str(row.rate_card_id) if row.rate_card_id else None,
        "list_micros": list_micros,
        "markup": markup,
        "markup_micros": added,
        "charged_micros": charged,
        "free": free,
        "unknown": unknown,
    }
    moves = [("cost", "payable", list_micros or 0), ("receivable", "revenue", charged)]
    return Draft(kind, row.arrived_at, row.currency, row.day, moves, columns | more)


class Ledger:
    """The current tenant's, locked until the transaction ends: its chain has one end, so one writes at a time.

    The lock is taken before the balance's, which sending takes alone.
    """

    def __init__(self) -> None:
        db.session.execute(LOCK, {"tenant": str(current_tenant_id())})
        self.balance = Balance.locked()

    def post(self, drafts: Sequence[Draft]) -> list[uuid.UUID]:
        """Writes journals as one posting, and what follows from them: totals and the balance. Returns their ids.

        A message that has a journal already, and a journal that is taken back already, are left out.
        """
        if not drafts:
            return []
        posting_id, ids = uuid7(), uuid7s(len(drafts))
        rows = [row_of(id, draft) for id, draft in zip(ids, drafts, strict=True)]
        mine = {"tenant": current_tenant_id(), "posting": posting_id, "now": database_now()}
        new = set(db.session.scalars(NEW_JOURNALS, mine | {"rows": json.dumps(rows)}))
        written = [(id, draft) for id, draft in zip(ids, drafts, strict=True) if id in new]
        if not written:
            return []
        entries = [
            {"journal": id, "debit": debit, "credit": credit, "micros": micros, "currency": draft.currency}
            for id, draft in written
            for debit, credit, micros in draft.moves
            if micros
        ]
        entry_ids = uuid7s(len(entries))
        moved = [entry | {"id": id} for entry, id in zip(entries, entry_ids, strict=True)]
        db.session.execute(NEW_ENTRIES, mine | {"rows": json.dumps(moved)})
        self.link(posting_id, mine)
        self.add_up([draft for _, draft in written])
        return [uuid.UUID(id) for id, _ in written]

    def link(self, posting_id: uuid.UUID, mine: dict[str, Any]) -> None:
        """Adds the posting to the chain."""
        last = db.session.execute(LAST, mine).one_or_none()
        posting = Posting(id=posting_id, position=last.position + 1 if last else 1, posted_at=mine["now"])
        posting.previous_hash = bytes(last.hash) if last else b""
        content = db.session.execute(CONTENT, mine).one()
        posting.journals, posting.hash = content.journals, posting.hash_with(content.digest)
        db.session.add(posting)

    def add_up(self, drafts: Sequence[Draft]) -> None:
        DayTotal.add([total_of(draft) for draft in drafts if draft.kind in OF_MESSAGES])
        if self.balance:
            mine = [draft for draft in drafts if draft.currency == self.balance.currency]
            self.balance.move(-sum(draft.owed for draft in mine))
            self.balance.count(mine)


def row_of(id: str, draft: Draft) -> dict[str, Any]:
    fixed: dict[str, Any] = {"id": id, "kind": draft.kind, "currency": draft.currency, "day": draft.day.isoformat()}
    if draft.kind not in OF_MESSAGES:
        fixed["charged_micros"] = draft.owed
    return BLANK | draft.columns | fixed | {"occurred_at": draft.occurred_at.isoformat()}


def total_of(draft: Draft) -> dict[str, Any]:
    sign, columns = -1 if draft.kind == "reversal" else 1, draft.columns
    unpriced = columns["list_micros"] is None
    return {
        "day": draft.day.isoformat(),
        "phone_number_id": columns["phone_number_id"],
        "category": columns["category"],
        "country": columns["country"],
        "sender": columns["sender"],
        "free": "",
        "currency": draft.currency,
        "messages": sign,
        "list_micros": sign * (columns["list_micros"] or 0),
        "charged_micros": sign * columns["charged_micros"],
        "unpriced": sign * unpriced,
        "no_plan_micros": sign * (columns["list_micros"] or 0) if columns["free"] == "no_plan" else 0,
    }


BLANK: dict[str, Any] = {
    **dict.fromkeys(("wamid", "category", "market", "country", "sender", "tier", "free", "unknown", "note", "by"), ""),
    **dict.fromkeys(("markup", "markup_micros", "charged_micros", "list_micros"), 0),
}
LOCK = text("select pg_advisory_xact_lock(hashtextextended('ledger ' || :tenant, 0))")
# Writes journals; one whose message has a journal already, or that takes back what is taken back, is left out by the
# unique indexes uq_journals_message and uq_journals_reversed. Null: `list_micros` unknown, the ids not about any.
NEW_JOURNALS = text("""
    insert into journals (tenant_id, id, posting_id, kind, occurred_at, day, currency, phone_number_id, wamid, category,
                          market, country, sender, rate_card_id, tier, list_micros, markup, markup_micros,
                          charged_micros, free, unknown, reverses_id, note, by)
    select :tenant, id, :posting, kind, occurred_at, day, currency, phone_number_id, wamid, category,
           market, country, sender, rate_card_id, tier, list_micros, markup, markup_micros, charged_micros, free,
           unknown, reverses_id, note, by
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(
        id uuid, kind text, occurred_at timestamptz, day date, currency text, phone_number_id uuid, wamid text,
        category text, market text, country text, sender text, rate_card_id uuid, tier text, list_micros bigint,
        markup bigint, markup_micros bigint, charged_micros bigint, free text, unknown text, reverses_id uuid,
        note text, by text)
    on conflict do nothing
    returning id::text
""")
NEW_ENTRIES = text("""
    insert into entries (tenant_id, id, journal_id, debit, credit, micros, currency)
    select :tenant, id, journal, debit, credit, micros, currency
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(
        id uuid, journal uuid, debit text, credit text, micros bigint, currency text)
    on conflict do nothing
""")
LAST = text("select position, hash from postings where tenant_id = :tenant order by position desc limit 1")
# What do the journals of a posting say, all their columns and entries, a line each in the order of their ids? As a
# digest, and how many they are. An empty tier is left out: the column came when there were journals already. By
# ix_journals_posting and ix_entries_journal.
CONTENT = text("""
    select sha256(convert_to(coalesce(string_agg(line, chr(10) order by id), ''), 'UTF8')) as digest,
        count(*) as journals
    from (
        select j.id, jsonb_build_array(j.id, j.kind, extract(epoch from j.occurred_at), j.day, j.currency,
            j.phone_number_id, j.wamid, j.category, j.market, j.country, j.sender, j.rate_card_id, j.list_micros,
            j.markup, j.markup_micros, j.charged_micros, j.free, j.unknown, j.reverses_id, j.note, j.by,
            (select jsonb_agg(jsonb_build_array(e.id, e.debit, e.credit, e.micros, e.currency) order by e.id)
             from entries e where e.tenant_id = :tenant and e.journal_id = j.id))::text
            || case j.tier when '' then '' else to_jsonb(j.tier)::text end as line
        from journals j where j.tenant_id = :tenant and j.posting_id = :posting) content
""")
