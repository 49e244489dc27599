"""A tenant's plan, its balance and payments that were entered by hand."""

from __future__ import annotations

import uuid

import structlog
from flask import abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import func, select
from werkzeug.wrappers import Response as AnyResponse
from wtforms import SelectChoice

from app.billing.balances import Balance
from app.billing.invoices import Corrected, Invoice, credit
from app.billing.ledger import Journal
from app.billing.money import typed
from app.billing.payments import NoPlan, adjust, top_up
from app.billing.plans import Plan
from app.billing.subscriptions import OtherCurrency, end_plan, subscribe
from app.billing.top_ups import TopUp
from app.platform.billing_forms import CorrectionForm, PaymentForm, SubscriptionForm
from app.platform.blueprint import bp
from app.platform.forms import ReasonForm
from app.tenancy import Membership, Tenant, commit, db, platform_only, tenant_scope

log = structlog.get_logger()
SHOWN = 50
BY_HAND = ("top_up", "adjustment", "fee", "credit", "tax")


@bp.get("/tenants/<uuid:tenant_id>/billing")
@platform_only
def billing(tenant_id: uuid.UUID) -> str:
    return billing_page(tenant_id)


@bp.post("/tenants/<uuid:tenant_id>/plan")
@platform_only
def give_plan(tenant_id: uuid.UUID) -> tuple[str, int] | AnyResponse:
    form, tenant = SubscriptionForm(), tenant_or_404(tenant_id)
    form.plan.choices = plan_choices()
    if not form.validate():
        return billing_page(tenant_id, subscription=form), 422
    plan_id = uuid.UUID(form.plan.data)
    commit()
    try:
        with tenant_scope(tenant.id):
            subscribe(
                plan_id,
                mode=form.mode.data,
                limit_micros=form.limit.micros or 0,
                reserve_micros=form.reserve.micros or 0,
                cap_micros=form.cap.micros,
                by=current_user.name,
            )
    except OtherCurrency as other:
        form.plan.errors = [_("This business is billed in %(currency)s. Choose a plan in it.", currency=other.currency)]
        return billing_page(tenant_id, subscription=form), 422
    log.info("plan given", admin_id=str(current_user.id), tenant_id=str(tenant_id), plan_id=str(plan_id))
    flash(_("Saved."))
    return redirect(url_for(".billing", tenant_id=tenant_id), 303)


@bp.post("/tenants/<uuid:tenant_id>/plan/end")
@platform_only
def end_tenants_plan(tenant_id: uuid.UUID) -> AnyResponse:
    tenant = tenant_or_404(tenant_id)
    commit()
    with tenant_scope(tenant.id):
        end_plan(by=current_user.name)
    log.info("plan ended", admin_id=str(current_user.id), tenant_id=str(tenant_id))
    flash(_("The plan has ended. Nothing is charged to the business from now on."))
    return redirect(url_for(".billing", tenant_id=tenant_id), 303)


@bp.post("/tenants/<uuid:tenant_id>/top-ups")
@platform_only
def add_top_up(tenant_id: uuid.UUID) -> tuple[str, int] | AnyResponse:
    form, tenant = PaymentForm(), tenant_or_404(tenant_id)
    if not form.validate():
        return billing_page(tenant_id, payment=form), 422
    commit()
    with tenant_scope(tenant.id):
        refuse_without_plan(lambda: top_up(form.amount.micros or 0, note=form.note.data, by=current_user.name))
    log.info("balance topped up", admin_id=str(current_user.id), tenant_id=str(tenant_id), micros=form.amount.micros)
    flash(_("Saved. Messages that waited for it are being sent."))
    return redirect(url_for(".billing", tenant_id=tenant_id), 303)


