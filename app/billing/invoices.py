"""Invoices: what a month's journals charged, by line, each open down to its journals; and credit notes."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import Index, Row, Select, UniqueConstraint, func, select, text
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import settings
from app.tenancy import (
    Tenant,
    TenantModel,
    belongs_to,
    current_tenant_id,
    database_now,
    db,
    later,
    now,
    of_tenant,
    one_of,
)
from app.tenancy.database import uuid7s

from .balances import Balance
from .ledger import Draft, Journal, Ledger, Posting, books_of_tenant
from .money import Money, rounded, share_of
from .rate_cards import day_of
from .tax import NOTES, Tax
from .terms import category_words

KINDS = ("invoice", "credit_note")
LINES = ("messages", "fee", "adjustment")
# A month is closed on this day of the next one; what is posted later for it is on the next invoice.
CLOSED_ON = 3
# In which its PDF is drawn before anybody asks for it.
USUAL_LANGUAGE = "en"


class BillingDetails(TenantModel):
    """Whom invoices name. An invoice keeps what was true when it was issued."""

    __tablename__ = "billing_details"
    __table_args__ = (of_tenant(), UniqueConstraint("tenant_id"))

    company: Mapped[str] = mapped_column(default="")
    address: Mapped[str] = mapped_column(default="")
    country: Mapped[str] = mapped_column(default="")
    vat_id: Mapped[str] = mapped_column(default="")
    changed_at: Mapped[dt.datetime] = mapped_column(default=now, onupdate=now)

    @classmethod
    def current(cls) -> Self:
        """The tenant's; new and empty where there are none yet."""
        return db.session.scalar(select(cls)) or cls(company="", address="", country="", vat_id="")

    @classmethod
    def missed_on(cls, balance: Balance | None) -> dt.date | None:
        """The day on which an invoice will be issued without them; None where they are there, or none is to come."""
        if balance is None or balance.plan is None or balance.is_closed:
            return None
        details = cls.current()
        return None if details.company and details.address else next_close(day_of(now()))

    @property
    def facts(self) -> dict[str, str]:
        return {"name": self.company, "address": self.address, "country": self.country, "vat_id": self.vat_id}


class Invoice(TenantModel):
    """Issued once and never changed; a credit note takes one back.

    It bills the journals of days before `until` with a posting up to `to_position`, except those that an earlier
    invoice has billed by the same rule: so a message that is reported late is on the next one.
    """

    __table_args__ = (
        books_of_tenant(),
        belongs_to("invoices", "corrects_id"),
        UniqueConstraint("tenant_id", "number"),
        one_of("kind", KINDS),
        one_of("tax_note", NOTES),
        Index(
            "uq_invoices_corrected",
            "tenant_id",
            "corrects_id",
            unique=True,
            postgresql_where=text("corrects_id is not null"),
        ),
    )

    number: Mapped[str]
    kind: Mapped[str]
    month: Mapped[dt.date]
    until: Mapped[dt.date]
    # The last posting that it looks at, and where the invoice before it ended.
    to_position: Mapped[int]
    before_until: Mapped[dt.date]
    before_position: Mapped[int]
    currency: Mapped[str]
    net_micros: Mapped[int]
    tax_rate: Mapped[int]
    tax_micros: Mapped[int]
    tax_note: Mapped[str]
    seller: Mapped[dict[str, Any]]
    buyer: Mapped[dict[str, Any]]
    corrects_id: Mapped[uuid.UUID | None]
    reason: Mapped[str] = mapped_column(default="")
    issued_at: Mapped[dt.datetime]

    def amount(self, micros: int) -> Money:
        return Money(micros, self.currency)

    @property
    def net(self) -> Money:
        return self.amount(self.net_micros)

    @property
    def tax(self) -> Money:
        return self.amount(self.tax_micros)

    @property
    def total(self) -> Money:
        return self.amount(self.net_micros + self.tax_micros)

    @classmethod
    def newest_first(cls) -> Select[Self]:
        return select(cls).order_by(cls.id.desc())

    @property
    def lines(self) -> list[InvoiceLine]:
        mine = InvoiceLine.tenant_id == self.tenant_id, InvoiceLine.invoice_id == self.id
        return list(db.session.scalars(select(InvoiceLine).where(*mine).order_by(InvoiceLine.position)))

    @property
    def corrected_by(self) -> Invoice | None:
        mine = Invoice.tenant_id == self.tenant_id, Invoice.corrects_id == self.id
        return db.session.scalar(select(Invoice).where(*mine))

    def journals(self) -> Select[Journal]:
        """What it bills, apart from payments and tax."""
        position = select(Posting.position).where(
            Posting.tenant_id == Journal.tenant_id, Posting.id == Journal.posting_id
        )
        place = position.scalar_subquery()
        is_new = (place > self.before_position) | (Journal.day >= self.before_until)
        return select(Journal).where(
            Journal.kind.in_(("message", "reversal", "repricing", "fee", "adjustment")),
            Journal.currency == self.currency,
            Journal.free != "no_plan",
            Journal.day < self.until,
            place <= self.to_position,
            is_new,
        )


