from dataclasses import replace
from typing import Any

from simulator import (
    dialing,
    direct_send,
    later_failures,
    magic,
    options,
    outgoing,
    template_pacing,
)
from simulator.customers import Customer
from simulator.errors import GraphError, forbidden, invalid
from simulator.graph import access, direct_messages, template_messages
from simulator.graph.call import Call
from simulator.graph.contents import MESSAGE_TYPES, check_content, references
from simulator.graph.edges import SUCCESS, Answer, edge
from simulator.graph.parameters import decode
from simulator.later_failures import Failure
from simulator.message_templates import MessageTemplate
from simulator.messages import Message
from simulator.phone_numbers import PhoneNumber
from simulator.relations import Relation

NAME_CLASH = 132021


@edge(PhoneNumber, "POST", "messages")
def send(call: Call, number: PhoneNumber) -> Answer:
    _may_message(call, number)
    if call.require("messaging_product") != "whatsapp":
        raise invalid("Param messaging_product must be one of {WHATSAPP}")
    if call.params.get("status") == "read":
        return _mark_read(call, number)
    order = _order(call, number)
    _check_recipient(call, order)
    call.world.limits.admit(number.id, order.customer.id, number.messages_per_second)
    message = _accept(call, order)
    if call.world.happens("status_before_answer"):
        _report_first(call, message)
    return _answer(call, message)


def _accept(call: Call, order: outgoing.Order) -> Message:
    """Accepts the message; for Direct Send with the template that Meta finds or generates."""
    if direct := direct_messages.category_of(call, order.number, order.type):
        return _accept_direct(call, order, direct)
    message = outgoing.accept(call.world, order)
    if template := MessageTemplate.find(call.world, order.template_id):
        template.update(used_at=message.created_at)
        if order.held:
            template_pacing.hold(template)
    return message


def _accept_direct(call: Call, order: outgoing.Order, category: str) -> Message:
    name, waba = direct_messages.template_name(call, category), order.number.waba
    with call.world.store.transaction():
        choice = direct_send.choose(order.number, order.type, order.content, category.upper(), name)
        failure = Failure(NAME_CLASH, "The template name belongs to another template.") if choice.clash else None
        template_id = choice.template.id if choice.template else None
        message = outgoing.accept(call.world, replace(order, template_id=template_id), failure)
        direct_send.look_for_misuse(waba, order.type, order.content)
    return message


def _may_message(call: Call, number: PhoneNumber) -> None:
    if call.token.kind == "system" and not access.is_assigned(call.world, number.waba, call.token.user_id):
        raise forbidden()
    if number.waba.status == "DISABLED":
        raise GraphError(131031, "The WhatsApp Business Account has been disabled.")
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
    kind = str(call.params.get("type", "text"))
    if kind not in MESSAGE_TYPES:
        raise invalid(f'Param type must be one of {{{", ".join(sorted(MESSAGE_TYPES)).upper()}}} - got "{kind}".')
    customer = _addressee(call, number, to, recipient)
    direct = direct_messages.category_of(call, number, kind)
    content = _content(call, number, kind, direct)
    shown, category, template = _preview(call, number, kind, content)
    return outgoing.Order(
        number=number,
        customer=customer,
        type=kind,
        content=content,
        to=str(to) if to else None,
        recipient=str(recipient) if recipient else None,
        context_id=_context(call, kind),
        biz_opaque_callback_data=_callback_data(call),
        shown=shown,
        category=direct or category,
        template_id=template.id if template else None,
        held=template is not None and template_pacing.holds_next(template),
        ttl=template.time_to_live if template else direct_messages.ttl_of(call, direct),
    )


def _content(call: Call, number: PhoneNumber, kind: str, direct: str | None) -> Any:
    """The checked content; Direct Send also takes addresses among the reply buttons."""
    given = decode(call.params.get(kind))
    if not direct:
        return check_content(kind, given)
    direct_messages.check(given, kind, number)
    return given if direct_messages.has_links(given) else check_content(kind, given)


