"""Amounts: whole micro-units of a currency (a millionth of it). Only to be shown they become anything else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import parse_pattern
from flask_babel import get_locale

MICROS = 1_000_000
_AMOUNT = re.compile(r"(\d{1,9})(?:\.(\d{1,6}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Money:
    micros: int
    currency: str

    def __str__(self) -> str:
        """As the reader's language writes it, with at least the four places that prices of messages have."""
        return self.written(4, 6)

    @property
    def short(self) -> str:
        """The same in hundredths, as amounts on an invoice are."""
        return self.written(2, 2)

    def written(self, least: int, most: int) -> str:
        locale = get_locale()
        pattern = parse_pattern(locale.currency_formats["standard"].pattern)
        pattern.frac_prec = (least, most)
        amount = Decimal(self.micros).scaleb(-6)
        shown = str(pattern.apply(amount, locale, currency=self.currency, currency_digits=False))
        # A dollar sign alone is the dollar of wherever the reader is.
        return shown.replace("$", "US$") if self.currency == "USD" and "US" not in shown else shown


def micros_of(written: str) -> int | None:
    """`0.0625` as 62500; none if it is no such amount."""
    match = _AMOUNT.fullmatch(written)
    return int(match[1]) * MICROS + int((match[2] or "").ljust(6, "0")) if match else None


def share_of(micros: int, hundredths: int) -> int:
    """So many hundredths of a percent of an amount; half a micro-unit is rounded to the even one."""
    whole, rest = divmod(micros * hundredths, 10_000)
    return whole + (rest > 5_000 or (rest == 5_000 and whole % 2 == 1))


def typed(micros: int) -> str:
    """62500 as `0.0625`, as `micros_of` reads it; at least two decimal places."""
    whole, rest = divmod(micros, MICROS)
    decimals = f"{rest:06}".rstrip("0")
    return f"{whole}.{decimals:0<2}"


def micros_from(amount: Decimal) -> int:
    """An amount of Meta's in micro-units; what is smaller is cut off."""
    return int(amount * MICROS)


def rounded(micros: int) -> int:
    """To hundredths of the currency; half a hundredth to the even one."""
    hundredths, rest = divmod(micros, MICROS // 100)
    half = MICROS // 200
    return (hundredths + (rest > half or (rest == half and hundredths % 2 == 1))) * (MICROS // 100)


def percent(hundredths: int) -> str:
    """Hundredths of a percent as `12.5`, without zeros that say nothing."""
    whole, rest = divmod(hundredths, 100)
    return f"{whole}.{rest:02}".rstrip("0").rstrip(".") if rest else str(whole)
