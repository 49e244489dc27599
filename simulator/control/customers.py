from flask import Blueprint, Response, jsonify, request

from simulator import handwriting, outgoing
from simulator.control.asked import asked, asked_customer, asked_number, asked_phone_number, found, world
from simulator.customers import Customer
from simulator.handwriting import Hand
from simulator.phone_numbers import PhoneNumber
from simulator.relations import Relation

customers = Blueprint("control_customers", __name__, url_prefix="/control/api")


@customers.post("/customers")
def add() -> Response:
    """Without a number: somebody of whom businesses only ever see the id and the username."""
    name, username = str(asked("name")), str(asked("username", "")) or None
    if not asked("number", ""):
        country = str(asked("country", "US"))
        return jsonify(Customer.hidden(world(), name, username or name.lower().replace(" ", "."), country).as_dict())
    customer = Customer.with_number(world(), asked_number("number"), name)
    customer.update(username=username)
    return jsonify(customer.as_dict())


@customers.patch("/customers/<wa_id>")
def change(wa_id: str) -> Response:
    customer, body = _customer(wa_id), request.get_json()
    for name in ("name", "username", "marketing_capped"):
        if name in body:
            customer.update(**{name: body[name]})
    if "hide_number" in body:
        customer.hide_number(bool(body["hide_number"]))
    on, receipts = asked("phone_on", customer.phone_on), asked("read_receipts", customer.read_receipts)
    outgoing.set_phone(customer, bool(on), bool(receipts))
    return jsonify(customer.as_dict())


@customers.get("/customers/<wa_id>/ids")
def ids(wa_id: str) -> Response:
    """The id under which the business of this number knows them."""
    customer = _customer(wa_id)
    number = found(PhoneNumber.find(world(), request.args.get("phone_number_id")), "phone number")
    return jsonify(user_id=customer.user_id_for(number.waba.business_id), parent_user_id=customer.parent_user_id)


@customers.post("/customers/<wa_id>/number")
def change_number(wa_id: str) -> Response:
    customer = _customer(wa_id)
    handwriting.change_number(world(), customer, asked_number("number"))
    return jsonify(customer.as_dict())


@customers.post("/customers/<wa_id>/identity")
def change_identity(wa_id: str) -> Response:
    """A new phone: every business that has a chat with the customer gets a system message."""
    return jsonify(identity_key_hash=handwriting.change_identity(world(), _customer(wa_id)))


@customers.post("/offers")
def offers() -> Response:
    """The customer stops this business's marketing messages, or resumes them."""
    Hand(world(), asked_phone_number(), asked_customer()).stop_offers(asked("value", "stop") == "stop")
    return jsonify(success=True)


@customers.post("/blocks")
def blocks() -> Response:
    """The business blocks the customer, as in its own app."""
    Relation(world(), asked_phone_number(), asked_customer()).block(bool(asked("blocked", True)))
    return jsonify(success=True)


def _customer(wa_id: str) -> Customer:
    return found(Customer.known(world(), wa_id), "customer")
