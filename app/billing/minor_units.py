"""Amounts as Stripe has them: whole numbers of a currency's smallest unit (docs.stripe.com/currencies)."""

from __future__ import annotations

from .money import MICROS

# Their smallest unit is the currency itself.
WITHOUT_DECIMALS = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF")
)
THREE_DECIMALS = frozenset(("BHD", "JOD", "KWD", "OMR", "TND"))
# Written with two decimals, which have to be zero.
WHOLE = frozenset(("ISK", "UGX"))


def units_of(currency: str) -> int:
    """How many of the smallest unit make one of the currency."""
    return 1 if currency in WITHOUT_DECIMALS else 1_000 if currency in THREE_DECIMALS else 100


def step_of(currency: str) -> int:
    """The smallest amount that can be charged, in micro-units; every amount is a multiple of it.

    The last of three decimals has to be zero.
    """
    return MICROS if currency in WITHOUT_DECIMALS | WHOLE else MICROS // 100


def to_minor(micros: int, currency: str) -> int | None:
    """None where the amount is no multiple of what can be charged."""
    return micros * units_of(currency) // MICROS if micros % step_of(currency) == 0 else None


def from_minor(amount: int, currency: str) -> int:
    return amount * (MICROS // units_of(currency))
