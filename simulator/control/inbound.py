"""What customers send and do, without the phone page."""

import base64
from typing import Any

from flask import Blueprint, Response, jsonify, request

from simulator import ids, outgoing, samples
from simulator.control.body import (
    customer_member,
    member,
    number_member,
    object_member,
    phone_number_member,
    refuse,
    require_record,
    whole_member,
    world,
)
from simulator.customer_actions import SAMPLE_REFERRAL, CustomerActions
from simulator.customers import Customer
from simulator.media import Media
from simulator.messages import FILES, Message
from simulator.webhooks import payloads
from simulator.webhooks.payloads import Patch

inbound = Blueprint("control_writing", __name__, url_prefix="/control/api")

FREE_TYPES = ("location", "contacts", "order", "interactive", "button", "unsupported")


@inbound.post("/inbound")
def receive() -> Response:
    """`type` is `text` by default; the content is the member named like the type.

    `group_id`: sent in a group. `referred_product`: a question about a product. `error`: the code of an error that is
    part of the message. `item` and `value` are merged into the webhook's message and its value; null removes a member.
    """
    number, customer = phone_number_member(), _sender()
    message = _write(CustomerActions(world(), number, customer), str(member("type", "text")))
    return jsonify(wamid=message.id, user_id=customer.user_id_for(number.waba.business_id), wa_id=customer.wa_id)


@inbound.post("/reactions")
def reactions() -> Response:
    """A customer reacts to a message, or removes the reaction."""
    return _answer(_customer_actions().react(str(member("wamid")), str(member("emoji", ""))))


@inbound.post("/edits")
def edits() -> Response:
    """A customer edits a message."""
    return _answer(_customer_actions().edit(str(member("wamid")), str(member("text"))))


@inbound.post("/deletions")
def deletions() -> Response:
    """A customer deletes a message."""
    return _answer(_customer_actions().delete(str(member("wamid"))))


@inbound.post("/answers")
def answers() -> Response:
    """Chooses the option with that index in a received message; `typed` fills in a flow or gives a location."""
    return _answer(
        _customer_actions().answer(str(member("wamid")), whole_member("option", 0), member("typed", {}) or None)
    )


@inbound.post("/reads")
def reads() -> Response:
    """A customer reads the chat."""
    outgoing.read(world(), customer_member(), phone_number_member())
    return jsonify(success=True)


@inbound.post("/plays")
def plays() -> Response:
    """A customer plays a voice note."""
    outgoing.play(require_record(Message.find(world(), str(member("wamid"))), "message"))
    return jsonify(success=True)


def _customer_actions() -> CustomerActions:
    return CustomerActions(world(), phone_number_member(), customer_member())


def _answer(message: Message | None) -> Response:
    return jsonify(wamid=message.id if message else None)


def _sender() -> Customer:
    if member("user_id", ""):
        return customer_member()
    return Customer.with_number(world(), number_member("from"), str(member("name", "")))


def _write(actions: CustomerActions, kind: str) -> Message:
    marks = _marks()
    if kind == "text":
        return actions.send("text", {"body": str(member("text"))}, **marks)
    if kind in (*FILES, "voice"):
        return _write_file(actions, kind, marks)
    if kind == "edit":
        body = object_member(kind, "original_message_id", "message")
        message = body["message"]
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            refuse(400, f"{kind}.message has no type")
        content = {"type": message["type"], "content": message.get(message["type"], {})}
        return actions.send(kind, content, reference=str(body["original_message_id"]), **marks)
    if kind == "revoke":
        return actions.send(
            kind, {}, reference=str(object_member(kind, "original_message_id")["original_message_id"]), **marks
        )
    if kind == "reaction":
        body = object_member(kind, "message_id")
        return actions.send(kind, body, reference=str(body["message_id"]), **marks)
    if kind == "system":
        return actions.send(
            kind, object_member(kind, "type"), reference=actions.visible_number, origin="system", **marks
        )
    if kind not in FREE_TYPES:
        refuse(400, f"type must be one of text, voice, {', '.join((*FILES, *FREE_TYPES))}")
    if kind == "contacts":
        return actions.send(kind, member(kind), **marks)
    return actions.send(kind, object_member(kind), **marks)


def _write_file(actions: CustomerActions, kind: str, marks: dict[str, Any]) -> Message:
    filename, mime_type, sample = samples.FILES[kind]
    data = member("file_base64", "")
    unavailable = bool(member("error", 0))
    try:
        given = base64.b64decode(data) if data else sample()
    except (TypeError, ValueError):
        refuse(400, "file_base64 is not base64")
    if kind == "voice":
        marks["voice"] = True
    message = actions.send_file(
        "audio" if kind == "voice" else kind,
        given,
        str(member("mime_type", mime_type)),
        str(member("filename", filename)),
        str(member("caption", "")),
        **marks,
    )
    if unavailable and (media := Media.find(actions.world, message.body["id"])):
        media.delete()
    return message


def _patch() -> Patch:
    """How this one webhook differs from the usual."""
    item, value = (dict(object_member(name)) if member(name, {}) else {} for name in ("item", "value"))
    if product := member("referred_product", {}):
        about = {"from": phone_number_member().digits, "id": member("context_id", "") or ids.wamid("0", inbound=False)}
        item.setdefault("context", about | {"referred_product": product})
    if code := whole_member("error", 0):
        item.setdefault("errors", [payloads.error(code)])
    if member("sender_only_in_contacts", False):
        item |= {"from": None, "from_user_id": None, "from_parent_user_id": None}
    return Patch(item, value)


def _marks() -> dict[str, Any]:
    referral = (request.get_json(silent=True) or {}).get("referral")
    return {
        "patch": _patch(),
        "group_id": member("group_id", "") or None,
        "context_id": member("context_id", "") or None,
        "forwarded": whole_member("forwarded", 0),
        "referral": SAMPLE_REFERRAL if referral is True else referral,
    }
