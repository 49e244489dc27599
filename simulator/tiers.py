"""Volume tiers: what a client's portfolio sent in a month, over all its accounts and partners, decides the price."""

import csv
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from simulator.businesses import Business
from simulator.context import Context
from simulator.credit_line import MILLION, market_of, price_of
from simulator.messages import Message
from simulator.phone_numbers import PhoneNumber
from simulator.wabas import Waba
from simulator.zones import bounds_of, month_of, zone_of

_lines = (Path(__file__).parent / "tiers.csv").read_text().splitlines()
STEPS: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
for _row in csv.DictReader(_lines):
    STEPS[_row["market"], _row["category"]].append((int(_row["after"]), round(float(_row["price"]) * MILLION)))
ONLY = "0:MAX"
# The same as `arrived_of`.
ARRIVED = "case priced when 1 then delivered_at when 2 then coalesce(read_at, delivered_at) end"


@dataclass(frozen=True)
class Place:
    """In which tier a message is, and what it costs there."""

    tier: str
    price: int


def add_traffic(business: Business, market: str, category: str, volume: int) -> None:
    """Another partner sends so many messages for the business now."""
    now = business.world.clock.now()
    business.world.store.insert(
        "partner_traffic", business_id=business.id, at=now, market=market, category=category, volume=volume
    )


def places(waba: Waba, month: str) -> dict[str, Place]:
    """The tier of each charged message of the month, by its id; all of the portfolio's count, in their order."""
    world, business = waba.world, waba.business
    start, end = bounds_of(month, zone_of(waba.timezone_id))
    sent = [
        (arrived_of(message), message)
        for account in Waba.of_business(business)
        for number in PhoneNumber.of_waba(account)
        for message in charged(world, number, start, end)
    ]
    sql = "select * from partner_traffic where business_id = ? and at >= ? and at < ? order by at"
    foreign = list(world.store.rows(sql, business.id, start, end))
    counts: dict[tuple[str, str], int] = defaultdict(int)
    placed: dict[str, Place] = {}
    for arrived, message in sorted(sent, key=lambda one: (one[0], one[1].id)):
        while foreign and foreign[0]["at"] <= arrived:
            row = foreign.pop(0)
            counts[row["market"], row["category"]] += row["volume"]
        key = market_of(message), message.category
        placed[message.id] = place(key, counts[key], price_of(message))
        counts[key] += 1
    return placed


def arrived_of(message: Message) -> float:
    """When it arrived, by which of its statuses had the price."""
    return (message.delivered_at if message.priced == 1 else message.read_at) or message.delivered_at or 0


def charged(world: Context, number: PhoneNumber, start: float, end: float) -> list[Message]:
    """The charged messages that arrived in a stretch of time."""
    sql = f"phone_number_id = ? and pricing_type = 'regular' and {ARRIVED} >= ? and {ARRIVED} < ?"
    return Message.where(world, sql, number.id, start, end)


def place(key: tuple[str, str], before: int, price: int) -> Place:
    """Of a message with so many before it."""
    steps = STEPS.get(key)
    if not steps:
        return Place(ONLY, price)
    firsts = [0, *(after for after, _ in steps), None]
    prices = [price, *(cost for _, cost in steps)]
    at = max(i for i, first in enumerate(firsts[:-1]) if first is not None and before >= first)
    first, last = firsts[at], firsts[at + 1]
    return Place(f"{first + 1 if first else 0}:{'MAX' if last is None else last}", prices[at])


def month_at(waba: Waba, moment: float) -> str:
    """The account's month."""
    return month_of(moment, zone_of(waba.timezone_id))
