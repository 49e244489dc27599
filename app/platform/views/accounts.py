"""WhatsApp accounts of clients: connected for a tenant, watched, disconnected. Also the credit line and checks."""

from __future__ import annotations

import datetime as dt
import uuid

import structlog
from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import Select, or_, select
from werkzeug.wrappers import Response as AnyResponse

from app.extensions import outside
from app.meta import credit_lines
from app.meta.errors import MetaError
from app.onboarding.hosted import adopt as adopt_account
from app.onboarding.hosted import tenants_naming
from app.platform.blueprint import bp
from app.platform.doctor import examine
from app.tenancy import Tenant, commit, db, in_menu, now, platform_only, tenant_scope
from app.tenancy.guard import is_fragment
from app.tenancy.models import TenantSlug
from app.wabas.models import REGISTER_WARNED_AT, WARNED_AT, PhoneNumber, Waba
from app.wabas.offboarding import Offboarding
from app.wabas.partners import PartnerWaba
from app.words import N_

log = structlog.get_logger()
SHOWN = 50


@bp.get("/accounts")
@in_menu("console", N_("Accounts"), "phone", order=30, covers=("/platform/credit-line",))
@platform_only
def accounts() -> str:
    orphans = db.session.scalars(PartnerWaba.orphans()).all()
    return render_template(
        "platform/accounts.html",
        orphans=orphans,
        named=tenants_naming(orphans),
        troubled=db.session.execute(numbers_in_trouble()).all(),
    )


def numbers_in_trouble() -> Select[Tenant, PhoneNumber, Waba]:
    """Paused, about to lose Facebook access, or about to miss Meta's deadline for registering."""
    soon = Waba.token_expires_at < now() + dt.timedelta(days=WARNED_AT[0])
    late = (PhoneNumber.register_by < now() + dt.timedelta(days=REGISTER_WARNED_AT[0])) & (
        PhoneNumber.state == "connecting"
    )
    return (
        select(Tenant, PhoneNumber, Waba)
        .join(PhoneNumber, PhoneNumber.tenant_id == Tenant.id)
        .join(Waba, (Waba.tenant_id == PhoneNumber.tenant_id) & (Waba.id == PhoneNumber.waba_id))
        .where(~Tenant.is_sandbox)
        .where(or_(PhoneNumber.state == "paused", soon & (PhoneNumber.state == "connected"), late))
        .order_by(PhoneNumber.probed_at, PhoneNumber.id)
        .limit(SHOWN)
    )


@bp.post("/accounts/<waba_meta_id>/adoption")
@platform_only
def adopt(waba_meta_id: str) -> AnyResponse:
    """Connects an account for a tenant, with the token that the client's business has granted the app."""
    shared, slug = db.session.get(PartnerWaba, waba_meta_id), request.form.get("slug", "").strip()
    tenant_id = db.session.scalar(select(TenantSlug.tenant_id).where(TenantSlug.slug == slug))
    if shared is None:
        abort(404)
    if tenant_id is None:
        flash(_("No tenant has the slug “%(slug)s”.", slug=slug[:80]), "error")
        return redirect(url_for(".accounts"), 303)
    if (opened := shared.open()) is None:
        flash(_("Meta refuses access: %(words)s", words=_(shared.trouble)), "error")
        return redirect(url_for(".accounts"), 303)
    commit()
    with tenant_scope(tenant_id):
        adopt_account(opened.token, waba_meta_id, shared.shared_at)
    log.info(
        "account connected for a tenant", admin_id=str(current_user.id), tenant_id=str(tenant_id), waba=waba_meta_id
    )
    return redirect(url_for(".tenant", tenant_id=tenant_id), 303)


@bp.post("/tenants/<uuid:tenant_id>/wabas/<uuid:waba_id>/offboarding")
@platform_only
def offboard(tenant_id: uuid.UUID, waba_id: uuid.UUID) -> AnyResponse:
    reason = request.form.get("reason", "").strip()[:300]
    if not reason:
        flash(_("Enter a reason. It is saved with the account."), "error")
        return redirect(url_for(".accounts"), 303)
    with tenant_scope(tenant_id):
        waba = Waba.get_or_404(waba_id)
        Offboarding.begin(waba, by=_("%(name)s of Switchboard", name=current_user.name), reason=reason)
    log.info("account offboarded", admin_id=str(current_user.id), tenant_id=str(tenant_id), reason=reason)
    flash(_("Sending has stopped. The account is being disconnected."))
    return redirect(url_for(".tenant", tenant_id=tenant_id), 303)


@bp.get("/credit-line")
@platform_only
def credit_line() -> str:
    """The balance from Meta, which takes a moment: the overview loads it separately."""
    here, line, problem = outside(), None, None
    commit()
    try:
        token, line_id = here.settings.meta_system_user_token, here.settings.meta_credit_line_id
        line = credit_lines.fetch(here.graph, token, line_id)
    except MetaError as error:
        problem = error
    template = "platform/_credit_line.html" if is_fragment() else "platform/credit_line.html"
    return render_template(template, line=line, problem=problem)


@bp.get("/doctor")
@in_menu("console", N_("System checks"), "stethoscope", order=90)
@platform_only
def doctor() -> str:
    return render_template("platform/doctor.html", findings=list(examine()))
