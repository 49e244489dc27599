"""A chart of a month's days, drawn on the server in whole numbers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from app.billing.money import Money

from .months import Month

WIDTH, HEIGHT, GAP = 744, 160, 4
LEAST = 2


@dataclass(frozen=True, slots=True)
class Bar:
    """One day: where it is drawn, and what it counts."""

    day: dt.date
    money: Money
    messages: int
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Chart:
    """`most` is the highest bar. Amounts in other currencies than the month's main one are in the table only."""

    bars: list[Bar]
    most: Money
    width: int = WIDTH
    height: int = HEIGHT

    @classmethod
    def of(cls, month: Month) -> Chart:
        currency = month.currency
        step = WIDTH // month.days
        highest = max((figure.micros.get(currency, 0) for _, figure in month.bars), default=0)
        bars = []
        for place, (day, figure) in enumerate(month.bars):
            micros = max(0, figure.micros.get(currency, 0))
            height = max(LEAST, HEIGHT * micros // highest) if micros and highest > 0 else 0
            where = (place * step, HEIGHT - height, step - GAP, height)
            bars.append(Bar(day, Money(micros, currency), figure.messages, *where))
        return cls(bars, Money(max(0, highest), currency))