class InvoiceLine(TenantModel):
    """Messages of one number, country and category; or a fee or correction with its note. Rounded once."""

    __table_args__ = (
        belongs_to("invoices", "invoice_id"),
        one_of("kind", LINES),
        Index("ix_invoice_lines_invoice", "tenant_id", "invoice_id", "position"),
    )

    invoice_id: Mapped[uuid.UUID]
    position: Mapped[int]
    kind: Mapped[str]
    phone_number_id: Mapped[uuid.UUID | None]
    country: Mapped[str] = mapped_column(default="")
    category: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="")
    messages: Mapped[int] = mapped_column(default=0)
    micros: Mapped[int]

    @property
    def category_words(self) -> str:
        return category_words(self.category)

    def journals(self, invoice: Invoice) -> Select[Journal]:
        """Those that it adds up, the newest first."""
        query = invoice.journals().order_by(Journal.day.desc(), Journal.id.desc())
        if self.kind != "messages":
            return query.where(Journal.kind == self.kind, Journal.note == self.note)
        mine = (Journal.phone_number_id == self.phone_number_id, Journal.country == self.country)
        is_message = Journal.kind.in_(("message", "reversal", "repricing"))
        return query.where(is_message, *mine, Journal.category == self.category)


@dataclass(frozen=True)
class Close:
    """Closes months of the current tenant: issues what is not billed yet."""

    ledger: Ledger

    def run(self, month: dt.date) -> Invoice | None:
        """Bills everything up to the end of a month. None where that is done, or nothing was charged."""
        balance = self.ledger.balance
        if balance is None or (invoice := invoice_of(month, balance.currency)) is None:
            return None
        lines = [line_of(row, invoice.currency) for row in sums(invoice)]
        if not lines:
            return None
        details = BillingDetails.current()
        tax = Tax.between(
            settings.operator_vat_id, settings.operator_vat_rate, country=details.country, vat_id=details.vat_id
        )
        invoice.buyer, invoice.seller = buyer(details), seller()
        self.issue(invoice, lines, tax.rate, tax.note)
        self.post_rounding(invoice, sum(int(row.micros) for row in sums(invoice)))
        self.post_tax(invoice)
        return invoice

    def issue(self, invoice: Invoice, lines: list[dict[str, Any]], rate: int, note: str) -> None:
        invoice.issued_at, invoice.number = database_now(), self.next_number()
        invoice.net_micros = sum(line["micros"] for line in lines)
        sign = -1 if invoice.net_micros < 0 else 1
        invoice.tax_rate, invoice.tax_note = rate, note
        invoice.tax_micros = sign * rounded(share_of(abs(invoice.net_micros), rate), invoice.currency)
        db.session.add(invoice)
        db.session.flush()
        rows = [
            line | {"id": id, "invoice_id": str(invoice.id), "position": place}
            for place, (id, line) in enumerate(zip(uuid7s(len(lines)), lines, strict=True), 1)
        ]
        db.session.execute(NEW_LINES, {"tenant": current_tenant_id(), "rows": json.dumps(rows)})
        later("costs.draw_invoice", invoice.id, USUAL_LANGUAGE)

    def next_number(self) -> str:
        """Without a gap within a business and year: the ledger is locked."""
        year, slug = database_now().year, db.session.get_one(Tenant, current_tenant_id()).slug.upper()
        start = f"{slug}-{year}-"
        issued = select(func.count()).select_from(Invoice).where(Invoice.number.startswith(start, autoescape=True))
        return f"{start}{(db.session.scalar(issued) or 0) + 1:04}"

    def post_rounding(self, invoice: Invoice, exact: int) -> None:
        """What rounding has added or taken, so that ledger and invoice agree."""
        self.post("credit", invoice.net_micros - exact, "revenue", f"{invoice.number}: rounding")

    def post_tax(self, invoice: Invoice) -> None:
        self.post("tax", invoice.tax_micros, "tax", invoice.number)

    def post(self, kind: str, micros: int, account: str, note: str) -> None:
        """Charges an amount to the tenant, or gives it back where it is negative."""
        if micros and self.ledger.balance:
            at = database_now()
            move = ("receivable", account, micros) if micros > 0 else (account, "receivable", -micros)
            draft = Draft(kind, at, self.ledger.balance.currency, day_of(at), [move], {"note": note})
            self.ledger.post([draft])


def invoice_of(month: dt.date, currency: str) -> Invoice | None:
    """What a month's invoice would bill, not issued yet; None where the month is closed."""
    until, last = (
        month_after(month),
        db.session.scalar(Invoice.newest_first().where(Invoice.kind == "invoice").limit(1)),
    )
    if last and last.until >= until:
        return None
    to_position = db.session.scalar(select(func.max(Posting.position))) or 0
    invoice = Invoice(month=month, until=until, to_position=to_position, kind="invoice", currency=currency)
    invoice.before_until, invoice.before_position = (last.until, last.to_position) if last else (dt.date.min, 0)
    return invoice


