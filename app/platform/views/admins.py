"""The platform admins: who has two-step sign-in, one's own, and resetting somebody's who has lost it."""

from __future__ import annotations

import uuid

import structlog
from flask import abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from app.platform.blueprint import bp
from app.platform.forms import ResetForm
from app.platform.views.console import onward
from app.team import two_step
from app.team.models import NotBySelf, NotNeeded, PlatformAdmin, SecondStepReset
from app.team.models.people import with_email
from app.team.two_step import Answer
from app.tenancy import User, db, in_menu, platform_only, public
from app.words import N_

log = structlog.get_logger()
SHOWN = 50


@bp.get("/sign-in/code")
@public
def second_step() -> str | AnyResponse:
    return two_step.ask_for_code(PlatformAdmin)


@bp.post("/sign-in/code")
@public
def take_code() -> Answer:
    return two_step.take_code(PlatformAdmin, onward())


@bp.get("/two-step", endpoint="two_step")
@platform_only
def show_two_step() -> str:
    return two_step.two_step_page(me())


@bp.post("/two-step/secret")
@platform_only
def prepare_two_step() -> AnyResponse:
    return two_step.prepare(me())


@bp.post("/two-step")
@platform_only
def turn_on_two_step() -> Answer:
    return two_step.turn_on(me())


@bp.post("/two-step/recovery-codes")
@platform_only
def make_recovery_codes() -> Answer:
    return two_step.make_recovery_codes(me())


@bp.post("/two-step/removal")
@platform_only
def turn_off_two_step() -> Answer:
    return two_step.turn_off(me())


@bp.get("/admins")
@in_menu("console", N_("Admins"), "users", order=95)
@platform_only
def admins() -> str:
    return admins_page(ResetForm(formdata=None))


def admins_page(form: ResetForm) -> str:
    everybody = select(PlatformAdmin).order_by(PlatformAdmin.name, PlatformAdmin.email)
    resets = db.session.scalars(SecondStepReset.newest_first().limit(SHOWN)).all()
    return render_template("platform/admins.html", admins=db.session.scalars(everybody).all(), resets=resets, form=form)


@bp.post("/second-step-resets")
@platform_only
def ask_for_reset() -> Answer:
    form = ResetForm()
    if not form.validate():
        return admins_page(form), 422
    address, is_admin = form.email.data, form.kind.data == "admin"
    if (who := with_email(PlatformAdmin, address) if is_admin else with_email(User, address)) is None:
        form.email.errors = [_("No one has this address.")]
        return admins_page(form), 422
    try:
        SecondStepReset.ask(who, form.reason.data, by=me())
    except NotNeeded:
        form.email.errors = [_("They have no two-step sign-in, or a reset is waiting already.")]
        return admins_page(form), 422
    except NotBySelf:
        form.email.errors = [_("Turn off your own on its page. If you have lost it, ask another admin.")]
        return admins_page(form), 422
    log_reset("asked for", who, reason=form.reason.data)
    flash(_("Saved. A second admin has to approve it."))
    return redirect(url_for(".admins"), 303)


@bp.post("/second-step-resets/<uuid:reset_id>/approval")
@platform_only
def approve_reset(reset_id: uuid.UUID) -> AnyResponse:
    reset = reset_or_404(reset_id)
    try:
        if reset.approve(by=me()):
            log_reset("approved", reset.who, reason=reset.reason)
            flash(_("Two-step sign-in is off for %(name)s, and they are signed out.", name=reset.who.name))
        else:
            flash(_("Nothing was changed: another admin was faster."), "error")
    except NotBySelf:
        flash(_("Another admin has to approve it: not who asked for it, nor who it is for."), "error")
    return redirect(url_for(".admins"), 303)


@bp.post("/second-step-resets/<uuid:reset_id>/withdrawal")
@platform_only
def withdraw_reset(reset_id: uuid.UUID) -> AnyResponse:
    reset = reset_or_404(reset_id)
    if reset.withdraw():
        log_reset("withdrawn", reset.who, reason=reset.reason)
        flash(_("Withdrawn."))
    else:
        flash(_("Nothing was changed: another admin was faster."), "error")
    return redirect(url_for(".admins"), 303)


def me() -> PlatformAdmin:
    return db.session.get_one(PlatformAdmin, current_user.id)


def reset_or_404(reset_id: uuid.UUID) -> SecondStepReset:
    return db.session.get(SecondStepReset, reset_id) or abort(404)


def log_reset(what: str, who: User | PlatformAdmin, *, reason: str) -> None:
    about = {"person_id": str(who.id), "is_admin": who.is_platform_admin, "reason": reason}
    log.info("resetting two-step sign-in", what=what, admin_id=str(current_user.id), **about)
