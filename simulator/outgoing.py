"""The life of a business message: accepted, sent, delivered, read; or failed."""

import json
from dataclasses import dataclass
from typing import Any

from simulator import business_agent, later_failures, magic
from simulator.context import Context
from simulator.customers import Customer
from simulator.later_failures import Failure
from simulator.messages import Message
from simulator.phone_numbers import PhoneNumber
from simulator.webhooks import publishing

RANK = {"accepted": 0, "sent": 1, "failed": 2, "delivered": 3, "read": 4, "played": 5}


@dataclass(frozen=True)
class Order:
    """A valid request to POST /messages."""

    number: PhoneNumber
    customer: Customer
    type: str
    content: Any
    to: str | None
    recipient: str | None
    context_id: str | None
    biz_opaque_callback_data: str | None
    shown: dict[str, Any] | None = None
    category: str = "service"
    template_id: str | None = None
    held: bool = False
    ttl: int | None = None


def accept(world: Context, order: Order, failure: Failure | None = None) -> Message:
    with world.store.transaction():
        message = _write(world, order)
        _log(world, order, message)
        business_agent.take_for_app(order.number, order.customer)
        message.business_stops_typing()
        _plan(world, message, failure or later_failures.failure_of(message))
        message.announce()
    return message


def send_held(message: Message) -> None:
    """Sends a message that was held until its template's first messages were judged."""
    message.update(held=0)
    _plan(message.world, message, later_failures.failure_of(message))


def take_step(world: Context, message_id: str, status: str, error_code: int | None = None) -> None:
    """Takes a step that the timeline planned."""
    if message := Message.find(world, message_id):
        advance(message, status, error_code)


def advance(message: Message, status: str, error_code: int | None = None) -> None:
    """Moves the message to the status, unless that is a step back or the phone is off."""
    if (
        _is_expired(message, status)
        or RANK[status] <= RANK[message.status]
        or (status not in ("sent", "failed") and not (message.customer.phone_on and _finds_phone(message)))
    ):
        return
    with message.world.store.transaction():
        message.update(status=status, **_moment(message, status, error_code))
        _report_step(message, status)
        message.announce()


def read(world: Context, customer: Customer, number: PhoneNumber) -> None:
    """The customer reads the chat; without read receipts no status is sent."""
    if not customer.read_receipts:
        return
    arrived = (
        "customer_id = ? and phone_number_id = ? and direction = 'out' and status = 'delivered' and origin = 'api'"
    )
    for message in Message.where(world, f"{arrived} and type != 'reaction' order by seq", customer.id, number.id):
        advance(message, "read")


def play(message: Message) -> None:
    """Marks a voice note as played."""
    if message.voice and not message.inbound and message.customer.read_receipts:
        advance(message, "played")


def set_phone(customer: Customer, on: bool, receipts: bool) -> None:
    """Switches the phone on or off; switching it on delivers the waiting messages."""
    woken = on and not customer.phone_on
    customer.update(phone_on=int(on), read_receipts=int(receipts))
    if woken:
        _deliver_waiting(customer)
    customer.world.hub.notify(customer.id)


def _deliver_waiting(customer: Customer) -> None:
    waiting = "customer_id = ? and direction = 'out' and status = 'sent' and type != 'reaction' order by seq"
    for message in Message.where(customer.world, waiting, customer.id):
        customer.world.timeline.plan(message.id, "delivered", within=(0.1, 0.8))


def _write(world: Context, order: Order) -> Message:
    return Message.write(
        world,
        order.number,
        order.customer,
        "out",
        type=order.type,
        content=order.content,
        context_id=order.context_id,
        reference=order.content["message_id"] if order.type == "reaction" else None,
        recipient_input=order.to or order.recipient,
        by_user_id=int(not order.to),
        biz_opaque_callback_data=order.biz_opaque_callback_data,
        category=order.category,
        shown=json.dumps(order.shown, ensure_ascii=False) if order.shown else None,
        template_id=order.template_id,
        held=int(order.held),
        expires_at=world.clock.now() + order.ttl if order.ttl else None,
        status="accepted",
    )


def _log(world: Context, order: Order, message: Message) -> None:
    world.store.insert(
        "accepted",
        wamid=message.id,
        phone_number_id=order.number.id,
        to=order.to,
        recipient=order.recipient,
        wa_id=order.customer.wa_id,
        type=order.type,
        body=json.dumps(order.content, ensure_ascii=False),
        biz_opaque_callback_data=order.biz_opaque_callback_data,
        accepted_at=message.created_at,
    )


def _plan(world: Context, message: Message, failure: Failure | None) -> None:
    if failure:
        message.update(trouble=failure.details or None)
        world.timeline.plan(message.id, "failed", within=(0.2, 1.0), error_code=failure.code)
    elif message.held:
        return
    elif later_failures.links_in(message):
        world.store.insert("fetches", message_id=message.id, due_at=world.clock.now())
        world.wake("links")
    else:
        world.timeline.plan(message.id, "sent", within=(0.1, 0.8))


def _is_expired(message: Message, status: str) -> bool:
    """True if the message can no longer be delivered; Meta drops it without a word."""
    late = message.expires_at is not None and message.world.clock.now() > message.expires_at
    return status == "delivered" and late


def _finds_phone(message: Message) -> bool:
    return magic.status_habit(message.customer.wa_id) != "undelivered"


def _moment(message: Message, status: str, error_code: int | None) -> dict[str, Any]:
    if status == "failed":
        return {"error_code": error_code}
    return {f"{status}_at": message.world.clock.now(), "error_code": None}


def _report_step(message: Message, status: str) -> None:
    world, habit = message.world, magic.status_habit(message.customer.wa_id)
    for reported in _statuses_to_report(message, status, habit):
        publishing.publish_status(message, reported)
    if status == "sent":
        _plan_arrival(message, habit)
    if status == "delivered" and world.happens("reads_by_itself"):
        world.timeline.plan(message.id, "read", within=(1.0, 4.0))
    if status == "failed" and habit == "failed-then-delivered":
        world.timeline.plan(message.id, "delivered", within=(1.0, 2.0))


def _statuses_to_report(message: Message, status: str, habit: str | None) -> list[str]:
    """The statuses to send for this step, given the recipient's magic number and the knobs."""
    if habit == "silent" or (habit == "straight-to-read" and status == "delivered"):
        return []
    if habit == "backwards":
        return {"sent": [], "delivered": ["delivered", "sent"]}.get(status, [status])
    if status == "delivered" and message.world.happens("drop_delivered"):
        return []
    return [status] * (2 if habit == "twice" else 1)


def _plan_arrival(message: Message, habit: str | None) -> None:
    timeline = message.world.timeline
    if message.type == "reaction":
        return
    if habit in ("fails-late", "failed-then-delivered"):
        timeline.plan(message.id, "failed", within=(0.5, 1.0), error_code=131026)
        return
    timeline.plan(message.id, "delivered", within=(0.2, 1.2))
    if habit == "straight-to-read":
        timeline.plan(message.id, "read", within=(1.3, 1.5))
