"""Meta's volume tiers: what a message costs beyond so many of a market and category in a month."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .money import micros_of
from .price_lists import PriceList, Unusable

COLUMNS = ["market", "category", "from", "to", "price"]
# Those that have tiers (Meta: Pricing on the WhatsApp Business Platform, “Volume tiers”).
CATEGORIES = ("utility", "authentication", "authentication_international")
_COUNT = re.compile(r"\d{1,12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Step:
    """`last` is None for the last tier, which has no end."""

    line: int
    after: int
    last: int | None
    micros: int


@dataclass
class TierList:
    """Reads a CSV with a line for each tier, the first one included, and adds it to a price list."""

    prices: PriceList
    steps: dict[tuple[str, str], list[Step]] = field(default_factory=lambda: defaultdict(list))

    def read(self, lines: Iterable[str]) -> None:
        """Raises `Unusable` with every problem."""
        rows = csv.reader("" if line.startswith("#") else line for line in lines)
        header = next((row for row in rows if row), [])
        if header != COLUMNS:
            raise Unusable([f"line {rows.line_num}: the columns must be {','.join(COLUMNS)}"])
        problems = [f"line {rows.line_num}: {each}" for row in rows if row for each in self.take(rows.line_num, row)]
        problems = problems or list(self.problems())
        if problems:
            raise Unusable(problems)
        for key, steps in self.steps.items():
            self.prices.tiers[key] = {step.after: step.micros for step in steps if step.after}

    def take(self, line: int, row: list[str]) -> Iterator[str]:
        if len(row) != len(COLUMNS):
            yield f"{len(COLUMNS)} values are needed, there are {len(row)}"
            return
        market, category, first, last, price = (value.strip() for value in row)
        micros = micros_of(price)
        if (market, category) not in self.prices.prices:
            yield f"the price list has no {category or 'category'} for “{market}”"
        if category not in CATEGORIES:
            yield f"“{category}” has no tiers"
        if not (_COUNT.fullmatch(first) and (last == "MAX" or _COUNT.fullmatch(last))):
            yield "a tier goes from one whole number to another, or to MAX"
        elif micros is None:
            yield f"the price is “{price}”; write it like 0.0038"
        else:
            end = None if last == "MAX" else int(last)
            self.steps[market, category].append(Step(line, max(0, int(first) - 1), end, micros))

    def problems(self) -> Iterator[str]:
        """Tiers follow each other from the first message on, and the first one has the list price."""
        for (market, category), steps in self.steps.items():
            steps.sort(key=lambda step: step.after)
            ends = [0, *(step.last for step in steps)]
            for step, end in zip(steps, ends, strict=False):
                if step.after != end:
                    yield f"line {step.line}: begins after {step.after}, and the one before it ends at {end}"
            if steps[-1].last is not None:
                yield f"line {steps[-1].line}: the last tier has to go to MAX"
            if steps[0].micros != self.prices.prices[market, category]:
                yield f"line {steps[0].line}: the first tier has to have the price of the price list"
