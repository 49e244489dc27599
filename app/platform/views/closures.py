"""Closing a business: what it would hit, who asks for it and who approves, how far it is, and reopening."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import structlog
from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import Row, select
from werkzeug.wrappers import Response as AnyResponse

from app.closing.hit import ClosingHit
from app.closing.models import AlreadyOpen, Closure, SameAdmin
from app.platform.blueprint import bp
from app.platform.forms import ReasonForm
from app.platform.views.balances import tenant_or_404
from app.tenancy import Tenant, commit, db, platform_only, tenant_scope

log = structlog.get_logger()
SHOWN = 20


@bp.get("/tenants/<uuid:tenant_id>/closure")
@platform_only
def closure(tenant_id: uuid.UUID) -> str:
    return closure_page(tenant_id, ReasonForm(formdata=None))


@bp.post("/tenants/<uuid:tenant_id>/closure")
@platform_only
def ask_for_closure(tenant_id: uuid.UUID) -> tuple[str, int] | AnyResponse:
    form, tenant = ReasonForm(), tenant_or_404(tenant_id)
    if not form.validate():
        return closure_page(tenant_id, form), 422
    commit()
    try:
        with tenant_scope(tenant.id):
            Closure.ask(form.reason.data, by_id=current_user.id, by_name=current_user.name)
        flash(_("Saved. A second admin has to approve it."))
    except AlreadyOpen:
        flash(_("This business is closed, or being closed."), "error")
    return back_to(tenant_id, "asked for", reason=form.reason.data)


@bp.post("/tenants/<uuid:tenant_id>/closure/<uuid:closure_id>/approval")
@platform_only
def approve_closure(tenant_id: uuid.UUID, closure_id: uuid.UUID) -> AnyResponse:
    tenant = tenant_or_404(tenant_id)
    commit()
    with tenant_scope(tenant.id):
        try:
            done = Closure.get_or_404(closure_id).approve(by_id=current_user.id, by_name=current_user.name)
            say(done, _("Approved. Sending has stopped, and the business is being closed."))
        except SameAdmin:
            flash(_("You asked for this, so another admin has to approve it."), "error")
    return back_to(tenant_id, "approved")


@bp.post("/tenants/<uuid:tenant_id>/closure/<uuid:closure_id>/withdrawal")
@platform_only
def withdraw_closure(tenant_id: uuid.UUID, closure_id: uuid.UUID) -> AnyResponse:
    tenant = tenant_or_404(tenant_id)
    commit()
    with tenant_scope(tenant.id):
        done = Closure.get_or_404(closure_id).withdraw()
    say(done, _("Withdrawn."))
    return back_to(tenant_id, "withdrawn")


@bp.post("/tenants/<uuid:tenant_id>/closure/<uuid:closure_id>/retry")
@platform_only
def retry_closure(tenant_id: uuid.UUID, closure_id: uuid.UUID) -> AnyResponse:
    tenant = tenant_or_404(tenant_id)
    commit()
    with tenant_scope(tenant.id):
        Closure.get_or_404(closure_id).retry()
    flash(_("Retrying now."))
    return back_to(tenant_id, "retried")


@bp.post("/tenants/<uuid:tenant_id>/closure/<uuid:closure_id>/reopening")
@platform_only
def reopen_business(tenant_id: uuid.UUID, closure_id: uuid.UUID) -> AnyResponse:
    tenant = tenant_or_404(tenant_id)
    commit()
    with tenant_scope(tenant.id):
        done = Closure.get_or_404(closure_id).reopen()
    say(done, _("Reopened. Its numbers, plan, API keys and webhooks have to be set up again."))
    return back_to(tenant_id, "reopened")


def say(done: bool, words: str) -> None:
    if done:
        flash(words)
    else:
        flash(_("Nothing was changed: another admin or an owner was faster. See how it is now."), "error")


def back_to(tenant_id: uuid.UUID, what: str, **facts: str) -> AnyResponse:
    log.info("closing a business", what=what, admin_id=str(current_user.id), tenant_id=str(tenant_id), **facts)
    return redirect(url_for(".closure", tenant_id=tenant_id), 303)


def closure_page(tenant_id: uuid.UUID, form: ReasonForm) -> str:
    tenant = tenant_or_404(tenant_id)
    listed = db.session.scalars(Closure.newest_first().where(Closure.tenant_id == tenant_id).limit(SHOWN)).all()
    return render_template(
        "platform/closure.html", tenant=tenant, hit=ClosingHit.of(tenant_id), closures=listed, form=form
    )


def closures_to_decide() -> Sequence[Row[Tenant, Closure]]:
    """What owners have asked for, and what waits for a second admin; the oldest first. Needs a platform scope."""
    query = select(Tenant, Closure).join(Closure, Closure.tenant_id == Tenant.id)
    query = query.where(Closure.state.in_(("requested", "waiting"))).order_by(Closure.id).limit(SHOWN)
    return db.session.execute(query).all()
