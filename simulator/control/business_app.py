"""The client's WhatsApp Business app, for numbers that are on both."""

from flask import Blueprint, Response, jsonify

from simulator import coexistence, samples
from simulator.control.asked import asked, asked_customer, asked_number, asked_phone_number, world
from simulator.customers import Customer
from simulator.media import Media
from simulator.messages import FILES
from simulator.phone_numbers import PhoneNumber

business_app = Blueprint("control_business_app", __name__, url_prefix="/control/api")


@business_app.post("/coexistence")
def join() -> Response:
    number = asked_phone_number()
    coexistence.join(number, bool(asked("on", True)))
    return jsonify(coexistence=bool(number.coexistence))


@business_app.post("/echoes")
def echoes() -> Response:
    """`to` or `user_id`; a text, or a type with its content, or `edit`/`revoke` of an earlier echo's `wamid`."""
    number, kind = asked_phone_number(), str(asked("type", "text"))
    customer = asked_customer("to") if asked("user_id", "") else Customer.with_number(world(), asked_number("to"))
    reference = str(asked("wamid", "")) or None
    content = _content(number, kind)
    message = coexistence.write_from_app(world(), number, customer, kind, content, reference=reference)
    return jsonify(wamid=message.id)


@business_app.post("/history")
def history() -> Response:
    number = asked_phone_number()
    if asked("declined", False):
        coexistence.decline_history(world(), number)
        return jsonify(messages=0)
    people = coexistence.people_of(world(), number)
    chunks, shuffled = int(asked("chunks", 2)), bool(asked("shuffled", False))
    return jsonify(messages=coexistence.send_history(world(), number, people, chunks, shuffled))


@business_app.post("/app-contacts")
def contacts() -> Response:
    """Without `contacts`, those the number has a chat with."""
    number = asked_phone_number()
    known = [coexistence.contact_of(one) for one in coexistence.people_of(world(), number)]
    coexistence.sync_contacts(world(), number, asked("contacts", known), str(asked("action", "add")))
    return jsonify(success=True)


def _content(number: PhoneNumber, kind: str) -> object:
    if kind == "text":
        return {"body": str(asked("text"))}
    if kind == "edit":
        return {"type": "text", "content": {"body": str(asked("text"))}}
    if kind in FILES:
        filename, mime_type, sample = samples.FILES[kind]
        return {"id": Media.keep(world(), number, "webhook", mime_type, sample(), filename).id}
    return asked(kind, {"type": kind})
