from flask import Blueprint, Response, jsonify

from simulator.calls import INBOUND, OUTBOUND, Call
from simulator.control.body import (
    customer_member,
    member,
    number_member,
    phone_number_member,
    refuse,
    require_record,
    world,
)
from simulator.customers import Customer

calls = Blueprint("control_calls", __name__, url_prefix="/control/api/calls")


@calls.post("")
def begin() -> Response:
    """Starts a call by a customer, or to one with `direction` BUSINESS_INITIATED; it rings until it is changed."""
    number, direction = phone_number_member(), str(member("direction", INBOUND))
    if direction not in (INBOUND, OUTBOUND):
        refuse(400, f"direction must be {INBOUND} or {OUTBOUND}")
    if member("user_id", ""):
        customer = customer_member()
    else:
        customer = Customer.with_number(world(), number_member("from"), str(member("name", "")))
    return jsonify(Call.begin(number, customer, direction).as_dict())


@calls.post("/<call_id>")
def change(call_id: str) -> Response:
    """`act` is accept, reject or terminate; a call that is terminated before it is accepted was missed."""
    call = require_record(Call.find(world(), call_id), "call")
    acts = {"accept": call.accept, "reject": call.reject, "terminate": call.terminate}
    act = str(member("act"))
    if act not in acts:
        refuse(400, f"act must be one of {', '.join(acts)}")
    acts[act]()
    return jsonify(call.as_dict())
