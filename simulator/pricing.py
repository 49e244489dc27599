from datetime import UTC, datetime
from typing import Any

from simulator.credit_line import CreditLine
from simulator.messages import Message
from simulator.zones import month_of, zone_of

FREE_PER_MONTH = 1000
# Until then the service window made all answers and utility templates free.
WINDOW_CHARGED_FROM = datetime(2026, 10, 1, tzinfo=UTC).timestamp()
ARRIVALS = {"delivered": 1, "read": 2}


def pricing_of(message: Message, status: str) -> dict[str, Any] | None:
    """The pricing object of `sent` and of the first of `delivered` and `read`; None for every other status."""
    if status != "sent" and (status not in ARRIVALS or message.priced not in (0, ARRIVALS[status])):
        return None
    kind = message.pricing_type or _type_of(message)
    message.update(pricing_type=kind)
    if status != "sent" and not message.priced:
        message.update(priced=ARRIVALS[status])
        if _uses_allowance(message, kind):
            _use_one(message)
        if kind == "regular":
            CreditLine.of(message.world).charge(message)
    return {"billable": kind == "regular", "pricing_model": "PMP", "category": message.category, "type": kind}


def _type_of(message: Message) -> str:
    """Free for three days after an ad, for reactions, and for the month's free service messages; else regular."""
    if message.relation.free_entry:
        return "free_entry_point"
    if message.type == "reaction":
        return "free_customer_service"
    if message.world.clock.now() < WINDOW_CHARGED_FROM:
        free = message.category == "service" or (message.category == "utility" and message.window_open)
        return "free_customer_service" if free else "regular"
    free = message.category == "service" and used_this_month(message) < FREE_PER_MONTH
    return "free_customer_service" if free else "regular"


def _uses_allowance(message: Message, kind: str) -> bool:
    return message.category == "service" and kind != "free_entry_point" and message.type != "reaction"


def used_this_month(message: Message) -> int:
    now = _month(message)
    used = message.world.store.value(
        "select used from free_messages where phone_number_id = ? and month = ?", message.phone_number_id, now
    )
    return used or 0


def _use_one(message: Message) -> None:
    message.world.store.write(
        "insert into free_messages values (?, ?, 1) on conflict do update set used = used + 1",
        message.phone_number_id,
        _month(message),
    )


def _month(message: Message) -> str:
    """The account's, in which its free messages are counted."""
    return month_of(message.world.clock.now(), zone_of(message.number.waba.timezone_id))
