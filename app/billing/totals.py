"""What messages cost, added up by day: kept up to date with each posting, and equal to the sum of the rows."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterable
from typing import Any

from sqlalchemy import UniqueConstraint, text
from sqlalchemy.orm import Mapped

from app.tenancy import TenantModel, current_tenant_id, db, of_tenant
from app.tenancy.database import uuid7s

KEY = ("day", "phone_number_id", "category", "country", "sender", "free", "currency")
# By what a month is added up, each by itself.
DIMENSIONS = ("day", "phone_number_id", "country", "category", "sender")
MONTH_KEY = ("month", "dimension", "value", "free", "currency")
SUMS = ("messages", "list_micros", "charged_micros", "unpriced")


class DayTotal(TenantModel):
    """The messages of one day, number, category, country and sender.

    `free` is Meta's reason why they cost nothing (`list_micros` is then what was saved), empty for charged ones.
    """

    __table_args__ = (of_tenant(), UniqueConstraint("tenant_id", *KEY, name="uq_day_totals_key"))

    day: Mapped[dt.date]
    phone_number_id: Mapped[uuid.UUID]
    category: Mapped[str]
    country: Mapped[str]
    sender: Mapped[str]
    free: Mapped[str]
    currency: Mapped[str]
    messages: Mapped[int]
    list_micros: Mapped[int]
    charged_micros: Mapped[int]
    unpriced: Mapped[int]

    @classmethod
    def add(cls, rows: Iterable[dict[str, Any]]) -> None:
        """Adds these to the totals. Each has the columns of KEY and SUMS."""
        sums: dict[tuple[Any, ...], list[int]] = {}
        for row in rows:
            total = sums.setdefault(tuple(row[name] for name in KEY), [0] * len(SUMS))
            for place, name in enumerate(SUMS):
                total[place] += row[name]
        if not sums:
            return
        MonthTotal.add(sums)
        # In one order, so that two writers never wait for each other in a ring.
        ordered = sorted(sums.items())
        ids = uuid7s(len(ordered))
        added = [
            {"id": id} | dict(zip(KEY, key, strict=True)) | dict(zip(SUMS, total, strict=True))
            for id, (key, total) in zip(ids, ordered, strict=True)
        ]
        db.session.execute(ADD, {"tenant": current_tenant_id(), "rows": json.dumps(added)})


class MonthTotal(TenantModel):
    """The messages of one month with one value of one of DIMENSIONS: what the page of costs shows, added up already.

    Each dimension adds up to the same. `free` as of `DayTotal`.
    """

    __table_args__ = (of_tenant(), UniqueConstraint("tenant_id", *MONTH_KEY, name="uq_month_totals_key"))

    month: Mapped[dt.date]
    dimension: Mapped[str]
    value: Mapped[str]
    free: Mapped[str]
    currency: Mapped[str]
    messages: Mapped[int]
    list_micros: Mapped[int]
    charged_micros: Mapped[int]
    unpriced: Mapped[int]

    @classmethod
    def add(cls, sums: dict[tuple[Any, ...], list[int]]) -> None:
        """Adds these, by KEY, to the months that they are in."""
        totals: dict[tuple[str, ...], list[int]] = {}
        for key, added in sums.items():
            named = dict(zip(KEY, key, strict=True))
            for dimension in DIMENSIONS:
                place = (named["day"][:8] + "01", dimension, named[dimension], named["free"], named["currency"])
                total = totals.setdefault(place, [0] * len(SUMS))
                for index, number in enumerate(added):
                    total[index] += number
        ordered = sorted(totals.items())
        rows = [
            {"id": id} | dict(zip(MONTH_KEY, key, strict=True)) | dict(zip(SUMS, total, strict=True))
            for id, (key, total) in zip(uuid7s(len(ordered)), ordered, strict=True)
        ]
        db.session.execute(ADD_TO_MONTH, {"tenant": current_tenant_id(), "rows": json.dumps(rows)})

    @classmethod
    def rebuild(cls, month: dt.date) -> None:
        """Adds a month up anew, from its days. The ledger is locked: no one adds meanwhile."""
        mine = {"tenant": current_tenant_id(), "month": month, "next": (month + dt.timedelta(days=32)).replace(day=1)}
        db.session.execute(EMPTY_MONTH, mine)
        db.session.execute(BUILD_MONTH, mine)


# Adds to the totals of a day, by the unique index (tenant_id, day, phone_number_id, category, country, sender, free,
# currency).
ADD = text("""
    insert into day_totals as t (tenant_id, id, day, phone_number_id, category, country, sender, free, currency,
                                 messages, list_micros, charged_micros, unpriced)
    select :tenant, id, day, phone_number_id, category, country, sender, free, currency,
           messages, list_micros, charged_micros, unpriced
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(
        id uuid, day date, phone_number_id uuid, category text, country text, sender text, free text, currency text,
        messages bigint, list_micros bigint, charged_micros bigint, unpriced bigint)
    on conflict (tenant_id, day, phone_number_id, category, country, sender, free, currency) do update set
        messages = t.messages + excluded.messages, list_micros = t.list_micros + excluded.list_micros,
        charged_micros = t.charged_micros + excluded.charged_micros, unpriced = t.unpriced + excluded.unpriced
""")
# Adds to the totals of a month, by uq_month_totals_key.
ADD_TO_MONTH = text("""
    insert into month_totals as t (tenant_id, id, month, dimension, value, free, currency, messages, list_micros,
                                   charged_micros, unpriced)
    select :tenant, id, month, dimension, value, free, currency, messages, list_micros, charged_micros, unpriced
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(
        id uuid, month date, dimension text, value text, free text, currency text, messages bigint,
        list_micros bigint, charged_micros bigint, unpriced bigint)
    on conflict (tenant_id, month, dimension, value, free, currency) do update set
        messages = t.messages + excluded.messages, list_micros = t.list_micros + excluded.list_micros,
        charged_micros = t.charged_micros + excluded.charged_micros, unpriced = t.unpriced + excluded.unpriced
""")
EMPTY_MONTH = text("delete from month_totals where tenant_id = :tenant and month = :month")
# A month by each dimension; by the unique key of day_totals.
BUILD_MONTH = text("""
    insert into month_totals (tenant_id, id, month, dimension, value, free, currency, messages, list_micros,
                              charged_micros, unpriced)
    select :tenant, gen_random_uuid(), cast(:month as date), d.dimension, d.value, t.free, t.currency,
        sum(t.messages), sum(t.list_micros), sum(t.charged_micros), sum(t.unpriced)
    from day_totals t
    cross join lateral (values ('day', t.day::text), ('phone_number_id', t.phone_number_id::text),
        ('country', t.country), ('category', t.category), ('sender', t.sender)) d(dimension, value)
    where t.tenant_id = :tenant and t.day >= :month and t.day < :next
    group by d.dimension, d.value, t.free, t.currency
    on conflict do nothing
""")
