"""Opening hours, and how much open time is between two moments."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass, field

DAY = dt.timedelta(days=1)
# Beyond this no opening is looked for: a business without a single open hour never opens.
HORIZON = 400

Span = tuple[dt.time, dt.time]


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """A week by the clock of one time zone (Monday first), without the holidays. An empty week is always open."""

    zone: zoneinfo.ZoneInfo
    week: tuple[tuple[Span, ...], ...] = ()
    holidays: frozenset[dt.date] = field(default_factory=frozenset)

    @property
    def is_always_open(self) -> bool:
        return not any(self.week)

    def is_open(self, at: dt.datetime) -> bool:
        return self.is_always_open or any(start <= at < end for start, end in self.spans(at, days=1))

    def next_opening(self, after: dt.datetime) -> dt.datetime | None:
        """When it opens next; None if it is open or never opens."""
        if self.is_open(after):
            return None
        return next((start for start, _ in self.spans(after, days=HORIZON) if start > after), None)

    def after(self, start: dt.datetime, span: dt.timedelta) -> dt.datetime:
        """The moment at which `span` of open time has passed since `start`; without opening hours, `start + span`."""
        if self.is_always_open:
            return start + span
        for opens, closes in self.spans(start, days=HORIZON):
            begins = max(opens, start)
            if closes <= begins:
                continue
            if closes - begins >= span:
                return begins + span
            span -= closes - begins
        return start + span

    def open_between(self, start: dt.datetime, end: dt.datetime) -> dt.timedelta:
        """How long it is open between two moments; without opening hours, all of the time. After 400 days, no more."""
        if self.is_always_open:
            return max(end - start, dt.timedelta())
        days = min((end - start).days + 1, HORIZON)
        parts = (min(closes, end) - max(opens, start) for opens, closes in self.spans(start, days=days))
        return sum((part for part in parts if part > dt.timedelta()), dt.timedelta())

    def spans(self, around: dt.datetime, days: int) -> Iterator[tuple[dt.datetime, dt.datetime]]:
        """The open spans from the day before `around` on, in order. One that ends before it begins passes midnight."""
        first = around.astimezone(self.zone).date() - DAY
        for n in range(days + 2):
            date = first + n * DAY
            for opens, closes in self.week[date.weekday()] if date not in self.holidays else ():
                ends_on = date + DAY if closes <= opens else date
                yield self.moment(date, opens), self.moment(ends_on, closes)

    def moment(self, date: dt.date, time: dt.time) -> dt.datetime:
        return dt.datetime.combine(date, time, self.zone).astimezone(dt.UTC)
