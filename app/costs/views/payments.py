"""Money that a business adds: by card on Stripe's page, from a saved card by itself, or by bank transfer."""

from __future__ import annotations

import uuid

from flask import abort, flash, g, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app import tokens
from app.billing.balances import Balance
from app.billing.money import typed
from app.billing.recharges import Recharge
from app.billing.stripe_account import StripeAccount, StripeError, Unreachable
from app.billing.top_ups import TopUp
from app.costs.blueprint import bp
from app.costs.forms import RechargeForm, TopUpForm
from app.extensions import settings
from app.headers import policy
from app.tenancy import commit, db, later, requires

SHOWN = 50
# Where a form that is posted here leads on to: Stripe's own page.
CHECKOUT = "https://checkout.stripe.com"


@bp.get("/payments")
@requires("costs.read")
def payments() -> AnyResponse:
    return payments_page()


@bp.post("/top-ups")
@requires("costs.manage")
def create_top_up() -> AnyResponse:
    """Opens Stripe's page and leads there. Nothing is added before Stripe says that it was paid."""
    balance, account = Balance.current(), StripeAccount.of(settings)
    if balance is None or account is None:
        abort(404)
    form = TopUpForm(balance.currency)
    if not form.validate():
        return payments_page(top_up=form)
    if TopUp.are_too_many():
        form.problem = _("Too many payments were opened within an hour. Finish one of them, or wait.")
        return payments_page(top_up=form)
    made = TopUp.begin(
        "checkout", form.amount.micros or 0, balance.currency, by_id=current_user.id, by_name=current_user.name
    )
    made.saves_card = form.saves_card.data
    rule = Recharge.current()
    params = made.checkout_params(
        product=_("Balance for messages"),
        done_url=tokens.link("costs.top_up", tenant_slug=g.tenant.slug, top_up_id=str(made.id)),
        back_url=tokens.link("costs.payments", tenant_slug=g.tenant.slug),
        customer_id=rule.customer_id if rule else "",
    )
    try:
        made.open(account, params)
    except StripeError as error:
        form.problem = refusal(error)
        return payments_page(top_up=form)
    is_at_stripe = made.url.startswith(f"{CHECKOUT}/")
    return redirect(made.url if is_at_stripe else url_for(".top_up", top_up_id=made.id), 303)


@bp.get("/top-ups/<uuid:top_up_id>")
@requires("costs.read")
def top_up(top_up_id: uuid.UUID) -> str:
    """Where Stripe leads back to. That somebody is here says nothing: Stripe is asked."""
    chosen = TopUp.get_or_404(top_up_id)
    if chosen.state == "opened":
        later("billing.check_top_up", chosen.id)
    return render_template("costs/top_up.html", top_up=chosen)


@bp.get("/top-ups/<uuid:top_up_id>/state")
@requires("costs.read")
def top_up_state(top_up_id: uuid.UUID) -> str:
    return render_template("costs/_top_up.html", top_up=TopUp.get_or_404(top_up_id))


@bp.post("/recharge")
@requires("costs.manage")
def save_recharge() -> AnyResponse:
    balance, rule = Balance.locked(), Recharge.locked()
    if balance is None or rule is None or not rule.card_id:
        abort(404)
    form = RechargeForm(balance.currency)
    if not form.validate():
        return payments_page(recharge=form)
    below, amount, most = (field.micros or 0 for field in (form.below, form.recharge_amount, form.most))
    rule.turn_on(balance, below=below, amount=amount, most=most, by=current_user.name)
    flash(_("Automatic recharge is on."))
    return redirect(url_for(".payments"), 303)


@bp.post("/recharge/end")
@requires("costs.manage")
def end_recharge() -> AnyResponse:
    balance, rule = Balance.locked(), Recharge.locked()
    if balance and rule:
        rule.turn_off(balance, by=current_user.name)
    flash(_("Automatic recharge is off."))
    return redirect(url_for(".payments"), 303)


@bp.post("/card/removal")
@requires("costs.manage")
def remove_card() -> AnyResponse:
    """Here and at Stripe. Where Stripe cannot be reached, nothing is charged any more, and it can be tried again."""
    balance, rule, account = Balance.locked(), Recharge.locked(), StripeAccount.of(settings)
    if balance is None or rule is None or account is None or not rule.card_id:
        abort(404)
    card_id = rule.card_id
    rule.turn_off(balance, by=current_user.name)
    commit()
    try:
        account.forget(card_id)
    except StripeError:
        flash(_("Automatic recharge is off, but Stripe couldn't be reached to remove the card. Try again."), "error")
        return redirect(url_for(".payments"), 303)
    balance, rule = Balance.locked(), Recharge.locked()
    if balance and rule and rule.card_id == card_id:
        rule.drop_card(balance, by=current_user.name)
    flash(_("The card was removed."))
    return redirect(url_for(".payments"), 303)


def payments_page(*, top_up: TopUpForm | None = None, recharge: RechargeForm | None = None) -> AnyResponse:
    balance, rule = Balance.current(), Recharge.current()
    currency = balance.currency if balance else ""
    page = render_template(
        "costs/payments.html",
        balance=balance,
        rule=rule,
        has_stripe=StripeAccount.of(settings) is not None,
        operator=settings,
        top_up=top_up or TopUpForm(currency, formdata=None),
        recharge=recharge or RechargeForm(currency, formdata=None, data=as_typed(rule) if rule else None),
        top_ups=db.session.scalars(TopUp.newest_first().limit(SHOWN)).all(),
    )
    response = AnyResponse(page, 422 if top_up or recharge else 200, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = policy(form_action=f"'self' {CHECKOUT}")
    return response


def refusal(error: StripeError) -> str:
    if isinstance(error, Unreachable) or not error.words:
        return str(_("Stripe couldn't be reached, so nothing was opened. Try again in a minute."))
    return str(_("Stripe refused to open the payment: %(words)s", words=error.words))


def as_typed(rule: Recharge) -> dict[str, str]:
    amounts = {"below": rule.below_micros, "recharge_amount": rule.amount_micros, "most": rule.most_micros}
    return {name: typed(micros) if micros else "" for name, micros in amounts.items()}
