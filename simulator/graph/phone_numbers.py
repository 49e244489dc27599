import base64
from typing import Any

from simulator import dialing
from simulator.businesses import Business
from simulator.clock import iso
from simulator.errors import invalid
from simulator.graph.call import Call
from simulator.graph.edges import SUCCESS, Answer, edge
from simulator.graph.health import number_health
from simulator.graph.overrides import verify_override
from simulator.graph.parameters import decode
from simulator.graph.registration import require_pin
from simulator.limits import TIERS
from simulator.number_extras import Extras
from simulator.phone_numbers import PhoneNumber
from simulator.webhooks import publishing

SHOWN = ("verified_name", "code_verification_status", "display_phone_number", "quality_rating", "id")
HIGH_THROUGHPUT = 1000
LISTED = (*SHOWN[:-1], "platform_type", "throughput", "last_onboarded_time", "webhook_configuration", "id")


@edge(PhoneNumber, "GET")
def show(call: Call, number: PhoneNumber) -> Answer:
    return call.project(describe(number), "WhatsAppBusinessPhoneNumber", SHOWN)


@edge(PhoneNumber, "POST")
def change(call: Call, number: PhoneNumber) -> Answer:
    if "pin" in call.params:
        number.update(pin=require_pin(call), pin_failures=0)
    elif "new_display_name" in call.params:
        Extras(number)["new_display_name"] = str(call.require("new_display_name"))
    elif "webhook_configuration" in call.params:
        number.update(override_callback_uri=_override(call))
    else:
        raise invalid("Nothing to change")
    return SUCCESS


def describe(number: PhoneNumber) -> dict[str, Any]:
    extras = Extras(number)
    return {
        "id": number.id,
        "display_phone_number": number.display_number,
        "verified_name": number.verified_name,
        "status": number.status,
        "code_verification_status": number.code_verification_status,
        "quality_rating": number.quality_rating,
        "platform_type": number.platform_type,
        "host_platform": number.platform_type,
        "name_status": number.name_status,
        "new_name_status": "PENDING_REVIEW" if extras["new_display_name"] else "NONE",
        "new_display_name": extras["new_display_name"],
        "username": extras["username"],
        "conversational_automation": {"id": number.id} | extras.object("automation"),
        "account_mode": "LIVE",
        "throughput": {"level": _throughput(number)},
        "country_code": number.country,
        "country_dial_code": dialing.calling_code(number.digits),
        "last_onboarded_time": iso(number.last_onboarded_at) if number.last_onboarded_at else None,
        "is_pin_enabled": number.pin is not None,
        "is_on_biz_app": bool(number.coexistence),
        "is_official_business_account": False,
        "official_business_account": {"oba_status": "NOT_STARTED"},
        "certificate": _certificate(number, number.verified_name),
        "new_certificate": _certificate(number, extras["new_display_name"]),
        "quality_score": {"score": number.quality_rating, "date": int(number.created_at)},
        "search_visibility": "VISIBLE",
        "messaging_limit_tier": tier(number.waba.business),
        "eligibility_for_api_business_global_search": "NON_ELIGIBLE_UNDEFINED_COUNTRY",
        "is_preverified_number": False,
        "whatsapp_business_manager_messaging_limit": tier(number.waba.business),
        "webhook_configuration": _webhook_configuration(number),
        "health_status": number_health(number),
    }


def tier(business: Business) -> str:
    return TIERS.get(business.messaging_limit, f"TIER_{business.messaging_limit}")


def _certificate(number: PhoneNumber, name: str | None) -> str | None:
    """What proves the name to WhatsApp; opaque to everybody else."""
    return base64.b64encode(f"{number.id}:{name}".encode()).decode() if name else None


def _throughput(number: PhoneNumber) -> str:
    if not number.registered:
        return "NOT_APPLICABLE"
    return "HIGH" if number.messages_per_second >= HIGH_THROUGHPUT else "STANDARD"


def _webhook_configuration(number: PhoneNumber) -> dict[str, str]:
    callbacks = {
        "phone_number": number.override_callback_uri,
        "whatsapp_business_account": number.waba.override_callback_uri,
        "application": publishing.app_callback(number.world, "messages"),
    }
    return {level: url for level, url in callbacks.items() if url}


def _override(call: Call) -> str | None:
    configuration = call.params["webhook_configuration"]
    configuration = decode(configuration)
    if not isinstance(configuration, dict):
        raise invalid("Param webhook_configuration must be an object")
    return verify_override(call, configuration)
