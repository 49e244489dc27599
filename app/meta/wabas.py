"""A WhatsApp Business Account: what it is, who owns it, and whether its webhooks come to us."""

from dataclasses import dataclass
from typing import Any

from .graph import GraphClient
from .payload import identifier, mapping, sequence, text

_FIELDS = (
    "id,name,currency,timezone_id,status,account_review_status,business_verification_status,ownership_type,"
    "owner_business_info"
)


@dataclass(frozen=True, slots=True)
class Waba:
    id: str
    name: str | None
    owner_business_id: str | None
    owner_business_name: str | None
    currency: str | None
    timezone_id: str | None
    status: str | None
    account_review_status: str | None
    business_verification_status: str | None
    ownership_type: str | None


@dataclass(frozen=True, slots=True)
class SubscribedApp:
    id: str | None
    name: str | None
    override_callback_uri: str | None


def fetch(graph: GraphClient, token: str, waba_id: str) -> Waba:
    """The WABA and its owner. Store the owner's id: after the client unshares, it can't be read any more.
    Raises MetaError."""
    answer = graph.get(waba_id, token=token, params={"fields": _FIELDS})
    owner = mapping(answer.get("owner_business_info"))
    return Waba(
        id=identifier(answer.get("id")) or waba_id,
        name=text(answer.get("name"), 300),
        owner_business_id=identifier(owner.get("id")),
        owner_business_name=text(owner.get("name"), 300),
        currency=text(answer.get("currency"), 10),
        timezone_id=text(answer.get("timezone_id"), 10),
        status=text(answer.get("status"), 64),
        account_review_status=text(answer.get("account_review_status"), 64),
        business_verification_status=text(answer.get("business_verification_status"), 64),
        ownership_type=text(answer.get("ownership_type"), 64),
    )


def subscribed_apps(graph: GraphClient, token: str, waba_id: str) -> list[SubscribedApp]:
    """The apps that get this WABA's webhooks. Raises MetaError."""
    answer = graph.get(f"{waba_id}/subscribed_apps", token=token)
    return [_subscribed_app(mapping(item)) for item in sequence(answer.get("data"))]


def subscription(graph: GraphClient, token: str, waba_id: str) -> SubscribedApp | None:
    """Our own app among those that get this WABA's webhooks, with its override of the URL. Raises MetaError."""
    return next((app for app in subscribed_apps(graph, token, waba_id) if app.id == graph.app_id), None)


def is_subscribed(graph: GraphClient, token: str, waba_id: str) -> bool:
    """Whether our own app gets this WABA's webhooks. Raises MetaError."""
    return subscription(graph, token, waba_id) is not None


def subscribe(graph: GraphClient, token: str, waba_id: str) -> None:
    """Send this WABA's webhooks to the app's own URL. Safe to repeat, but it removes an override of the URL.
    Raises MetaError."""
    graph.post(f"{waba_id}/subscribed_apps", token=token)


def unsubscribe(graph: GraphClient, token: str, waba_id: str) -> None:
    """Stop this WABA's webhooks. Raises MetaError."""
    graph.delete(f"{waba_id}/subscribed_apps", token=token)


def _subscribed_app(item: dict[str, Any]) -> SubscribedApp:
    app = mapping(item.get("whatsapp_business_api_data"))
    return SubscribedApp(
        id=identifier(app.get("id")),
        name=text(app.get("name"), 300),
        override_callback_uri=text(item.get("override_callback_uri"), 1_000),
    )
