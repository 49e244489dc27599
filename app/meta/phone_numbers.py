"""Business phone numbers: their state at Meta, registering them, their PIN."""

from dataclasses import dataclass
from typing import Any

from .errors import NoAnswer
from .graph import GraphClient
from .payload import identifier, mapping, text

_REGISTERED = {"CONNECTED", "FLAGGED", "RESTRICTED", "RATE_LIMITED"}

UNLIMITED = 1_000_000_000
_TIERS = {"TIER_250": 250, "TIER_2K": 2_000, "TIER_10K": 10_000, "TIER_100K": 100_000}

_FIELDS = (
    "id,display_phone_number,verified_name,status,quality_rating,code_verification_status,name_status,"
    "new_display_name,platform_type,throughput,username,is_on_biz_app,is_pin_enabled,"
    "whatsapp_business_manager_messaging_limit,webhook_configuration"
)


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """`is_on_biz_app` means coexistence with the WhatsApp Business app: such a number is never registered.
    Webhooks go to `number_override`, else to `waba_override`, else to `app_callback`."""

    id: str
    display_phone_number: str | None
    verified_name: str | None
    status: str | None
    quality_rating: str | None
    code_verification_status: str | None
    name_status: str | None
    new_display_name: str | None
    platform_type: str | None
    throughput_level: str | None
    messaging_limit: str | None
    username: str | None
    is_on_biz_app: bool
    is_pin_enabled: bool | None
    number_override: str | None = None
    waba_override: str | None = None
    app_callback: str | None = None

    @property
    def is_verified(self) -> bool:
        """Whether somebody has proved to hold it, by a code sent to it."""
        return self.code_verification_status == "VERIFIED"

    @property
    def is_registered(self) -> bool:
        """Whether it works on the Cloud API already; registering again would count towards Meta's ten."""
        return self.status in _REGISTERED and self.platform_type == "CLOUD_API"


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


def create(
    graph: GraphClient, token: str, waba_id: str, calling_code: str, number: str, name: str, *, migrate: bool = False
) -> str:
    """Add a number to a WABA; with `migrate` it moves from where it is now. Its id. Raises MetaError."""
    request: dict[str, Any] = {"cc": calling_code, "phone_number": number}
    request |= {"migrate_phone_number": True} if migrate else {"verified_name": name}
    answer = graph.post(f"{waba_id}/phone_numbers", token=token, json=request)
    if (number_id := identifier(answer.get("id"))) is None:
        raise NoAnswer("Meta's answer does not name the new number", 200)
    return number_id


def request_code(graph: GraphClient, token: str, phone_number_id: str, method: str, language: str) -> None:
    """Have Meta send the code to the number: `method` is SMS or VOICE. Raises MetaError."""
    body = {"code_method": method, "language": language}
    graph.post(f"{phone_number_id}/request_code", token=token, json=body)


def verify_code(graph: GraphClient, token: str, phone_number_id: str, code: str) -> None:
    """The code that came to the number, digits only. Raises MetaError; 136025 means a wrong one."""
    graph.post(f"{phone_number_id}/verify_code", token=token, json={"code": code})


def synchronise(graph: GraphClient, token: str, phone_number_id: str, sync_type: str) -> None:
    """Ask the WhatsApp Business app for its contacts (`smb_app_state_sync`) or `history`: each once, within
    24 hours of onboarding. Raises MetaError; 2593107 means that it was asked before."""
    request = {"messaging_product": "whatsapp", "sync_type": sync_type}
    graph.post(f"{phone_number_id}/smb_app_data", token=token, json=request)


def rename(graph: GraphClient, token: str, phone_number_id: str, name: str) -> None:
    """Ask for another display name; it counts after Meta's review and another `register`. Raises MetaError."""
    graph.post(phone_number_id, token=token, json={"new_display_name": name})


def set_username(graph: GraphClient, token: str, phone_number_id: str, username: str) -> str:
    """The name by which customers find the number without its digits; `approved` or `reserved`. Raises MetaError."""
    answer = graph.post(f"{phone_number_id}/username", token=token, json={"username": username})
    return text(answer.get("status"), 40) or ""


def delete_username(graph: GraphClient, token: str, phone_number_id: str) -> None:
    """Raises MetaError."""
    graph.delete(f"{phone_number_id}/username", token=token)


def register(
    graph: GraphClient,
    token: str,
    phone_number_id: str,
    pin: str,
    data_localization_region: str | None = None,
) -> None:
    """Registers a number on the Cloud API. The PIN (six digits) becomes its two-step PIN, or must match it.
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


def remove_override(graph: GraphClient, token: str, phone_number_id: str) -> None:
    """Send this number's webhooks to its WABA's or the app's URL again. Raises MetaError."""
    graph.post(phone_number_id, token=token, json={"webhook_configuration": {"override_callback_uri": ""}})


def _phone_number(item: dict[str, Any]) -> PhoneNumber:
    pin, callbacks = item.get("is_pin_enabled"), mapping(item.get("webhook_configuration"))
    return PhoneNumber(
        id=str(identifier(item.get("id"))),
        display_phone_number=text(item.get("display_phone_number"), 64),
        verified_name=text(item.get("verified_name"), 300),
        status=text(item.get("status"), 64),
        quality_rating=text(item.get("quality_rating"), 64),
        code_verification_status=text(item.get("code_verification_status"), 64),
        name_status=text(item.get("name_status"), 64),
        new_display_name=text(item.get("new_display_name"), 300),
        platform_type=text(item.get("platform_type"), 64),
        throughput_level=text(mapping(item.get("throughput")).get("level"), 64),
        messaging_limit=text(item.get("whatsapp_business_manager_messaging_limit"), 64),
        username=text(item.get("username"), 64),
        is_on_biz_app=item.get("is_on_biz_app") is True,
        is_pin_enabled=pin if isinstance(pin, bool) else None,
        number_override=text(callbacks.get("phone_number"), 1_000),
        waba_override=text(callbacks.get("whatsapp_business_account"), 1_000),
        app_callback=text(callbacks.get("application"), 1_000),
    )