def sums(invoice: Invoice) -> list[Row[Any]]:
    mine = {"tenant": current_tenant_id(), "currency": invoice.currency, "until": invoice.until}
    mine |= {"to": invoice.to_position, "before": invoice.before_position, "began": invoice.before_until}
    return list(db.session.execute(SUMS, mine).all())


def unbilled_micros(balance: Balance) -> int:
    """What an invoice of today would charge, before tax."""
    invoice = invoice_of(day_of(now()).replace(day=1), balance.currency)
    return sum(int(row.micros) for row in sums(invoice)) if invoice else 0


class Corrected(Exception):
    """The invoice has a credit note already, or is one."""


def credit(invoice: Invoice, *, reason: str) -> Invoice:
    """Takes an invoice of the current tenant back as a whole, with its tax. Raises `Corrected`."""
    close = Close(Ledger())
    if invoice.kind != "invoice" or invoice.corrected_by:
        raise Corrected
    columns = ("month", "until", "to_position", "before_until", "before_position", "currency", "seller", "buyer")
    note = Invoice(kind="credit_note", corrects_id=invoice.id, reason=reason)
    for name in columns:
        setattr(note, name, getattr(invoice, name))
    lines = [line_like(line) for line in invoice.lines]
    close.issue(note, lines, invoice.tax_rate, invoice.tax_note)
    close.post("credit", note.net_micros, "revenue", note.number)
    close.post_tax(note)
    return note


def line_like(line: InvoiceLine) -> dict[str, Any]:
    number = str(line.phone_number_id) if line.phone_number_id else None
    same = {"kind": line.kind, "country": line.country, "category": line.category, "note": line.note}
    return same | {"phone_number_id": number, "messages": -line.messages, "micros": -line.micros}


def line_of(row: Row[Any], currency: str) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "phone_number_id": str(row.phone_number_id) if row.phone_number_id else None,
        "country": row.country,
        "category": row.category,
        "note": row.note,
        "messages": int(row.messages),
        "micros": rounded(int(row.micros), currency),
    }


def buyer(details: BillingDetails) -> dict[str, str]:
    """Whom an invoice is to: by the name that the business has here, until it has entered its legal one."""
    return details.facts | {"name": details.company or db.session.get_one(Tenant, current_tenant_id()).name}


def seller() -> dict[str, str]:
    return {
        "name": settings.operator_name,
        "address": settings.operator_address,
        "contact": settings.operator_contact,
        "vat_id": settings.operator_vat_id,
    }


def month_after(month: dt.date) -> dt.date:
    return (month.replace(day=1) + dt.timedelta(days=32)).replace(day=1)


def next_close(today: dt.date) -> dt.date:
    """The next day on which an invoice is issued, for the month before it."""
    this = today.replace(day=CLOSED_ON)
    return this if today < this else month_after(today).replace(day=CLOSED_ON)


def month_to_close(today: dt.date) -> dt.date:
    """The last month that is closed by now."""
    first = today.replace(day=1)
    before = (first - dt.timedelta(days=1)).replace(day=1)
    return before if today.day >= CLOSED_ON else (before - dt.timedelta(days=1)).replace(day=1)


# What is to be billed, by line? Journals of days before :until with a posting up to :to, without those that the invoice
# before billed (posting up to :before, day before :began). By ix_journals_day; postings by their primary key.
SUMS = text("""
    select case when j.kind in ('fee', 'adjustment') then j.kind else 'messages' end as kind, j.phone_number_id,
        j.country, j.category, j.note, sum(j.charged_micros * s.sign) as micros,
        coalesce(sum(s.sign) filter (where j.phone_number_id is not null), 0) as messages
    from journals j
    cross join lateral (select case j.kind when 'reversal' then -1 else 1 end as sign) s
    join postings p on p.tenant_id = :tenant and p.id = j.posting_id
    where j.tenant_id = :tenant and j.kind in ('message', 'reversal', 'repricing', 'fee', 'adjustment')
      and j.currency = :currency and j.day < :until and p.position <= :to
      and (p.position > :before or j.day >= :began) and j.free <> 'no_plan'
    group by 1, 2, 3, 4, 5
    order by 1, 2, 3, 4, 5
""")
NEW_LINES = text("""
    insert into invoice_lines (tenant_id, id, invoice_id, position, kind, phone_number_id, country, category, note,
                               messages, micros)
    select :tenant, id, invoice_id, position, kind, phone_number_id, country, category, note, messages, micros
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(
        id uuid, invoice_id uuid, position bigint, kind text, phone_number_id uuid, country text, category text,
        note text, messages bigint, micros bigint)
    on conflict do nothing
""")
