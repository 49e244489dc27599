"""The door for Meta. A POST is checked, stored and acknowledged; what it means is found out later."""

from __future__ import annotations

import hmac

from flask import Blueprint, Response, abort, current_app, request
from werkzeug.wrappers import Response as AnyResponse

from app.extensions import csrf, settings
from app.meta import signature
from app.tenancy import stateless

from .intake import Away

bp = Blueprint("webhooks", __name__, url_prefix="/webhooks")

LARGEST = 3 * 1024 * 1024


@bp.get("/whatsapp")
@stateless
def verify() -> AnyResponse:
    """Meta asks whether this address is ours (Webhooks: create an endpoint)."""
    asked = request.args.get("hub.verify_token", "")
    known = hmac.compare_digest(asked.encode(), settings.meta_verify_token.encode())
    if request.args.get("hub.mode") != "subscribe" or not known:
        abort(403)
    return Response(request.args.get("hub.challenge", ""), mimetype="text/plain")


@bp.post("/whatsapp")
@csrf.exempt
@stateless
def receive() -> AnyResponse:
    request.max_content_length = LARGEST
    body = request.get_data(cache=False)
    if not signature.verify(body, request.headers.get("X-Hub-Signature-256"), settings.meta_app_secrets):
        return Response(status=401)
    try:
        current_app.extensions["intake"].add(body)
    except Away:
        return Response(status=503, headers={"Retry-After": "5"})
    return Response(status=200)
