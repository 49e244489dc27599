"""WhatsApp Flows: create, list, upload, publish, deprecate, delete; the key for the data endpoint."""

import datetime as dt
import json
import re
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from flask import Blueprint, Response, abort, current_app, render_template, request

from simulator.errors import GraphError, invalid
from simulator.flows import CATEGORIES, PREVIEW_DAYS, Flow
from simulator.graph.call import Call
from simulator.graph.edges import SUCCESS, Answer, edge
from simulator.html import strict
from simulator.number_extras import Extras
from simulator.phone_numbers import PhoneNumber
from simulator.wabas import Waba
from simulator.world import World

SHOWN = ("id", "name", "status", "categories", "validation_errors")
# Only what this machine itself serves may be without TLS.
ENDPOINT = re.compile(r"https://\S+|http://(127\.0\.0\.1|localhost)[:/]\S*")
LONGEST_NAME = 200

assets = Blueprint("flow_assets", __name__)
assets.after_request(strict)


@edge(Waba, "GET", "flows")
def index(call: Call, waba: Waba) -> Answer:
    return call.page([describe(flow) for flow in Flow.of_waba(waba)], "WhatsAppBusinessFlow", SHOWN)


@edge(Waba, "POST", "flows")
def create(call: Call, waba: Waba) -> Answer:
    """With `flow_json` and `publish` it is published at once, if nothing is wrong with it."""
    name = name_in(call, waba)
    columns: dict[str, Any] = {"categories": json.dumps(categories_in(call)), "endpoint_uri": endpoint_in(call)}
    text = str(call.params.get("flow_json") or "")
    if clone := call.params.get("clone_flow_id"):
        source = Flow.find(call.world, str(clone))
        if source is None or source.waba_id != waba.id:
            raise invalid("Param clone_flow_id must be the id of a flow of this account.")
        text = source.flow_json
    if isinstance(call.params.get("flow_json"), dict):
        text = json.dumps(call.params["flow_json"])
    with call.world.store.transaction():
        flow = Flow.add(waba, name, "DRAFT", **columns)
        errors = flow.load(text) if text else []
        flow.report(None)
        if call.flag("publish") and text and not errors:
            flow.turn("PUBLISHED")
    return {"id": flow.id, "success": not errors} | ({"validation_errors": errors} if text else {})


@edge(Flow, "GET")
def show(call: Call, flow: Flow) -> Answer:
    return call.project(describe(flow), "WhatsAppBusinessFlow", SHOWN)


@edge(Flow, "POST")
def change(call: Call, flow: Flow) -> Answer:
    """Name, categories and endpoint."""
    changed: dict[str, Any] = {}
    if "name" in call.params:
        changed["name"] = name_in(call, flow.waba)
    if "categories" in call.params:
        changed["categories"] = json.dumps(categories_in(call))
    if "endpoint_uri" in call.params:
        changed["endpoint_uri"] = endpoint_in(call)
    if changed:
        flow.update(**changed)
    return SUCCESS


@edge(Flow, "DELETE")
def delete(_: Call, flow: Flow) -> Answer:
    if flow.status != "DRAFT":
        raise GraphError(139004, "Only a flow in status DRAFT can be deleted.")
    flow.delete()
    return SUCCESS


@edge(Flow, "GET", "assets")
def list_assets(call: Call, flow: Flow) -> Answer:
    if not flow.flow_json:
        return {"data": []}
    url = f"{request.host_url}flow-assets/{flow.id}/{flow.preview_key}/flow.json"
    return call.page(
        [{"name": "flow.json", "asset_type": "FLOW_JSON", "download_url": url}],
        "FlowAsset",
        ("name", "asset_type", "download_url"),
    )


@edge(Flow, "POST", "assets")
def upload(call: Call, flow: Flow) -> Answer:
    """Replaces the Flow JSON of a draft."""
    if str(call.require("asset_type")) != "FLOW_JSON" or str(call.require("name")) != "flow.json":
        raise invalid("Param asset_type must be FLOW_JSON and param name must be flow.json.")
    file = request.files.get("file")
    if file is None:
        raise invalid("The parameter file is required.")
    if flow.status != "DRAFT":
        raise GraphError(139001, f"A flow in status {flow.status} can't be changed.")
    with call.world.store.transaction():
        errors = flow.load(file.read().decode("utf-8", "replace"))
    return SUCCESS | {"validation_errors": errors}


