"""What each business costs before it has paid, and the steps against one that does not pay."""

from __future__ import annotations

import uuid

import structlog
from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse
from wtforms import SelectChoice

from app.billing.balances import LADDER, STAGES, Balance
from app.billing.credit_line import CreditLineReading
from app.billing.guard import STAGE_WORDS, Closed, Exposure, GuardStep, Hit, SameAdmin
from app.platform.billing_forms import GuardForm
from app.platform.blueprint import bp
from app.platform.views.balances import tenant_or_404
from app.tenancy import commit, db, in_menu, platform_only, tenant_scope
from app.words import N_

log = structlog.get_logger()
SHOWN = 20


@bp.get("/exposure")
@in_menu("console", N_("Exposure"), "shield-alert", order=84)
@platform_only
def exposure() -> str:
    reading = CreditLineReading.latest()
    return render_template("platform/exposure.html", exposures=Exposure.all(), stages=STAGE_WORDS, reading=reading)


@bp.get("/tenants/<uuid:tenant_id>/guard")
@platform_only
def guard(tenant_id: uuid.UUID) -> str:
    stage = db.session.scalar(select(Balance.stage).where(Balance.tenant_id == tenant_id))
    # The step above is suggested, and never a step back without a choice.
    return guard_page(tenant_id, GuardForm(formdata=None, stage=max("warned", stage or "open", key=STAGES.index)))


@bp.post("/tenants/<uuid:tenant_id>/guard")
@platform_only
def take_guard_step(tenant_id: uuid.UUID) -> tuple[str, int] | AnyResponse:
    form, tenant = GuardForm(), tenant_or_404(tenant_id)
    form.stage.choices = stage_choices()
    if not form.validate():
        return guard_page(tenant_id, form), 422
    commit()
    try:
        with tenant_scope(tenant.id):
            who = {"by_id": current_user.id, "by_name": current_user.name}
            step = GuardStep.take(form.stage.data, reason=form.reason.data, **who)
            words = _("Saved. A second admin has to approve it.") if step.state == "waiting" else _("Saved.")
    except Closed:
        flash(_("This business is closed, so no step was taken."), "error")
        return redirect(url_for(".guard", tenant_id=tenant_id), 303)
    log.info("guard step", admin_id=str(current_user.id), tenant_id=str(tenant_id), stage=form.stage.data)
    flash(words)
    return redirect(url_for(".guard", tenant_id=tenant_id), 303)


@bp.post("/tenants/<uuid:tenant_id>/guard/<uuid:step_id>/approval")
@platform_only
def approve_guard_step(tenant_id: uuid.UUID, step_id: uuid.UUID) -> AnyResponse:
    tenant = tenant_or_404(tenant_id)
    commit()
    with tenant_scope(tenant.id):
        try:
            GuardStep.get_or_404(step_id).approve(by_id=current_user.id, by_name=current_user.name)
            flash(_("Approved. Sending has stopped, and the credit line is being revoked."))
        except SameAdmin:
            flash(_("You asked for this step, so another admin has to approve it."), "error")
    log.info("guard step approved", admin_id=str(current_user.id), tenant_id=str(tenant_id), step_id=str(step_id))
    return redirect(url_for(".guard", tenant_id=tenant_id), 303)


@bp.post("/tenants/<uuid:tenant_id>/guard/<uuid:step_id>/withdrawal")
@platform_only
def withdraw_guard_step(tenant_id: uuid.UUID, step_id: uuid.UUID) -> AnyResponse:
    tenant = tenant_or_404(tenant_id)
    commit()
    with tenant_scope(tenant.id):
        GuardStep.get_or_404(step_id).withdraw()
    log.info("guard step withdrawn", admin_id=str(current_user.id), tenant_id=str(tenant_id), step_id=str(step_id))
    flash(_("Withdrawn."))
    return redirect(url_for(".guard", tenant_id=tenant_id), 303)


def guard_page(tenant_id: uuid.UUID, form: GuardForm) -> str:
    tenant = tenant_or_404(tenant_id)
    form.stage.choices = stage_choices()
    steps = GuardStep.newest_first().where(GuardStep.tenant_id == tenant_id).limit(SHOWN)
    return render_template(
        "platform/guard.html",
        tenant=tenant,
        balance=db.session.scalar(select(Balance).where(Balance.tenant_id == tenant_id)),
        hit=Hit.of(tenant_id),
        steps=db.session.scalars(steps).all(),
        stages=STAGE_WORDS,
        form=form,
    )


def stage_choices() -> list[SelectChoice]:
    return [SelectChoice(stage, _(STAGE_WORDS[stage])) for stage in LADDER]
