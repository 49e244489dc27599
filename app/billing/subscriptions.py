"""A tenant's plan: begun, changed, tried and ended, with its monthly fee in advance and shared out by days."""

from __future__ import annotations

import calendar
import datetime as dt
import uuid

from sqlalchemy import case, func, select

from app.tenancy import current_tenant_id, database_now, db, exists, first_id, later
from app.tenancy.limits import limit_source
from app.wabas.credit import CreditLineShare
from app.wabas.models import COUNTED, PhoneNumber, Waba

from .balances import Balance
from .holds import included_under_way
from .ledger import OF_MESSAGES, Draft, Journal, Ledger
from .money import cut
from .plans import Plan
from .rate_cards import day_of
from .recharges import Recharge
from .top_ups import TopUp

# How many days before its end owners are reminded of a trial.
REMINDERS = (3, 1)


class OtherCurrency(Exception):
    """The tenant's accounts, or its balance, are in another currency than the plan. `currency` is one of those."""

    def __init__(self, currency: str) -> None:
        super().__init__(currency)
        self.currency = currency


class NotOffered(Exception):
    """Businesses cannot choose this plan, or try it, or not any more."""


@limit_source
def limit_of_plan(kind: str) -> int | None:
    """Of a business that is closed, or being closed, nothing is added."""
    balance = Balance.current()
    if balance and balance.is_closed:
        return None if kind == "api_rate" else 0
    return balance.plan.limit(kind) if balance and balance.plan else None


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
    ledger = Ledger()
    balance = balance_for(plan, ledger)
    balance.mode, balance.limit_micros = mode, limit_micros if mode == "postpaid" else 0
    balance.reserve_micros, balance.cap_micros = reserve_micros, cap_micros
    begin(plan, ledger, by)
    return balance


def choose(plan_id: uuid.UUID, *, by: str) -> Balance:
    """A business begins or changes its plan. Its way of paying stays. Raises `NotOffered`, `OtherCurrency`."""
    plan = offered(plan_id)
    ledger = Ledger()
    balance = balance_for(plan, ledger)
    if balance.is_trial and balance.plan_id == plan.id:
        balance.ends_on = None
    else:
        begin(plan, ledger, by)
    return balance


def offered(plan_id: uuid.UUID) -> Plan:
    plan = db.session.get(Plan, plan_id)
    if plan is None or not plan.is_offered:
        raise NotOffered
    return plan


def balance_for(plan: Plan, ledger: Ledger) -> Balance:
    """The tenant's balance in the plan's currency; made for a tenant without one."""
    refuse_other_currencies(plan.currency)
    balance = ledger.balance or Balance(currency=plan.currency, month=day_of(database_now()).replace(day=1))
    if balance.currency != plan.currency:
        change_currency(balance, plan.currency)
    db.session.add(balance)
    db.session.flush()
    ledger.balance = balance
    return balance


def change_currency(balance: Balance, currency: str) -> None:
    """Only before anything was written or paid in the old one. Amounts of the old one mean nothing in the new one.

    Raises `OtherCurrency`.
    """
    if balance.held_micros or exists(select(Journal.id)) or exists(select(TopUp.id)):
        raise OtherCurrency(balance.currency)
    if recharge := Recharge.locked():
        recharge.turn_off(balance, by="")
    balance.currency, balance.plan_id, balance.plan = currency, None, None
    balance.limit_micros = balance.reserve_micros = balance.filled_micros = 0
    balance.cap_micros, balance.fee_month = None, dt.date.min


def begin(plan: Plan, ledger: Ledger, by: str) -> None:
    """The plan applies from today on: fee and included messages are shared out by days."""
    balance, at = ledger.balance, database_now()
    assert balance
    today = day_of(at)
    change = fee_change(plan.monthly_fee_micros, balance, today)
    covered = balance.plan.included_messages if balance.plan and balance.is_charged else 0
    included = balance.entitled + rest_of_month(plan.included_messages - covered, today)
    end_trial(ledger, by)
    balance.plan_id, balance.plan, balance.ends_on = plan.id, plan, None
    balance.included_cut, balance.fee_month = plan.included_messages - included, today.replace(day=1)
    db.session.flush()
    charge(ledger, change, plan.name, at, by)
    later("outbound.release_unfunded")


