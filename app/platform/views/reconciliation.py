"""Differences between what we counted and what Meta counted."""

from __future__ import annotations

import uuid

import structlog
from flask import abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import Select, func, select
from werkzeug.wrappers import Response as AnyResponse

from app.billing.reconciliation import VolumeComparison
from app.inbox.conversations import Message
from app.platform.blueprint import bp
from app.platform.forms import ReasonForm
from app.tenancy import Tenant, db, in_menu, platform_only
from app.wabas.models import PhoneNumber
from app.words import N_

log = structlog.get_logger()
SHOWN = 200


@bp.get("/reconciliation")
@in_menu("console", N_("Reconciliation"), "list-checks", order=86)
@platform_only
def reconciliation() -> str:
    latest = db.session.scalar(select(func.max(VolumeComparison.compared_at)))
    count = select(func.count()).select_from(VolumeComparison).where(VolumeComparison.state == "open")
    return render_template(
        "platform/reconciliation.html",
        latest=latest,
        differences=db.session.execute(with_owner(VolumeComparison.state == "open")).all(),
        explained=db.session.execute(with_owner(VolumeComparison.state == "explained")).all(),
        others=db.session.execute(other_software()).all(),
        count=db.session.scalar(count),
    )


def with_owner(condition: object) -> Select[VolumeComparison, Tenant, PhoneNumber]:
    """The newest first, each with its tenant and number."""
    same = (PhoneNumber.tenant_id == VolumeComparison.tenant_id) & (PhoneNumber.id == VolumeComparison.phone_number_id)
    query = select(VolumeComparison, Tenant, PhoneNumber).join(PhoneNumber, same)
    query = query.join(Tenant, Tenant.id == VolumeComparison.tenant_id).where(condition)  # type: ignore[arg-type]
    return query.order_by(VolumeComparison.starts_at.desc(), VolumeComparison.id).limit(SHOWN)


def other_software() -> Select[Tenant, PhoneNumber, int]:
    """How many messages other software sent from each number, on the days that were compared."""
    same = (PhoneNumber.tenant_id == VolumeComparison.tenant_id) & (PhoneNumber.id == VolumeComparison.phone_number_id)
    total = func.sum(VolumeComparison.other_software)
    query = select(Tenant, PhoneNumber, total).join(PhoneNumber, PhoneNumber.tenant_id == Tenant.id)
    query = query.join(VolumeComparison, same).group_by(Tenant.id, PhoneNumber.tenant_id, PhoneNumber.id)
    return query.having(total > 0).order_by(total.desc()).limit(SHOWN)


@bp.get("/tenants/<uuid:tenant_id>/reconciliation/<uuid:comparison_id>")
@platform_only
def difference(tenant_id: uuid.UUID, comparison_id: uuid.UUID) -> str:
    return difference_page(tenant_id, comparison_id, ReasonForm(formdata=None))


@bp.post("/tenants/<uuid:tenant_id>/reconciliation/<uuid:comparison_id>/explanation")
@platform_only
def explain_difference(tenant_id: uuid.UUID, comparison_id: uuid.UUID) -> tuple[str, int] | AnyResponse:
    form = ReasonForm()
    if not form.validate():
        return difference_page(tenant_id, comparison_id, form), 422
    comparison_or_404(tenant_id, comparison_id).explain(form.reason.data, by=current_user.name)
    log.info("difference explained", admin_id=str(current_user.id), comparison_id=str(comparison_id))
    flash(_("Saved. It is listed again if its figures change."))
    return redirect(url_for(".reconciliation"), 303)


def difference_page(tenant_id: uuid.UUID, comparison_id: uuid.UUID, form: ReasonForm) -> str:
    comparison = comparison_or_404(tenant_id, comparison_id)
    unreported = select(Message).where(Message.tenant_id == tenant_id, Message.id.in_(comparison.unreported))
    return render_template(
        "platform/difference.html",
        comparison=comparison,
        tenant=db.session.get_one(Tenant, tenant_id),
        number=db.session.get_one(PhoneNumber, (tenant_id, comparison.phone_number_id)),
        messages=comparison.messages,
        unreported=db.session.scalars(unreported.order_by(Message.id.desc())).unique().all(),
        form=form,
    )


def comparison_or_404(tenant_id: uuid.UUID, comparison_id: uuid.UUID) -> VolumeComparison:
    return db.session.get(VolumeComparison, (tenant_id, comparison_id)) or abort(404)
