"""Long lists, a page at a time. A cursor names the last row, so a page stays right while rows are added."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

from flask import g
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, Select, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, aliased

from app.tenancy import TenantModel, as_uuid, current_tenant_id, db

from .problems import Fault, Problem

MOST = 100
# How many rows a page looks at, at most, where a filter is not answered by an index.
SCANNED = 10_000
Item = TypeVar("Item")
Row = TypeVar("Row", bound=TenantModel)


class PageQuery(BaseModel):
    """What every list takes."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    limit: int = Field(50, ge=1, le=MOST, description="How many to return.")
    after: str | None = Field(None, max_length=500, description="The `next` of the page before.")


class Page(BaseModel, Generic[Item]):
    """A page of a list. `next` is the cursor of the following page; null on the last one."""

    model_config = ConfigDict(hide_input_in_errors=True)

    data: list[Item]
    next: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the value that the list is sorted by, if that isn't the id, and the id."""

    id: uuid.UUID
    value: dt.datetime | str | None = None

    @classmethod
    def read(cls, cursor: str | None, kind: type | None = None) -> Self | None:
        """`kind` is that of the value, if there is one. Raises a `Problem` for what is no cursor of such a list."""
        if cursor is None:
            return None
        try:
            # Programs store cursors: those from before lists had marks have none.
            value, id, *marks = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
            row_id, last = as_uuid(id), read_value(value, kind)
            if row_id and marks in ([], [mark_of_list()]):
                return cls(row_id, last)
        except (ValueError, TypeError, OverflowError, binascii.Error, RecursionError):
            pass
        fault = Fault(
            "invalid_cursor",
            "Use the value of `next` as it is, for the same list with the same sort.",
            parameter="after",
        )
        raise Problem("invalid_request", errors=[fault])

    def __str__(self) -> str:
        value = self.value.isoformat() if isinstance(self.value, dt.datetime) else self.value
        text = json.dumps([value, str(self.id), mark_of_list()], separators=(",", ":"), ensure_ascii=False)
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def mark_of_list() -> str:
    """Names the list that is asked for, of this business and in this order: a place in one is none in another."""
    return hashlib.blake2s(f"{current_tenant_id()} {g.get('list_name', '')}".encode(), digest_size=4).hexdigest()


def read_value(value: Any, kind: type | None) -> dt.datetime | str | None:
    """Raises ValueError or TypeError for what isn't of this kind."""
    if kind is None:
        if value is not None:
            raise ValueError
        return None
    if kind is dt.datetime:
        moment = dt.datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError
        return moment
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError
    value.encode()
    return value


def after(
    query: Select[Any],
    cursor: str | None,
    id: InstrumentedAttribute[uuid.UUID],
    value: InstrumentedAttribute[dt.datetime] | InstrumentedAttribute[str] | None = None,
    *,
    ascending: bool = False,
) -> Select[Any]:
    """The rows after this cursor, sorted by the value, then the id: newest first unless `ascending`."""
    columns: list[InstrumentedAttribute[Any]] = [column for column in (value, id) if column is not None]
    if place := Place.read(cursor, None if value is None else value.type.python_type):
        key, last = tuple_(*columns), tuple_(*([place.value, place.id] if value is not None else [place.id]))
        query = query.where(key > last if ascending else key < last)
    return query.order_by(*(column.asc() if ascending else column.desc() for column in columns))


def page_of(rows: Iterable[Any], limit: int, shape: Callable[[Any], Item], place: Callable[[Any], Place]) -> Page[Item]:
    """The page of these rows, of which one more than `limit` was read to know whether there is another."""
    read = list(rows)
    shown = read[:limit]
    return Page(data=[shape(row) for row in shown], next=str(place(shown[-1])) if len(read) > limit else None)


def scan(
    candidates: Select[Any],
    model: type[Row],
    conditions: Callable[[type[Row]], Sequence[ColumnElement[bool]]],
    cursor: str | None,
    limit: int,
    value: str | None = None,
    *,
    ascending: bool = False,
) -> tuple[list[uuid.UUID], Place | None]:
    """Ids of a page's rows, one more than `limit` if there are, of the next `SCANNED` candidates at most.

    For conditions that no index answers: a filter that hardly anything matches costs no more than any other. With
    fewer rows than `limit` comes the place from which to go on, or None at the end of the list.
    `candidates` are found by an index that is sorted by the column `value`, then the id.
    """
    by = getattr(model, value) if value else None
    ahead = after(candidates, cursor, model.id, by, ascending=ascending)
    near = aliased(model, ahead.limit(SCANNED).subquery())
    columns = ([getattr(near, value)] if value else []) + [near.id]
    order = [column.asc() if ascending else column.desc() for column in columns]
    ids = list(db.session.scalars(select(near.id).where(*conditions(near)).order_by(*order).limit(limit + 1)))
    if len(ids) > limit:
        return ids, None
    place = [model.id, *([by] if by is not None else [])]
    last = db.session.execute(ahead.with_only_columns(*place).offset(SCANNED - 1).limit(1)).one_or_none()
    return ids, Place(*last) if last else None
