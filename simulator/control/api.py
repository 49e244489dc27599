import json
from typing import Any

from flask import Blueprint, Response, jsonify, request

from simulator.allocations import Allocation
from simulator.businesses import Business
from simulator.codes import Code
from simulator.control import clients, lists
from simulator.control.body import member, number_member, require_record, world
from simulator.customers import Customer
from simulator.messages import Message
from simulator.phone_numbers import PhoneNumber
from simulator.tokens import Token
from simulator.wabas import Waba

api = Blueprint("control_api", __name__, url_prefix="/control/api")


@api.get("/state")
def state() -> Response:
    """Every business, account, number, allocation, token and customer."""
    kinds = (Business, Waba, PhoneNumber, Allocation, Token, Customer)
    return jsonify({kind.table: lists.records(world(), kind) for kind in kinds})


@api.get("/messages")
def messages() -> Response:
    """Every message."""
    return jsonify(messages=lists.records(world(), Message))


@api.get("/deliveries")
def deliveries() -> Response:
    """The newest webhooks with their results."""
    return jsonify(deliveries=lists.deliveries(world(), limit=request.args.get("limit", 200, int)))


@api.get("/accepted")
def accepted() -> Response:
    """What POST /messages accepted, after a sequence number."""
    return jsonify(accepted=lists.accepted(world(), after=request.args.get("after", 0, int)))


@api.post("/seed")
def seed() -> Response:
    """Creates a client that is ready to use."""
    options = clients.ClientOptions(member("registered", True), member("subscribed", True), member("credit", True))
    number = clients.ready(world(), str(member("name")), number_member("display_phone_number"), options)
    return jsonify(**ids_of(number), token=clients.token_for(world(), number).id)


@api.post("/signups")
def signups() -> Response:
    """What the popup would have handed to the page, without the popup."""
    name = str(member("name"))
    if member("without_number", False):
        waba = clients.share_account(world(), name)
        code = Code.issue(world(), waba.business)
        code.start_lifetime()
        return jsonify(business_id=waba.business_id, waba_id=waba.id, code=code.id)
    number = clients.sign_up(world(), name, number_member("display_phone_number"))
    if scopes := member("id_scopes", []):
        number.waba.business.update(id_scopes=json.dumps(scopes))
    if not member("verified", True):
        number.update(code_verification_status="NOT_VERIFIED")
    if member("coexistence", False):
        number.register("000000")
        number.update(coexistence=1, pin=None)
    return jsonify(**ids_of(number), code=clients.code_for(world(), number).id)


@api.post("/tokens/revoke")
def revoke() -> Response:
    """Revokes a token."""
    token = require_record(Token.find(world(), str(member("token"))), "token")
    token.revoke()
    return jsonify(success=True)


def ids_of(number: PhoneNumber) -> dict[str, Any]:
    """The ids of a number and its owners."""
    waba = number.waba
    return {
        "business_id": waba.business_id,
        "waba_id": waba.id,
        "phone_number_id": number.id,
        "display_phone_number": number.display_number,
    }
