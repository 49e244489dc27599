"""How many messages of an account arrived, by day, number, country, category and pricing type: Meta's own count.

Differences can be planted, so that whoever compares has something to find.
"""

from dataclasses import dataclass
from typing import Any

from simulator.context import Context
from simulator.credit_line import MILLION, price_of
from simulator.messages import Message
from simulator.phone_numbers import PhoneNumber

DAY = 86400
# When a message arrived, by which of its statuses had the price.
ARRIVED = "case priced when 1 then delivered_at when 2 then coalesce(read_at, delivered_at) end"


@dataclass(frozen=True, order=True)
class Key:
    """What one figure is about. `type` and `category` are in Meta's capitals."""

    day: int
    number: str
    country: str
    category: str
    type: str


def count(world: Context, number: PhoneNumber, start: float, end: float) -> dict[Key, list[int]]:
    """Volume and cost in millionths, with the planted differences."""
    figures: dict[Key, list[int]] = {}
    sql = f"phone_number_id = ? and direction = 'out' and {ARRIVED} >= ? and {ARRIVED} < ?"
    for message in Message.where(world, sql, number.id, start, end):
        arrived = (message.delivered_at if message.priced == 1 else message.read_at) or message.delivered_at or 0
        kind = (message.pricing_type or "").upper()
        country = message.customer.country
        key = Key(int(arrived) // DAY * DAY, number.digits, country, message.category.upper(), kind)
        figure = figures.setdefault(key, [0, 0])
        figure[0] += 1
        figure[1] += price_of(message) if kind == "REGULAR" else 0
    planted = "select * from analytics_differences where phone_number_id = ? and day >= ? and day < ?"
    for row in world.store.rows(planted, number.id, start, end):
        key = Key(row["day"], number.digits, row["country"], row["category"], row["type"])
        figures.setdefault(key, [0, 0])[0] += row["volume"]
    return {key: figure for key, figure in figures.items() if figure[0] > 0}


def plant(world: Context, number: PhoneNumber, day: int, volume: int, about: dict[str, str]) -> None:
    """Makes Meta count so many messages more, or fewer, on a day."""
    names = {name: about[name].upper() for name in ("country", "category", "type")}
    world.store.insert(
        "analytics_differences",
        replace=True,
        phone_number_id=number.id,
        day=day // DAY * DAY,
        volume=volume,
        **names,
    )


def amount(millionths: int) -> float:
    """As Meta writes a cost."""
    return millionths / MILLION


def as_point(key: Key, figure: list[int], wanted: list[str], *, shows_cost: bool) -> dict[str, Any]:
    """A data point with the dimensions that were asked for."""
    names = {
        "COUNTRY": ("country", key.country),
        "PHONE": ("phone_number", key.number),
        "PRICING_CATEGORY": ("pricing_category", key.category),
        "PRICING_TYPE": ("pricing_type", key.type),
    }
    point: dict[str, Any] = {"start": key.day, "end": key.day + DAY}
    point |= dict(names[dimension] for dimension in wanted if dimension in names)
    point["volume"] = figure[0]
    return point | ({"cost": amount(figure[1])} if shows_cost else {})
