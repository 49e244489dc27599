"""Compares what we counted with what Meta counted, day by day; each difference is listed until it is explained."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

from sqlalchemy import Index, Row, Select, UniqueConstraint, select, text
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import outside
from app.meta import pricing_analytics
from app.meta.errors import MetaError
from app.meta.pricing_analytics import Volume
from app.tenancy import (
    TenantModel,
    belongs_to,
    commit,
    current_tenant_id,
    database_now,
    db,
    first_id,
    one_of,
)
from app.tenancy.database import uuid7s
from app.wabas.models import Waba, digits

from .rate_cards import day_of
from .terms import category_words

# Meta's figures and late webhooks settle within this many days; so many are compared again each day.
DAYS = 7
ONE_DAY = dt.timedelta(days=1)
KEY = ("phone_number_id", "starts_at", "ends_at", "country", "category", "type")
Key = tuple[Any, ...]
Span = tuple[dt.datetime, dt.datetime]


class VolumeComparison(TenantModel):
    """What we and Meta counted of one day (Meta's), number, country, category and pricing type.

    `other_software`: how many of ours other software sent from the number, which is no difference. A difference that
    is `explained` is listed again once its figures change.
    """

    __table_args__ = (
        belongs_to("phone_numbers", "phone_number_id"),
        UniqueConstraint("tenant_id", *KEY, name="uq_volume_comparisons_key"),
        one_of("state", ("equal", "open", "explained")),
        Index("ix_volume_comparisons_open", "tenant_id", "starts_at", postgresql_where=text("state = 'open'")),
    )

    phone_number_id: Mapped[uuid.UUID]
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime]
    country: Mapped[str]
    category: Mapped[str]
    type: Mapped[str]
    ours: Mapped[int]
    metas: Mapped[int]
    other_software: Mapped[int]
    state: Mapped[str]
    explanation: Mapped[str] = mapped_column(default="")
    explained_by: Mapped[str] = mapped_column(default="")
    compared_at: Mapped[dt.datetime]

    @property
    def difference(self) -> int:
        """How many more Meta counted than we did."""
        return self.metas - self.ours

    @property
    def category_words(self) -> str:
        return category_words(self.category)

    @classmethod
    def open(cls) -> Select[Self]:
        return select(cls).where(cls.state == "open").order_by(cls.starts_at.desc(), cls.id)

    def explain(self, words: str, *, by: str) -> None:
        self.state, self.explanation, self.explained_by = "explained", words, by

    @property
    def messages(self) -> Sequence[Row[Any]]:
        """Those that we counted, the newest first, with their message where it is stored here."""
        mine = {"tenant": self.tenant_id, **{name: getattr(self, name) for name in KEY}}
        return db.session.execute(COUNTED, mine | {"since": first_id(self.starts_at)}).all()

    @property
    def unreported(self) -> list[uuid.UUID]:
        """Messages that Meta accepted then and of which no arrival was reported: a webhook may be missing."""
        mine = {"tenant": self.tenant_id, "number": self.phone_number_id}
        days = {"since": self.starts_at, "until": self.ends_at, "first": first_id(self.starts_at - ONE_DAY)}
        return list(db.session.scalars(UNREPORTED, mine | days))


@dataclass(frozen=True)
class Reconciliation:
    """Of one account of the current tenant."""

    waba_id: uuid.UUID

    def run(self, now: dt.datetime | None = None) -> int | None:
        """Fetches Meta's volumes and compares. Returns how many differ; None where Meta gives none."""
        waba, now = Waba.get_or_404(self.waba_id), now or database_now()
        numbers = {digits(number.display_number): number.id for number in waba.phone_numbers}
        here, token, meta_id = outside(), waba.token, waba.meta_id
        if token is None or not numbers:
            return None
        zone = waba.zone
        today = dt.datetime.combine(day_of(now, zone), dt.time(), zone)
        commit()
        try:
            volumes = pricing_analytics.fetch(here.graph, token, meta_id, today - dt.timedelta(days=DAYS), today)
        except MetaError:
            return None
        return self.compare(numbers, volumes, now, zone)

    def compare(
        self, numbers: dict[str, uuid.UUID], volumes: Iterable[Volume], now: dt.datetime, zone: dt.tzinfo = dt.UTC
    ) -> int:
        metas: dict[Key, int] = defaultdict(int)
        days: set[Span] = set()
        for each in volumes:
            # A day that is not over yet is compared tomorrow.
            if each.phone_number in numbers and each.end <= now:
                days.add((each.start, each.end))
                key = (numbers[each.phone_number], each.start, each.end, each.country, each.category, each.type)
                metas[key] += each.volume
        ours = self.count(numbers.values(), whole_days(days, now, zone))
        keys = sorted({*metas, *ours}, key=str)
        rows = [row_of(key, ours.get(key, (0, 0)), metas.get(key, 0)) for key in keys]
        for id, row in zip(uuid7s(len(rows)), rows, strict=True):
            row["id"] = id
        mine = {"tenant": current_tenant_id(), "now": database_now()}
        db.session.execute(SAVE, mine | {"rows": json.dumps(rows)})
        return sum(row["ours"] != row["metas"] for row in rows)

    def count(self, numbers: Iterable[uuid.UUID], days: list[Span]) -> dict[Key, tuple[int, int]]:
        """What arrived by our webhooks, and how many of it other software sent."""
        counted: dict[Key, tuple[int, int]] = {}
        for start, end in days:
            mine = {"tenant": current_tenant_id(), "numbers": [str(id) for id in numbers], "since": first_id(start)}
            for row in db.session.execute(COUNT, mine | {"start": start, "end": end}):
                key = (row.phone_number_id, start, end, row.country, row.category, row.type)
                counted[key] = row.messages, row.others
        return counted


def whole_days(seen: set[Span], now: dt.datetime, zone: dt.tzinfo) -> list[Span]:
    """Meta's days, also those on which it counted nothing: from midnight to midnight in the account's zone.

    Where clocks change, a day has 23 or 25 hours. What Meta itself says of a day counts.
    """
    today = day_of(now, zone)
    dates = (today - ONE_DAY * back for back in range(DAYS, -1, -1))
    midnights = [dt.datetime.combine(date, dt.time(), zone).astimezone(dt.UTC) for date in dates]
    return sorted(seen | {day for day in pairwise(midnights) if not any(overlap(day, other) for other in seen)})


def overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def row_of(key: Key, ours: tuple[int, int], metas: int) -> dict[str, Any]:
    number, start, end, country, category, type = key
    return {
        "phone_number_id": str(number),
        "starts_at": start.isoformat(),
        "ends_at": end.isoformat(),
        "country": country,
        "category": category,
        "type": type,
        "ours": ours[0],
        "other_software": ours[1],
        "metas": metas,
        "state": "equal" if ours[0] == metas else "open",
    }


# What arrived of some numbers in a stretch of time, and how many of it were not sent from here? A row is written after
# its message arrived, so the primary keys lead to it; `messages` by its unique key.
COUNT = text("""
    select a.phone_number_id, a.country, a.category, a.type, count(*) as messages,
        count(*) filter (where m.id is null) as others
    from (
        select phone_number_id, wamid, country, category, 'regular' as type from usages
        where tenant_id = :tenant and id >= :since and arrived_at >= :start and arrived_at < :end
        union all
        select phone_number_id, wamid, country, category, free from free_messages
        where tenant_id = :tenant and id >= :since and arrived_at >= :start and arrived_at < :end) a
    left join lateral (
        select id from messages
        where tenant_id = :tenant and phone_number_id = a.phone_number_id and wamid = a.wamid limit 1) m on true
    where a.phone_number_id = any(cast(:numbers as uuid[]))
    group by 1, 2, 3, 4
""")
# The figures of a day. What was explained stays explained while its figures are the same.
SAVE = text("""
    insert into volume_comparisons as c (tenant_id, id, phone_number_id, starts_at, ends_at, country, category, type,
                                         ours, metas, other_software, state, explanation, explained_by, compared_at)
    select :tenant, id, phone_number_id, starts_at, ends_at, country, category, type, ours, metas, other_software,
           state, '', '', :now
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(
        id uuid, phone_number_id uuid, starts_at timestamptz, ends_at timestamptz, country text, category text,
        type text, ours bigint, metas bigint, other_software bigint, state text)
    on conflict (tenant_id, phone_number_id, starts_at, ends_at, country, category, type) do update set
        state = case when c.state = 'explained' and c.ours = excluded.ours and c.metas = excluded.metas
                then c.state else excluded.state end,
        ours = excluded.ours, metas = excluded.metas, other_software = excluded.other_software,
        compared_at = excluded.compared_at
""")
# The messages that were counted for one comparison.
COUNTED = text("""
    select a.phone_number_id, a.wamid, a.arrived_at, m.id as message_id, m.conversation_id
    from (
        select phone_number_id, wamid, country, category, 'regular' as type, arrived_at from usages
        where tenant_id = :tenant and id >= :since and arrived_at >= :starts_at and arrived_at < :ends_at
        union all
        select phone_number_id, wamid, country, category, free, arrived_at from free_messages
        where tenant_id = :tenant and id >= :since and arrived_at >= :starts_at and arrived_at < :ends_at) a
    left join lateral (
        select id, conversation_id from messages
        where tenant_id = :tenant and phone_number_id = a.phone_number_id and wamid = a.wamid limit 1) m on true
    where a.phone_number_id = :phone_number_id and a.country = :country and a.category = :category and a.type = :type
    order by a.arrived_at desc limit 200
""")
# Which messages were accepted in a stretch of time and not reported as arrived? Their ids sort by time.
UNREPORTED = text("""
    select m.id from messages m
    where m.tenant_id = :tenant and m.phone_number_id = :number and m.direction = 'outbound'
      and m.state in ('accepted', 'sent', 'unknown') and m.id >= :first and m.occurred_at >= :since
      and m.occurred_at < :until
    order by m.id desc limit 200
""")
