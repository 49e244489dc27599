"""The platform admins' console. It sees every tenant, so each page that is opened is logged."""

from __future__ import annotations

import uuid

import structlog
from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app.onboarding.models import Onboarding
from app.platform.blueprint import bp
from app.platform.board import PAGE, Board, count_by_tenant, tenants_named
from app.platform.forms import ReasonForm
from app.platform.tenants import TenantOverview
from app.platform.views.closures import closures_to_decide
from app.team import door, two_step
from app.team.forms import SignInForm
from app.team.models import PlatformAdmin
from app.tenancy import Membership, Tenant, db, in_menu, platform_only, public, tenant_scope
from app.wabas.models import PhoneNumber
from app.words import N_

log = structlog.get_logger()


@bp.get("/sign-in")
@public
def sign_in() -> str | AnyResponse:
    if current_user.is_authenticated and current_user.is_platform_admin:
        return redirect(onward(), 303)
    form = SignInForm(formdata=None)
    form.problem = two_step.why_again()
    return render_template("platform/sign_in.html", form=form)


@bp.post("/sign-in")
@public
def begin_session() -> tuple[str, int] | AnyResponse:
    form = SignInForm()
    if form.validate():
        if who := door.check(PlatformAdmin, form.email.data, form.password.data):
            return door.let_in(who, onward())
        form.problem = _("Wrong email or password.")
    return render_template("platform/sign_in.html", form=form), 422


@bp.post("/sign-out")
@public
def sign_out() -> AnyResponse:
    door.end_session()
    return redirect(url_for(".sign_in"), 303)


@bp.get("/")
@in_menu("console", N_("Overview"), "gauge", order=10)
@platform_only
def board() -> str:
    return render_template("platform/board.html", board=Board.load(), closures=closures_to_decide())


@bp.get("/tenants")
@in_menu("console", N_("Tenants"), "building-2", order=20)
@platform_only
def tenants() -> str:
    search, after = request.args.get("q", "").strip(), request.args.get("after", type=uuid.UUID)
    start = db.session.get(Tenant, after) if after else None
    rows = db.session.scalars(tenants_named(search, start)).all()
    page, more = rows[:PAGE], len(rows) > PAGE
    return render_template(
        "platform/tenants.html",
        tenants=page,
        members=count_by_tenant(Membership, page),
        numbers=count_by_tenant(PhoneNumber, page),
        search=search,
        more=more,
    )


@bp.get("/tenants/<uuid:tenant_id>")
@platform_only
def tenant(tenant_id: uuid.UUID) -> str:
    return tenant_page(tenant_id, ReasonForm(formdata=None))


@bp.post("/tenants/<uuid:tenant_id>/onboardings/<uuid:onboarding_id>/steps/<name>/retry")
@platform_only
def retry(tenant_id: uuid.UUID, onboarding_id: uuid.UUID, name: str) -> tuple[str, int] | AnyResponse:
    form = ReasonForm()
    if not form.validate():
        return tenant_page(tenant_id, form), 422
    with tenant_scope(tenant_id):
        onboarding = Onboarding.get_or_404(onboarding_id)
        onboarding.retry(name, by=_("%(name)s of Switchboard", name=current_user.name))
    log.info(
        "step retried for a tenant",
        admin_id=str(current_user.id),
        tenant_id=str(tenant_id),
        onboarding_id=str(onboarding_id),
        step=name,
        reason=form.reason.data,
    )
    flash(_("Retrying the step now."))
    return redirect(url_for(".tenant", tenant_id=tenant_id), 303)


def tenant_page(tenant_id: uuid.UUID, form: ReasonForm) -> str:
    if (tenant := db.session.get(Tenant, tenant_id)) is None:
        abort(404)
    overview = TenantOverview.of(tenant)
    return render_template("platform/tenant.html", overview=overview, tenant=tenant, form=form)


def onward() -> str:
    target = request.args.get("next", "")
    return target if door.is_ours(target) and target.startswith("/platform/") else url_for(".board")
