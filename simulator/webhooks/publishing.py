"""Sends webhooks to the right callback; a WABA's messages go only to a subscribed app."""

from typing import Any

from simulator.context import Context
from simulator.messages import Message
from simulator.phone_numbers import PhoneNumber
from simulator.relations import Relation
from simulator.wabas import Waba
from simulator.webhooks import items, payloads
from simulator.webhooks.delivery import Delivery

OBJECT = "whatsapp_business_account"
ALL_FIELDS = (
    "messages,standby,messaging_handovers,calls,account_update,user_preferences,history,smb_message_echoes,smb_app_state_sync,"
    "message_template_status_update,message_template_quality_update,message_template_components_update,"
    "template_category_update,template_correct_category_detection,flows,"
    "phone_number_quality_update,phone_number_name_update,business_capability_update,"
    "account_alerts,account_review_update,security,business_username_updates,"
    "group_lifecycle_update,group_participants_update,group_settings_update,group_status_update"
)
# An override moves only these; every other field goes to the app's callback.
OVERRIDABLE = ("messages", "calls", "history", "smb_message_echoes", "smb_app_state_sync", "messaging_handovers")


def use_configured_callback(world: Context) -> None:
    """Subscribes the callback of the settings to every field."""
    if world.settings.callback_url:
        set_callback(world, world.settings.callback_url, ALL_FIELDS)


def set_callback(world: Context, callback_url: str, fields: str) -> None:
    """Sets the app's callback and its fields."""
    sql = "insert or replace into app_subscriptions values (?, ?, ?)"
    world.store.write(sql, OBJECT, callback_url, fields)


def app_callback(world: Context, field: str) -> str | None:
    """The app's own callback, if the app subscribed to the field."""
    row = world.store.row("select * from app_subscriptions where id = ?", OBJECT)
    return row["callback_url"] if row and field in row["fields"].split(",") else None


def publish_message(message: Message, patch: payloads.Patch | None = None) -> None:
    """Sends what a customer sent."""
    publish_for_number(message.number, "messages", payloads.inbound(message, patch), message.id)


def publish_copy(message: Message, patch: payloads.Patch | None = None) -> None:
    """Sends a copy of what a customer wrote to another app that has the thread."""
    value = payloads.inbound(message, patch)
    copy = {name: value.pop(name) for name in ("contacts", "messages") if name in value}
    publish_for_number(message.number, "standby", {**value, "standby": copy}, message.id)


def publish_copied_echo(message: Message) -> None:
    """Sends a copy of what another app wrote to a customer: its request, beside the id."""
    customer, number = message.customer, message.number
    to = {"to": customer.wa_id} if customer.shows_number_to(number.id) else {}
    sent = {"messaging_product": "whatsapp", **to, "recipient": customer.user_id_for(number.waba.business_id)}
    item = {"id": message.id, "timestamp": items.seconds(message), "message": sent | items.content(message)}
    publish_for_number(number, "standby", {**payloads.head(number), "standby": {"message_echoes": [item]}}, message.id)


def publish_status(message: Message, status: str) -> None:
    """Sends a status of a business's message."""
    publish_for_number(message.number, "messages", payloads.status(message, status), message.id)


def publish_preference(relation: Relation, value: str) -> None:
    """Sends that a customer stopped or resumed marketing messages."""
    publish_for_number(relation.number, "user_preferences", payloads.preference(relation, value))


def publish_echo(message: Message) -> None:
    """Sends what the business wrote in the WhatsApp Business app."""
    publish_for_number(message.number, "smb_message_echoes", payloads.echo(message))


def publish_partner_added(waba: Waba) -> None:
    """Sends PARTNER_ADDED for the partner's portfolio, whether or not the app is subscribed to the WABA."""
    publish_to_partner(waba, payloads.partner_added(waba))


def publish_to_partner(waba: Waba, value: dict[str, Any]) -> None:
    """Sends an `account_update` addressed to the partner's portfolio."""
    world = waba.world
    body = payloads.envelope(world.settings.business_id, "account_update", value, int(world.clock.now()))
    _enqueue(world, app_callback(world, "account_update"), "account_update", waba.id, body)


def publish_for_waba(waba: Waba, field: str, value: dict[str, Any]) -> None:
    """Sends an account or template field: never overridden, with a timestamp."""
    world = waba.world
    body = payloads.envelope(waba.id, field, value, int(world.clock.now()))
    _enqueue(world, app_callback(world, field) if waba.is_subscribed else None, field, waba.id, body)


def publish_for_number(number: PhoneNumber, field: str, value: dict[str, Any], message_id: str | None = None) -> None:
    """Sends a field of a number: to its override, else its WABA's override, else the app's callback."""
    if url := _callback(number, field):
        body = payloads.envelope(number.waba_id, field, value)
        _enqueue(number.world, url, field, number.waba_id, body, message_id)


def _callback(number: PhoneNumber, field: str) -> str | None:
    waba = number.waba
    if not waba.is_subscribed:
        return None
    override = number.override_callback_uri or waba.override_callback_uri
    can_move = field in OVERRIDABLE or field.startswith("group_")
    return override if override and can_move else app_callback(number.world, field)


def _enqueue(
    world: Context, url: str | None, field: str, about: str, body: dict[str, Any], message_id: str | None = None
) -> None:
    if url is None or world.happens("loss"):
        return
    copies = 2 if world.happens("duplicates") else 1
    for _ in range(copies):
        Delivery.enqueue(world, url, field, about, body, message_id)
    world.wake("webhooks")
