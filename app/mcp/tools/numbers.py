"""Numbers for assistants: how each is, and what was charged."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Literal

from pydantic import Field

from app.api import Shape
from app.mcp.declaring import READS, tool
from app.numbers.api import numbers, usage
from app.numbers.api.numbers import HealthShape, NumbersQuery
from app.numbers.api.usage import UsageQuery, UsageShape
from app.tenancy import now
from app.wabas.api import NumberShape

MOST_NUMBERS = 20


class UsageAndCost(Shape):
    days: int = Field(30, ge=1, le=92, description="The last days, today included (UTC).")
    group: list[Literal["day", "phone_number_id", "category", "market"]] = Field(
        default=["category"], min_length=1, max_length=4
    )
    phone_number_id: uuid.UUID | None = None


@tool("usage_and_cost", UsageAndCost, (usage.READ,), READS)
def usage_and_cost(given: UsageAndCost) -> UsageShape:
    """Read what messages cost.

    What Meta charged at list prices; amounts are in millionths of the currency.
    """
    today = now().date()
    query = {"from": today - dt.timedelta(days=given.days - 1), "to": today, "group": given.group}
    return usage.get_usage(UsageQuery.model_validate(query | {"filter[phone_number_id]": given.phone_number_id}))


class NumberHealth(Shape):
    phone_number_id: uuid.UUID | None = Field(None, description="One number; all where it is left out.")


class NumberWithHealth(Shape):
    number: NumberShape
    health: HealthShape


class NumbersHealth(Shape):
    numbers: list[NumberWithHealth]
    has_more: bool


@tool("number_health", NumberHealth, (numbers.READ,), READS)
def number_health(given: NumberHealth) -> NumbersHealth:
    """Check the health of your numbers.

    Whether each can send, what is in the way and what to do, its quality, limit and free replies.
    """
    if given.phone_number_id:
        shown, has_more = [numbers.get_number(given.phone_number_id)], False
    else:
        page = numbers.list_numbers(NumbersQuery.model_validate({"limit": MOST_NUMBERS}))
        shown, has_more = page.data, page.next is not None
    each = [NumberWithHealth(number=one, health=numbers.get_number_health(one.id)) for one in shown]
    return NumbersHealth(numbers=each, has_more=has_more)
