"""Tenants in turn: what one of them has much of does not hide what another has little of."""

from __future__ import annotations

from typing import Any, TypeVarTuple, cast

from sqlalchemy import Select, func, select

Columns = TypeVarTuple("Columns")

# A sweep of every few seconds reads and sorts so many rows in some 50 ms. Behind that many the order is that of time.
LOOKED_AT = 50_000


def in_turn(query: Select[*Columns], by: Any, most: int) -> Select[*Columns]:
    """The same columns, `tenant_id` among them, of at most so many rows: the first of each tenant, then the second.

    `by` says which of a tenant's is first. For sweeps, in a platform scope.
    """
    due = query.add_columns(by.label("by")).order_by(by).limit(LOOKED_AT).subquery()
    place = func.row_number().over(partition_by=due.c.tenant_id, order_by=due.c.by)
    placed = select(due, place.label("place")).subquery()
    columns = [placed.c[name] for name in query.selected_columns.keys()]  # noqa: SIM118  a collection of columns
    return cast("Select[*Columns]", select(*columns).order_by(placed.c.place, placed.c.by).limit(most))


def by_chance(query: Select[*Columns], most: int) -> Select[*Columns]:
    """At most so many of its rows, others each time: what stays due, as it fails or goes on, hides nothing for long.

    For sweeps over tenants, or over what has no time of its next attempt.
    """
    rows = query.subquery()
    columns = [rows.c[name] for name in query.selected_columns.keys()]  # noqa: SIM118  a collection of columns
    return cast("Select[*Columns]", select(*columns).order_by(func.random()).limit(most))
