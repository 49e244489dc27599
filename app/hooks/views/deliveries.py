"""The log of a webhook: its deliveries, one of them, sending again, and a test event."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from app import zones
from app.hooks.blueprint import bp
from app.hooks.claims import body_of, render
from app.hooks.deliveries import BATCH, STATES, WebhookDelivery
from app.hooks.endpoints import WebhookEndpoint
from app.hooks.event_types import event_types
from app.hooks.forms import ReplayForm
from app.hooks.replays import replay_later
from app.hooks.words import REASONS, why
from app.hooks.words import STATES as STATE_WORDS
from app.tenancy import as_uuid, current_actor, db, now, requires

PAGE = 50
# Of a body a page shows the beginning.
SHOWN_BYTES = 20_000


@bp.get("/<uuid:endpoint_id>")
@requires("webhooks.manage")
def show(endpoint_id: uuid.UUID) -> str:
    return show_page(WebhookEndpoint.get_or_404(endpoint_id))


def show_page(endpoint: WebhookEndpoint, replay: ReplayForm | None = None) -> str:
    query, chosen = WebhookDelivery.of(endpoint.id), filters()
    if chosen["state"]:
        query = query.where(WebhookDelivery.state == chosen["state"])
    if chosen["type"]:
        query = query.where(WebhookDelivery.type == chosen["type"])
    if before := request.args.get("before", type=as_uuid):
        query = query.where(WebhookDelivery.id < before)
    rows = db.session.scalars(query.limit(PAGE + 1)).all()
    return render_template(
        "hooks/show.html",
        endpoint=endpoint,
        rows=rows[:PAGE],
        older=rows[PAGE - 1].id if len(rows) > PAGE else None,
        chosen=chosen,
        states=STATE_WORDS,
        types=[*event_types(), BATCH],
        reasons=REASONS,
        replay=replay or usual_replay(endpoint),
        is_replay_open=replay is not None,
    )


def filters() -> dict[str, Any]:
    """The filter in the address. Values that do not exist are ignored."""
    state, type = request.args.get("state", ""), request.args.get("type", "")
    types = {*event_types(), BATCH}
    return {"state": state if state in STATES else None, "type": type if type in types else None}


def usual_replay(endpoint: WebhookEndpoint) -> ReplayForm:
    """Since it was disabled last, else the last hour."""
    until = now().astimezone(zones.reader_zone()).replace(tzinfo=None, second=0, microsecond=0)
    since = until - dt.timedelta(hours=1)
    if endpoint.disabled_at:
        since = endpoint.disabled_at.astimezone(zones.reader_zone()).replace(tzinfo=None, second=0, microsecond=0)
    return ReplayForm(formdata=None, data={"since": since, "until": until + dt.timedelta(minutes=1)})


@bp.post("/<uuid:endpoint_id>/test-events")
@requires("webhooks.manage")
def send_test(endpoint_id: uuid.UUID) -> AnyResponse:
    endpoint = WebhookEndpoint.get_or_404(endpoint_id)
    if not endpoint.is_active:
        flash(_("Enable the webhook first."), "error")
        return redirect(url_for(".show", endpoint_id=endpoint.id), 303)
    delivery = endpoint.send_test(by=current_actor())
    flash(_("A test event is on its way."))
    return redirect(url_for(".show_delivery", endpoint_id=endpoint.id, delivery_id=delivery.id), 303)


@bp.post("/<uuid:endpoint_id>/replays")
@requires("webhooks.manage")
def replay(endpoint_id: uuid.UUID) -> tuple[str, int] | AnyResponse:
    endpoint, form = WebhookEndpoint.get_or_404(endpoint_id), ReplayForm()
    if not endpoint.is_active:
        flash(_("Enable the webhook first."), "error")
    elif not form.validate():
        return show_page(endpoint, form), 422
    else:
        replay_later(endpoint, form.first, form.last)
        flash(_("The events of this time are being sent again."))
    return redirect(url_for(".show", endpoint_id=endpoint.id), 303)


@bp.get("/<uuid:endpoint_id>/deliveries/<uuid:delivery_id>")
@requires("webhooks.manage")
def show_delivery(endpoint_id: uuid.UUID, delivery_id: uuid.UUID) -> str:
    endpoint, delivery = delivery_or_404(endpoint_id, delivery_id)
    body = body_of(delivery, render(delivery.event_ids))
    shown = body[:SHOWN_BYTES].decode(errors="replace") if isinstance(body, bytes) else ""
    return render_template(
        "hooks/delivery.html",
        endpoint=endpoint,
        delivery=delivery,
        attempts=delivery.tried,
        body=shown,
        is_cut=isinstance(body, bytes) and len(body) > SHOWN_BYTES,
        missing="" if shown else why(None, str(body)),
        states=STATE_WORDS,
    )


@bp.post("/<uuid:endpoint_id>/deliveries/<uuid:delivery_id>/replays")
@requires("webhooks.manage")
def replay_delivery(endpoint_id: uuid.UUID, delivery_id: uuid.UUID) -> AnyResponse:
    endpoint, delivery = delivery_or_404(endpoint_id, delivery_id)
    if endpoint.is_active:
        delivery.replay()
        flash(_("It is being sent again."))
    else:
        flash(_("Enable the webhook first."), "error")
    return redirect(url_for(".show_delivery", endpoint_id=endpoint.id, delivery_id=delivery.id), 303)


def delivery_or_404(endpoint_id: uuid.UUID, delivery_id: uuid.UUID) -> tuple[WebhookEndpoint, WebhookDelivery]:
    endpoint, delivery = WebhookEndpoint.get_or_404(endpoint_id), WebhookDelivery.get_or_404(delivery_id)
    if delivery.endpoint_id != endpoint.id:
        raise NotFound
    return endpoint, delivery


@bp.app_template_global()
def came_back(one: Any) -> str:
    """What came back to a delivery or an attempt, in words."""
    return why(one.status, one.error)