def fee_change(fee_micros: int, balance: Balance, today: dt.date) -> int:
    """What another monthly fee costs for the rest of the month; negative where it gives something back.

    It is what the page shows, in whole hundredths or what the currency has. What is given back shrinks with the days,
    and with the included messages that are used or under way.
    """
    change = rest_of_month(fee_micros - paid_fee(balance, today), today)
    if change < 0 and balance.entitled:
        left = max(0, balance.entitled - balance.included_used - included_under_way())
        change = -(-change * left // balance.entitled)
    return cut(change, balance.currency)


def paid_fee(balance: Balance, today: dt.date) -> int:
    """The monthly fee that this month was charged for."""
    is_paid = balance.plan is not None and balance.fee_month >= today.replace(day=1)
    return balance.plan.monthly_fee_micros if balance.plan and is_paid else 0


def due_now(plan: Plan, balance: Balance | None, today: dt.date) -> int:
    """What choosing a plan today charges; negative where it gives something back."""
    if balance and balance.is_trial and balance.plan_id == plan.id:
        return 0
    if balance is None or balance.currency != plan.currency:
        return cut(rest_of_month(plan.monthly_fee_micros, today), plan.currency)
    return fee_change(plan.monthly_fee_micros, balance, today)


def end_plan(*, by: str) -> Balance | None:
    """Ends the plan: nothing is limited or charged from now on. The rest of the month's fee is given back."""
    ledger, at = Ledger(), database_now()
    balance = ledger.balance
    if balance and balance.plan:
        change = fee_change(0, balance, day_of(at))
        end_trial(ledger, by)
        charge(ledger, change, balance.plan.name, at, by)
        balance.plan_id, balance.plan, balance.ends_on = None, None, None
    return balance


def close_plan(ledger: Ledger, *, by: str) -> int:
    """The business closes: its plan ends today, and the rest of the fee is given back. Returns how much that is.

    The mark-ups stay, for messages that arrive later; what was under way is still included.
    """
    balance, at = ledger.balance, database_now()
    if balance is None or balance.plan is None or balance.has_ended:
        return 0
    today = day_of(at)
    change = fee_change(0, balance, today)
    covered = min(balance.entitled, balance.included_used + included_under_way())
    end_trial(ledger, by)
    charge(ledger, change, balance.plan.name, at, by)
    balance.ends_on, balance.included_cut = today, balance.plan.included_messages - covered
    return -change


def leave() -> Balance | None:
    """A business ends its plan at the end of what it has paid for; from then on paid messages wait."""
    balance = Ledger().balance
    if balance and balance.plan and not balance.has_ended:
        balance.ends_on = balance.trial_until if balance.is_trial else month_after(day_of(database_now()))
    return balance


def stay() -> Balance | None:
    """Takes back that the plan ends, while it has not."""
    balance = Ledger().balance
    if balance and balance.plan and not balance.has_ended:
        balance.ends_on = None
    return balance


def can_try(plan: Plan, balance: Balance | None) -> bool:
    """Whether a business may try a plan: once, and not while it has one."""
    is_new = balance is None or (balance.tried_at is None and (balance.plan is None or balance.has_ended))
    return plan.is_offered and plan.trial_days > 0 and is_new


def begin_trial(plan_id: uuid.UUID, *, by: str) -> Balance:
    """A plan without its fee for some days, with an amount to spend. Raises `NotOffered`, `OtherCurrency`."""
    plan, ledger, at = offered(plan_id), Ledger(), database_now()
    if not can_try(plan, ledger.balance):
        raise NotOffered
    balance = balance_for(plan, ledger)
    balance.plan_id, balance.plan, balance.tried_at = plan.id, plan, at
    balance.trial_until = balance.ends_on = day_of(at) + dt.timedelta(days=plan.trial_days)
    balance.trial_micros, balance.trial_reminded, balance.fee_month = plan.trial_micros, None, dt.date.min
    db.session.flush()
    charge(ledger, -plan.trial_micros, f"{plan.name}: trial credit", at, by, kind="adjustment")
    balance.fill()
    later("outbound.release_unfunded")
    return balance


def end_trial(ledger: Ledger, by: str = "") -> None:
    """Takes back what was not spent of the trial's credit."""
    balance, at = ledger.balance, database_now()
    if balance is None or balance.plan is None or balance.trial_until is None or balance.tried_at is None:
        return
    # What is held for messages under way is spent when they arrive.
    unused = max(0, min(balance.trial_micros - spent_since(balance.tried_at), balance.available_micros))
    charge(ledger, unused, f"{balance.plan.name}: unused trial credit", at, by, kind="adjustment")
    balance.trial_until, balance.trial_micros = None, 0


def settle_trial() -> None:
    """Reminds owners of the end of a trial, and ends it on its day. Run every hour, on any day once."""
    ledger, today = Ledger(), day_of(database_now())
    balance = ledger.balance
    if balance is None or balance.plan is None or balance.trial_until is None:
        return
    left = (balance.trial_until - today).days
    if left <= 0:
        goes_on = balance.ends_on is None
        if goes_on:
            begin(balance.plan, ledger, "")
        else:
            end_trial(ledger)
        later("billing.mail_trial", "on" if goes_on else "over")
        return
    due = min((days for days in REMINDERS if left <= days), default=None)
    if due and (balance.trial_reminded is None or due < balance.trial_reminded):
        balance.trial_reminded = due
        later("billing.mail_trial", "soon")


def spent_since(moment: dt.datetime) -> int:
    """What messages were charged since, in micro-units; ids of journals sort by the time they were written."""
    signed = case((Journal.kind == "reversal", -Journal.charged_micros), else_=Journal.charged_micros)
    mine = Journal.kind.in_(OF_MESSAGES), Journal.id >= first_id(moment)
    return int(db.session.scalar(select(func.coalesce(func.sum(signed), 0)).where(*mine)) or 0)


def charge_monthly_fee() -> bool:
    """Charges the fee of a month that has begun, once. Returns whether it did."""
    ledger, at = Ledger(), database_now()
    balance, month = ledger.balance, day_of(at).replace(day=1)
    if balance is None or balance.plan is None or balance.fee_month >= month:
        return False
    if balance.has_ended or balance.trial_until:
        return False
    balance.fee_month = month
    charge(ledger, balance.plan.monthly_fee_micros, balance.plan.name, at, "")
    return True


def charge(ledger: Ledger, micros: int, note: str, at: dt.datetime, by: str, *, kind: str = "fee") -> None:
    if micros and ledger.balance:
        moves = [("receivable", "revenue", micros) if micros > 0 else ("revenue", "receivable", -micros)]
        ledger.post([Draft(kind, at, ledger.balance.currency, day_of(at), moves, {"note": note, "by": by})])


def rest_of_month(micros: int, day: dt.date) -> int:
    """The share of an amount that the days from this one on have."""
    days = calendar.monthrange(day.year, day.month)[1]
    share = abs(micros) * (days - day.day + 1) // days
    return share if micros > 0 else -share


def month_after(day: dt.date) -> dt.date:
    return (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1)


def currencies_of_accounts() -> set[str]:
    """In which the tenant's accounts are billed by Meta: those that we pay for, or that have a connected number."""
    number = select(PhoneNumber.id).where(PhoneNumber.tenant_id == Waba.tenant_id, PhoneNumber.waba_id == Waba.id)
    share = select(CreditLineShare.id).where(
        CreditLineShare.tenant_id == Waba.tenant_id, CreditLineShare.waba_id == Waba.id
    )
    is_used = number.where(PhoneNumber.state.in_(COUNTED)).exists() | share.exists()
    mine = select(Waba.currency).where(Waba.currency != "", Waba.tenant_id == current_tenant_id(), is_used)
    return set(db.session.scalars(mine.distinct()))


def refuse_other_currencies(currency: str) -> None:
    if others := currencies_of_accounts() - {currency}:
        raise OtherCurrency(min(others))