def _addressee(call: Call, number: PhoneNumber, to: Any, recipient: Any) -> Customer:
    """The recipient; `to` takes precedence over `recipient`."""
    kind = str(call.params.get("recipient_type") or "individual")
    if kind == "group":
        raise GraphError(131041, "The group does not exist, or the business does not take part in it.")
    if kind != "individual":
        raise GraphError(131009, "Param recipient_type must be one of {individual, group}.")
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
    existing = Customer.by_number(call.world, plain)
    return existing or Customer.with_number(call.world, dialing.international(to, number.country))


def _by_user_id(call: Call, number: PhoneNumber, recipient: str) -> Customer:
    customer = Customer.with_user_id(call.world, recipient, number.waba.business_id)
    if customer is None:
        raise GraphError(131009, "Param recipient is not a user of this business.")
    return customer


def _preview(
    call: Call, number: PhoneNumber, kind: str, content: Any
) -> tuple[dict[str, Any] | None, str, MessageTemplate | None]:
    """What the customer sees of a message with parts, its pricing category, and its template."""
    if missing := later_failures.missing_file(call.world, content, kind, number.id):
        raise invalid(f"Param {missing}['id'] is not a valid whatsapp business account media attachment ID")
    if kind == "interactive":
        references.check_interactive(number.waba, content)
        parts = {part: content[part] for part in ("header", "footer") if content.get(part)}
        body = (content.get("body") or {}).get("text")
        footer = {"footer": parts.pop("footer")["text"]} if "footer" in parts else {}
        return {**_header(parts.get("header")), "body": body, **footer, **_cards(content)}, "service", None
    if kind == "template":
        return template_messages.fill(call, number, content)
    return None, "service", None


def _header(header: dict[str, Any] | None) -> dict[str, Any]:
    if header is None:
        return {}
    shown = {"text": header["text"]} if header["type"] == "text" else {"kind": header["type"], **header}
    return {"header": shown}


def _cards(content: dict[str, Any]) -> dict[str, Any]:
    parts: dict[str, Any] = {"options": options.of_interactive(content)}
    action = content.get("action", {})
    if content["type"] == "list":
        parts["list"] = action["button"]
    if content["type"] == "carousel":
        parts["cards"] = [
            _header(card.get("header")) | {"body": card.get("body", {}).get("text")} for card in action["cards"]
        ]
    return parts


def _check_recipient(call: Call, order: outgoing.Order) -> None:
    if Relation(call.world, order.number, order.customer).blocked:
        raise GraphError(130403, "You blocked this user.")
    if code := magic.refusal_of(order.customer.wa_id):
        raise GraphError(code, "This number always fails this way.")
    if call.world.happens("refuse_at_once"):
        _refuse_closed_window(call, order)


def _refuse_closed_window(call: Call, order: outgoing.Order) -> None:
    """Refuses at once what is usually reported as failed later."""
    if (
        order.type != "template"
        and order.category == "service"
        and not Relation(call.world, order.number, order.customer).window_open
    ):
        raise GraphError(
            later_failures.WINDOW_CLOSED, "More than 24 hours have passed since the customer last replied."
        )


def _context(call: Call, kind: str) -> str | None:
    context = decode(call.params.get("context")) or {}
    if not isinstance(context, dict):
        raise invalid("Param context must be an object.")
    if context and kind == "reaction":
        raise GraphError(131009, "Param context is not allowed with reactions.")
    message_id = context.get("message_id")
    return None if message_id is None else str(message_id)


def _callback_data(call: Call) -> str | None:
    data = call.params.get("biz_opaque_callback_data")
    if data is not None and len(str(data)) > 512:
        raise invalid("Param biz_opaque_callback_data must be at most 512 characters long.")
    return None if data is None else str(data)


def _report_first(call: Call, message: Message) -> None:
    """Delivers the first status before the response, as sometimes happens at Meta."""
    call.world.timeline.run_now(message.id)
    call.world.sender.send_for(message.id)


def _answer(call: Call, message: Message) -> Answer:
    customer, number = message.customer, message.number
    contact = {"input": message.recipient_input}
    if call.params.get("to"):
        contact["wa_id"] = customer.wa_id
    if call.params.get("recipient"):
        contact["user_id"] = customer.user_id_for(number.waba.business_id)
    accepted = {"id": message.id}
    if message.type == "template":
        accepted["message_status"] = "held_for_quality_assessment" if message.held else "accepted"
    return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [accepted]}
