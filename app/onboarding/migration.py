"""Coming from another provider: when Meta lets the payer change."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Self

# Meta refuses to share a line with a business that had another one in the last 3 and first 4 days of a month.
LAST, FIRST = 3, 4
AHEAD, BEHIND = dt.timedelta(hours=14), dt.timedelta(hours=12)


@dataclass(frozen=True)
class Calendar:
    """Seen from one day. The new line takes over on the 1st of the month that follows the sharing."""

    today: dt.date

    @property
    def is_blackout(self) -> bool:
        return self.is_refused(self.today)

    def is_refused(self, day: dt.date) -> bool:
        return day.day <= FIRST or day > last_of(day) - dt.timedelta(days=LAST)

    @classmethod
    def at(cls, moment: dt.datetime) -> Self:
        """Of the zone that is furthest ahead: Meta does not say by whose clock it counts."""
        return cls((moment + AHEAD).date())

    @classmethod
    def may_refuse(cls, moment: dt.datetime) -> bool:
        """Whether it is such a day anywhere."""
        return cls((moment + AHEAD).date()).is_blackout or cls((moment - BEHIND).date()).is_blackout

    @property
    def taken_from(self) -> dt.datetime:
        """When the first day on which sharing is taken has begun everywhere."""
        return everywhere(self.next_day)

    @property
    def next_day(self) -> dt.date:
        """The first day, from today on, on which sharing is taken."""
        day = self.today
        while self.is_refused(day):
            day += dt.timedelta(days=1)
        return day

    @property
    def takes_over_on(self) -> dt.date:
        return last_of(self.next_day) + dt.timedelta(days=1)

    @property
    def best_day(self) -> dt.date:
        """The last day of that month before the refusals: the fewest days without sending."""
        return last_of(self.next_day) - dt.timedelta(days=LAST)


def everywhere(day: dt.date) -> dt.datetime:
    """The moment at which a day has begun in every zone."""
    return dt.datetime.combine(day, dt.time(), dt.UTC) + BEHIND


def first_of_next_month(moment: dt.datetime) -> dt.datetime:
    """When the line that was shared at that moment pays."""
    return everywhere(last_of(moment.date()) + dt.timedelta(days=1))


def last_of(day: dt.date) -> dt.date:
    return (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1) - dt.timedelta(days=1)
