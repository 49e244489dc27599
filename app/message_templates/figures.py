"""What Meta counts of a template, day by day, stored beyond Meta's 90 days."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from sqlalchemy import Date, UniqueConstraint, select, text
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import TenantModel, belongs_to, current_tenant_id, db, uuid7s


class TemplateFigures(TenantModel):
    """One day of one template, in UTC. `clicked` holds [{type, label, count}] per button."""

    __tablename__ = "template_figures"
    __table_args__ = (
        UniqueConstraint("tenant_id", "template_id", "day"),
        belongs_to("message_templates", "template_id", ondelete="CASCADE"),
    )

    template_id: Mapped[uuid.UUID]
    day: Mapped[dt.date] = mapped_column(Date)
    sent: Mapped[int]
    delivered: Mapped[int]
    read: Mapped[int]
    clicked: Mapped[list[dict[str, Any]]]

    @classmethod
    def store(cls, rows: Iterable[dict[str, Any]]) -> None:
        """Stores days, each {template_id, day, sent, delivered, read, clicked}. Later figures of a day win."""
        named = list(rows)
        if named:
            listed = [row | {"id": id} for row, id in zip(named, uuid7s(len(named)), strict=True)]
            db.session.execute(STORE, {"rows": json.dumps(listed, default=str), "tenant": current_tenant_id()})

    @classmethod
    def between(cls, template_id: uuid.UUID, start: dt.date, end: dt.date) -> list[Self]:
        mine = cls.template_id == template_id, cls.day >= start, cls.day <= end
        return list(db.session.scalars(select(cls).where(*mine).order_by(cls.day)))


@dataclass(slots=True)
class Totals:
    """Figures of several days."""

    sent: int = 0
    delivered: int = 0
    read: int = 0
    clicked: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, days: Iterable[TemplateFigures]) -> Totals:
        totals = cls()
        for day in days:
            totals.sent += day.sent
            totals.delivered += day.delivered
            totals.read += day.read
            for button in day.clicked:
                label = str(button.get("label"))
                totals.clicked[label] = totals.clicked.get(label, 0) + int(button.get("count", 0))
        return totals


# Days of templates, each once: unique index (tenant_id, template_id, day).
STORE = text("""
    insert into template_figures (tenant_id, id, template_id, day, sent, delivered, read, clicked)
    select :tenant, id, template_id, day, sent, delivered, read, clicked
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, template_id uuid, day date, sent bigint,
                                                       delivered bigint, read bigint, clicked jsonb)
    on conflict (tenant_id, template_id, day) do update set
        sent = excluded.sent, delivered = excluded.delivered, read = excluded.read, clicked = excluded.clicked
""")
