"""How Meta makes sure that an address for webhooks is ours, and what Facebook calls when somebody leaves.

What Meta posts as webhooks goes to the door (door.py).
"""

from __future__ import annotations

import uuid

from flask import Response, abort, jsonify, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from app import tokens
from app.extensions import csrf, settings
from app.meta import signed_requests
from app.meta.challenge import challenge_of
from app.meta.signed_requests import SignedRequest
from app.tenancy import db, now, public, stateless
from app.webhooks.blueprint import bp
from app.webhooks.callbacks import OLDEST, MetaCallback


@bp.get("/whatsapp")
@stateless
def verify() -> AnyResponse:
    """Answers the challenge (Meta: Webhooks, create an endpoint)."""
    answer = challenge_of(request.args.to_dict(flat=False), settings.meta_verify_token)
    return Response(answer, mimetype="text/plain") if answer is not None else abort(403)


@bp.post("/meta/deauthorize")
@csrf.exempt  # type: ignore[untyped-decorator]
@public
def deauthorize() -> AnyResponse:
    """Somebody has removed the app from their business."""
    MetaCallback.receive("deauthorize", signed_request())
    return Response(status=200)


@bp.post("/meta/data-deletion")
@csrf.exempt  # type: ignore[untyped-decorator]
@public
def delete_data() -> AnyResponse:
    """Somebody wants deleted what Facebook gave us. The response says where to see that it was done."""
    code = MetaCallback.receive("data_deletion", signed_request()).code
    return jsonify(url=tokens.link("webhooks.deletion", code=code), confirmation_code=code)


@bp.get("/meta/data-deletion/<code>")
@public
def deletion(code: str) -> str | tuple[str, int]:
    callback = db.session.get(MetaCallback, uuid.UUID(code)) if is_code(code) else None
    shown = callback if callback and callback.kind == "data_deletion" else None
    return render_template("webhooks/deletion.html", callback=shown), 200 if shown else 404


def signed_request() -> SignedRequest:
    """What one of the app's secrets has signed, lately."""
    call = signed_requests.read(request.form.get("signed_request", ""), settings.meta_app_secrets)
    if call is None or call.issued_at is None or abs(now() - call.issued_at) > OLDEST:
        abort(403)
    return call


def is_code(text: str) -> bool:
    return len(text) == 32 and text.isascii() and all(letter in "0123456789abcdef" for letter in text)
