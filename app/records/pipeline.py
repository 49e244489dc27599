"""The records of a type by their stages: defined ones in their order, then others as they occur, then those without."""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, text

from app.tenancy import current_tenant_id, db

from .attributes import money
from .models import Record
from .stages import RecordStage

# Columns of a board, and records that each shows at first.
MOST_COLUMNS, MOST_CARDS = 40, 20
MOST_OWNERS = 100


@dataclass
class Column:
    """One stage. `stage` is None where it is not defined, `count` and `sums` are of all its records."""

    key: str
    name: str
    outcome: str = ""
    stage: RecordStage | None = None
    count: int = 0
    sums: dict[str, int] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)

    @property
    def totals(self) -> list[str]:
        """One for each currency."""
        return [money(micros, currency) for currency, micros in sorted(self.sums.items())]

    @property
    def hidden_count(self) -> int:
        return self.count - len(self.records)


@dataclass
class Pipeline:
    type: str
    columns: list[Column]

    @classmethod
    def of(cls, type: str, owner: str = "") -> Pipeline:
        """With the first cards of each column; `owner` leaves the records of others out."""
        columns = {stage.key: Column(stage.key, stage.name, stage.outcome, stage) for stage in RecordStage.of(type)}
        given = {"tenant": current_tenant_id(), "type": type, "owner": owner}
        occurring = db.session.execute(TOTALS, given).all()
        for row in sorted(occurring, key=lambda row: (not row.key, row.name)):
            if row.key not in columns and len(columns) >= MOST_COLUMNS:
                continue
            column = columns.setdefault(row.key, Column(row.key, row.name))
            column.count += row.size
            if row.sum is not None:
                column.sums[row.currency] = column.sums.get(row.currency, 0) + int(row.sum)
        cls.fill(columns, given)
        return cls(type, list(columns.values()))

    @classmethod
    def fill(cls, columns: dict[str, Column], given: dict[str, Any]) -> None:
        wanted = [column.key for column in columns.values() if column.count]
        ids = db.session.execute(CARDS, given | {"keys": wanted, "most": MOST_CARDS}).all()
        records = {
            row.id: row for row in db.session.scalars(select(Record).where(Record.id.in_([id for (id,) in ids])))
        }
        placed: dict[str, list[uuid.UUID]] = defaultdict(list)
        for (id,) in ids:
            if id in records:
                placed[records[id].stage_key].append(id)
        for key, listed in placed.items():
            if key in columns:
                columns[key].records = [records[id] for id in listed]

    @property
    def count(self) -> int:
        return sum(column.count for column in self.columns)


def owners_of(type: str) -> list[str]:
    """Who owns records of a type, as the other systems name them."""
    named = select(Record.owner_name).where(Record.type == type, Record.owner_name != "").distinct()
    return list(db.session.scalars(named.order_by(Record.owner_name).limit(MOST_OWNERS)))


def counts_by_type() -> dict[str, int]:
    return {row.type: row.size for row in db.session.execute(COUNTS, {"tenant": current_tenant_id()})}


# How many records each stage has, and what they are worth in each currency. Index: ix_records_stage.
TOTALS = text("""
    select stage_key as key, currency, min(stage) as name, count(*) as size, sum(amount_micros) as sum
    from records
    where tenant_id = :tenant and type = :type and (:owner = '' or owner_name = :owner)
    group by stage_key, currency
""")
# The newest records of each stage. Index: ix_records_stage, once for each.
CARDS = text("""
    select r.id
    from unnest(cast(:keys as text[])) with ordinality as k(key, place)
    cross join lateral (
        select id, staged_at from records
        where tenant_id = :tenant and type = :type and stage_key = k.key and (:owner = '' or owner_name = :owner)
        order by staged_at desc, id desc limit :most
    ) r
    order by k.place, r.staged_at desc, r.id desc
""")
COUNTS = text("select type, count(*) as size from records where tenant_id = :tenant group by type")
