"""Plans that the platform offers."""

from __future__ import annotations

import uuid
from typing import Any

import structlog
from flask import abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app.billing.money import typed
from app.billing.plans import Plan
from app.meta.pricing import CATEGORIES
from app.platform.billing_forms import PlanForm
from app.platform.blueprint import bp
from app.tenancy import db, in_menu, platform_only, uuid7
from app.words import N_

log = structlog.get_logger()


@bp.get("/plans")
@in_menu("console", N_("Plans"), "tag", order=82)
@platform_only
def plans() -> str:
    return plans_page(PlanForm(formdata=None))


@bp.post("/plans")
@platform_only
def create_plan() -> tuple[str, int] | AnyResponse:
    form = PlanForm()
    if not form.validate() or is_taken(form):
        return plans_page(form), 422
    plan = Plan(id=uuid7(), currency=form.currency.data, **form.columns)
    db.session.add(plan)
    log.info("plan created", admin_id=str(current_user.id), plan_id=str(plan.id))
    flash(_("Saved."))
    return redirect(url_for(".plans"), 303)


@bp.get("/plans/<uuid:plan_id>")
@platform_only
def plan(plan_id: uuid.UUID) -> str:
    chosen = plan_or_404(plan_id)
    return render_template("platform/plan.html", plan=chosen, form=PlanForm(formdata=None, data=as_typed(chosen)))


@bp.post("/plans/<uuid:plan_id>")
@platform_only
def change_plan(plan_id: uuid.UUID) -> tuple[str, int] | AnyResponse:
    """Applies to messages from now on. The currency stays: balances are in it."""
    chosen, form = plan_or_404(plan_id), PlanForm()
    form.currency.data = chosen.currency
    if not form.validate() or is_taken(form, chosen):
        return render_template("platform/plan.html", plan=chosen, form=form), 422
    for name, value in form.columns.items():
        setattr(chosen, name, value)
    log.info("plan changed", admin_id=str(current_user.id), plan_id=str(chosen.id))
    flash(_("Saved. Messages from now on have the new mark-up."))
    return redirect(url_for(".plans"), 303)


def plans_page(form: PlanForm) -> str:
    return render_template("platform/plans.html", plans=db.session.scalars(Plan.in_order()).all(), form=form)


def plan_or_404(plan_id: uuid.UUID) -> Plan:
    return db.session.get(Plan, plan_id) or abort(404)


def is_taken(form: PlanForm, mine: Plan | None = None) -> bool:
    if (other := Plan.named(form.name.data)) and other is not mine:
        form.name.errors = [_("Another plan has this name.")]
        return True
    return False


def as_typed(plan: Plan) -> dict[str, Any]:
    columns = ("name", "currency", "seats", "numbers", "api_rate", "trial_days", "included_messages", "is_offered")
    shares = {f"markup_{category}": typed(plan.markup_of(category) * 10_000) for category in CATEGORIES}
    amounts = {"monthly_fee": typed(plan.monthly_fee_micros), "trial_amount": typed(plan.trial_micros)}
    return {name: getattr(plan, name) for name in columns} | shares | amounts
