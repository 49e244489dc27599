"""Connecting a number: the page that opens Facebook's window, and the steps as they happen."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app.extensions import settings
from app.tenancy import db, requires
from app.tenancy.guard import is_fragment

from .forms import PinForm
from .models import Onboarding

bp = Blueprint("onboarding", __name__, url_prefix="/t/<tenant_slug>/onboarding")


@bp.app_template_global()
def unfinished_onboardings() -> list[Onboarding]:
    """For the page of numbers, which lies below: attempts that somebody should look at."""
    return list(db.session.scalars(Onboarding.unfinished().limit(5)))


@bp.post("")
@requires("numbers.manage")
def create() -> AnyResponse:
    onboarding = Onboarding.begin(by=current_user)
    return redirect(url_for(".show", onboarding_id=onboarding.id), 303)


@bp.get("/<uuid:onboarding_id>")
@requires("numbers.manage")
def show(onboarding_id: uuid.UUID) -> AnyResponse:
    return progress(Onboarding.get_or_404(onboarding_id), PinForm(formdata=None))


@bp.post("/<uuid:onboarding_id>/code")
@requires("numbers.manage")
def receive_code(onboarding_id: uuid.UUID) -> AnyResponse:
    onboarding = Onboarding.get_or_404(onboarding_id)
    onboarding.receive_code(said("code"))
    return Response(status=204)


@bp.post("/<uuid:onboarding_id>/session-info")
@requires("numbers.manage")
def receive_claims(onboarding_id: uuid.UUID) -> AnyResponse:
    onboarding = Onboarding.get_or_404(onboarding_id)
    onboarding.receive_claims(said("event"), posted())
    return Response(status=204)


@bp.post("/<uuid:onboarding_id>/cancellation")
@requires("numbers.manage")
def cancel(onboarding_id: uuid.UUID) -> AnyResponse:
    onboarding = Onboarding.get_or_404(onboarding_id)
    report = {name: said(name)[:500] for name in ("error_message", "error_id") if said(name)}
    onboarding.cancel(said("current_step"), report)
    return Response(status=204)


@bp.post("/<uuid:onboarding_id>/steps/<name>/retry")
@requires("numbers.manage")
def retry(onboarding_id: uuid.UUID, name: str) -> AnyResponse:
    onboarding = Onboarding.get_or_404(onboarding_id)
    onboarding.retry(name, by=current_user.name)
    return redirect(url_for(".show", onboarding_id=onboarding.id), 303)


@bp.route("/<uuid:onboarding_id>/number", methods=["POST", "PUT"])
@requires("numbers.manage")
def choose_number(onboarding_id: uuid.UUID) -> AnyResponse:
    onboarding = Onboarding.get_or_404(onboarding_id)
    onboarding.choose_number(said("phone_number_id"))
    return redirect(url_for(".show", onboarding_id=onboarding.id), 303)


@bp.post("/<uuid:onboarding_id>/pin")
@requires("numbers.manage")
def enter_pin(onboarding_id: uuid.UUID) -> AnyResponse:
    onboarding, form = Onboarding.get_or_404(onboarding_id), PinForm()
    if not form.validate():
        return progress(onboarding, form, status=422)
    onboarding.enter_pin(form.pin.data)
    return redirect(url_for(".show", onboarding_id=onboarding.id), 303)


def progress(onboarding: Onboarding, form: PinForm, status: int = 200) -> AnyResponse:
    """The page, or with htmx the part of it that changes."""
    template = "onboarding/_progress.html" if is_fragment() else "onboarding/show.html"
    html = render_template(template, onboarding=onboarding, form=form, signup=signup(onboarding))
    response = make_response(html, status)
    if onboarding.needs_sign_up:
        admit_facebook(response)
    return response


def signup(onboarding: Onboarding) -> dict[str, Any]:
    """What the button that opens Facebook's window has to know."""
    return {
        "sdk": settings.meta_sdk_url,
        "app-id": settings.meta_app_id,
        "config-id": settings.meta_config_id,
        "version": settings.meta_graph_version,
        "origins": " ".join(settings.meta_dialog_origins),
        "code-url": url_for(".receive_code", onboarding_id=onboarding.id),
        "claims-url": url_for(".receive_claims", onboarding_id=onboarding.id),
        "cancel-url": url_for(".cancel", onboarding_id=onboarding.id),
    }


def admit_facebook(response: Response) -> None:
    """The only page on which anything of somebody else's runs, and whose popup may answer its opener."""
    sdk, graph = origin(settings.meta_sdk_url), origin(settings.meta_graph_url)
    dialog = " ".join(settings.meta_dialog_origins)
    response.headers["Content-Security-Policy"] = "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' {sdk}",
            "style-src 'self'",
            f"img-src 'self' data: {dialog}",
            f"connect-src 'self' {graph} {dialog}",
            f"frame-src {dialog} {sdk}",
            f"form-action 'self' {dialog}",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin-allow-popups"


def origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def posted() -> dict[str, Any]:
    """What was posted, as a form or as JSON."""
    body = request.get_json(silent=True) if request.is_json else request.form.to_dict()
    return body if isinstance(body, dict) else {}


def said(name: str) -> str:
    value = posted().get(name)
    return str(value) if isinstance(value, str | int) else ""
