from dataclasses import dataclass, field
from typing import Any

from simulator.customers import Customer
from simulator.errors import title_of
from simulator.messages import Message
from simulator.phone_numbers import PhoneNumber
from simulator.pricing import pricing_of
from simulator.relations import Relation
from simulator.wabas import Waba
from simulator.webhooks import items

Json = dict[str, Any]
HELP = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"
DETAILS = {
    131026: "Message undeliverable.",
    131042: "Message failed to send because there were one or more errors related to your payment method.",
    131047: "Message failed to send because more than 24 hours have passed since the customer last replied"
    " to this number.",
    131049: "This message was not delivered to maintain healthy ecosystem engagement.",
    131050: "The user has stopped marketing messages from this business.",
}


def envelope(entry_id: str, field: str, value: Json, time: int | None = None) -> Json:
    """The body of a webhook around one value."""
    stamp = {} if time is None else {"time": time}
    entry = {"id": entry_id, **stamp, "changes": [{"value": value, "field": field}]}
    return {"object": "whatsapp_business_account", "entry": [entry]}


@dataclass(frozen=True)
class Patch:
    """How one webhook differs from the usual: members to add to its item and its value; null removes one."""

    item: Json = field(default_factory=dict)
    value: Json = field(default_factory=dict)

    def of_item(self, item: Json) -> Json:
        """The message item with the changes applied."""
        return _apply_patch(item, self.item)

    def of_value(self, value: Json) -> Json:
        """The value with the changes applied."""
        return _apply_patch(value, self.value)


def _apply_patch(members: Json, changes: Json) -> Json:
    return {name: member for name, member in (members | changes).items() if member is not None}


def inbound(message: Message, patch: Patch | None = None) -> Json:
    """The value for an inbound message. System messages have no `contacts`."""
    patch = patch or Patch()
    number, customer = message.number, message.customer
    user_id = customer.user_id_for(number.waba.business_id)
    visible = customer.shows_number_to(number.id)
    item = patch.of_item(items.inbound(message, user_id, visible))
    if message.type == "system":
        return patch.of_value({**head(number), "messages": [item]})
    return patch.of_value({**head(number), "contacts": [contact(customer, user_id, visible)], "messages": [item]})


def status(message: Message, name: str) -> Json:
    """The value for a status."""
    number, customer = message.number, message.customer
    user_id = customer.user_id_for(number.waba.business_id)
    visible = not message.by_user_id or customer.shows_number_to(number.id)
    item: Json = {"id": message.id, "status": name, "timestamp": str(int(message.world.clock.now()))}
    if visible:
        item["recipient_id"] = customer.wa_id
    if name != "failed" or message.by_user_id:
        item["recipient_user_id"] = user_id
        if customer.parent_user_id:
            item["parent_recipient_user_id"] = customer.parent_user_id
    if message.template_id and message.type != "template":
        item["template_id"] = message.template_id
    if message.biz_opaque_callback_data:
        item["biz_opaque_callback_data"] = message.biz_opaque_callback_data
    if pricing := pricing_of(message, name):
        item["pricing"] = pricing
        if pricing["type"] == "free_entry_point":
            item["conversation"] = _entry_point(message, name)
    if name == "failed":
        failure = error(message.error_code or 131000, message.trouble)
        return {**head(number), "statuses": [item | {"errors": [failure]}]}
    shown = contact(customer, user_id, visible, with_username=name != "sent")
    return {**head(number), "contacts": [shown], "statuses": [item]}


def _entry_point(message: Message, name: str) -> Json:
    """The `conversation` object; only with `sent` it has the expiry."""
    relation = message.relation
    conversation: Json = {
        "id": f"{relation.number.id}-{int(relation.free_until)}",
        "origin": {"type": "referral_conversion"},
    }
    return conversation | ({"expiration_timestamp": str(int(relation.free_until))} if name == "sent" else {})


def preference(relation: Relation, value: str) -> Json:
    """The value for a change of marketing preferences."""
    number, customer = relation.number, relation.customer
    user_id = customer.user_id_for(number.waba.business_id)
    identity = contact(customer, user_id, customer.shows_number_to(number.id))
    verb = {"stop": "stop", "resume": "resume"}[value]
    change = {name: identity[name] for name in ("wa_id", "user_id", "parent_user_id") if name in identity} | {
        "detail": f"User requested to {verb} marketing messages",
        "category": "marketing_messages",
        "value": value,
        "timestamp": int(relation.world.clock.now()),
    }
    return {**head(number), "contacts": [identity], "user_preferences": [change]}


def echo(message: Message) -> Json:
    """The value for a message sent in the WhatsApp Business app."""
    customer, number = message.customer, message.number
    item = items.content(message) | {"from": number.digits, "id": message.id, "timestamp": items.seconds(message)}
    if customer.shows_number_to(number.id):
        item["to"] = customer.wa_id
    item["to_user_id"] = customer.user_id_for(number.waba.business_id)
    return {**head(number), "message_echoes": [item]}


def partner_added(waba: Waba) -> Json:
    """The value for a newly shared account."""
    return {"event": "PARTNER_ADDED", "waba_info": {"waba_id": waba.id, "owner_business_id": waba.business_id}}


def head(number: PhoneNumber) -> Json:
    """The members that every value about a number starts with."""
    metadata = {"display_phone_number": number.digits, "phone_number_id": number.id}
    return {"messaging_product": "whatsapp", "metadata": metadata}


def contact(customer: Customer, user_id: str, visible: bool, with_username: bool = True) -> Json:
    """`wa_id` is missing, not empty, where the number may not be shown."""
    profile = {"name": customer.name}
    if customer.username and with_username:
        profile["username"] = customer.username
    identity = {"wa_id": customer.wa_id, "user_id": user_id} if visible else {"user_id": user_id}
    parent = {"parent_user_id": customer.parent_user_id} if customer.parent_user_id else {}
    return {"profile": profile, **identity, **parent}


def error(code: int, details: str | None = None) -> Json:
    """An error object as webhooks carry it."""
    title = title_of(code)
    data = {"details": details or DETAILS.get(code, title)}
    return {"code": code, "title": title, "message": title, "error_data": data, "href": HELP}
