"""The plans that a business can choose: begun, tried, changed and ended by an owner."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import func, select
from werkzeug.wrappers import Response as AnyResponse

from app.billing.balances import Balance
from app.billing.money import Money, percent
from app.billing.plans import Plan
from app.billing.rate_cards import day_of
from app.billing.subscriptions import (
    NotOffered,
    OtherCurrency,
    begin_trial,
    can_try,
    choose,
    currencies_of_accounts,
    due_now,
    leave,
    stay,
)
from app.billing.terms import category_words
from app.costs.blueprint import bp
from app.tenancy import Membership, as_uuid, db, now, requires
from app.wabas.models import PhoneNumber


@dataclass(frozen=True)
class Offer:
    """A plan as this business may have it today. `is_covered`: something is left after the fee."""

    plan: Plan
    is_mine: bool
    due: Money
    can_try: bool
    is_covered: bool = True

    @classmethod
    def of(cls, plan: Plan, balance: Balance | None) -> Offer:
        is_mine = bool(balance and balance.plan_id == plan.id and not balance.has_ended)
        due = Money(due_now(plan, balance, day_of(now())), plan.currency)
        is_postpaid = balance is not None and balance.mode == "postpaid"
        left = (balance.available_micros if balance else 0) - due.micros
        return cls(plan, is_mine, due, can_try(plan, balance), is_covered=is_postpaid or left > 0)


@bp.get("/plans")
@requires("costs.read")
def plans() -> str:
    balance = Balance.current()
    currencies = currencies_of_accounts() or ({balance.currency} if balance and balance.balance_micros else set())
    offered = Plan.offered_in(currencies)
    counts = {
        "seats": db.session.scalar(select(func.count()).select_from(Membership)) or 0,
        "numbers": db.session.scalar(PhoneNumber.counted()) or 0,
    }
    plan = balance.plan if balance else None
    over = {kind: count for kind, count in counts.items() if plan and (most := plan.limit(kind)) and count > most}
    return render_template(
        "costs/plans.html",
        balance=balance,
        offers=[Offer.of(plan, balance) for plan in offered],
        counts=counts,
        over=over,
        category_words=category_words,
        percent=percent,
    )


@bp.post("/plan")
@requires("costs.manage")
def choose_plan() -> AnyResponse:
    try:
        balance = choose(posted_plan(), by=current_user.name)
    except (NotOffered, OtherCurrency) as refused:
        return refuse(refused)
    assert balance.plan
    flash(_("Your plan is %(name)s.", name=balance.plan.name))
    return redirect(url_for(".plans"), 303)


@bp.post("/trial")
@requires("costs.manage")
def try_plan() -> AnyResponse:
    try:
        begin_trial(posted_plan(), by=current_user.name)
    except (NotOffered, OtherCurrency) as refused:
        return refuse(refused)
    flash(_("Your trial has begun."))
    return redirect(url_for(".plans"), 303)


@bp.post("/plan/end")
@requires("costs.manage")
def end_plan() -> AnyResponse:
    if leave() is None:
        abort(404)
    flash(_("Saved. Until it ends everything goes on as before."))
    return redirect(url_for(".plans"), 303)


@bp.post("/plan/continuation")
@requires("costs.manage")
def continue_plan() -> AnyResponse:
    if stay() is None:
        abort(404)
    flash(_("Saved. The plan goes on."))
    return redirect(url_for(".plans"), 303)


def posted_plan() -> uuid.UUID:
    """Raises `NotOffered` where it is no plan's id."""
    if (id := as_uuid(request.form.get("plan"))) is None:
        raise NotOffered
    return id


def refuse(refused: NotOffered | OtherCurrency) -> AnyResponse:
    if isinstance(refused, OtherCurrency):
        words = _("Your accounts or your balance are in %(currency)s. Choose a plan in it.", currency=refused.currency)
    else:
        words = _("This plan isn't offered any more, or you have tried a plan already.")
    flash(words, "error")
    return redirect(url_for(".plans"), 303)