@edge(Flow, "POST", "publish")
def publish(call: Call, flow: Flow) -> Answer:
    if flow.status != "DRAFT":
        raise GraphError(139002, f"A flow in status {flow.status} can't be published.")
    if not flow.flow_json or flow.errors:
        raise GraphError(139002, "The Flow JSON has errors or is missing. Fix them before publishing.")
    if "data_api_version" in flow.definition:
        check_endpoint(flow)
    with call.world.store.transaction():
        flow.turn("PUBLISHED")
    return SUCCESS


@edge(Flow, "POST", "deprecate")
def deprecate(call: Call, flow: Flow) -> Answer:
    if flow.status not in ("PUBLISHED", "THROTTLED", "BLOCKED"):
        raise GraphError(139003, f"A flow in status {flow.status} can't be deprecated.")
    with call.world.store.transaction():
        flow.turn("DEPRECATED")
    return SUCCESS


@edge(PhoneNumber, "GET", "whatsapp_business_encryption")
def show_key(_: Call, number: PhoneNumber) -> Answer:
    if key := Extras(number)["business_public_key"]:
        return {"data": [{"business_public_key": key, "business_public_key_signature_status": "VALID"}]}
    return {"data": []}


@edge(PhoneNumber, "POST", "whatsapp_business_encryption")
def set_key(call: Call, number: PhoneNumber) -> Answer:
    """A 2048-bit RSA public key in PEM."""
    text = str(call.require("business_public_key"))
    try:
        key = load_pem_public_key(text.encode())
    except ValueError:
        raise invalid("Param business_public_key must be a public key in PEM.") from None
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size != 2048:
        raise invalid("Param business_public_key must be a 2048-bit RSA key.")
    Extras(number)["business_public_key"] = text
    return SUCCESS


def check_endpoint(flow: Flow) -> None:
    """A flow with a data endpoint needs its address and a key of one of the account's numbers."""
    if not flow.endpoint_uri:
        raise GraphError(139002, "Set endpoint_uri before publishing a flow with a data endpoint.")
    if not any(
        Extras(number)["business_public_key"] for number in PhoneNumber.where(flow.world, "waba_id = ?", flow.waba_id)
    ):
        raise GraphError(139002, "Upload and sign a public key for the phone number first.")


def name_in(call: Call, waba: Waba) -> str:
    name = str(call.require("name"))
    if len(name) > LONGEST_NAME:
        raise invalid(f"Param name can have {LONGEST_NAME} characters.")
    if Flow.by_name(waba, name):
        raise GraphError(100, "Flow name is not unique in the WhatsApp Business Account.", subcode=4016019)
    return name


def categories_in(call: Call) -> list[str]:
    categories = [str(one) for one in call.require_list("categories")]
    if not categories or any(one not in CATEGORIES for one in categories):
        raise invalid(f"Param categories must be a list of {{{', '.join(CATEGORIES)}}}.")
    return categories


def endpoint_in(call: Call) -> str | None:
    address = str(call.params.get("endpoint_uri") or "")
    if address and not ENDPOINT.fullmatch(address):
        raise invalid("Param endpoint_uri must be an https address.")
    return address or None


def describe(flow: Flow) -> dict[str, Any]:
    expires = dt.datetime.fromtimestamp(flow.world.clock.now(), dt.UTC) + dt.timedelta(days=PREVIEW_DAYS)
    address = f"{request.host_url}flow-preview/{flow.id}/{flow.preview_key}"
    definition = flow.definition
    return {
        "id": flow.id,
        "name": flow.name,
        "status": flow.status,
        "categories": json.loads(flow.categories),
        "validation_errors": flow.errors,
        "json_version": definition.get("version"),
        "data_api_version": definition.get("data_api_version"),
        "endpoint_uri": flow.endpoint_uri,
        "preview": {"preview_url": address, "expires_at": expires.strftime("%Y-%m-%dT%H:%M:%S+0000")},
        "whatsapp_business_account": {"id": flow.waba_id},
        "health_status": None,
        "application": {"id": flow.world.settings.app_id},
    }


@assets.get("/flow-assets/<flow_id>/<key>/flow.json")
def download(flow_id: str, key: str) -> Response:
    return Response(flow_with(flow_id, key).flow_json, mimetype="application/json")


@assets.get("/flow-preview/<flow_id>/<key>")
def preview(flow_id: str, key: str) -> str:
    flow = flow_with(flow_id, key)
    return render_template("flow_preview.html", flow=flow, screens=flow.definition.get("screens", []))


def flow_with(flow_id: str, key: str) -> Flow:
    flow = Flow.find(World.of(current_app), flow_id)
    if flow is None or not key or key != flow.preview_key:
        abort(Response("", 404))
    return flow
