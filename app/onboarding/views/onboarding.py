"""Connecting a number: the page that opens the Facebook window, the steps as they happen, and the other ways in."""

from __future__ import annotations

import datetime as dt
import uuid

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app.onboarding.blueprint import bp
from app.onboarding.forms import SetupLinkForm, TokenForm
from app.onboarding.migration import Calendar
from app.onboarding.models import Onboarding
from app.onboarding.setup_links import SetupLink
from app.tenancy import commit, db, later, requires

from .page import Page


@bp.app_template_global()
def unfinished_onboardings() -> list[Onboarding]:
    """The attempts that the page of numbers lists as unfinished."""
    return list(db.session.scalars(Onboarding.unfinished().limit(5)))


@bp.post("")
@requires("numbers.manage")
def create() -> AnyResponse:
    """Begins an attempt: the first one, or one in the place of another that cannot go on."""
    onboarding = Onboarding.begin(by=current_user)
    return redirect(url_for(".show", onboarding_id=onboarding.id), 303)


@bp.get("/<uuid:onboarding_id>")
@requires("numbers.manage")
def show(onboarding_id: uuid.UUID) -> AnyResponse:
    return Page.of(onboarding_id).render()


@bp.post("/<uuid:onboarding_id>/steps/<name>/retry")
@requires("numbers.manage")
def retry(onboarding_id: uuid.UUID, name: str) -> AnyResponse:
    Onboarding.get_or_404(onboarding_id).retry(name, by=current_user.name)
    return redirect(url_for(".show", onboarding_id=onboarding_id), 303)


@bp.get("/ways")
@requires("numbers.manage")
def ways() -> str:
    return ways_page(TokenForm(formdata=None), SetupLinkForm(formdata=None))


def ways_page(token_form: TokenForm, link_form: SetupLinkForm) -> str:
    links = db.session.scalars(SetupLink.open_ones()).all()
    return render_template(
        "onboarding/ways.html",
        token_form=token_form,
        link_form=link_form,
        links=links,
        calendar=Calendar(dt.datetime.now(dt.UTC).date()),
    )


@bp.post("/tokens")
@requires("numbers.manage")
def use_token() -> tuple[str, int] | AnyResponse:
    form = TokenForm()
    if not form.validate():
        return ways_page(form, SetupLinkForm(formdata=None)), 422
    token, waba_id, number_id = str(form.token.data), str(form.waba_id.data), form.phone_number_id.data or ""
    onboarding = Onboarding.with_token(token, waba_id, number_id, by=current_user, source="token")
    later("onboarding.advance", onboarding.id)
    commit()
    return redirect(url_for(".show", onboarding_id=onboarding.id), 303)


@bp.post("/links")
@requires("numbers.manage")
def create_link() -> tuple[str, int] | AnyResponse:
    form = SetupLinkForm()
    if not form.validate():
        return ways_page(TokenForm(formdata=None), form), 422
    SetupLink.create(current_user, form.days.data)
    flash(_("The link is ready. Copy it and send it to the person who manages the Facebook account."))
    return redirect(url_for(".ways", _anchor="links"), 303)


@bp.post("/links/<uuid:setup_link_id>/withdrawal")
@requires("numbers.manage")
def revoke_link(setup_link_id: uuid.UUID) -> AnyResponse:
    SetupLink.get_or_404(setup_link_id).revoke()
    flash(_("Link revoked. It no longer works."))
    return redirect(url_for(".ways", _anchor="links"), 303)
