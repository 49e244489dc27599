"""One of Meta's price lists: to which market a number belongs, and what a message of each category costs there."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from app.meta.pricing import CATEGORIES

from .money import micros_of

COLUMNS = ("market", "country_calling_codes", *CATEGORIES)
# The code for every code that is not listed, and the price for one that Meta has but that we could not find out.
UNLISTED, UNDISCLOSED = "*", "unknown"
# A market without a price here is billed like any other.
MAY_BE_MISSING = ("authentication_international",)
LONGEST_CODE = 7
_TIER = re.compile(r"(\d{1,12}):(\d{1,12}|MAX)", re.ASCII)
_CODE = re.compile(rf"[1-9]\d{{0,{LONGEST_CODE - 1}}}", re.ASCII)


class Unusable(ValueError):
    """The file is not a price list; `problems` names every wrong line and why."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class PriceList:
    """`prices` by market and category in micro-units; None where Meta has a price that we do not know.

    `tiers`: what messages beyond a count in a month cost, by market and category.
    """

    codes: dict[str, str] = field(default_factory=dict)
    prices: dict[tuple[str, str], int | None] = field(default_factory=dict)
    tiers: dict[tuple[str, str], dict[int, int]] = field(default_factory=dict)

    @property
    def markets(self) -> list[str]:
        return list(dict.fromkeys(market for market, _ in self.prices))

    def market_of(self, number: str) -> str | None:
        """The market whose calling code is the longest that the number begins with."""
        starts = (number[:length] for length in range(LONGEST_CODE, 0, -1))
        return next((self.codes[start] for start in starts if start in self.codes), self.codes.get(UNLISTED))

    def price_in_tier(self, market: str, category: str, tier: str) -> int | None:
        """The price of a tier as Meta names it (`100001:1000000`). None for one that is not on the list."""
        first, prices = first_of(tier), self.tiers.get((market, category), {})
        # Meta writes both `100001:1000000` and `100000:1000000`.
        return None if first is None else prices.get(first - 1, prices.get(first))

    def highest(self, category: str) -> int:
        """The highest price that the list has for a category; 0 where it has none."""
        return max((micros or 0 for (_, name), micros in self.prices.items() if name == category), default=0)

    def median(self, category: str) -> int | None:
        """The price in the middle of a category; None where it has none."""
        priced = sorted(micros for (_, name), micros in self.prices.items() if name == category and micros)
        return priced[len(priced) // 2] if priced else None

    def codes_of(self, market: str) -> list[str]:
        return [code for code, name in self.codes.items() if name == market]

    @classmethod
    def read(cls, lines: Iterable[str]) -> PriceList:
        """Parses a CSV with a line for each market. Raises `Unusable` with every problem."""
        return Reader(lines).read()


def first_of(tier: str) -> int | None:
    """The first message of a tier: of `100001:1000000`, 100001. None for what is no tier."""
    match = _TIER.fullmatch(tier)
    return int(match[1]) if match else None


class Reader:
    def __init__(self, lines: Iterable[str]) -> None:
        self.rows = csv.reader("" if line.startswith("#") else line for line in lines)
        self.list = PriceList()
        self.problems: list[str] = []

    def read(self) -> PriceList:
        header = next((row for row in self.rows if row), [])
        if tuple(header) != COLUMNS:
            raise Unusable([f"line {self.rows.line_num}: the columns must be {','.join(COLUMNS)}"])
        for row in self.rows:
            if row:
                self.problems += [f"line {self.rows.line_num}: {problem}" for problem in self.take(row)]
        if not self.problems and not self.list.prices:
            self.problems.append("it lists no market")
        if self.problems:
            raise Unusable(self.problems)
        return self.list

    def take(self, row: list[str]) -> Iterator[str]:
        if len(row) != len(COLUMNS):
            yield f"{len(COLUMNS)} values are needed, there are {len(row)}"
            return
        market, codes, *prices = (value.strip() for value in row)
        if not market:
            yield "the market has no name"
        if market in self.list.markets:
            yield f"the market “{market}” is there twice"
        yield from self.take_codes(market, codes.split(";"))
        for category, price in zip(CATEGORIES, prices, strict=True):
            yield from self.take_price(market, category, price)

    def take_codes(self, market: str, codes: list[str]) -> Iterator[str]:
        for code in map(str.strip, codes):
            if code != UNLISTED and not _CODE.fullmatch(code):
                yield f"“{code}” is not a calling code"
            elif code in self.list.codes:
                yield f"the calling code {code} belongs to “{self.list.codes[code]}” already"
            self.list.codes[code] = market

    def take_price(self, market: str, category: str, price: str) -> Iterator[str]:
        if not price and category in MAY_BE_MISSING:
            return
        micros = None if price == UNDISCLOSED else micros_of(price)
        if micros is None and price != UNDISCLOSED:
            yield f"the price for {category} is “{price}”; write it like 0.0625, or {UNDISCLOSED}"
        self.list.prices[market, category] = micros
