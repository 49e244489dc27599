"""How many appointments took place: by agent, place, source and month, and how many customers came."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from flask_babel import gettext as _
from sqlalchemy import text

from app import dates, zones
from app.spreadsheets import as_csv
from app.team.models.teams import colleagues
from app.tenancy import current_tenant_id, db
from app.words import N_

from .words import SOURCES

DIMENSIONS = {"month": N_("Month"), "agent": N_("Who"), "place": N_("Place"), "source": N_("Source")}
MONTHS, MOST_ROWS, LONGEST = 6, 200, dt.timedelta(days=3 * 366)
COUNTS = ("booked", "confirmed", "done", "no_show", "cancelled")


@dataclass(frozen=True, slots=True)
class Row:
    """`booked` are all; `confirmed` those that a customer or an agent confirmed, whatever came of them."""

    name: str
    booked: int
    confirmed: int
    done: int
    no_show: int
    cancelled: int

    @property
    def show_rate(self) -> float | None:
        """Of those whose outcome is known, how many came; None where none is known."""
        settled = self.done + self.no_show
        return self.done / settled if settled else None

    @property
    def percent(self) -> str:
        return "" if self.show_rate is None else f"{self.show_rate:.1%}"


@dataclass(frozen=True)
class Report:
    """Of the appointments that begin in a time, by the reader's clock."""

    first: dt.date
    last: dt.date
    by: str

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Self:
        """Without dates, the last six months and this one."""
        today = zones.today()
        months = today.year * 12 + today.month - 1 - MONTHS
        first = as_date(given.get("from")) or dt.date(months // 12, months % 12 + 1, 1)
        last = as_date(given.get("to")) or today
        first, last = min(first, last), max(first, last)
        by = given.get("by", "")
        return cls(max(first, last - LONGEST), last, by if by in DIMENSIONS else "month")

    @property
    def rows(self) -> list[Row]:
        values = {"tenant": current_tenant_id(), "by": self.by, "zone": zones.reader_zone().key, "most": MOST_ROWS}
        values |= {"first": zones.begins(self.first), "last": zones.ends(self.last)}
        names = self.names
        return [
            Row(names(row.name), *(getattr(row, count) for count in COUNTS))
            for row in db.session.execute(COUNT, values)
        ]

    @property
    def total(self) -> Row:
        rows = self.rows
        return Row(str(_("All")), *(sum(getattr(row, count) for row in rows) for count in COUNTS))

    @property
    def names(self) -> Any:
        """What a page calls a value of the dimension."""
        match self.by:
            case "agent":
                people = {str(user.id): user.name for user in colleagues()}
                return lambda value: people.get(value) or str(_("No one"))
            case "source":
                return lambda value: str(_(SOURCES[value]))
            case "month":
                return month_words
        return lambda value: value or str(_("No place"))

    @property
    def csv(self) -> str:
        sheet: list[tuple[object, ...]] = [(self.by, *COUNTS, "show_rate")]
        for row in self.rows:
            rate = "" if row.show_rate is None else f"{row.show_rate:.4f}"
            sheet.append((row.name, *(getattr(row, count) for count in COUNTS), rate))
        return as_csv(sheet)


def month_words(value: str) -> str:
    return dates.month(dt.date.fromisoformat(f"{value}-01"))


def as_date(value: str | None) -> dt.date | None:
    try:
        date = dt.date.fromisoformat(value or "")
    except ValueError:
        return None
    return date if 2000 <= date.year <= 2099 else None


# How many appointments began in this time, by one of four things? Index: ix_appointments_starts. Confirmed are those
# that were confirmed at some time, by their history.
COUNT = text("""
    select case :by when 'month' then to_char(a.starts_at at time zone :zone, 'YYYY-MM')
            when 'agent' then coalesce(a.agent_id::text, '') when 'source' then a.source else a.place end as name,
        count(*) as booked,
        count(*) filter (where a.state = 'confirmed' or exists (
            select from appointment_changes c where c.tenant_id = :tenant and c.appointment_id = a.id
              and c.kind = 'confirmed')) as confirmed,
        count(*) filter (where a.state = 'done') as done,
        count(*) filter (where a.state = 'no_show') as no_show,
        count(*) filter (where a.state = 'cancelled') as cancelled
    from appointments a where a.tenant_id = :tenant and a.starts_at >= :first and a.starts_at < :last
    group by 1 order by case when :by = 'month' then 1 else 0 end desc,
        case when :by = 'month' then null else count(*) end desc, 1 limit :most
""")
