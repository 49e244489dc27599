from typing import Any

from simulator import dialing, outgoing
from simulator.customers import Customer
from simulator.errors import GraphError, forbidden, invalid
from simulator.graph import access
from simulator.graph.call import Call
from simulator.graph.contents import CONTENTS, MESSAGE_TYPES
from simulator.graph.edges import SUCCESS, Answer, edge
from simulator.messages import Message
from simulator.phone_numbers import PhoneNumber


@edge(PhoneNumber, "POST", "messages")
def send(call: Call, number: PhoneNumber) -> Answer:
    _may_message(call, number)
    if call.require("messaging_product") != "whatsapp":
        raise invalid("Param messaging_product must be one of {WHATSAPP}")
    if call.params.get("status") == "read":
        return _mark_read(call, number)
    message = outgoing.accept(call.world, _order(call, number))
    if call.world.happens("status_before_answer"):
        _report_first(call, message)
    return _accepted(call, message)


def _may_message(call: Call, number: PhoneNumber) -> None:
    if call.token.kind == "system" and not access.assigned(call.world, number.waba, call.token.user_id):
        raise forbidden()
    if not number.registered:
        raise GraphError(133010, "The phone number is not registered on the WhatsApp Business Platform.")


def _mark_read(call: Call, number: PhoneNumber) -> Answer:
    message = Message.find(call.world, str(call.require("message_id")))
    if message is None or message.phone_number_id != number.id or message.direction != "in":
        raise GraphError(131009, "Message ID does not exist.")
    message.mark_read_by_business()
    if call.params.get("typing_indicator"):
        message.business_starts_typing()
    return SUCCESS


def _order(call: Call, number: PhoneNumber) -> outgoing.Order:
    to, recipient = call.params.get("to"), call.params.get("recipient")
    kind = call.params.get("type", "text")
    if kind not in MESSAGE_TYPES:
        raise invalid(
            f'Param type must be one of {{{", ".join(sorted(MESSAGE_TYPES)).upper()}}} - got "{kind}".'
        )
    return outgoing.Order(
        number=number,
        customer=_addressee(call, number, to, recipient),
        type=kind,
        content=_content(call, kind),
        to=str(to) if to else None,
        recipient=str(recipient) if recipient else None,
        context_id=_context(call),
        biz_opaque_callback_data=_callback_data(call),
    )


def _addressee(call: Call, number: PhoneNumber, to: Any, recipient: Any) -> Customer:
    """`to` wins when both are given."""
    if call.params.get("recipient_type", "individual") != "individual":
        raise GraphError(131009, "Param recipient_type must be 'individual'.")
    if to:
        return _by_number(call, number, str(to))
    if recipient:
        return _by_user_id(call, number, str(recipient))
    raise GraphError(131008, "Required parameter is missing: to")


def _by_number(call: Call, number: PhoneNumber, to: str) -> Customer:
    if not dialing.is_number(to):
        raise GraphError(131009, "Param to is not a valid phone number.")
    plain = dialing.digits_of(to)
    if plain == number.digits:
        raise GraphError(131021, "Recipient cannot be sender")
    known = Customer.known(call.world, plain)
    return known or Customer.with_number(call.world, dialing.international(to, number.country))


def _by_user_id(call: Call, number: PhoneNumber, recipient: str) -> Customer:
    customer = Customer.with_user_id(call.world, recipient, number.waba.business_id)
    if customer is None:
        raise GraphError(131009, "Param recipient is not a user of this business.")
    return customer


def _content(call: Call, kind: str) -> dict[str, Any]:
    if kind not in CONTENTS:
        raise GraphError(131051, f"Messages of type {kind} are not played by this simulator.")
    return CONTENTS[kind](call.params.get(kind))


def _context(call: Call) -> str | None:
    context = call.params.get("context") or {}
    if not isinstance(context, dict):
        raise invalid("Param context must be an object.")
    return context.get("message_id")


def _callback_data(call: Call) -> str | None:
    data = call.params.get("biz_opaque_callback_data")
    if data is not None and len(str(data)) > 512:
        raise invalid("Param biz_opaque_callback_data must be at most 512 characters long.")
    return None if data is None else str(data)


def _report_first(call: Call, message: Message) -> None:
    """Meta's first status sometimes overtakes the answer to the request."""
    call.world.timeline.run_now(message)
    call.world.sender.send_for(message.id)


def _accepted(call: Call, message: Message) -> Answer:
    customer, number = message.customer, message.number
    contact = {"input": message.recipient_input}
    if call.params.get("to"):
        contact["wa_id"] = customer.wa_id
    if call.params.get("recipient"):
        contact["user_id"] = customer.user_id_for(number.waba.business_id)
    return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": message.id}]}
