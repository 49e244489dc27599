"""What Meta charged, for programs: by day, number, category and market."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator
from sqlalchemy import func, select

from app.api import Fault, Problem, Shape, endpoint, problem, scope
from app.billing.usage import Usage
from app.inbox.api import reach
from app.tenancy import db, exists, first_id
from app.wabas.models import PhoneNumber
from app.words import N_

READ = scope("usage:read", N_("Read what messages cost"))
TAG = "Usage"
MOST_DAYS, MOST_ROWS = 92, 2_000
# An id may be this much older than the moment its message arrived, where two clocks differ.
SLACK = dt.timedelta(hours=1)
EARLIEST, LATEST = dt.date(2000, 1, 1), dt.date(2100, 1, 1)
TOO_MANY_ROWS = problem(
    "too_many_rows", 422, "The answer would be too long", N_("Ask for fewer days, or group by fewer things.")
)
Day = Annotated[dt.date, Field(ge=EARLIEST, le=LATEST)]
Group = Literal["day", "phone_number_id", "category", "market"]
DAY = func.date(func.timezone("UTC", Usage.arrived_at))
COLUMNS: dict[str, Any] = {
    "day": DAY,
    "phone_number_id": Usage.phone_number_id,
    "category": Usage.category,
    "market": Usage.market,
}


class UsageQuery(Shape):
    from_: Day = Field(alias="from", description="The first day, in UTC.")
    to: Day = Field(description="The last day, in UTC.")
    group: list[Group] = Field(default=["day", "category"], max_length=4)
    phone_number_id: uuid.UUID | None = Field(None, alias="filter[phone_number_id]")

    @field_validator("to")
    @classmethod
    def check_range(cls, to: dt.date, given: ValidationInfo) -> dt.date:
        start = given.data.get("from_", to)
        if not dt.timedelta(0) <= to - start < dt.timedelta(days=MOST_DAYS):
            raise ValueError(f"Give a range of 1 to {MOST_DAYS} days.")
        return to


class UsageRow(Shape):
    """The charged messages of one group, in one currency. What they are not grouped by is null."""

    day: dt.date | None
    phone_number_id: uuid.UUID | None
    category: str | None
    market: str | None = Field(description="Meta's name of the country or region; null where it is unknown, too.")
    currency: str
    messages: int
    micros: int = Field(description="The sum of the prices that are known, in millionths of the currency.")
    unpriced: int = Field(description="How many of the messages have no known price.")


class UsageShape(Shape):
    """What Meta charged, at its list prices on the day each message arrived."""

    data: list[UsageRow]


@endpoint("GET", "/usage", scope=READ, query=UsageQuery, gives=UsageShape, tag=TAG, problems=(TOO_MANY_ROWS,))
def get_usage(query: UsageQuery) -> UsageShape:
    """Get what messages cost.

    The messages that Meta charges for, those of other software that sends from your numbers among them. Discounts for
    volume and taxes are not in it.
    """
    number_id = query.phone_number_id
    if number_id is not None and not exists(reach.numbers().where(PhoneNumber.id == number_id)):
        fault = Fault("not_found", "You have no number with this id.", parameter="filter[phone_number_id]")
        raise Problem("invalid_request", errors=[fault])
    groups = {name: COLUMNS[name] for name in COLUMNS if name in query.group}
    start, end = midnight(query.from_), midnight(query.to) + dt.timedelta(days=1)
    rows = (
        select(
            *(column.label(name) for name, column in groups.items()),
            Usage.currency,
            func.count().label("messages"),
            func.coalesce(func.sum(Usage.micros), 0).label("micros"),
            func.count().filter(Usage.micros.is_(None)).label("unpriced"),
        )
        .where(Usage.arrived_at >= start, Usage.arrived_at < end, Usage.id > first_id(start - SLACK))
        .where(reach.reached(Usage.phone_number_id))
        .group_by(*groups.values(), Usage.currency)
        .order_by(*groups.values(), Usage.currency)
    )
    rows = rows.where(Usage.phone_number_id == number_id) if number_id is not None else rows
    usages = db.session.execute(rows.limit(MOST_ROWS + 1)).all()
    if len(usages) > MOST_ROWS:
        raise Problem(TOO_MANY_ROWS)
    return UsageShape(data=[usage_row(row._mapping) for row in usages])


def usage_row(row: Any) -> UsageRow:
    values: dict[str, Any] = {name: row.get(name) for name in UsageRow.model_fields}
    return UsageRow(**(values | {"micros": int(row["micros"])}))


def midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)
