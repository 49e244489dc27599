"""A tenant's plan: begun, changed and ended, with its monthly fee in advance and shared out by days."""

from __future__ import annotations

import calendar
import datetime as dt
import uuid

from sqlalchemy import select

from app.tenancy import current_tenant_id, database_now, db, later
from app.wabas.models import Waba

from .balances import Balance
from .ledger import Draft, Ledger
from .plans import Plan
from .rate_cards import day_of


class OtherCurrency(Exception):
    """The tenant's accounts, or its balance, are in another currency than the plan. `currency` is one of those."""

    def __init__(self, currency: str) -> None:
        super().__init__(currency)
        self.currency = currency


def subscribe(
    plan_id: uuid.UUID,
    *,
    mode: str,
    limit_micros: int = 0,
    reserve_micros: int = 0,
    cap_micros: int | None = None,
    by: str,
) -> Balance:
    """Gives the current tenant a plan, or another one, and charges the rest of the month. Raises `OtherCurrency`."""
    plan = db.session.get_one(Plan, plan_id)
    refuse_other_currencies(plan.currency)
    ledger, at = Ledger(), database_now()
    balance = ledger.balance or Balance(currency=plan.currency, month=day_of(at).replace(day=1))
    if balance.currency != plan.currency:
        if balance.balance_micros or balance.held_micros:
            raise OtherCurrency(balance.currency)
        balance.currency = plan.currency
    before = balance.plan.monthly_fee_micros if balance.plan else 0
    balance.plan_id, balance.plan, balance.mode = plan.id, plan, mode
    balance.limit_micros = limit_micros if mode == "postpaid" else 0
    balance.reserve_micros, balance.cap_micros = reserve_micros, cap_micros
    balance.fee_month = day_of(at).replace(day=1)
    db.session.add(balance)
    db.session.flush()
    ledger.balance = balance
    charge(ledger, rest_of_month(plan.monthly_fee_micros - before, day_of(at)), plan.name, at, by)
    later("outbound.release_unfunded")
    return balance


def end_plan(*, by: str) -> Balance | None:
    """Ends the plan: nothing is limited or charged from now on. The rest of the month's fee is given back."""
    ledger, at = Ledger(), database_now()
    balance = ledger.balance
    if balance and balance.plan:
        charge(ledger, -rest_of_month(balance.plan.monthly_fee_micros, day_of(at)), balance.plan.name, at, by)
        balance.plan_id, balance.plan = None, None
    return balance


def charge_monthly_fee() -> bool:
    """Charges the fee of a month that has begun, once. Returns whether it did."""
    ledger, at = Ledger(), database_now()
    balance, month = ledger.balance, day_of(at).replace(day=1)
    if balance is None or balance.plan is None or balance.fee_month >= month:
        return False
    balance.fee_month = month
    charge(ledger, balance.plan.monthly_fee_micros, balance.plan.name, at, "")
    return True


def charge(ledger: Ledger, micros: int, note: str, at: dt.datetime, by: str) -> None:
    if micros and ledger.balance:
        moves = [("receivable", "revenue", micros) if micros > 0 else ("revenue", "receivable", -micros)]
        ledger.post([Draft("fee", at, ledger.balance.currency, day_of(at), moves, {"note": note, "by": by})])


def rest_of_month(micros: int, day: dt.date) -> int:
    """The share of an amount that the days from this one on have."""
    days = calendar.monthrange(day.year, day.month)[1]
    share = abs(micros) * (days - day.day + 1) // days
    return share if micros > 0 else -share


def refuse_other_currencies(currency: str) -> None:
    mine = select(Waba.currency).where(Waba.currency.not_in((currency, "")), Waba.tenant_id == current_tenant_id())
    if other := db.session.scalar(mine.limit(1)):
        raise OtherCurrency(other)
