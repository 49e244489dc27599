"""What messages cost, added up by day: updated with each posting, and equal to the sum of the rows."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterable
from typing import Any

from sqlalchemy import UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import TenantModel, current_tenant_id, db, of_tenant
from app.tenancy.database import uuid7s

KEY = ("day", "phone_number_id", "category", "country", "sender", "free", "currency")
# By what a month is added up, each by itself.
DIMENSIONS = ("day", "phone_number_id", "country", "category", "sender")
MONTH_KEY = ("month", "dimension", "value", "free", "currency")
SUMS = ("messages", "list_micros", "charged_micros", "unpriced", "no_plan_micros")


class DayTotal(TenantModel):
    """The messages of one day, number, category, country and sender.

    `free` is Meta's reason why they cost nothing (`list_micros` is then what was saved), empty for charged ones. Of
    those that were sent without a plan, and so are on no invoice, `no_plan_micros` is what Meta charged.
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
    no_plan_micros: Mapped[int] = mapped_column(default=0, server_default=text("0"))

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
        # In one order, so that two writers never deadlock.
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
    no_plan_micros: Mapped[int] = mapped_column(default=0, server_default=text("0"))

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
        """Adds a month up anew, from its days, and those without a plan from journals. The ledger is locked."""
        mine = {"tenant": current_tenant_id(), "month": month, "next": (month + dt.timedelta(days=32)).replace(day=1)}
        db.session.execute(COUNT_NO_PLAN, mine)
        db.session.execute(EMPTY_MONTH, mine)
        db.session.execute(BUILD_MONTH, mine)


# Adds to the totals of a day, by the unique index (tenant_id, day, phone_number_id, category, country, sender, free,
# currency).
ADD = text("""
    insert into day_totals as t (tenant_id, id, day, phone_number_id, category, country, sender, free, currency,
                                 messages, list_micros, charged_micros, unpriced, no_plan_micros)
    select :tenant, id, day, phone_number_id, category, country, sender, free, currency,
           messages, list_micros, charged_micros, unpriced, no_plan_micros
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(
        id uuid, day date, phone_number_id uuid, category text, country text, sender text, free text, currency text,
        messages bigint, list_micros bigint, charged_micros bigint, unpriced bigint, no_plan_micros bigint)
    on conflict (tenant_id, day, phone_number_id, category, country, sender, free, currency) do update set
        messages = t.messages + excluded.messages, list_micros = t.list_micros + excluded.list_micros,
        charged_micros = t.charged_micros + excluded.charged_micros, unpriced = t.unpriced + excluded.unpriced,
        no_plan_micros = t.no_plan_micros + excluded.no_plan_micros
""")
# Adds to the totals of a month, by uq_month_totals_key.
ADD_TO_MONTH = text("""
    insert into month_totals as t (tenant_id, id, month, dimension, value, free, currency, messages, list_micros,
                                   charged_micros, unpriced, no_plan_micros)
    select :tenant, id, month, dimension, value, free, currency, messages, list_micros, charged_micros, unpriced,
           no_plan_micros
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(
        id uuid, month date, dimension text, value text, free text, currency text, messages bigint,
        list_micros bigint, charged_micros bigint, unpriced bigint, no_plan_micros bigint)
    on conflict (tenant_id, month, dimension, value, free, currency) do update set
        messages = t.messages + excluded.messages, list_micros = t.list_micros + excluded.list_micros,
        charged_micros = t.charged_micros + excluded.charged_micros, unpriced = t.unpriced + excluded.unpriced,
        no_plan_micros = t.no_plan_micros + excluded.no_plan_micros
""")
# Sets what the days of a month cost without a plan, where an older version of the program has not counted it. By
# ix_journals_day and the unique key of day_totals.
COUNT_NO_PLAN = text("""
    with sums as (
        select day, phone_number_id, category, country, sender, currency,
            sum(case kind when 'reversal' then -1 else 1 end * coalesce(list_micros, 0)) as micros
        from journals
        where tenant_id = :tenant and day >= :month and day < :next and free = 'no_plan'
          and kind in ('message', 'reversal', 'repricing')
        group by 1, 2, 3, 4, 5, 6
    )
    update day_totals t set no_plan_micros = s.micros from sums s
    where t.tenant_id = :tenant and t.day = s.day and t.phone_number_id = s.phone_number_id
      and t.category = s.category and t.country = s.country and t.sender = s.sender and t.free = ''
      and t.currency = s.currency and t.no_plan_micros <> s.micros
""")
EMPTY_MONTH = text("delete from month_totals where tenant_id = :tenant and month = :month")
# A month by each dimension; by the unique key of day_totals.
BUILD_MONTH = text("""
    insert into month_totals (tenant_id, id, month, dimension, value, free, currency, messages, list_micros,
                              charged_micros, unpriced, no_plan_micros)
    select :tenant, gen_random_uuid(), cast(:month as date), d.dimension, d.value, t.free, t.currency,
        sum(t.messages), sum(t.list_micros), sum(t.charged_micros), sum(t.unpriced), sum(t.no_plan_micros)
    from day_totals t
    cross join lateral (values ('day', t.day::text), ('phone_number_id', t.phone_number_id::text),
        ('country', t.country), ('category', t.category), ('sender', t.sender)) d(dimension, value)
    where t.tenant_id = :tenant and t.day >= :month and t.day < :next
    group by d.dimension, d.value, t.free, t.currency
    on conflict do nothing
""")
