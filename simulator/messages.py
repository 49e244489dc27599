import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

from simulator import ids
from simulator.context import Context
from simulator.customers import Customer
from simulator.phone_numbers import PhoneNumber
from simulator.record import Record
from simulator.relations import Relation

TYPING_LASTS = 25
FILES = ("image", "video", "audio", "document", "sticker")
# These change or mark another message and have no bubble of their own.
NO_BUBBLE = ("reaction", "edit", "revoke")


@dataclass
class Message(Record):
    """One message. `direction` is `in` from a customer and `out` from a business."""

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
    reference: str | None
    forwarded: int
    referral: str | None
    origin: str
    category: str
    pricing_type: str | None
    shown: str | None
    edited_at: float | None
    deleted_at: float | None
    played_at: float | None
    trouble: str | None
    group_id: str | None
    template_id: str | None
    held: int
    expires_at: float | None

    @classmethod
    def write(cls, world: Context, number: PhoneNumber, customer: Customer, direction: str, **columns: Any) -> Self:
        """Creates a message of either direction."""
        columns["content"] = json.dumps(columns["content"], ensure_ascii=False)
        columns.setdefault("created_at", world.clock.now())
        message = cls.create(
            world,
            id=ids.wamid(_who(number, customer), inbound=direction == "in"),
            seq=(world.store.value("select max(seq) from messages") or 0) + 1,
            phone_number_id=number.id,
            customer_id=customer.id,
            direction=direction,
            **columns,
        )
        # Read a moment ago by whoever wrote this; asking the store again would only cost time.
        message.__dict__.update(number=number, customer=customer)
        return message

    @classmethod
    def chat(cls, world: Context, customer: Customer, number: PhoneNumber, limit: int = 200) -> list[Self]:
        """The newest messages of a chat, oldest first."""
        newest = cls.where(
            world, "customer_id = ? and phone_number_id = ? order by seq desc limit ?", customer.id, number.id, limit
        )
        return newest[::-1]

    @cached_property
    def number(self) -> PhoneNumber:
        """The business's number."""
        return PhoneNumber.where(self.world, "id = ?", self.phone_number_id)[0]

    @cached_property
    def customer(self) -> Customer:
        """The customer."""
        return Customer.where(self.world, "id = ?", self.customer_id)[0]

    @cached_property
    def relation(self) -> Relation:
        """The state between number and customer."""
        return Relation(self.world, self.number, self.customer)

    @property
    def inbound(self) -> bool:
        """True if a customer sent it."""
        return self.direction == "in"

    @property
    def body(self) -> Any:
        """The content, parsed."""
        return json.loads(self.content)

    @property
    def shape(self) -> dict[str, Any]:
        """Header, body, footer and options of a template or interactive message."""
        return dict(json.loads(self.shown)) if self.shown else {}

    @property
    def voice(self) -> bool:
        """True for a voice note."""
        return self.type == "audio" and bool(self.body.get("voice"))

    @property
    def window_open(self) -> bool:
        """True while the service window of the chat is open."""
        return self.relation.window_open

    def announce(self) -> None:
        """Notifies the open phone pages after the commit."""
        self.world.store.after_commit(lambda: self.world.hub.notify(self.customer_id))

    def mark_read_by_business(self) -> None:
        """Marks this message and all earlier ones of the chat as read."""
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
        """Shows the typing indicator for 25 seconds."""
        until = self.world.clock.now() + TYPING_LASTS
        self.world.store.write(
            "insert or replace into typing values (?, ?, ?)", self.phone_number_id, self.customer_id, until
        )
        self.announce()

    def business_stops_typing(self) -> None:
        """Removes the typing indicator."""
        self.world.store.write(
            "delete from typing where phone_number_id = ? and customer_id = ?", self.phone_number_id, self.customer_id
        )


def _who(number: PhoneNumber, customer: Customer) -> str:
    """What the message id contains: the number, or part of the user id if the number is hidden."""
    if not customer.has_number_hidden:
        return customer.wa_id
    return customer.user_id_for(number.waba.business_id).partition(".")[2]
