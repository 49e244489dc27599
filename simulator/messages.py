import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

from simulator import ids
from simulator.customers import Customer
from simulator.phone_numbers import PhoneNumber
from simulator.record import Record

if TYPE_CHECKING:
    from simulator.world import World

SERVICE_WINDOW = 24 * 3600
TYPING_LASTS = 25


@dataclass
class Message(Record):
    """One bubble, from either side. `in` is what a customer wrote, `out` what a business sent."""

    table: ClassVar[str] = "messages"

    seq: int
    phone_number_id: str
    customer_id: str
    direction: str
    type: str
    content: str
    context_id: str | None
    recipient_input: str | None
    by_user_id: int
    biz_opaque_callback_data: str | None
    status: str
    priced: int
    created_at: float
    sent_at: float | None
    delivered_at: float | None
    read_at: float | None
    error_code: int | None

    @classmethod
    def write(
        cls, world: "World", number: PhoneNumber, customer: Customer, direction: str, **columns: Any
    ) -> Self:
        columns["content"] = json.dumps(columns["content"], ensure_ascii=False)
        return cls.create(
            world,
            id=ids.wamid(customer.wa_id, inbound=direction == "in"),
            seq=(world.store.value("select max(seq) from messages") or 0) + 1,
            phone_number_id=number.id,
            customer_id=customer.id,
            direction=direction,
            created_at=world.clock.now(),
            **columns,
        )

    @classmethod
    def receive(
        cls, world: "World", number: PhoneNumber, customer: Customer, text: str, context_id: str | None = None
    ) -> Self:
        """A customer writes."""
        with world.store.transaction():
            message = cls.write(
                world,
                number,
                customer,
                "in",
                type="text",
                content={"body": text},
                context_id=context_id,
                status="sent",
            )
            world.webhooks.message_received(message)
            message.announce()
        return message

    @classmethod
    def chat(cls, world: "World", customer: Customer, number: PhoneNumber, limit: int = 200) -> list[Self]:
        newest = cls.where(
            world,
            "customer_id = ? and phone_number_id = ? order by seq desc limit ?",
            customer.id,
            number.id,
            limit,
        )
        return newest[::-1]

    @cached_property
    def number(self) -> PhoneNumber:
        return PhoneNumber.where(self.world, "id = ?", self.phone_number_id)[0]

    @cached_property
    def customer(self) -> Customer:
        return Customer.where(self.world, "id = ?", self.customer_id)[0]

    @property
    def body(self) -> dict[str, Any]:
        return dict(json.loads(self.content))

    @property
    def window_open(self) -> bool:
        since = self.world.clock.now() - SERVICE_WINDOW
        sql = """
            select 1 from messages where phone_number_id = ? and customer_id = ? and direction = 'in'
            and created_at > ?"""
        return self.world.store.row(sql, self.phone_number_id, self.customer_id, since) is not None

    def announce(self) -> None:
        self.world.store.after_commit(lambda: self.world.hub.notify(self.customer_id))

    def mark_read_by_business(self) -> None:
        """Reading one message reads everything above it."""
        self.world.store.write(
            "update messages set status = 'read', read_at = ? where phone_number_id = ? and customer_id = ?"
            " and direction = 'in' and seq <= ? and status != 'read'",
            self.world.clock.now(),
            self.phone_number_id,
            self.customer_id,
            self.seq,
        )
        self.announce()

    def business_starts_typing(self) -> None:
        until = self.world.clock.now() + TYPING_LASTS
        self.world.store.write(
            "insert or replace into typing values (?, ?, ?)", self.phone_number_id, self.customer_id, until
        )
        self.announce()

    def business_stops_typing(self) -> None:
        self.world.store.write(
            "delete from typing where phone_number_id = ? and customer_id = ?",
            self.phone_number_id,
            self.customer_id,
        )
