from typing import Any, NoReturn, TypeVar

from flask import abort, current_app, jsonify, make_response, request

from simulator.customers import Customer
from simulator.dialing import digits_of, is_number
from simulator.phone_numbers import PhoneNumber
from simulator.record import Record
from simulator.wabas import Waba
from simulator.world import World

R = TypeVar("R", bound=Record)


def world() -> World:
    """The world of the current request."""
    return World.of(current_app)


def member(name: str, default: Any = None) -> Any:
    """A member of the JSON body. Without a default it is required."""
    value = (request.get_json(silent=True) or {}).get(name, default)
    if value is None:
        refuse(400, f"{name} is missing")
    return value


def whole_member(name: str, default: int | None = None) -> int:
    """A member that is a whole number."""
    value = member(name, default)
    try:
        return int(value)
    except (TypeError, ValueError):
        refuse(400, f"{name} is not a whole number")


def object_member(name: str, *needed: str) -> dict[str, Any]:
    """A member that is an object and has these members."""
    value = member(name)
    if not isinstance(value, dict):
        refuse(400, f"{name} is not an object")
    for each in needed:
        if value.get(each) is None:
            refuse(400, f"{name}.{each} is missing")
    return value


def number_member(name: str) -> str:
    """A member that is a phone number, as digits."""
    text = str(member(name))
    if not is_number(text):
        refuse(400, f"{name} is not a phone number")
    return digits_of(text)


def phone_number_member() -> PhoneNumber:
    """The business number with the id in `phone_number_id`."""
    return require_record(PhoneNumber.find(world(), str(member("phone_number_id"))), "phone number")


def waba_member() -> Waba:
    """The account with `waba_id`, or the account of `phone_number_id`."""
    if waba_id := member("waba_id", ""):
        return require_record(Waba.find(world(), str(waba_id)), "WhatsApp account")
    return phone_number_member().waba


def customer_member(name: str = "from") -> Customer:
    """The customer with that number, or with the user id the business has for them."""
    if user_id := str(member("user_id", "")):
        business_id = phone_number_member().waba.business_id
        return require_record(Customer.with_user_id(world(), user_id, business_id), "customer")
    return require_record(Customer.by_number(world(), number_member(name)), "customer")


def require_record(record: R | None, kind: str) -> R:
    """The record; refuses with 404 if there is none."""
    if record is None:
        refuse(404, f"There is no such {kind}")
    return record


def refuse(status: int, reason: str) -> NoReturn:
    """Ends the request with a status and a reason."""
    abort(make_response(jsonify(error=reason), status))
