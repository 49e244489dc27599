"""Adds numbers by API and verifies them with a code."""

from simulator import dialing
from simulator.businesses import Business
from simulator.customers import Customer
from simulator.errors import GraphError, invalid
from simulator.graph.call import Call
from simulator.graph.edges import SUCCESS, Answer, edge
from simulator.number_extras import Extras
from simulator.phone_numbers import PhoneNumber
from simulator.wabas import Waba


@edge(Waba, "POST", "phone_numbers")
def create(call: Call, waba: Waba) -> Answer:
    digits = dialing.digits_of(f"{call.require('cc')}{call.require('phone_number')}")
    moving = call.params.get("migrate_phone_number") in (True, "true")
    name = "" if moving else str(call.require("verified_name"))
    if not 8 <= len(digits) <= 15 or not (moving or 2 <= len(name) <= 75):
        raise invalid("Param phone_number or verified_name is not valid.")
    existing = next(iter(PhoneNumber.where(call.world, "digits = ?", digits)), None)
    if existing and existing.waba_id == waba.id:
        raise GraphError(2388012, "This phone number is already in the list of this WhatsApp Business Account.")
    if moving:
        return {"id": _move(waba, existing).id}
    if existing or Customer.by_number(call.world, digits):
        raise GraphError(2388001, "This phone number is already registered on WhatsApp.")
    if _numbers_of(waba.business) >= waba.business.most_numbers:
        raise over_limit()
    return {"id": PhoneNumber.add(waba, digits, name).id}


@edge(PhoneNumber, "POST", "request_code")
def request_code(call: Call, number: PhoneNumber) -> Answer:
    if call.require("code_method") not in ("SMS", "VOICE") or not call.require("language"):
        raise invalid("Param code_method must be one of {SMS, VOICE}")
    if number.verified:
        raise GraphError(136024, "Request code error: the ownership of this number is verified already.")
    if not Extras(number).send_code():
        raise GraphError(136024, "Request code error: too many codes were requested. Try again later.")
    return SUCCESS


@edge(PhoneNumber, "POST", "verify_code")
def verify_code(call: Call, number: PhoneNumber) -> Answer:
    code, expected = str(call.require("code")).replace("-", ""), Extras(number)["verification_code"]
    if number.verified:
        raise GraphError(136024, "Verify code error: the ownership of this number is verified already.")
    if not expected or code != expected:
        raise GraphError(136025, "Verify code error: the code does not match.")
    Extras(number)["verification_code"] = None
    number.verify()
    return SUCCESS


def over_limit() -> GraphError:
    return GraphError(100, "(#100) The business has reached the maximum of phone numbers.", subcode=2388103)


def _numbers_of(business: Business) -> int:
    sql = "select count(*) from phone_numbers where waba_id in (select id from wabas where business_id = ?)"
    return int(business.world.store.value(sql, business.id))


def _move(waba: Waba, existing: PhoneNumber | None) -> PhoneNumber:
    """Moves a number from another account; it leaves that account when it is registered here."""
    if existing is not None and existing.coexistence:
        raise GraphError(2388001, "This number is in use in the WhatsApp Business app. Disconnect it there first.")
    if existing is None:
        raise GraphError(2388091, "This phone number is not on the WhatsApp Business Platform.")
    if existing.pin is not None:
        raise GraphError(2388001, "Two-step verification of this number has to be switched off first.")
    if waba.business_id != existing.waba.business_id and _numbers_of(waba.business) >= waba.business.most_numbers:
        raise over_limit()
    existing.update(
        waba_id=waba.id, status="PENDING", platform_type="NOT_APPLICABLE", code_verification_status="NOT_VERIFIED"
    )
    return existing
