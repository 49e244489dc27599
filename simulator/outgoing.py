"""The road of a business message: accepted, sent, delivered, read; or failed."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulator.customers import Customer
from simulator.messages import Message
from simulator.phone_numbers import PhoneNumber

if TYPE_CHECKING:
    from simulator.world import World

RANK = {"accepted": 0, "sent": 1, "failed": 2, "delivered": 3, "read": 4}
NEEDS_PHONE = {"delivered", "read"}
NO_PAYMENT = 131042
WINDOW_CLOSED = 131047


@dataclass(frozen=True)
class Order:
    """What POST /messages asked for, once it is known to be well-formed."""

    number: PhoneNumber
    customer: Customer
    type: str
    content: dict[str, Any]
    to: str | None
    recipient: str | None
    context_id: str | None
    biz_opaque_callback_data: str | None


def accept(world: "World", order: Order) -> Message:
    with world.store.transaction():
        message = _write(world, order)
        _log(world, order, message)
        message.business_stops_typing()
        _plan(world, message)
        message.announce()
    return message


def advance(message: Message, status: str, error_code: int | None = None) -> None:
    """One step along the road; a step back, or one onto a phone that is off, is no step."""
    if RANK[status] <= RANK[message.status] or (
        status != "sent" and status != "failed" and not message.customer.phone_on
    ):
        return
    with message.world.store.transaction():
        message.update(status=status, error_code=error_code, **_moment(message, status))
        _tell(message, status)
        message.announce()


def read(world: "World", customer: Customer, number: PhoneNumber) -> None:
    """The customer looks at the chat; without read receipts nobody learns of it."""
    if not customer.read_receipts:
        return
    delivered = "customer_id = ? and phone_number_id = ? and direction = 'out' and status = 'delivered'"
    for message in Message.where(world, f"{delivered} order by seq", customer.id, number.id):
        advance(message, "read")


def set_phone(customer: Customer, on: bool, receipts: bool) -> None:
    """Turning the phone on lets in what was waiting for it."""
    woken = on and not customer.phone_on
    customer.update(phone_on=int(on), read_receipts=int(receipts))
    if woken:
        _deliver_waiting(customer)
    customer.world.hub.notify(customer.id)


def _deliver_waiting(customer: Customer) -> None:
    waiting = "customer_id = ? and direction = 'out' and status = 'sent' order by seq"
    for message in Message.where(customer.world, waiting, customer.id):
        customer.world.timeline.plan(message, "delivered", within=(0.1, 0.8))


def _write(world: "World", order: Order) -> Message:
    return Message.write(
        world,
        order.number,
        order.customer,
        "out",
        type=order.type,
        content=order.content,
        context_id=order.context_id,
        recipient_input=order.to or order.recipient,
        by_user_id=int(not order.to),
        biz_opaque_callback_data=order.biz_opaque_callback_data,
        status="accepted",
    )


def _log(world: "World", order: Order, message: Message) -> None:
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


def _plan(world: "World", message: Message) -> None:
    if not message.number.waba.credit:
        world.timeline.plan(message, "failed", within=(0.2, 1.0), error_code=NO_PAYMENT)
    elif not message.window_open:
        world.timeline.plan(message, "failed", within=(0.2, 1.0), error_code=WINDOW_CLOSED)
    else:
        world.timeline.plan(message, "sent", within=(0.1, 0.8))


def _moment(message: Message, status: str) -> dict[str, float]:
    return {} if status == "failed" else {f"{status}_at": message.world.clock.now()}


def _tell(message: Message, status: str) -> None:
    world = message.world
    if not (status == "delivered" and world.happens("drop_delivered")):
        world.webhooks.status_changed(message, status)
    if status == "sent":
        world.timeline.plan(message, "delivered", within=(0.2, 1.2))
    if status == "delivered" and world.happens("reads_by_itself"):
        world.timeline.plan(message, "read", within=(1.0, 4.0))
