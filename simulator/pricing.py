from typing import Any

from simulator.clock import month
from simulator.credit_line import CreditLine
from simulator.messages import Message

FREE_PER_MONTH = 1000


def pricing_of(message: Message, status: str) -> dict[str, Any] | None:
    """On `sent`, and on whichever of `delivered` and `read` is reported first."""
    if status not in ("sent", "delivered", "read") or message.priced:
        return None
    kind = message.pricing_type or _type_of(message)
    if status == "sent":
        message.update(pricing_type=kind)
    else:
        message.update(pricing_type=kind, priced=1)
        if message.category == "service":
            _use_one(message)
        if kind == "regular":
            CreditLine.of(message.world).charge(message)
    return {"billable": kind == "regular", "pricing_model": "PMP", "category": message.category, "type": kind}


def _type_of(message: Message) -> str:
    """Three days after an ad everything is free, in the window what is no template, and utility templates too."""
    if message.relation.free_entry:
        return "free_entry_point"
    if message.category == "service":
        return "free_customer_service" if used_this_month(message) < FREE_PER_MONTH else "regular"
    return "free_customer_service" if message.category == "utility" and message.window_open else "regular"


def used_this_month(message: Message) -> int:
    now = month(message.world.clock.now())
    used = message.world.store.value(
        "select used from free_messages where phone_number_id = ? and month = ?", message.phone_number_id, now
    )
    return used or 0


def _use_one(message: Message) -> None:
    message.world.store.write(
        "insert into free_messages values (?, ?, 1) on conflict do update set used = used + 1",
        message.phone_number_id,
        month(message.world.clock.now()),
    )
