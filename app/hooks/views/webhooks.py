"""The webhooks of a business: list, add, edit, secret, enable and disable, delete."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from app.hooks.blueprint import bp
from app.hooks.endpoints import MOST_ENDPOINTS, TooManyEndpoints, TooManySecrets, WebhookEndpoint
from app.hooks.event_types import grouped
from app.hooks.forms import EndpointForm
from app.hooks.words import REASONS
from app.tenancy import current_actor, db, in_menu, requires
from app.wabas.models import PhoneNumber
from app.words import N_

Answer = str | tuple[str, int] | AnyResponse


@bp.get("/")
@in_menu(
    "settings",
    N_("Webhooks"),
    "webhook",
    order=195,
    group="developers",
    hint=N_("Tell your own programs what happens here."),
)
@requires("webhooks.manage")
def index() -> str:
    endpoints = db.session.scalars(WebhookEndpoint.listed()).all()
    return render_template("hooks/index.html", endpoints=endpoints, most=MOST_ENDPOINTS, reasons=REASONS)


@bp.get("/new")
@requires("webhooks.manage")
def new() -> str:
    return form_page(EndpointForm(numbers(), formdata=None))


@bp.post("/")
@requires("webhooks.manage")
def create() -> Answer:
    form = EndpointForm(numbers())
    if not form.validate():
        return form_page(form), 422
    try:
        endpoint = WebhookEndpoint.create(form.url.data, by=current_actor(), **form.settings)
    except TooManyEndpoints:
        flash(_("You have %(most)d webhooks already. Delete one first.", most=MOST_ENDPOINTS), "error")
        return redirect(url_for(".index"), 303)
    return secret_page(endpoint), 201


@bp.get("/<uuid:endpoint_id>/edit")
@requires("webhooks.manage")
def edit(endpoint_id: uuid.UUID) -> str:
    endpoint = WebhookEndpoint.get_or_404(endpoint_id)
    return form_page(EndpointForm.of(endpoint, numbers()), endpoint)


@bp.post("/<uuid:endpoint_id>")
@requires("webhooks.manage")
def save(endpoint_id: uuid.UUID) -> Answer:
    endpoint = WebhookEndpoint.get_or_404(endpoint_id)
    form = EndpointForm(numbers())
    if not form.validate():
        return form_page(form, endpoint), 422
    endpoint.change(form.url.data, **form.settings)
    flash(_("Saved."))
    return redirect(url_for(".show", endpoint_id=endpoint.id), 303)


@bp.post("/<uuid:endpoint_id>/secret")
@requires("webhooks.manage")
def rotate(endpoint_id: uuid.UUID) -> Answer:
    endpoint = WebhookEndpoint.get_or_404(endpoint_id).refresh_locked()
    try:
        endpoint.rotate()
    except TooManySecrets:
        flash(_("Too many old secrets still sign. Stop signing with them first."), "error")
        return redirect(url_for(".show", endpoint_id=endpoint_id), 303)
    return secret_page(endpoint), 201


@bp.post("/<uuid:endpoint_id>/old-secrets/removal")
@requires("webhooks.manage")
def end_old_secrets(endpoint_id: uuid.UUID) -> AnyResponse:
    WebhookEndpoint.get_or_404(endpoint_id).refresh_locked().end_old_secrets()
    flash(_("Requests are signed with the current secret only."))
    return redirect(url_for(".show", endpoint_id=endpoint_id), 303)


@bp.post("/<uuid:endpoint_id>/disabling")
@requires("webhooks.manage")
def disable(endpoint_id: uuid.UUID) -> AnyResponse:
    WebhookEndpoint.get_or_404(endpoint_id).disable("member")
    flash(_("Disabled. Nothing is sent to it until you enable it."))
    return redirect(url_for(".show", endpoint_id=endpoint_id), 303)


@bp.post("/<uuid:endpoint_id>/enabling")
@requires("webhooks.manage")
def enable(endpoint_id: uuid.UUID) -> AnyResponse:
    WebhookEndpoint.get_or_404(endpoint_id).enable()
    flash(_("Enabled. Events from now on are sent."))
    return redirect(url_for(".show", endpoint_id=endpoint_id), 303)


@bp.post("/<uuid:endpoint_id>/removal")
@requires("webhooks.manage")
def remove(endpoint_id: uuid.UUID) -> AnyResponse:
    WebhookEndpoint.get_or_404(endpoint_id).remove()
    flash(_("Webhook deleted."))
    return redirect(url_for(".index"), 303)


def numbers() -> list[PhoneNumber]:
    return list(db.session.scalars(select(PhoneNumber).order_by(PhoneNumber.created_at, PhoneNumber.id)))


def form_page(form: EndpointForm, endpoint: WebhookEndpoint | None = None) -> str:
    return render_template("hooks/form.html", form=form, endpoint=endpoint, groups=grouped())


def secret_page(endpoint: WebhookEndpoint) -> str:
    """The only page that ever shows the secret."""
    return render_template("hooks/secret.html", endpoint=endpoint, is_new=request.endpoint == "hooks.create")
