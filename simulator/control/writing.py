"""Customers at work, without the phone page."""

import base64
from typing import Any

from flask import Blueprint, Response, jsonify, request

from simulator import ids, outgoing, samples
from simulator.control.asked import asked, asked_customer, asked_number, asked_phone_number, found, refuse, world
from simulator.customers import Customer
from simulator.handwriting import SAMPLE_REFERRAL, Hand
from simulator.media import Media
from simulator.messages import FILES, Message
from simulator.webhooks import payloads
from simulator.webhooks.payloads import Patch

writing = Blueprint("control_writing", __name__, url_prefix="/control/api")

FREELY = ("location", "contacts", "order", "interactive", "button", "unsupported")


@writing.post("/inbound")
def inbound() -> Response:
    """`type` is `text` by default; the content is the member named like the type.

    `group_id`: written in a group. `referred_product`: asked about a product. `error`: the code of an error that comes
    with the message. `item` and `value` are merged into the webhook's message and its value; null removes a member.
    """
    number, customer = asked_phone_number(), _writer()
    message = _write(Hand(world(), number, customer), str(asked("type", "text")))
    return jsonify(wamid=message.id, user_id=customer.user_id_for(number.waba.business_id), wa_id=customer.wa_id)


@writing.post("/reactions")
def reactions() -> Response:
    return _told(_hand().react(str(asked("wamid")), str(asked("emoji", ""))))


@writing.post("/edits")
def edits() -> Response:
    return _told(_hand().edit(str(asked("wamid")), str(asked("text"))))


@writing.post("/deletions")
def deletions() -> Response:
    return _told(_hand().delete(str(asked("wamid"))))


@writing.post("/answers")
def answers() -> Response:
    """Taps the option with that number of a received message; `typed` fills a flow or names a place."""
    return _told(_hand().answer(str(asked("wamid")), int(asked("option", 0)), asked("typed", {}) or None))


@writing.post("/reads")
def reads() -> Response:
    outgoing.read(world(), asked_customer(), asked_phone_number())
    return jsonify(success=True)


@writing.post("/plays")
def plays() -> Response:
    outgoing.play(found(Message.find(world(), str(asked("wamid"))), "message"))
    return jsonify(success=True)


def _hand() -> Hand:
    return Hand(world(), asked_phone_number(), asked_customer())


def _told(message: Message | None) -> Response:
    return jsonify(wamid=message.id if message else None)


def _writer() -> Customer:
    if asked("user_id", ""):
        return asked_customer()
    return Customer.with_number(world(), asked_number("from"), str(asked("name", "")))


def _write(hand: Hand, kind: str) -> Message:
    marks = _marks()
    if kind == "text":
        return hand.send("text", {"body": str(asked("text"))}, **marks)
    if kind in (*FILES, "voice"):
        return _write_file(hand, kind, marks)
    if kind == "edit":
        body = asked(kind)
        message = body["message"]
        content = {"type": message["type"], "content": message.get(message["type"], {})}
        return hand.send(kind, content, reference=str(body["original_message_id"]), **marks)
    if kind == "revoke":
        return hand.send(kind, {}, reference=str(asked(kind)["original_message_id"]), **marks)
    if kind == "reaction":
        return hand.send(kind, asked(kind), reference=str(asked(kind)["message_id"]), **marks)
    if kind == "system":
        return hand.send(kind, asked(kind), reference=hand.visible_number, origin="system", **marks)
    if kind not in FREELY:
        refuse(400, f"type must be one of text, voice, {', '.join((*FILES, *FREELY))}")
    return hand.send(kind, asked(kind), **marks)


def _write_file(hand: Hand, kind: str, marks: dict[str, Any]) -> Message:
    filename, mime_type, sample = samples.FILES[kind]
    data = asked("file_base64", "")
    unavailable = bool(asked("error", 0))
    given = base64.b64decode(data) if data else sample()
    if kind == "voice":
        marks["voice"] = True
    message = hand.send_file(
        "audio" if kind == "voice" else kind,
        given,
        str(asked("mime_type", mime_type)),
        str(asked("filename", filename)),
        str(asked("caption", "")),
        **marks,
    )
    if unavailable and (media := Media.find(hand.world, message.body["id"])):
        media.delete()
    return message


def _patch() -> Patch:
    """How this one webhook differs from the usual."""
    item, value = dict(asked("item", {})), dict(asked("value", {}))
    if product := asked("referred_product", {}):
        about = {"from": asked_phone_number().digits, "id": asked("context_id", "") or ids.wamid("0", inbound=False)}
        item.setdefault("context", about | {"referred_product": product})
    if code := asked("error", 0):
        item.setdefault("errors", [payloads.error(int(code))])
    if asked("sender_only_in_contacts", False):
        item |= {"from": None, "from_user_id": None, "from_parent_user_id": None}
    return Patch(item, value)


def _marks() -> dict[str, Any]:
    referral = (request.get_json(silent=True) or {}).get("referral")
    return {
        "patch": _patch(),
        "group_id": asked("group_id", "") or None,
        "context_id": asked("context_id", "") or None,
        "forwarded": int(asked("forwarded", 0)),
        "referral": SAMPLE_REFERRAL if referral is True else referral,
    }
