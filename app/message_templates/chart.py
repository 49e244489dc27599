"""Figures of a template as bars: a day each, or a week each where the time is long."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from .figures import TemplateFigures, Totals

WIDTH, HEIGHT, GAP = 720, 160, 2
MOST_BARS = 60
WEEK = 7


@dataclass(frozen=True, slots=True)
class Bar:
    """One day or week: where it is drawn, and its figures."""

    day: dt.date
    totals: Totals
    x: float
    width: float
    most: int

    def height(self, count: int) -> float:
        return round(HEIGHT * count / self.most, 1) if self.most else 0

    def top(self, count: int) -> float:
        return HEIGHT - self.height(count)


@dataclass(frozen=True, slots=True)
class Chart:
    bars: list[Bar]
    totals: Totals
    days: int
    step: int
    width: int = WIDTH
    height: int = HEIGHT

    @classmethod
    def of(cls, figures: Iterable[TemplateFigures], end: dt.date, days: int) -> Self:
        """The last `days` days up to `end`."""
        rows, step = list(figures), 1 if days <= MOST_BARS else WEEK
        count = -(-days // step)
        start = end - dt.timedelta(days=count * step - 1)
        grouped: list[list[TemplateFigures]] = [[] for _ in range(count)]
        for row in rows:
            if 0 <= (place := (row.day - start).days // step) < count:
                grouped[place].append(row)
        each = [Totals.of(group) for group in grouped]
        most, room = max((one.sent for one in each), default=0), WIDTH / count
        bars = [
            Bar(start + dt.timedelta(days=place * step), totals, round(place * room, 1), round(room - GAP, 1), most)
            for place, totals in enumerate(each)
        ]
        return cls(bars, Totals.of(rows), days, step)

    @property
    def most(self) -> int:
        return max((bar.most for bar in self.bars), default=0)

    @property
    def rows(self) -> list[Bar]:
        """Those of days on which something was sent, the newest first."""
        return [bar for bar in reversed(self.bars) if bar.totals.sent]

    @property
    def clicked(self) -> list[tuple[str, int]]:
        """The most tapped button first."""
        return sorted(self.totals.clicked.items(), key=lambda one: (-one[1], one[0]))


def share(part: int, whole: int) -> int:
    """In percent."""
    return round(100 * part / whole) if whole else 0
