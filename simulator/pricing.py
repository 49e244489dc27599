from typing import Any

from simulator.clock import month
from simulator.messages import Message

FREE_PER_MONTH = 1000


def pricing_of(message: Message, status: str) -> dict[str, Any] | None:
    """On `sent`, and on whichever of `delivered` and `read` is reported first."""
    if status not in ("sent", "delivered", "read") or message.priced:
        return None
    used = used_this_month(message)
    if status != "sent":
        message.update(priced=1)
        _use_one(message)
    kind = "free_customer_service" if used < FREE_PER_MONTH else "regular"
    return {"billable": kind == "regular", "pricing_model": "PMP", "category": "service", "type": kind}


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
