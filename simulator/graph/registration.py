import re

from simulator.errors import GraphError, invalid
from simulator.graph.call import Call
from simulator.graph.edges import SUCCESS, Answer, edge
from simulator.phone_numbers import PhoneNumber

GUESSES = 5
TOO_LATE = (
    "The phone number was not registered within 14 days of Embedded Signup. The business has to complete Embedded"
    " Signup again."
)
REGIONS = ["AU", "ID", "IN", "JP", "SG", "KR", "DE", "CH", "GB", "BR", "BH", "ZA", "AE", "CA"]


@edge(PhoneNumber, "POST", "register")
def register(call: Call, number: PhoneNumber) -> Answer:
    call.require("messaging_product")
    pin = checked_pin(call)
    if call.params.get("data_localization_region", "DE") not in REGIONS:
        raise invalid("Param data_localization_region is not a supported region")
    _count_attempt(number)
    if number.signed_up_too_long_ago:
        raise invalid(TOO_LATE)
    if not number.verified:
        raise GraphError(133006, "Phone number needs to be verified before registering.")
    _check_pin(number, pin)
    number.register(pin)
    return SUCCESS


@edge(PhoneNumber, "POST", "deregister")
def deregister(_: Call, number: PhoneNumber) -> Answer:
    _count_attempt(number)
    number.deregister()
    return SUCCESS


def checked_pin(call: Call) -> str:
    pin = str(call.require("pin"))
    if not re.fullmatch(r"\d{6}", pin):
        raise invalid("Param pin must be 6 digits.")
    return pin


def _count_attempt(number: PhoneNumber) -> None:
    if not number.count_attempt():
        details = "The number was registered or deregistered 10 times within 72 hours. Try again after 72 hours."
        raise GraphError(133016, details)


def _check_pin(number: PhoneNumber, pin: str) -> None:
    """Two-step verification remembers the first PIN it was given."""
    if number.pin_failures >= GUESSES:
        raise GraphError(133008, "Too many PIN guesses. Wait 720 minutes before trying again.")
    if number.pin not in (None, pin):
        number.update(pin_failures=number.pin_failures + 1)
        raise GraphError(133005, "Two step verification PIN mismatch.")
