from flask import Blueprint, Response, jsonify, request

from simulator import customer_actions, outgoing
from simulator.control.body import customer_member, member, number_member, phone_number_member, require_record, world
from simulator.customer_actions import CustomerActions
from simulator.customers import Customer
from simulator.phone_numbers import PhoneNumber
from simulator.relations import Relation

customers = Blueprint("control_customers", __name__, url_prefix="/control/api")


@customers.post("/customers")
def add() -> Response:
    """Adds a customer. Without a number, businesses see only the user id and the username."""
    name, username = str(member("name")), str(member("username", "")) or None
    if not member("number", ""):
        country = str(member("country", "US"))
        return jsonify(Customer.hidden(world(), name, username or name.lower().replace(" ", "."), country).as_dict())
    customer = Customer.with_number(world(), number_member("number"), name)
    customer.update(username=username)
    return jsonify(customer.as_dict())


@customers.patch("/customers/<wa_id>")
def change(wa_id: str) -> Response:
    """Changes name, username, phone and privacy settings."""
    customer, body = _customer(wa_id), request.get_json()
    for name in ("name", "username", "marketing_capped"):
        if name in body:
            customer.update(**{name: body[name]})
    if "hide_number" in body:
        customer.hide_number(bool(body["hide_number"]))
    on, receipts = member("phone_on", customer.phone_on), member("read_receipts", customer.read_receipts)
    outgoing.set_phone(customer, bool(on), bool(receipts))
    return jsonify(customer.as_dict())


@customers.get("/customers/<wa_id>/ids")
def ids(wa_id: str) -> Response:
    """The user id that the business of this number has for the customer."""
    customer = _customer(wa_id)
    number = require_record(PhoneNumber.find(world(), request.args.get("phone_number_id")), "phone number")
    return jsonify(user_id=customer.user_id_for(number.waba.business_id), parent_user_id=customer.parent_user_id)


@customers.post("/customers/<wa_id>/number")
def change_number(wa_id: str) -> Response:
    """Gives the customer a new number."""
    customer = _customer(wa_id)
    customer_actions.change_number(world(), customer, number_member("number"))
    return jsonify(customer.as_dict())


@customers.post("/customers/<wa_id>/identity")
def change_identity(wa_id: str) -> Response:
    """A new phone: every business that has a chat with the customer gets a system message."""
    return jsonify(identity_key_hash=customer_actions.change_identity(world(), _customer(wa_id)))


@customers.post("/offers")
def offers() -> Response:
    """The customer stops this business's marketing messages, or resumes them."""
    CustomerActions(world(), phone_number_member(), customer_member()).stop_offers(member("value", "stop") == "stop")
    return jsonify(success=True)


@customers.post("/blocks")
def blocks() -> Response:
    """The business blocks the customer, as in its own app."""
    Relation(world(), phone_number_member(), customer_member()).block(bool(member("blocked", True)))
    return jsonify(success=True)


def _customer(wa_id: str) -> Customer:
    return require_record(Customer.by_number(world(), wa_id), "customer")
