"""Catalogues and flows of a client, and settings that another server left behind."""

from flask import Blueprint, Response, jsonify, request

from simulator.catalogs import Catalog
from simulator.control.body import member, phone_number_member, refuse, waba_member, world
from simulator.flows import STATUSES, Flow

resources = Blueprint("control_resources", __name__, url_prefix="/control/api")


@resources.post("/catalogs")
def connect_catalog() -> Response:
    """`products` lists the retailer ids that exist; without it every product does."""
    products = (request.get_json(silent=True) or {}).get("products")
    return jsonify(Catalog.connect(waba_member(), str(member("catalog_id", "")), products).as_dict())


@resources.post("/flows")
def add_flow() -> Response:
    """Adds a flow, or changes the one with that id."""
    status = str(member("status", "PUBLISHED"))
    if status not in STATUSES:
        refuse(400, f"status must be one of {', '.join(STATUSES)}")
    return jsonify(Flow.add(waba_member(), str(member("name", "flow")), status, str(member("flow_id", ""))).as_dict())


@resources.post("/overrides")
def override() -> Response:
    """Another server's callback, left behind on the number or its WABA, without a handshake; empty removes it."""
    number, url = phone_number_member(), str(member("override_callback_uri", "")) or None
    match member("level", "phone_number"):
        case "phone_number":
            number.update(override_callback_uri=url)
        case "whatsapp_business_account":
            number.waba.subscribe(url)
        case _:
            refuse(400, "level must be phone_number or whatsapp_business_account")
    return jsonify(success=True)


@resources.post("/pins")
def set_pin() -> Response:
    """The PIN that the number has from before (empty for none), and for how many seconds guessing is locked."""
    number, seconds = phone_number_member(), float(member("locked_for", 0))
    until = world().clock.now() + seconds if seconds else None
    number.update(pin=str(member("pin", "")) or None, pin_failures=0, pin_locked_until=until)
    return jsonify(success=True)
