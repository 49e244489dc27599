"""What is on the screen of a customer's phone."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from simulator.customers import Customer
from simulator.messages import Message
from simulator.phone_numbers import PhoneNumber
from simulator.world import World

ARRIVED = ("delivered", "read")


@dataclass(frozen=True)
class Chat:
    customer: Customer
    number: PhoneNumber

    @property
    def bubbles(self) -> list[Message]:
        """Own messages at once; those of the business when they have reached this phone."""
        messages = Message.chat(self.customer.world, self.customer, self.number)
        return [message for message in messages if message.direction == "in" or message.status in ARRIVED]

    @property
    def last(self) -> Message | None:
        return next(reversed(self.bubbles), None)

    @property
    def unread(self) -> int:
        return sum(1 for message in self.bubbles if message.direction == "out" and message.read_at is None)

    @property
    def typing(self) -> bool:
        world = self.customer.world
        sql = "select until from typing where phone_number_id = ? and customer_id = ?"
        return (world.store.value(sql, self.number.id, self.customer.id) or 0) > world.clock.now()


def home(customer: Customer) -> list[Chat]:
    """Every business that can be written to, the liveliest first."""
    reachable = "status = 'CONNECTED' and waba_id in (select id from wabas where shared_at is not null)"
    numbers = PhoneNumber.where(customer.world, f"{reachable} order by created_at")
    chats = [Chat(customer, number) for number in numbers]
    return sorted(chats, key=lambda chat: chat.last.created_at if chat.last else 0, reverse=True)


def people(world: World) -> list[Customer]:
    return Customer.where(world, "true order by created_at desc limit 50")


def identities(customer: Customer) -> list[dict[str, Any]]:
    """As whom the businesses know this person."""
    sql = """
        select b.name, i.id from identities i join businesses b on b.id = i.business_id
        where i.customer_id = ? order by b.name"""
    rows = customer.world.store.rows(sql, customer.id)
    return [dict(row) for row in rows]


def clock_time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).astimezone().strftime("%H:%M")


def day(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).astimezone().strftime("%A, %d %B").replace(" 0", " ")
