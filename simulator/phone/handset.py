"""What the phone page shows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from simulator.customer_actions import DELETE_WITHIN, EDIT_WITHIN
from simulator.customers import Customer
from simulator.messages import NO_BUBBLE, Message
from simulator.phone_numbers import PhoneNumber
from simulator.relations import Relation
from simulator.world import World

ARRIVED = ("delivered", "read", "played")
EMOJI = ("👍", "❤️", "😂", "😮", "😢", "🙏")
FACES = {"template": "shaped", "button": "answer"}
GISTS = {
    "image": "📷 Photo",
    "video": "🎬 Video",
    "audio": "🎵 Audio",
    "document": "📄 Document",
    "sticker": "Sticker",
    "location": "📍 Location",
    "contacts": "👤 Contact",
    "order": "🛒 Order",
    "unsupported": "Something else",
}


@dataclass(frozen=True)
class Bubble:
    """A message with its reactions and the message it quotes."""

    message: Message
    chips: tuple[str, ...] = ()
    quoted: Message | None = None

    @property
    def face(self) -> str:
        """The name of the template for the content."""
        if self.message.type == "interactive":
            return "answer" if self.message.inbound else "shaped"
        return FACES.get(self.message.type, self.message.type)

    @property
    def editable(self) -> bool:
        return self._younger_than(EDIT_WITHIN) and self.message.type in ("text", "image", "video", "document")

    @property
    def deletable(self) -> bool:
        return self._younger_than(DELETE_WITHIN)

    def _younger_than(self, age: float) -> bool:
        now = self.message.world.clock.now()
        return self.message.inbound and not self.message.deleted_at and now - self.message.created_at < age

    def file(self, content: dict[str, Any] | None = None) -> str | None:
        """The id of the file to show; a linked file was fetched before it was sent."""
        about = content or self.message.body
        fetched = self.message.shape.get("fetched", {})
        file: str | None = about.get("id") or fetched.get(about.get("link"))
        return file


@dataclass
class Chat:
    customer: Customer
    number: PhoneNumber

    @cached_property
    def bubbles(self) -> list[Message]:
        """The customer's own messages, and the business's once they are delivered."""
        messages = Message.chat(self.customer.world, self.customer, self.number)
        return [message for message in messages if _is_on_phone(message) and message.type not in NO_BUBBLE]

    @property
    def shown(self) -> Iterator[Bubble]:
        chips, by_id = self._chips(), {message.id: message for message in self.bubbles}
        for message in self.bubbles:
            yield Bubble(message, chips.get(message.id, ()), by_id.get(message.context_id or ""))

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

    @property
    def offers_stopped(self) -> bool:
        return Relation(self.customer.world, self.number, self.customer).offers_stopped

    def _chips(self) -> dict[str, tuple[str, ...]]:
        """The last reaction of each side by message; an empty one removes it."""
        sql = (
            "customer_id = ? and phone_number_id = ? and type = 'reaction'"
            " and status not in ('accepted', 'failed') order by seq"
        )
        latest: dict[str, dict[str, str]] = {}
        for reaction in Message.where(self.customer.world, sql, self.customer.id, self.number.id):
            latest.setdefault(reaction.reference or "", {})[reaction.direction] = reaction.body.get("emoji", "")
        return {wamid: tuple(filter(None, by.values())) for wamid, by in latest.items()}


def _is_on_phone(message: Message) -> bool:
    return message.direction == "in" or message.status in ARRIVED


def gist(message: Message) -> str:
    """One line for the list of chats and for quotes."""
    if message.deleted_at:
        return "Deleted"
    body = message.body
    if message.type in ("interactive", "template", "button"):
        return str(message.shape.get("body") or body.get("text") or _answer_title(body) or "Message")
    if message.type in ("text", "system"):
        return str(body.get("body", "Message"))
    caption = body.get("caption") if isinstance(body, dict) else None
    return str(caption or ("🎤 Voice note" if message.voice else GISTS.get(message.type, message.type)))


def _answer_title(body: dict[str, Any]) -> str:
    reply = body.get(body.get("type", ""), {})
    return str(reply.get("title") or {"nfm_reply": "Form sent"}.get(body.get("type", ""), ""))


def home(customer: Customer) -> list[Chat]:
    """The chats with every reachable business, the most recent first."""
    reachable = "status = 'CONNECTED' and waba_id in (select id from wabas where shared_at is not null)"
    numbers = PhoneNumber.where(customer.world, f"{reachable} order by created_at")
    chats = [Chat(customer, number) for number in numbers]
    return sorted(chats, key=lambda chat: chat.last.created_at if chat.last else 0, reverse=True)


def people(world: World) -> list[Customer]:
    return Customer.where(world, "true order by created_at desc limit 50")


def identities(customer: Customer) -> list[dict[str, Any]]:
    """The customer's user id for each business."""
    sql = """
        select b.name, i.id from identities i join businesses b on b.id = i.business_id
        where i.customer_id = ? order by b.name"""
    rows = customer.world.store.rows(sql, customer.id)
    return [dict(row) for row in rows]


def clock_time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).astimezone().strftime("%H:%M")


def day(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).astimezone().strftime("%A, %d %B").replace(" 0", " ")
