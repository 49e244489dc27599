"""Money that comes in, and corrections by hand: each is a journal with a note and who wrote it."""

from __future__ import annotations

from app.tenancy import database_now, later

from .balances import Balance
from .ledger import Draft, Ledger
from .rate_cards import day_of

# The most that is entered by hand at once, against a slip of the finger.
MOST = 1_000_000 * 1_000_000


class NoPlan(Exception):
    """The tenant has no balance: it needs a plan first."""


def top_up(micros: int, *, note: str, by: str) -> Balance:
    """A payment has arrived. What waited for it is sent. Raises `NoPlan`."""
    ledger, balance = opened()
    write(ledger, "top_up", [("bank", "receivable", micros)], note, by)
    balance.fill()
    later("outbound.release_unfunded")
    return balance


def receive(ledger: Ledger, micros: int, *, note: str, by: str) -> None:
    """Stripe has received an amount, or has given it back where it is negative. Nothing is written of nothing."""
    if micros > 0:
        write(ledger, "top_up", [("bank", "receivable", micros)], note, by)
        if ledger.balance:
            ledger.balance.fill()
        later("outbound.release_unfunded")
    elif micros < 0:
        write(ledger, "top_up", [("receivable", "bank", -micros)], note, by)


def adjust(micros: int, *, note: str, by: str) -> Balance:
    """Gives the tenant an amount, or takes one where it is negative. Raises `NoPlan`."""
    ledger, balance = opened()
    move = ("revenue", "receivable", micros) if micros > 0 else ("receivable", "revenue", -micros)
    write(ledger, "adjustment", [move], note, by)
    later("outbound.release_unfunded")
    return balance


def opened() -> tuple[Ledger, Balance]:
    ledger = Ledger()
    if ledger.balance is None:
        raise NoPlan
    return ledger, ledger.balance


def write(ledger: Ledger, kind: str, moves: list[tuple[str, str, int]], note: str, by: str) -> None:
    assert ledger.balance
    at = database_now()
    ledger.post([Draft(kind, at, ledger.balance.currency, day_of(at), moves, {"note": note, "by": by})])
