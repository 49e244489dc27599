"""Meta's invoices beside our ledger: what it charges for a month, and the lines of its report, by account."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import ForeignKey, Index, Row, Select, UniqueConstraint, case, func, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Mapped, mapped_column

from app.meta.business_invoices import BusinessInvoice
from app.tenancy import (
    GlobalModel,
    TenantModel,
    belongs_to,
    current_tenant_id,
    database_now,
    db,
    now,
    one_of,
    uuid7,
)
from app.tenancy.database import uuid7s
from app.wabas.models import PhoneNumber, Waba

from .ledger import OF_MESSAGES, Journal
from .money import MICROS, Money, micros_from, micros_of
from .price_lists import Unusable
from .rate_cards import day_of
from .terms import category_words

COLUMNS = ("waba_id", "country", "category", "messages", "amount", "currency")
LONGEST = 60
# After so many wrong lines a file is not read on.
MOST_PROBLEMS = 200
# Meta rounds a line to hundredths; what is not further apart is no difference.
ROUNDING = MICROS // 200
KEY = ("waba_id", "month", "currency", "country", "category")
_ID, _COUNT = re.compile(r"\d{1,30}", re.ASCII), re.compile(r"-?\d{1,12}", re.ASCII)
Figures = tuple[int, int]


class MetaInvoice(GlobalModel):
    """One invoice as Meta's API lists it. It has no lines."""

    __tablename__ = "meta_invoices"

    # Meta's.
    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str]
    type: Mapped[str]
    month: Mapped[dt.date] = mapped_column(index=True)
    currency: Mapped[str]
    micros: Mapped[int]
    payment_status: Mapped[str]
    fetched_at: Mapped[dt.datetime]

    @property
    def money(self) -> Money:
        return Money(self.micros, self.currency)

    @classmethod
    def save(cls, invoices: Iterable[BusinessInvoice]) -> None:
        """Needs a platform scope."""
        at = now()
        for each in invoices:
            row = {"number": each.number, "type": each.type, "month": each.month, "currency": each.currency}
            row |= {"micros": micros_from(each.amount), "payment_status": each.payment_status, "fetched_at": at}
            statement = upsert(cls).values(id=each.id, **row)
            db.session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=row))

    @classmethod
    def of_month(cls, month: dt.date) -> Sequence[Self]:
        return db.session.scalars(select(cls).where(cls.month == month).order_by(cls.id)).all()


class MetaReport(GlobalModel):
    """The lines of a month's invoices, from a file of the Billing hub. The newest of a month counts."""

    __tablename__ = "meta_reports"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    month: Mapped[dt.date] = mapped_column(index=True)
    by_name: Mapped[str]
    loaded_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def load(cls, month: dt.date, lines: Sequence[ReportLine], *, by_name: str) -> Self:
        """Needs a platform scope."""
        report = cls(id=uuid7(), month=month, by_name=by_name)
        db.session.add(report)
        db.session.flush()
        rows = [line.as_row() | {"position": place} for place, line in enumerate(lines, 1)]
        db.session.execute(NEW_LINES, {"report": report.id, "rows": json.dumps(rows)})
        return report

    @classmethod
    def of_month(cls, month: dt.date) -> Self | None:
        newest = select(cls).where(cls.month == month).order_by(cls.loaded_at.desc(), cls.id.desc())
        return db.session.scalar(newest.limit(1))

    @property
    def totals(self) -> list[Money]:
        sums = select(MetaReportLine.currency, func.sum(MetaReportLine.micros)).group_by(MetaReportLine.currency)
        rows = db.session.execute(sums.where(MetaReportLine.report_id == self.id).order_by(MetaReportLine.currency))
        return [Money(int(micros), currency) for currency, micros in rows]

    def figures_of(self, waba_meta_id: str) -> dict[tuple[str, str, str], Figures]:
        """Messages and amount of an account, by currency, country and category."""
        mine = MetaReportLine.report_id == self.id, MetaReportLine.waba_id == waba_meta_id
        sums: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
        for line in db.session.scalars(select(MetaReportLine).where(*mine)):
            total = sums[line.currency, line.country, line.category]
            total[0], total[1] = total[0] + line.messages, total[1] + line.micros
        return {key: (messages, micros) for key, (messages, micros) in sums.items()}

    @property
    def strangers(self) -> Sequence[Row[str, str, int, int]]:
        """Accounts on the report that no business here has connected. Needs a platform scope."""
        line = MetaReportLine
        sums = select(line.waba_id, line.currency, func.sum(line.messages), func.sum(line.micros))
        query = sums.where(line.report_id == self.id).group_by(line.waba_id, line.currency)
        rows = db.session.execute(query.order_by(line.waba_id)).all()
        ours = set(db.session.scalars(select(Waba.meta_id).where(Waba.meta_id.in_({row[0] for row in rows}))))
        return [row for row in rows if row[0] not in ours]


