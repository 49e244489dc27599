from typing import Any

from simulator import business_agent
from simulator.context import Context
from simulator.customers import Customer
from simulator.messages import Message
from simulator.phone_numbers import PhoneNumber
from simulator.webhooks import publishing
from simulator.webhooks.payloads import Patch


def arrive(
    world: Context,
    number: PhoneNumber,
    customer: Customer,
    type: str,
    content: Any,
    *,
    patch: Patch | None = None,
    **columns: Any,
) -> Message:
    """A customer sends something of any type; the business gets a webhook unless it blocked the customer.

    `patch` changes the webhook only, not the message.
    """
    with world.store.transaction():
        message = Message.write(world, number, customer, "in", type=type, content=content, status="sent", **columns)
        world.limits.count(number.id)
        message.announce()
        if message.relation.blocked:
            return message
        if business_agent.has(number, customer):
            business_agent.hear(message, patch)
        else:
            publishing.publish_message(message, patch)
    return message
