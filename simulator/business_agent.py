"""Meta's Business Agent on a number: it answers customers, and apps get copies until one of them has the thread.

Sending a message takes the thread; a customer who asks for a person is passed to the app; Thread Control gives it back.
"""

import re
from typing import Any

from simulator.context import Context
from simulator.customers import Customer
from simulator.messages import Message
from simulator.phone_numbers import PhoneNumber
from simulator.webhooks import payloads, publishing
from simulator.webhooks.payloads import Patch

ANSWER = "Thanks for your message! I am the business's AI assistant. We are open from 9 to 6."
ASKS_FOR_PERSON = re.compile(r"\b(?:person|human|agent|persona|pessoa|mensch)\b", re.IGNORECASE)
ROLE = {"previous_owner_app_id": "1066", "previous_owner_app_role": "meta_business_agent"}


def switch(number: PhoneNumber, on: bool) -> None:
    """Turns the agent of a number on or off; each turn begins with every thread its own."""
    store = number.world.store
    store.write("delete from thread_owners where phone_number_id = ?", number.id)
    store.write("delete from business_agents where phone_number_id = ?", number.id)
    if on:
        store.write("insert into business_agents values (?, ?)", number.id, number.world.clock.now())


def is_on(number: PhoneNumber) -> bool:
    sql = "select 1 from business_agents where phone_number_id = ?"
    return number.world.store.row(sql, number.id) is not None


def has(number: PhoneNumber, customer: Customer) -> bool:
    """Whether the agent has the thread with this customer."""
    sql = "select 1 from thread_owners where phone_number_id = ? and customer_id = ?"
    return is_on(number) and number.world.store.row(sql, number.id, customer.id) is None


def hear(message: Message, patch: Patch | None) -> None:
    """A customer wrote to the agent: the app gets a copy, and then another of the answer, or the thread."""
    publishing.publish_copy(message, patch)
    if ASKS_FOR_PERSON.search(str(message.body.get("body", ""))):
        pass_to_app(message.world, message.number, message.customer)
        return
    answer = Message.write(
        message.world,
        message.number,
        message.customer,
        "out",
        type="text",
        content={"body": ANSWER},
        status="delivered",
        origin="agent",
    )
    publishing.publish_copied_echo(answer)
    answer.announce()


def pass_to_app(world: Context, number: PhoneNumber, customer: Customer) -> None:
    take_for_app(number, customer)
    summary = {"type": "summary", "summary": {"text": f"{customer.name} asked for a person."}}
    change = ROLE | {"previous_owner_role": "ai_agent", "new_owner_role": "escalation", "conversation_context": summary}
    publishing.publish_for_number(number, "messaging_handovers", _value(number, customer, "control_passed", change))


def give_back(number: PhoneNumber, customer: Customer) -> None:
    """Thread Control: the agent has the thread again."""
    sql = "delete from thread_owners where phone_number_id = ? and customer_id = ?"
    number.world.store.write(sql, number.id, customer.id)
    change = {"previous_owner_role": "customer_service", "new_owner_role": "ai_agent"}
    publishing.publish_for_number(number, "messaging_handovers", _value(number, customer, "control_taken", change))


def take_for_app(number: PhoneNumber, customer: Customer) -> None:
    """The app has the thread, as after each message that it sends."""
    if is_on(number):
        sql = "insert or replace into thread_owners values (?, ?, ?)"
        number.world.store.write(sql, number.id, customer.id, number.world.clock.now())


def _value(number: PhoneNumber, customer: Customer, kind: str, change: dict[str, Any]) -> dict[str, Any]:
    user_id, visible = customer.user_id_for(number.waba.business_id), customer.shows_number_to(number.id)
    sender = {"phone_number": customer.wa_id} if visible else {"user_id": user_id}
    return payloads.head(number) | {
        "sender": sender,
        "recipient": {"phone_number_id": number.id, "display_phone_number": number.digits},
        "type": kind,
        "timestamp": str(int(number.world.clock.now())),
        kind: change,
    }