@bp.post("/tenants/<uuid:tenant_id>/invoices/<uuid:invoice_id>/credit-note")
@platform_only
def add_credit_note(tenant_id: uuid.UUID, invoice_id: uuid.UUID) -> AnyResponse:
    form, tenant = ReasonForm(), tenant_or_404(tenant_id)
    if not form.validate():
        flash(_("Enter a reason. It is on the credit note."), "error")
        return redirect(url_for(".billing", tenant_id=tenant_id), 303)
    commit()
    with tenant_scope(tenant.id):
        try:
            note = credit(Invoice.get_or_404(invoice_id), reason=form.reason.data)
            flash(_("Issued %(number)s.", number=note.number))
        except Corrected:
            flash(_("This invoice has a credit note already."), "error")
    log.info("credit note", admin_id=str(current_user.id), tenant_id=str(tenant_id), invoice_id=str(invoice_id))
    return redirect(url_for(".billing", tenant_id=tenant_id), 303)


@bp.post("/tenants/<uuid:tenant_id>/corrections")
@platform_only
def add_correction(tenant_id: uuid.UUID) -> tuple[str, int] | AnyResponse:
    form, tenant = CorrectionForm(), tenant_or_404(tenant_id)
    if not form.validate():
        return billing_page(tenant_id, correction=form), 422
    commit()
    with tenant_scope(tenant.id):
        refuse_without_plan(lambda: adjust(form.signed_micros, note=form.reason.data, by=current_user.name))
    log.info("balance corrected", admin_id=str(current_user.id), tenant_id=str(tenant_id), micros=form.signed_micros)
    flash(_("Saved."))
    return redirect(url_for(".billing", tenant_id=tenant_id), 303)


def refuse_without_plan(write: object) -> None:
    try:
        write()  # type: ignore[operator]
    except NoPlan:
        abort(409)


def billing_page(
    tenant_id: uuid.UUID,
    *,
    subscription: SubscriptionForm | None = None,
    payment: PaymentForm | None = None,
    correction: CorrectionForm | None = None,
) -> str:
    tenant = tenant_or_404(tenant_id)
    balance = db.session.scalar(select(Balance).where(Balance.tenant_id == tenant_id))
    if subscription is None:
        subscription = SubscriptionForm(formdata=None, data=as_typed(balance) if balance else None)
    subscription.plan.choices = plan_choices()
    by_hand = select(Journal).where(Journal.tenant_id == tenant_id, Journal.kind.in_(BY_HAND))
    return render_template(
        "platform/billing.html",
        tenant=tenant,
        balance=balance,
        seats=db.session.scalar(select(func.count()).where(Membership.tenant_id == tenant_id)),
        subscription=subscription,
        payment=payment or PaymentForm(formdata=None),
        correction=correction or CorrectionForm(formdata=None),
        invoices=db.session.scalars(Invoice.newest_first().where(Invoice.tenant_id == tenant_id).limit(SHOWN)).all(),
        top_ups=db.session.scalars(TopUp.newest_first().where(TopUp.tenant_id == tenant_id).limit(SHOWN)).all(),
        journals=db.session.scalars(by_hand.order_by(Journal.id.desc()).limit(SHOWN)).all(),
    )


def plan_choices() -> list[SelectChoice]:
    offered = db.session.scalars(Plan.in_order().where(Plan.is_offered))
    return [SelectChoice(str(plan.id), f"{plan.name} ({plan.currency})") for plan in offered]


def as_typed(balance: Balance) -> dict[str, str]:
    return {
        "plan": str(balance.plan_id or ""),
        "mode": balance.mode,
        "limit": typed(balance.limit_micros) if balance.limit_micros else "",
        "reserve": typed(balance.reserve_micros) if balance.reserve_micros else "",
        "cap": "" if balance.cap_micros is None else typed(balance.cap_micros),
    }


def tenant_or_404(tenant_id: uuid.UUID) -> Tenant:
    tenant = db.session.get(Tenant, tenant_id)
    if tenant is None or tenant.is_sandbox:
        abort(404)
    return tenant
