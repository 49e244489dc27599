"""A list of what Meta reported to have charged for messages, where the price was not known before (a maximum price)."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from sqlalchemy import select

from app.tenancy import db
from app.wabas.models import PhoneNumber

from .money import Money, micros_of
from .price_lists import Unusable
from .repricing import report_prices

COLUMNS = ["phone_number_id", "wamid", "price", "currency"]


@dataclass(frozen=True)
class ReportedPrices:
    """By Meta's id of the number and of the message."""

    prices: dict[tuple[str, str], Money]

    @classmethod
    def read(cls, lines: Iterable[str]) -> Self:
        """Parses a CSV with COLUMNS. Raises `Unusable` with every problem."""
        rows = csv.reader(lines)
        if next(rows, None) != COLUMNS:
            raise Unusable([f"line 1: the columns must be {','.join(COLUMNS)}"])
        prices, problems = {}, []
        for row in rows:
            money = money_of(row)
            if money is None:
                problems.append(f"line {rows.line_num}: needs a number, a wamid, a price like 0.0625 and a currency")
            else:
                prices[row[0], row[1]] = money
        if problems:
            raise Unusable(problems)
        return cls(prices)

    def apply(self) -> int:
        """Corrects the current tenant's journals. Returns how many had another price."""
        numbers = {row.meta_id: row.id for row in db.session.execute(select(PhoneNumber.meta_id, PhoneNumber.id))}
        mine = {
            (numbers[meta_id], wamid): money for (meta_id, wamid), money in self.prices.items() if meta_id in numbers
        }
        return report_prices(mine)


def money_of(row: list[str]) -> Money | None:
    if len(row) != len(COLUMNS) or not all(row):
        return None
    micros, currency = micros_of(row[2]), row[3]
    is_currency = len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()
    return Money(micros, currency) if micros is not None and is_currency else None
