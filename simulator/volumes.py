"""How many messages of an account arrived, by day, number, country, category and pricing type: Meta's own count.

A day is the account's. Differences can be planted, so that whoever compares has something to find.
"""

from dataclasses import dataclass, replace
from typing import Any

from simulator import tiers
from simulator.context import Context
from simulator.credit_line import MILLION, price_of
from simulator.messages import Message
from simulator.phone_numbers import PhoneNumber
from simulator.tiers import ARRIVED, arrived_of
from simulator.zones import day_of, zone_of


@dataclass(frozen=True, order=True)
class Key:
    """What one figure is about. `type` and `category` are in Meta's capitals."""

    start: int
    end: int
    number: str
    country: str
    category: str
    type: str
    tier: str = ""


def count(world: Context, number: PhoneNumber, start: float, end: float, *, by_tier: bool) -> dict[Key, list[int]]:
    """Volume and cost in millionths, with the planted differences."""
    figures: dict[Key, list[int]] = {}
    waba, zone = number.waba, zone_of(number.waba.timezone_id)
    placed: dict[str, tiers.Place] = {}
    for month in {tiers.month_at(waba, moment) for moment in (start, end - 1)} if by_tier else ():
        placed |= tiers.places(waba, month)
    sql = f"phone_number_id = ? and direction = 'out' and {ARRIVED} >= ? and {ARRIVED} < ?"
    for message in Message.where(world, sql, number.id, start, end):
        kind = (message.pricing_type or "").upper()
        day, country = day_of(arrived_of(message), zone), message.customer.country
        key = Key(*day, number.digits, country, message.category.upper(), kind)
        cost = price_of(message)
        if message.id in placed:
            key, cost = replace(key, tier=placed[message.id].tier), placed[message.id].price
        figure = figures.setdefault(key, [0, 0])
        figure[0] += 1
        figure[1] += cost if kind == "REGULAR" else 0
    planted = "select * from analytics_differences where phone_number_id = ? and day >= ? and day < ?"
    for row in world.store.rows(planted, number.id, start, end):
        key = Key(*day_of(row["day"], zone), number.digits, row["country"], row["category"], row["type"])
        figures.setdefault(key, [0, 0])[0] += row["volume"]
    return {key: figure for key, figure in figures.items() if figure[0] > 0}


def plant(world: Context, number: PhoneNumber, moment: int, volume: int, about: dict[str, str]) -> None:
    """Makes Meta count so many messages more, or fewer, on the day of a moment."""
    names = {name: about[name].upper() for name in ("country", "category", "type")}
    day, _ = day_of(moment, zone_of(number.waba.timezone_id))
    world.store.insert(
        "analytics_differences", replace=True, phone_number_id=number.id, day=day, volume=volume, **names
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
        "TIER": ("tier", key.tier or None),
    }
    point: dict[str, Any] = {"start": key.start, "end": key.end}
    named = dict(names[dimension] for dimension in wanted if dimension in names)
    point |= {name: value for name, value in named.items() if value is not None}
    point["volume"] = figure[0]
    return point | ({"cost": amount(figure[1])} if shows_cost else {})
