"""Calls about WhatsApp Flows, from the draft to the end; and the key for the data endpoint."""

from __future__ import annotations

import io
import json

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from app.meta import flow_calls
from app.meta.flow_json import build
from conformance.session import Session

PART = {"kind": "short", "label": "Full name", "name": "full_name", "hint": "", "required": True, "options": []}
SCREENS = [{"title": "Welcome", "button": "Send", "parts": [PART]}]


def live(session: Session, waba: str, number: str, token: str) -> None:
    """The product's calls, then those that it does not make."""
    graph = session.graph
    made = flow_calls.create(graph, token, waba, "Lead form", ["LEAD_GENERATION"], "https://example.com/data")
    session.name_ids(flow=made)
    flow_calls.named(graph, token, waba, "Lead form")
    flow_calls.upload(graph, token, made, build(SCREENS) | {"version": "1.0"})
    flow_calls.upload(graph, token, made, build(SCREENS))
    flow_calls.json_of(graph, token, made)
    flow_calls.get(graph, token, made)
    flow_calls.publish(graph, token, made)
    flow_calls.register_key(graph, token, number, public_key())
    flow_calls.deprecate(graph, token, made)
    session.call(token, "GET", f"{number}/whatsapp_business_encryption")
    clone = {"name": "Again", "categories": ["OTHER"], "clone_flow_id": made}
    again = str(session.call(token, "POST", f"{waba}/flows", json=clone).json()["id"])
    session.name_ids(flow=again)
    session.call(token, "GET", f"{waba}/flows")
    session.call(token, "GET", f"{again}/assets")
    session.call(token, "POST", again, json={"name": "Once more", "categories": ["SURVEY"]})
    file = {"file": ("flow.json", io.BytesIO(json.dumps(build(SCREENS)).encode()), "application/json")}
    session.call(token, "POST", f"{again}/assets", data={"name": "flow.json", "asset_type": "FLOW_JSON"}, files=file)
    flow_calls.delete(graph, token, again)


def public_key() -> str:
    pair = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return pair.public_key().public_bytes(serialization.Encoding.PEM, form).decode()
