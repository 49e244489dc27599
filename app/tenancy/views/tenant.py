"""A tenant's front door, the way to all its settings, and its stream of live events."""

from __future__ import annotations

from flask import Response, current_app, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.realtime import TooManyStreams
from app.tenancy.blueprint import bp
from app.tenancy.guard import requires
from app.tenancy.places import FIRST_PAGES, in_menu
from app.tenancy.presence import come_online
from app.words import N_


@bp.get("/")
@requires("inbox.read")
def home() -> AnyResponse:
    elsewhere = next(filter(None, (leads() for leads in FIRST_PAGES)), None)
    return redirect(elsewhere or url_for("inbox.index"), 303)


@bp.get("/settings")
@in_menu("rail", N_("Settings"), "settings", order=90, key="g s")
@requires("inbox.read")
def settings() -> str:
    return render_template("all_settings.html")


@bp.get("/live")
@requires("inbox.read")
def live() -> AnyResponse:
    """Server-sent events that name what changed, `since` the page was made. 503 when this process has no stream left:
    the page polls."""
    come_online(g.tenant.id, g.membership.user_id)
    try:
        last_event_id = request.headers.get("Last-Event-ID") or request.args.get("since")
        stream = current_app.extensions["hub"].open(g.tenant.id, g.membership.user_id, last_event_id)
    except TooManyStreams:
        return Response(status=503, headers={"Retry-After": "20"})
    return Response(stream, mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})
