"""Fills a balance from the saved card when it runs low."""

from __future__ import annotations

import datetime as dt
import uuid

from app.extensions import settings
from app.tenancy import commit, database_now
from app.zones import UTC

from .balances import Balance
from .recharges import Recharge
from .stripe_account import Declined, Payment, StripeAccount, StripeError, Unreachable
from .top_ups import FORGOTTEN, TopUp, problem_of


def recharge() -> None:
    """Charges the saved card if the balance is low, it may be, and no such payment is under way."""
    top_up = begin_recharge()
    if top_up:
        charge(top_up.id)


def begin_recharge() -> TopUp | None:
    """The payment to make; or the one that is under way, where it is not known whether Stripe has heard of it."""
    balance, rule = Balance.locked(), Recharge.locked()
    if balance is None or rule is None or not rule.is_active or StripeAccount.of(settings) is None:
        return None
    if under_way := TopUp.automatic_under_way():
        return None if under_way.intent_id else under_way
    if not balance.is_low or balance.plan_id is None or balance.has_ended:
        return None
    month = dt.datetime.combine(database_now().date().replace(day=1), dt.time(), UTC)
    if TopUp.automatic_since(month) + rule.amount_micros > rule.most_micros:
        rule.reach_limit()
        return None
    made = TopUp.begin("automatic", rule.amount_micros, balance.currency, by_id=None, by_name="")
    made.customer_id, made.card_id = rule.customer_id, rule.card_id
    return made


def charge(id: uuid.UUID) -> None:
    """Asks Stripe for the payment; asked again, Stripe gives the same answer."""
    top_up, account = TopUp.get_or_404(id), StripeAccount.of(settings)
    fence = top_up.raise_fence()
    if account is None or top_up.state != "opened" or top_up.intent_id:
        return
    if top_up.created_at < database_now() - FORGOTTEN:
        fail(id, "unreachable", fence)
        return
    params, key = top_up.charge_params, top_up.key
    commit()
    try:
        payment: Payment = account.charge(params, key=key)
    except Unreachable:
        return
    except StripeError as error:
        fail(id, problem_of(error.code) if isinstance(error, Declined) else "refused", fence)
        return
    TopUp.settle(id, payment, fence)


def fail(id: uuid.UUID, problem: str, fence: int) -> None:
    Balance.locked()
    top_up = TopUp.get_or_404(id).refresh_locked()
    if top_up.fence == fence and top_up.state == "opened":
        top_up.fail(problem)
        Recharge.stop(problem)
