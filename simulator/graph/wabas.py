from typing import Any

from simulator import foreign_lines
from simulator.businesses import Business
from simulator.errors import GraphError, invalid
from simulator.graph.call import Call
from simulator.graph.edges import SUCCESS, Answer, edge
from simulator.graph.health import waba_health
from simulator.graph.phone_numbers import LISTED, describe, tier
from simulator.graph.subscriptions import apps_of
from simulator.phone_numbers import PhoneNumber
from simulator.wabas import Waba

SHOWN = ("id", "name", "currency", "timezone_id", "message_template_namespace")
CANNOT_DISABLE = 200006


@edge(Waba, "GET")
def show(call: Call, waba: Waba) -> Answer:
    return call.project(waba_fields(waba), "WhatsAppBusinessAccount", SHOWN)


@edge(Waba, "POST")
def change(call: Call, waba: Waba) -> Answer:
    """Insights can be enabled once and never disabled."""
    changed: dict[str, Any] = {}
    if (insights := call.flag("is_enabled_for_insights")) is not None:
        if waba.insights and not insights:
            raise GraphError(CANNOT_DISABLE, "(#200006) Template Insights cannot be disabled once they are enabled.")
        changed["insights"] = int(insights)
    if (archival := call.flag("template_auto_archival_enabled")) is not None:
        changed["auto_archival"] = int(archival)
    if (disabled := call.flag("disable_marketing_messages_on_cloud_api")) is not None:
        changed["marketing_on_cloud_api"] = int(not disabled)
    if call.params.get("name"):
        changed["name"] = str(call.params["name"])
    if not changed:
        raise invalid("Give a field of the account that can be changed.")
    waba.update(**changed)
    return SUCCESS


@edge(Waba, "GET", "phone_numbers")
def phone_numbers(call: Call, waba: Waba) -> Answer:
    return call.page([describe(number) for number in PhoneNumber.of_waba(waba)], "WhatsAppBusinessPhoneNumber", LISTED)


@edge(Business, "GET")
def business(call: Call, owner: Business) -> Answer:
    return call.project({"id": owner.id, "name": owner.name}, "Business", ("id", "name"))


def waba_fields(waba: Waba) -> dict[str, Any]:
    owner, credit = waba.business, foreign_lines.credit_of(waba)
    numbers = [number.digits for number in PhoneNumber.of_waba(waba)]
    return {
        "id": waba.id,
        "name": waba.name,
        "status": waba.status,
        "currency": waba.currency,
        "country": waba.country,
        "timezone_id": waba.timezone_id,
        "message_template_namespace": waba.namespace,
        "account_review_status": waba.account_review_status,
        "business_verification_status": "verified" if owner.verified else "not_verified",
        "ownership_type": "CLIENT_OWNED",
        "owner_business": {"id": owner.id, "name": owner.name},
        "owner_business_info": {"name": owner.name, "id": owner.id},
        "on_behalf_of_business_info": None,
        "primary_funding_id": credit.receiving_credential_id if credit else foreign_lines.credential_id(waba),
        "is_shared_with_partners": waba.shared_at is not None,
        "creation_time": int(waba.created_at),
        "whatsapp_business_manager_messaging_limit": tier(owner),
        "health_status": waba_health(waba),
        "subscribed_apps": apps_of(waba),
        "analytics": {"phone_numbers": numbers, "country_codes": [], "granularity": "DAY", "data_points": []},
        "conversation_analytics": {"data": [{"data_points": []}]},
        "pricing_analytics": {"data": [{"data_points": []}]},
        "auth_international_rate_eligibility": None,
        "disable_marketing_messages_on_cloud_api": not waba.marketing_on_cloud_api,
        "is_enabled_for_insights": bool(waba.insights),
        "linked_commerce_account": None,
        "marketing_messages_lite_api_status": "INELIGIBLE",
        "marketing_messages_onboarding_status": "INELIGIBLE",
        "primary_business_location": waba.country,
        "purchase_order_number": None,
        "template_auto_archival_enabled": bool(waba.auto_archival),
    }
