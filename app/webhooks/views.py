"""How Meta makes sure that an address for webhooks is ours. What it posts there goes to the door (door.py)."""

from __future__ import annotations

import hmac

from flask import Blueprint, Response, abort, request
from werkzeug.wrappers import Response as AnyResponse

from app.extensions import settings
from app.tenancy import stateless

bp = Blueprint("webhooks", __name__, url_prefix="/webhooks")


@bp.get("/whatsapp")
@stateless
def verify() -> AnyResponse:
    """Answers the challenge (Meta: Webhooks, create an endpoint)."""
    asked = request.args.get("hub.verify_token", "")
    known = hmac.compare_digest(asked.encode(), settings.meta_verify_token.encode())
    if request.args.get("hub.mode") != "subscribe" or not known:
        abort(403)
    return Response(request.args.get("hub.challenge", ""), mimetype="text/plain")
