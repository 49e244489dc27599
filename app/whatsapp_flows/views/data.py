"""The data endpoint: what customers' phones ask, by way of Meta, while a form is being filled in."""

from __future__ import annotations

from flask import Response, abort, jsonify, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.crypto import Undecryptable
from app.extensions import csrf, settings
from app.meta.flow_crypto import Unreadable, open_request
from app.meta.signature import verify
from app.tenancy import stateless, tenant_scope
from app.whatsapp_flows.blueprint import data
from app.whatsapp_flows.endpoint_address import read_address
from app.whatsapp_flows.exchanges import Exchange, TokenRefused
from app.whatsapp_flows.keys import FlowKey
from app.whatsapp_flows.models import FlowVersion

MOST_BYTES = 256 * 1024
# Meta's own: what phones do with each (Flows, error codes of the data endpoint).
CANNOT_DECRYPT, INVALID_TOKEN, BAD_SIGNATURE = 421, 427, 432


@data.post("/<token>/data")
@csrf.exempt  # type: ignore[untyped-decorator]
@stateless
def exchange(token: str) -> AnyResponse:
    request.max_content_length = MOST_BYTES
    body = request.get_data()
    if not verify(body, request.headers.get("X-Hub-Signature-256"), settings.meta_app_secrets):
        return Response(status=BAD_SIGNATURE)
    if (address := read_address(token)) is None:
        abort(404)
    tenant_id, version_id = address
    with tenant_scope(tenant_id):
        if (version := FlowVersion.find(version_id)) is None:
            abort(404)
        keys = private_keys(version)
    try:
        opened = open_request(body, keys)
    except Unreadable:
        return Response(status=CANNOT_DECRYPT)
    with tenant_scope(tenant_id):
        try:
            answer = Exchange(FlowVersion.get_or_404(version_id), opened.request).answer()
        except TokenRefused:
            refused = jsonify(error_msg=_("This form is no longer valid. Ask us for a new one."))
            refused.status_code = INVALID_TOKEN
            return refused
    return Response(opened.seal(answer), mimetype="text/plain")


def private_keys(version: FlowVersion) -> list[str]:
    """Of the account's numbers: the request does not say which number the form came from."""
    readable = []
    for key in FlowKey.of_account(version.flow.waba_id):
        try:
            readable.append(str(key.private_key))
        except Undecryptable:
            continue
    return readable
