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
        # In one order, so that two writers never wait for each other in a ring.
        ordered = sorted(sums.items())
        ids = uuid7s(len(ordered))
        added = [
            {"id": id} | dict(zip(KEY, key, strict=True)) | dict(zip(SUMS, total, strict=True))
            for id, (key, total) in zip(ids, ordered, strict=True)
        ]
        db.session.execute(ADD, {"tenant": current_tenant_id(), "rows": json.dumps(added)})


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
