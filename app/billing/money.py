"""Amounts: whole micro-units of a currency (a millionth of it). Only to be shown they become anything else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import parse_pattern
from flask_babel import get_locale

from app.templating import named_dollar

MICROS = 1_000_000
# Currencies whose smallest unit is the currency itself (docs.stripe.com/currencies).
WITHOUT_DECIMALS = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF")
)
THREE_DECIMALS = frozenset(("BHD", "JOD", "KWD", "OMR", "TND"))
# Stripe has two decimals for them, which have to be zero.
WHOLE = frozenset(("ISK", "UGX"))
_AMOUNT = re.compile(r"(\d{1,9})(?:\.(\d{1,6}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Money:
    micros: int
    currency: str

    def __str__(self) -> str:
        """As the reader's language writes it, with the decimal places of the currency.

        What would then be zero and is not, as the price of a message, is written to the last digit.
        """
        places, whole = decimals_of(self.currency), rounded(self.micros, self.currency)
        return Money(whole, self.currency).written(places, places) if whole or not self.micros else self.exact

    @property
    def exact(self) -> str:
        """Of one message: to the last digit, with at least the four places that Meta's prices have. Nothing has no
        such digits."""
        return self.written(4, 6) if self.micros else str(self)

    @property
    def in_full(self) -> str:
        """With the decimal places of the currency, and further ones where it has them: −0.0051 is no cent."""
        return self.written(decimals_of(self.currency), 6)

    def written(self, least: int, most: int) -> str:
        locale = get_locale()
        pattern = parse_pattern(locale.currency_formats["standard"].pattern)
        pattern.frac_prec = (least, most)
        amount = Decimal(self.micros).scaleb(-6)
        shown = str(pattern.apply(amount, locale, currency=self.currency, currency_digits=False))
        return named_dollar(shown, self.currency)


def decimals_of(currency: str) -> int:
    """How many decimal places an amount is written with."""
    if currency in WITHOUT_DECIMALS | WHOLE:
        return 0
    return 3 if currency in THREE_DECIMALS else 2


def step_of(currency: str) -> int:
    """The smallest amount that can be charged, in micro-units; every amount is a multiple of it.

    The last of three decimals has to be zero.
    """
    return MICROS if currency in WITHOUT_DECIMALS | WHOLE else MICROS // 100


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


def rounded(micros: int, currency: str) -> int:
    """To what can be charged in the currency; half of it to the even one."""
    step = step_of(currency)
    count, rest = divmod(micros, step)
    return (count + (2 * rest > step or (2 * rest == step and count % 2 == 1))) * step


def cut(micros: int, currency: str) -> int:
    """To what can be charged in the currency, towards zero."""
    step = step_of(currency)
    return micros // step * step if micros >= 0 else -(-micros // step * step)


def percent(hundredths: int) -> str:
    """Hundredths of a percent as `12.5`, without zeros that say nothing."""
    whole, rest = divmod(hundredths, 100)
    return f"{whole}.{rest:02}".rstrip("0").rstrip(".") if rest else str(whole)
