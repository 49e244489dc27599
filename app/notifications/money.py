"""Amounts that other systems name: whole micro-units with a currency, in no smaller part than the currency has."""

from __future__ import annotations

from decimal import Decimal

from babel.numbers import get_currency_precision

from app.words import N_

from .values import CURRENCIES

MICROS = 1_000_000
# A million millions.
MOST = 10**18
UNKNOWN_CURRENCY = N_("There is no such currency in ISO 4217, such as XOF or EUR.")
TOO_FINE = N_("The currency has no such small part. Amounts are micro-units: 1000000 is one unit.")


def mistake_in(micros: int, currency: str) -> str:
    """What is wrong with an amount, in words; "" where nothing is."""
    if currency not in CURRENCIES:
        return UNKNOWN_CURRENCY
    smallest = MICROS // 10 ** min(get_currency_precision(currency), 6)
    return TOO_FINE if micros % smallest else ""


def amount_of(micros: int) -> Decimal:
    return Decimal(micros).scaleb(-6)


def written(micros: int, currency: str) -> str:
    """As a variable of the type money takes it: 500000 XOF."""
    return f"{amount_of(micros).normalize():f} {currency}"
