"""Builds the items of `messages` and `message_echoes` for every type."""

import json
from typing import Any

from simulator.media import Media
from simulator.messages import FILES, Message

Json = dict[str, Any]
UNKNOWN_TYPE = {
    "code": 131051,
    "title": "Message type unknown",
    "message": "Message type unknown",
    "error_data": {"details": "Message type is currently not supported."},
}
OFTEN = 5


def inbound(message: Message, user_id: str, visible: bool) -> Json:
    """The item of a customer's message."""
    sender: Json = {"from": message.customer.wa_id} if visible else {}
    sender["from_user_id"] = user_id
    if message.customer.parent_user_id:
        sender["from_parent_user_id"] = message.customer.parent_user_id
    if message.type == "system":
        sender = _former_sender(message)
    item = sender | {"id": message.id, "timestamp": seconds(message)} | content(message)
    if context := _context(message):
        item["context"] = context
    if message.group_id:
        item["group_id"] = message.group_id
    if message.referral:
        item["referral"] = json.loads(message.referral)
    return item


def content(message: Message) -> Json:
    """`type` and the member named like it."""
    body = message.body
    match message.type:
        case "reaction":
            emoji = {"emoji": body["emoji"]} if body.get("emoji") else {}
            return {"type": "reaction", "reaction": {"message_id": body["message_id"], **emoji}}
        case "unsupported":
            # Which type it was is not always said.
            named = {"unsupported": {"type": body["type"]}} if body.get("type") else {}
            return {"type": "unsupported", "errors": [body.get("error", UNKNOWN_TYPE)], **named}
        case "edit":
            inner = {"context": {"id": "M0"}, "type": body["type"], body["type"]: body["content"]}
            return {"type": "edit", "edit": {"original_message_id": message.reference, "message": inner}}
        case "revoke":
            return {"type": "revoke", "revoke": {"original_message_id": message.reference}}
        case kind if kind in FILES:
            return {"type": kind, kind: _file(message, body)}
    return {"type": message.type, message.type: body}


def seconds(message: Message) -> str:
    """The time of the message as text, in seconds."""
    return str(int(message.created_at))


def _file(message: Message, body: Json) -> Json:
    media = Media.find(message.world, body.get("id"))
    about = media.as_webhook() if media else {"id": body.get("id", "")}
    if not message.world.knobs["url_in_webhooks"]:
        about.pop("url", None)
    return {name: value for name, value in body.items() if name != "id"} | about


def _context(message: Message) -> Json:
    if message.forwarded:
        return {"frequently_forwarded": True} if message.forwarded > OFTEN else {"forwarded": True}
    if not message.context_id:
        return {}
    quoted = message.find(message.world, message.context_id)
    theirs = quoted is not None and quoted.inbound
    author = message.customer.wa_id if theirs else message.number.digits
    return {"from": author, "id": message.context_id}


def _former_sender(message: Message) -> Json:
    """The sender of a system message: the old number, or none if the new one is hidden."""
    return {"from": message.reference} if message.reference else {}
