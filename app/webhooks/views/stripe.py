"""What Stripe posts about payments: verified, stored, acknowledged; a job does the rest."""

from __future__ import annotations

from flask import Response, abort, request
from werkzeug.wrappers import Response as AnyResponse

from app.billing.stripe_events import NotAnEvent, StripeEvent, is_signed
from app.extensions import csrf, settings
from app.tenancy import global_scope, stateless
from app.webhooks.blueprint import bp

# Stripe's events are some kilobytes.
LARGEST = 256 * 1024


@bp.post("/stripe")
@csrf.exempt  # type: ignore[untyped-decorator]
@stateless
def receive_stripe_event() -> AnyResponse:
    """Reads nothing without a signature. What is not stored is not acknowledged, so that Stripe posts it again."""
    header = request.headers.get("Stripe-Signature", "")
    if not header or not settings.stripe_webhook_secrets:
        abort(401)
    request.max_content_length = LARGEST
    body = request.get_data(cache=False)
    if not is_signed(body, header, settings.stripe_webhook_secrets):
        abort(401)
    try:
        with global_scope():
            StripeEvent.receive(body)
    except NotAnEvent:
        abort(400)
    return Response(status=200)