class MetaReportLine(GlobalModel):
    """What Meta charges for the messages of one account, country and category."""

    __tablename__ = "meta_report_lines"
    __table_args__ = (Index("ix_meta_report_lines_account", "report_id", "waba_id"),)

    report_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("meta_reports.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    # Meta's id.
    waba_id: Mapped[str]
    country: Mapped[str]
    category: Mapped[str]
    messages: Mapped[int]
    micros: Mapped[int]
    currency: Mapped[str]


@dataclass(frozen=True, slots=True)
class ReportLine:
    waba_id: str
    country: str
    category: str
    messages: int
    micros: int
    currency: str

    def as_row(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def read_report(lines: Iterable[str]) -> list[ReportLine]:
    """Parses a CSV with COLUMNS, in any order and among others. Raises `Unusable` with the first problems."""
    rows = csv.DictReader(lines)
    names = {name.strip().lower(): name for name in rows.fieldnames or () if name}
    if missing := [name for name in COLUMNS if name not in names]:
        raise Unusable([f"line 1: there is no column {name}" for name in missing])
    read_lines, problems = [], []
    try:
        for row in rows:
            line = line_of({name: str(row.get(names[name]) or "").strip() for name in COLUMNS})
            if line is None:
                problems.append(
                    f"line {rows.line_num}: needs an account's id, a country of two letters, a category, a number of "
                    "messages, an amount like 12.50 and a currency"
                )
                if len(problems) == MOST_PROBLEMS:
                    break
            else:
                read_lines.append(line)
    except csv.Error as error:
        problems.append(f"line {rows.line_num}: {error}")
    if not read_lines and not problems:
        problems.append("it has no line")
    if problems:
        raise Unusable(problems)
    return read_lines


def line_of(row: dict[str, str]) -> ReportLine | None:
    country, category = row["country"].upper(), row["category"].lower().replace("-", "_").replace(" ", "_")
    currency, negative = row["currency"].upper(), row["amount"].startswith("-")
    micros = micros_of(row["amount"].removeprefix("-"))
    is_right = _ID.fullmatch(row["waba_id"]) and _COUNT.fullmatch(row["messages"]) and micros is not None
    is_right = is_right and (not country or (len(country) == 2 and country.isascii() and country.isalpha()))
    is_right = is_right and 0 < len(category) <= LONGEST and category.isascii() and category.isprintable()
    is_right = is_right and len(currency) == 3 and currency.isascii() and currency.isalpha()
    if not is_right or micros is None:
        return None
    amount = -micros if negative else micros
    return ReportLine(row["waba_id"], country, category, int(row["messages"]), amount, currency)


class InvoiceComparison(TenantModel):
    """What our ledger and Meta's report have of one account, month, country and category.

    A month is the account's. A difference that is `explained` is listed again once its figures change.
    """

    __table_args__ = (
        belongs_to("wabas", "waba_id"),
        UniqueConstraint("tenant_id", *KEY, name="uq_invoice_comparisons_key"),
        one_of("state", ("equal", "open", "explained")),
        Index("ix_invoice_comparisons_month", "month", "state"),
    )

    waba_id: Mapped[uuid.UUID]
    month: Mapped[dt.date]
    currency: Mapped[str]
    country: Mapped[str]
    category: Mapped[str]
    ours: Mapped[int]
    metas: Mapped[int]
    ours_micros: Mapped[int]
    metas_micros: Mapped[int]
    state: Mapped[str]
    explanation: Mapped[str] = mapped_column(default="")
    explained_by: Mapped[str] = mapped_column(default="")
    compared_at: Mapped[dt.datetime]

    @property
    def category_words(self) -> str:
        return category_words(self.category)

    @property
    def our_money(self) -> Money:
        return Money(self.ours_micros, self.currency)

    @property
    def metas_money(self) -> Money:
        return Money(self.metas_micros, self.currency)

    @property
    def difference(self) -> Money:
        """How much more Meta charges than our ledger has."""
        return Money(self.metas_micros - self.ours_micros, self.currency)

    def explain(self, words: str, *, by: str) -> None:
        self.state, self.explanation, self.explained_by = "explained", words, by

    def journals(self, zone: dt.tzinfo, numbers: Sequence[uuid.UUID]) -> Select[Journal]:
        """The newest first."""
        mine = of_month(self.tenant_id, self.month, zone, numbers)
        about = {name: getattr(self, name) for name in ("currency", "country", "category")}
        return select(Journal).where(*mine).filter_by(**about).order_by(Journal.occurred_at.desc(), Journal.id.desc())

    @classmethod
    def compare(cls, waba_id: uuid.UUID, month: dt.date, metas: dict[tuple[str, str, str], Figures]) -> int:
        """Compares one account of the current tenant. Returns how many lines differ."""
        waba = Waba.get_or_404(waba_id)
        numbers = list(db.session.scalars(select(PhoneNumber.id).where(PhoneNumber.waba_id == waba_id)))
        ours = ledger_of(month, waba.zone, numbers)
        rows = [row_of(waba_id, month, key, ours.get(key, (0, 0)), metas.get(key, (0, 0))) for key in {*ours, *metas}]
        for id, row in zip(uuid7s(len(rows)), rows, strict=True):
            row["id"] = id
        mine = {"tenant": current_tenant_id(), "now": database_now(), "waba": waba_id, "month": month}
        if rows:
            db.session.execute(SAVE, mine | {"rows": json.dumps(rows)})
        # What neither has any more, as after a corrected report.
        gone = select(cls).where(cls.waba_id == waba_id, cls.month == month, cls.compared_at < mine["now"])
        for old in db.session.scalars(gone):
            db.session.delete(old)
        return sum(row["state"] == "open" for row in rows)


def of_month(tenant_id: uuid.UUID, month: dt.date, zone: dt.tzinfo, numbers: Sequence[uuid.UUID]) -> list[Any]:
    """Conditions for the journals of messages of a month in a zone; days are in UTC."""
    start, end = (dt.datetime.combine(day, dt.time(), zone) for day in (month, month_after(month)))
    return [
        Journal.tenant_id == tenant_id,
        Journal.kind.in_(OF_MESSAGES),
        Journal.day >= day_of(start),
        Journal.day <= day_of(end),
        Journal.occurred_at >= start,
        Journal.occurred_at < end,
        Journal.phone_number_id.in_(numbers),
    ]


def ledger_of(month: dt.date, zone: dt.tzinfo, numbers: Sequence[uuid.UUID]) -> dict[tuple[str, str, str], Figures]:
    """What our ledger owes Meta for a month, by currency, country and category."""
    sign = case((Journal.kind == "reversal", -1), else_=1)
    keys = Journal.currency, Journal.country, Journal.category
    signed = func.sum(sign), func.sum(func.coalesce(Journal.list_micros, 0) * sign)
    query = select(*keys, *signed).where(*of_month(current_tenant_id(), month, zone, numbers)).group_by(*keys)
    rows = db.session.execute(query)
    return {(row[0], row[1], row[2]): (int(row[3]), int(row[4])) for row in rows if row[3] or row[4]}


def month_after(month: dt.date) -> dt.date:
    return (month.replace(day=1) + dt.timedelta(days=32)).replace(day=1)


def row_of(
    waba_id: uuid.UUID, month: dt.date, key: tuple[str, str, str], ours: Figures, metas: Figures
) -> dict[str, Any]:
    currency, country, category = key
    is_equal = ours[0] == metas[0] and abs(ours[1] - metas[1]) <= ROUNDING
    return {
        "waba_id": str(waba_id),
        "month": month.isoformat(),
        "currency": currency,
        "country": country,
        "category": category,
        "ours": ours[0],
        "metas": metas[0],
        "ours_micros": ours[1],
        "metas_micros": metas[1],
        "state": "equal" if is_equal else "open",
    }


NEW_LINES = text("""
    insert into meta_report_lines (report_id, position, waba_id, country, category, messages, micros, currency)
    select :report, position, waba_id, country, category, messages, micros, currency
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(
        position bigint, waba_id text, country text, category text, messages bigint, micros bigint, currency text)
""")
# The figures of a month. What was explained stays explained while its figures are the same. By
# uq_invoice_comparisons_key.
SAVE = text("""
    insert into invoice_comparisons as c (tenant_id, id, waba_id, month, currency, country, category, ours, metas,
                                          ours_micros, metas_micros, state, explanation, explained_by, compared_at)
    select :tenant, id, waba_id, month, currency, country, category, ours, metas, ours_micros, metas_micros, state,
           '', '', :now
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(
        id uuid, waba_id uuid, month date, currency text, country text, category text, ours bigint, metas bigint,
        ours_micros bigint, metas_micros bigint, state text)
    on conflict (tenant_id, waba_id, month, currency, country, category) do update set
        state = case when c.state = 'explained' and c.ours = excluded.ours and c.metas = excluded.metas
                     and c.ours_micros = excluded.ours_micros and c.metas_micros = excluded.metas_micros
                then c.state else excluded.state end,
        ours = excluded.ours, metas = excluded.metas, ours_micros = excluded.ours_micros,
        metas_micros = excluded.metas_micros, compared_at = excluded.compared_at
""")
