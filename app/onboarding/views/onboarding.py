"""Connecting a number: the page that opens Facebook's window, the steps as they happen, and the other ways in."""

from __future__ import annotations

import datetime as dt
import uuid
from functools import partial
from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app.onboarding.answers import NAMES
from app.onboarding.blueprint import bp
from app.onboarding.forms import SetupLinkForm, TokenForm
from app.onboarding.migration import Calendar
from app.onboarding.models import Onboarding
from app.onboarding.pages import progress, take_answer
from app.onboarding.setup_links import SetupLink
from app.tenancy import commit, db, requires

PAGE = "onboarding/show.html"


@bp.app_template_global()
def unfinished_onboardings() -> list[Onboarding]:
    """For the page of numbers, which lies below: attempts that somebody should look at."""
    return list(db.session.scalars(Onboarding.unfinished().limit(5)))


def address(onboarding: Onboarding, to: str, **values: Any) -> str:
    match to:
        case "show" | "retry":
            return url_for(f"onboarding.{to}", onboarding_id=onboarding.id, **values)
        case "start_again":
            return url_for("onboarding.create")
    return url_for("onboarding.answer", answer=to, onboarding_id=onboarding.id)


@bp.post("")
@requires("numbers.manage")
def create() -> AnyResponse:
    onboarding = Onboarding.begin(by=current_user)
    return redirect(url_for(".show", onboarding_id=onboarding.id), 303)


@bp.get("/<uuid:onboarding_id>")
@requires("numbers.manage")
def show(onboarding_id: uuid.UUID) -> AnyResponse:
    onboarding = Onboarding.get_or_404(onboarding_id)
    return progress(onboarding, partial(address, onboarding), PAGE)


@bp.post(f"/<uuid:onboarding_id>/<any({NAMES}):answer>")
@requires("numbers.manage")
def answer(onboarding_id: uuid.UUID, answer: str) -> AnyResponse:
    onboarding = Onboarding.get_or_404(onboarding_id)
    return take_answer(onboarding, answer, partial(address, onboarding), PAGE)


@bp.post("/<uuid:onboarding_id>/steps/<name>/retry")
@requires("numbers.manage")
def retry(onboarding_id: uuid.UUID, name: str) -> AnyResponse:
    onboarding = Onboarding.get_or_404(onboarding_id)
    onboarding.retry(name, by=current_user.name)
    return redirect(url_for(".show", onboarding_id=onboarding.id), 303)


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
    given = str(form.token.data), str(form.waba_id.data), form.phone_number_id.data or ""
    onboarding = Onboarding.with_token(*given, by=current_user, source="token")
    onboarding.advance_later()
    commit()
    return redirect(url_for(".show", onboarding_id=onboarding.id), 303)


@bp.post("/links")
@requires("numbers.manage")
def create_link() -> tuple[str, int] | AnyResponse:
    form = SetupLinkForm()
    if not form.validate():
        return ways_page(TokenForm(formdata=None), form), 422
    SetupLink.create(current_user, form.days.data)
    flash(_("The link is ready. Copy it and send it to whoever holds the Facebook account."))
    return redirect(url_for(".ways", _anchor="links"), 303)


@bp.post("/links/<uuid:setup_link_id>/withdrawal")
@requires("numbers.manage")
def withdraw_link(setup_link_id: uuid.UUID) -> AnyResponse:
    SetupLink.get_or_404(setup_link_id).revoke()
    flash(_("The link opens nothing any more."))
    return redirect(url_for(".ways", _anchor="links"), 303)
