"""Amounts as Stripe has them: whole numbers of a currency's smallest unit (docs.stripe.com/currencies)."""

from __future__ import annotations

from .money import MICROS, THREE_DECIMALS, WITHOUT_DECIMALS, step_of


def units_of(currency: str) -> int:
    """How many of the smallest unit make one of the currency."""
    return 1 if currency in WITHOUT_DECIMALS else 1_000 if currency in THREE_DECIMALS else 100


def to_minor(micros: int, currency: str) -> int | None:
    """None where the amount is no multiple of what can be charged."""
    return micros * units_of(currency) // MICROS if micros % step_of(currency) == 0 else None


def from_minor(amount: int, currency: str) -> int:
    return amount * (MICROS // units_of(currency))
