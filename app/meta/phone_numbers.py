"""Business phone numbers: their state at Meta, registering them, their PIN."""

from dataclasses import dataclass
from typing import Any

from app.meta.graph import GraphClient
from app.meta.payload import identifier, mapping, text

UNLIMITED = 1_000_000_000
_TIERS = {"TIER_250": 250, "TIER_2K": 2_000, "TIER_10K": 10_000, "TIER_100K": 100_000}

_FIELDS = (
    "id,display_phone_number,verified_name,status,quality_rating,code_verification_status,name_status,"
    "platform_type,throughput,is_on_biz_app,is_pin_enabled,whatsapp_business_manager_messaging_limit"
)


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """`is_on_biz_app` means coexistence with the WhatsApp Business app: such a number is never registered."""

    id: str
    display_phone_number: str | None
    verified_name: str | None
    status: str | None
    quality_rating: str | None
    code_verification_status: str | None
    name_status: str | None
    platform_type: str | None
    throughput_level: str | None
    messaging_limit: str | None
    is_on_biz_app: bool
    is_pin_enabled: bool | None

    @property
    def is_registered(self) -> bool:
        """Whether it works on the Cloud API already; registering again would count towards Meta's ten."""
        return self.status == "CONNECTED" and self.platform_type == "CLOUD_API"


def people_a_day(messaging_limit: str) -> int:
    """To how many people a portfolio may write first in 24 hours (messaging limits). A value we do not know
    limits nothing here: Meta still does."""
    return _TIERS.get(messaging_limit, UNLIMITED)


def of_waba(graph: GraphClient, token: str, waba_id: str) -> list[PhoneNumber]:
    """Every number of a WABA. Raises MetaError."""
    pages = graph.pages(f"{waba_id}/phone_numbers", token=token, params={"fields": _FIELDS})
    return [_phone_number(item) for item in pages if identifier(item.get("id"))]


def fetch(graph: GraphClient, token: str, phone_number_id: str) -> PhoneNumber:
    """One number. Raises MetaError."""
    answer = graph.get(phone_number_id, token=token, params={"fields": _FIELDS})
    return _phone_number({"id": phone_number_id, **answer})


def register(
    graph: GraphClient,
    token: str,
    phone_number_id: str,
    pin: str,
    data_localization_region: str | None = None,
) -> None:
    """Put a number on the Cloud API. The six-digit PIN becomes its two-step PIN, or must be the one it has.
    At most 10 calls in 72 h, so look at `is_registered` first. Raises MetaError."""
    request = {"messaging_product": "whatsapp", "pin": pin}
    if data_localization_region:
        request["data_localization_region"] = data_localization_region
    graph.post(f"{phone_number_id}/register", token=token, json=request)


def deregister(graph: GraphClient, token: str, phone_number_id: str) -> None:
    """Take a number off the Cloud API; refused for coexistence. Counts like `register`. Raises MetaError."""
    graph.post(f"{phone_number_id}/deregister", token=token)


def set_pin(graph: GraphClient, token: str, phone_number_id: str, pin: str) -> None:
    """Set a new six-digit two-step PIN. Raises MetaError."""
    graph.post(phone_number_id, token=token, json={"pin": pin})


def _phone_number(item: dict[str, Any]) -> PhoneNumber:
    pin = item.get("is_pin_enabled")
    return PhoneNumber(
        id=str(identifier(item.get("id"))),
        display_phone_number=text(item.get("display_phone_number"), 64),
        verified_name=text(item.get("verified_name"), 300),
        status=text(item.get("status"), 64),
        quality_rating=text(item.get("quality_rating"), 64),
        code_verification_status=text(item.get("code_verification_status"), 64),
        name_status=text(item.get("name_status"), 64),
        platform_type=text(item.get("platform_type"), 64),
        throughput_level=text(mapping(item.get("throughput")).get("level"), 64),
        messaging_limit=text(item.get("whatsapp_business_manager_messaging_limit"), 64),
        is_on_biz_app=item.get("is_on_biz_app") is True,
        is_pin_enabled=pin if isinstance(pin, bool) else None,
    )
