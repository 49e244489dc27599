"""Test mode: the webhooks that Meta would post, in its own form."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .pretend import TITLES, behaviour_of

ERRORS = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"
REJECTED = "_rejected"
Change = dict[str, Any]


def post_of(waba_id: str, change: Change, at: datetime) -> bytes:
    """The body of one webhook, which happens at that moment."""
    seconds = int(at.timestamp())
    for kind in ("statuses", "messages"):
        for item in change["value"].get(kind, ()):
            item["timestamp"] = str(seconds)
    entry = {"id": waba_id, "time": seconds, "changes": [change]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def of_number(phone_number_id: str, display_number: str, value: Mapping[str, Any]) -> Change:
    shown = "".join(filter(str.isdecimal, display_number))
    metadata = {"display_phone_number": shown, "phone_number_id": phone_number_id}
    return {"field": "messages", "value": {"messaging_product": "whatsapp", "metadata": metadata, **value}}


def statuses_of(wamid: str, recipient: str, callback_data: str) -> list[dict[str, Any]]:
    """What becomes of an accepted message, one status after the other. They have no price: nothing is charged."""
    fate = behaviour_of(recipient)
    item = {"id": wamid, "recipient_id": recipient.removeprefix("+"), "biz_opaque_callback_data": callback_data}
    if fate.failure:
        return [item | {"status": "failed", "errors": [reported(fate.failure)]}]
    return [item | {"status": status} for status in fate.statuses]


def reported(code: int) -> dict[str, Any]:
    title = TITLES[code]
    return {"code": code, "title": title, "message": title, "error_data": {"details": title}, "href": ERRORS}


def inbound_of(wamid: str, sender: str, name: str, content: Mapping[str, Any], context: str | None) -> dict[str, Any]:
    """A message from a customer. `context` is the wamid of ours that it replies to."""
    contact = {"profile": {"name": name or f"+{sender}"}, "wa_id": sender}
    message = {"from": sender, "id": wamid, **content} | ({"context": {"id": context}} if context else {})
    return {"contacts": [contact], "messages": [message]}


def tapped(title: str, payload: str, *, of_template: bool) -> dict[str, Any]:
    """A tapped button: of a template Meta sends it in another form than of a message."""
    if of_template:
        return {"type": "button", "button": {"payload": payload, "text": title}}
    reply = {"type": "button_reply", "button_reply": {"id": payload, "title": title}}
    return {"type": "interactive", "interactive": reply}


def reviewed(template_id: str, name: str, language: str, category: str) -> Change:
    """Meta's decision about a template: it rejects what is called so."""
    event = "REJECTED" if name.endswith(REJECTED) else "APPROVED"
    value = {
        "event": event,
        # As text: a number would lose its zeros.
        "message_template_id": template_id,
        "message_template_name": name,
        "message_template_language": language,
        "message_template_category": category,
        "reason": "INVALID_FORMAT" if event == "REJECTED" else "NONE",
    }
    return {"field": "message_template_status_update", "value": value}
