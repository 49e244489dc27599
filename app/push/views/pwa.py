"""What makes a browser offer to install Switchboard: a manifest, a service worker, and a page without a connection."""

from __future__ import annotations

from flask import Response, g, jsonify, render_template, send_from_directory
from flask_babel import gettext as _

from app.extensions import login_manager
from app.push.blueprint import pwa
from app.templating import DIST, asset, manifest
from app.tenancy import stateless

GREEN, PAPER = "#0f6b53", "#f4f7f5"


@pwa.get("/manifest.webmanifest")
@stateless
def app_manifest() -> Response:
    answer = jsonify(
        id="/",
        name="Switchboard",
        short_name="Switchboard",
        description=_("A shared WhatsApp inbox for your team."),
        start_url="/",
        scope="/",
        display="standalone",
        theme_color=GREEN,
        background_color=PAPER,
        icons=[icon("icon-192.png", 192), icon("icon-512.png", 512), icon("icon-maskable.png", 512, "maskable")],
    )
    answer.mimetype = "application/manifest+json"
    answer.headers["Cache-Control"] = "public, max-age=3600"
    return answer


def icon(name: str, size: int, purpose: str = "any") -> dict[str, str]:
    return {"src": asset(name), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}


@pwa.get("/service-worker.js")
@stateless
def service_worker() -> Response:
    """The service worker, served at the root so that it covers every page; never cached."""
    answer = send_from_directory(DIST, manifest()["service-worker.js"], mimetype="text/javascript", max_age=0)
    answer.headers["Cache-Control"] = "no-cache"
    return answer


@pwa.get("/offline")
@stateless
def offline() -> str:
    """The offline page, cached by the service worker without cookies: it contains no user data."""
    g._login_user = login_manager.anonymous_user()
    return render_template("push/offline.html")
