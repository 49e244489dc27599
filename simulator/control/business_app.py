"""The client's WhatsApp Business app, for numbers that are on both."""

from flask import Blueprint, Response, jsonify

from simulator import business_agent, coexistence, samples
from simulator.control.body import customer_member, member, number_member, phone_number_member, whole_member, world
from simulator.customers import Customer
from simulator.media import Media
from simulator.messages import FILES
from simulator.phone_numbers import PhoneNumber

business_app = Blueprint("control_business_app", __name__, url_prefix="/control/api")


@business_app.post("/coexistence")
def join() -> Response:
    """Connects the number to the WhatsApp Business app, or disconnects it."""
    number = phone_number_member()
    coexistence.join(number, bool(member("on", True)))
    return jsonify(coexistence=bool(number.coexistence))


@business_app.post("/business-agent")
def agent() -> Response:
    """Turns Meta's Business Agent on a number on or off, or, with `from`, gives it a customer's thread back."""
    number = phone_number_member()
    if member("from", "") or member("user_id", ""):
        business_agent.give_back(number, customer_member())
    else:
        business_agent.switch(number, bool(member("on", True)))
    return jsonify(on=business_agent.is_on(number))


@business_app.post("/echoes")
def echoes() -> Response:
    """`to` or `user_id`; a text, or a type with its content, or `edit`/`revoke` of an earlier echo's `wamid`."""
    number, kind = phone_number_member(), str(member("type", "text"))
    customer = customer_member("to") if member("user_id", "") else Customer.with_number(world(), number_member("to"))
    reference = str(member("wamid", "")) or None
    content = _content(number, kind)
    message = coexistence.write_from_app(world(), number, customer, kind, content, reference=reference)
    return jsonify(wamid=message.id)


@business_app.post("/history")
def history() -> Response:
    """Sends the history, or that the business declined to share it."""
    number = phone_number_member()
    if member("declined", False):
        coexistence.decline_history(world(), number)
        return jsonify(messages=0)
    people = coexistence.people_of(world(), number)
    chunks, shuffled = whole_member("chunks", 2), bool(member("shuffled", False))
    return jsonify(messages=coexistence.send_history(world(), number, people, chunks, shuffled))


@business_app.post("/app-contacts")
def contacts() -> Response:
    """Without `contacts`, those the number has a chat with."""
    number = phone_number_member()
    chat_partners = [coexistence.contact_of(one) for one in coexistence.people_of(world(), number)]
    coexistence.sync_contacts(world(), number, member("contacts", chat_partners), str(member("action", "add")))
    return jsonify(success=True)


def _content(number: PhoneNumber, kind: str) -> object:
    if kind == "text":
        return {"body": str(member("text"))}
    if kind == "edit":
        return {"type": "text", "content": {"body": str(member("text"))}}
    if kind in FILES:
        filename, mime_type, sample = samples.FILES[kind]
        return {"id": Media.save(world(), number, "webhook", mime_type, sample(), filename).id}
    return member(kind, {"type": kind})
