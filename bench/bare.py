"""The floor: a Flask route that only checks the signature of what Meta posts."""

from __future__ import annotations

import hashlib
import hmac

from flask import Flask, Response, request

from dev.environment import SIMULATED_META

app = Flask(__name__)
SECRET = SIMULATED_META["META_APP_SECRETS"].encode()


@app.post("/webhooks/whatsapp")
def receive() -> Response:
    digest = hmac.new(SECRET, request.get_data(cache=False), hashlib.sha256).hexdigest()
    signature = request.headers.get("X-Hub-Signature-256", "")
    return Response(status=200 if hmac.compare_digest(signature, f"sha256={digest}") else 401)


@app.get("/healthz")
def alive() -> str:
    return "ok"
