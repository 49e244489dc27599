"""The days that a report is about, in the business's time zone, and as many before them."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from app.tenancy import now
from app.words import N_

from .recount import quarter_of

DAY = dt.timedelta(days=1)
SPANS = {"today": 1, "7d": 7, "30d": 30}
WORDS = {"today": N_("Today"), "7d": N_("7 days"), "30d": N_("30 days")}
USUAL, MOST_DAYS = "7d", 366
FIRST = dt.date(2009, 1, 1)


@dataclass(frozen=True)
class Period:
    """From the beginning of `first` to the end of `last`, or to now. `name` is empty for days that were chosen."""

    first: dt.date
    last: dt.date
    zone: zoneinfo.ZoneInfo
    now: dt.datetime
    name: str = ""
    # More days were asked for than a report has.
    is_shortened: bool = False

    @classmethod
    def read(cls, given: Mapping[str, str], zone: zoneinfo.ZoneInfo) -> Self:
        """From an address: `period`, or `from` and `to`. What makes no sense is the last 7 days."""
        at = now()
        today = at.astimezone(zone).date()
        first, last = read_day(given.get("from")), read_day(given.get("to"))
        if first or last:
            first, last = first or last or today, last or today
            first, last = min(first, last, today), min(max(first, last), today)
            earliest = last - DAY * (MOST_DAYS - 1)
            return cls(max(first, earliest, FIRST), last, zone, at, is_shortened=first < earliest)
        name = given.get("period", USUAL)
        name = name if name in SPANS else USUAL
        return cls(today - DAY * (SPANS[name] - 1), today, zone, at, name)

    @classmethod
    def week_before(cls, day: dt.date, zone: zoneinfo.ZoneInfo) -> Self:
        """The last whole week before this day, Monday to Sunday."""
        monday = day - DAY * (day.weekday() + 7)
        return cls(monday, monday + DAY * 6, zone, now())

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def start(self) -> dt.datetime:
        return self.begins(self.first)

    @property
    def end(self) -> dt.datetime:
        return self.begins(self.last + DAY)

    @property
    def before_start(self) -> dt.datetime:
        return self.begins(self.first - DAY * self.days)

    @property
    def before_end(self) -> dt.datetime:
        """Of a period that is not over, the one before is compared up to the same time of the day."""
        if self.now >= self.end:
            return self.start
        local = self.now.astimezone(self.zone).replace(tzinfo=None) - DAY * self.days
        return quarter_of(local.replace(tzinfo=self.zone).astimezone(dt.UTC))

    def begins(self, date: dt.date) -> dt.datetime:
        return dt.datetime.combine(date, dt.time(), self.zone).astimezone(dt.UTC)

    @property
    def arguments(self) -> dict[str, str]:
        """Of an address with this period."""
        return {"period": self.name} if self.name else {"from": self.first.isoformat(), "to": self.last.isoformat()}

    @property
    def dates(self) -> list[dt.date]:
        return [self.first + DAY * place for place in range(self.days)]


def read_day(value: str | None) -> dt.date | None:
    try:
        date = dt.date.fromisoformat(value or "")
    except ValueError:
        return None
    return date if FIRST <= date <= dt.date(2199, 12, 31) else None
