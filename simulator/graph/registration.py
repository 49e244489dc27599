import math
import re

from simulator.errors import GraphError, invalid
from simulator.graph.call import Call
from simulator.graph.edges import SUCCESS, Answer, edge
from simulator.phone_numbers import PhoneNumber

GUESSES, LOCKED = 5, 12 * 3600
TOO_LATE = (
    "The phone number was not registered within 14 days of Embedded Signup. The business has to complete Embedded"
    " Signup again."
)
REGIONS = ["AU", "ID", "IN", "JP", "SG", "KR", "DE", "CH", "GB", "BR", "BH", "ZA", "AE", "CA"]


@edge(PhoneNumber, "POST", "register")
def register(call: Call, number: PhoneNumber) -> Answer:
    call.require("messaging_product")
    pin = require_pin(call)
    if call.params.get("data_localization_region", "DE") not in REGIONS:
        raise invalid("Param data_localization_region is not a supported region")
    _count_attempt(number)
    if number.deregistering:
        raise GraphError(133000, "An earlier deregistration is incomplete. Deregister the number again.")
    if number.signed_up_too_long_ago:
        raise invalid(TOO_LATE)
    if not number.verified:
        raise GraphError(133006, "Phone number needs to be verified before registering.")
    _check_pin(number, pin)
    number.register(pin)
    return SUCCESS


@edge(PhoneNumber, "POST", "deregister")
def deregister(_: Call, number: PhoneNumber) -> Answer:
    if number.coexistence:
        raise invalid("Phone numbers that are also in use in the WhatsApp Business app cannot be deregistered.")
    _count_attempt(number)
    if not number.registered and not number.deregistering:
        raise GraphError(133010, "The phone number is not registered on the WhatsApp Business Platform.")
    number.deregister()
    return SUCCESS


def require_pin(call: Call) -> str:
    pin = str(call.require("pin"))
    if not re.fullmatch(r"\d{6}", pin):
        raise invalid("Param pin must be 6 digits.")
    return pin


def _count_attempt(number: PhoneNumber) -> None:
    if not number.count_attempt():
        details = "The number was registered or deregistered 10 times within 72 hours. Try again after 72 hours."
        raise GraphError(133016, details)


def _check_pin(number: PhoneNumber, pin: str) -> None:
    """Two-step verification remembers the first PIN; after five wrong guesses it is locked for twelve hours."""
    now = number.world.clock.now()
    if number.pin_locked_until and now < number.pin_locked_until:
        minutes = math.ceil((number.pin_locked_until - now) / 60)
        raise GraphError(133008, f"Too many PIN guesses. Wait {minutes} minutes before trying again.")
    if number.pin not in (None, pin):
        failures = number.pin_failures + 1
        locks = failures >= GUESSES
        number.update(pin_failures=0 if locks else failures, pin_locked_until=now + LOCKED if locks else None)
        raise GraphError(133005, "Two step verification PIN mismatch.")
