"""The WhatsApp Business app on the client's own phone: what it sends, its past, and its address book."""

import json
from typing import Any

from simulator.context import Context
from simulator.customers import Customer
from simulator.messages import Message
from simulator.phone_numbers import PhoneNumber
from simulator.webhooks import items, payloads, publishing

Json = dict[str, Any]
DAY = 86400
# Day 0 to 1, 1 to 90 and 90 to 180 come as three phases.
PHASES = ((0, 0.2), (1, 30), (2, 120))
SAMPLES = (
    ("in", "Good morning, do you still have the blue one?"),
    ("out", "We do! Shall I put one aside for you?"),
    ("in", "Yes please, I will come by on Friday."),
)


def join(number: PhoneNumber, together: bool) -> None:
    """Connects the number to the WhatsApp Business app, or disconnects it."""
    number.update(coexistence=int(together))


def write_from_app(
    world: Context, number: PhoneNumber, customer: Customer, type: str, content: Any, **columns: Any
) -> Message:
    """Sends a message from the app: free, allowed without a service window, and opening none."""
    with world.store.transaction():
        _change_earlier(world, type, content, columns.get("reference"))
        message = Message.write(
            world, number, customer, "out", type=type, content=content, status="delivered", origin="app", **columns
        )
        publishing.publish_echo(message)
        message.announce()
    return message


def _change_earlier(world: Context, type: str, content: Any, wamid: str | None) -> None:
    earlier = Message.find(world, wamid)
    if earlier and type == "edit":
        earlier.update(content=json.dumps(content["content"], ensure_ascii=False), edited_at=world.clock.now())
    if earlier and type == "revoke":
        earlier.update(deleted_at=world.clock.now())


def send_history(
    world: Context, number: PhoneNumber, customers: list[Customer], chunks: int = 2, shuffled: bool = False
) -> int:
    """Sends every phase in so many chunks and returns the number of messages."""
    parts = [
        (phase, order, _threads(world, number, customers, age, order, chunks))
        for phase, age in PHASES
        for order in range(1, chunks + 1)
    ]
    history = [_chunk(part, 100 * at // len(parts)) for at, part in enumerate(parts, 1)]
    if shuffled:
        world.random.shuffle(history)
    for chunk in history:
        _publish(world, number, "history", {"history": [chunk]})
    return sum(len(thread["messages"]) for chunk in history for thread in chunk["threads"])


def decline_history(world: Context, number: PhoneNumber) -> None:
    """Sends that the business declined to share its history."""
    error = payloads.error(2593109, "History sharing is turned off by the business")
    _publish(world, number, "history", {"history": [{"errors": [error]}]})


def sync_contacts(world: Context, number: PhoneNumber, contacts: list[Json], action: str = "add") -> None:
    """Sends contacts of the app's address book."""
    now = str(int(world.clock.now()))
    synced = [{"type": "contact", "action": action, "contact": one, "metadata": {"timestamp": now}} for one in contacts]
    _publish(world, number, "smb_app_state_sync", {"state_sync": synced})


def contact_of(customer: Customer) -> Json:
    """A customer as an entry of the address book."""
    first_name = customer.name.partition(" ")[0]
    return {"full_name": customer.name, "first_name": first_name, "phone_number": customer.wa_id}


def _chunk(part: tuple[int, int, list[Json]], progress: int) -> Json:
    phase, order, threads = part
    return {"metadata": {"phase": phase, "chunk_order": order, "progress": progress}, "threads": threads}


def _threads(
    world: Context, number: PhoneNumber, customers: list[Customer], age: float, order: int, chunks: int
) -> list[Json]:
    share = [customer for at, customer in enumerate(customers) if at % chunks == order - 1]
    return [
        {
            "id": customer.wa_id,
            "messages": [_past(one, number) for one in _write_past_messages(world, number, customer, age)],
        }
        for customer in share
    ]


def _write_past_messages(world: Context, number: PhoneNumber, customer: Customer, age: float) -> list[Message]:
    """Stores a short conversation from before the number was on the Cloud API."""
    start = world.clock.now() - age * DAY
    with world.store.transaction():
        return [
            Message.write(
                world,
                number,
                customer,
                direction,
                type="text",
                content={"body": text},
                status="read",
                origin="history",
                created_at=start + 60 * minute,
            )
            for minute, (direction, text) in enumerate(SAMPLES)
        ]


def _past(message: Message, number: PhoneNumber) -> Json:
    ends = (message.customer.wa_id, number.digits)
    sender, receiver = ends if message.inbound else ends[::-1]
    about = {"from": sender, "to": receiver, "id": message.id, "timestamp": items.seconds(message)}
    return about | items.content(message) | {"history_context": {"status": "READ"}}


def _publish(world: Context, number: PhoneNumber, field: str, value: Json) -> None:
    with world.store.transaction():
        publishing.publish_for_number(number, field, payloads.head(number) | value)


def people_of(world: Context, number: PhoneNumber, most: int = 20) -> list[Customer]:
    """The customers who have a chat with the number, or all customers if none has."""
    own = "id in (select customer_id from messages where phone_number_id = ?) order by created_at limit ?"
    return Customer.where(world, own, number.id, most) or Customer.where(
        world, "true order by created_at limit ?", most
    )
