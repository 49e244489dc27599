from typing import TYPE_CHECKING, Any

from simulator.errors import title_of
from simulator.pricing import pricing_of

if TYPE_CHECKING:
    from simulator.customers import Customer
    from simulator.messages import Message
    from simulator.phone_numbers import PhoneNumber
    from simulator.wabas import Waba

Json = dict[str, Any]
HELP = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"
DETAILS = {
    131042: "Message failed to send because there were one or more errors related to your payment method.",
    131047: "Message failed to send because more than 24 hours have passed since the customer last replied"
    " to this number.",
}


def envelope(entry_id: str, field: str, value: Json, time: int | None = None) -> Json:
    stamp = {} if time is None else {"time": time}
    entry = {"id": entry_id, **stamp, "changes": [{"value": value, "field": field}]}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def inbound(message: "Message") -> Json:
    number, customer = message.number, message.customer
    user_id = customer.user_id_for(number.waba.business_id)
    item: Json = {
        "from": customer.wa_id,
        "from_user_id": user_id,
        "id": message.id,
        "timestamp": str(int(message.created_at)),
        "type": message.type,
        message.type: message.body,
    }
    if message.context_id:
        item["context"] = {"from": number.digits, "id": message.context_id}
    return {**_head(number), "contacts": [_contact(customer, user_id)], "messages": [item]}


def status(message: "Message", name: str) -> Json:
    number, customer = message.number, message.customer
    user_id = customer.user_id_for(number.waba.business_id)
    item: Json = {
        "id": message.id,
        "status": name,
        "timestamp": str(int(message.world.clock.now())),
        "recipient_id": customer.wa_id,
    }
    if name != "failed" or message.by_user_id:
        item["recipient_user_id"] = user_id
    if message.biz_opaque_callback_data:
        item["biz_opaque_callback_data"] = message.biz_opaque_callback_data
    if pricing := pricing_of(message, name):
        item["pricing"] = pricing
    if name == "failed":
        return {**_head(number), "statuses": [item | {"errors": [_error(message.error_code or 131000)]}]}
    return {**_head(number), "contacts": [_contact(customer, user_id)], "statuses": [item]}


def partner_added(waba: "Waba") -> Json:
    return {
        "event": "PARTNER_ADDED",
        "waba_info": {"waba_id": waba.id, "owner_business_id": waba.business_id},
    }


def _head(number: "PhoneNumber") -> Json:
    metadata = {"display_phone_number": number.digits, "phone_number_id": number.id}
    return {"messaging_product": "whatsapp", "metadata": metadata}


def _contact(customer: "Customer", user_id: str) -> Json:
    return {"profile": {"name": customer.name}, "wa_id": customer.wa_id, "user_id": user_id}


def _error(code: int) -> Json:
    title = title_of(code)
    details = DETAILS.get(code, title)
    return {"code": code, "title": title, "message": title, "error_data": {"details": details}, "href": HELP}
