"""The messages behind a figure: journals of charged ones, or those that were free."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select, tuple_

from app.billing.ledger import OF_MESSAGES, Journal
from app.billing.usage import FreeMessage
from app.inbox.conversations import Cursor, Message
from app.tenancy import as_uuid, db
from app.zones import UTC

from .months import Month

PAGE = 50
LONGEST_VALUE = 80
# The parts of an address, and the column that each narrows.
FILTERS = {
    "day": Journal.day,
    "number": Journal.phone_number_id,
    "country": Journal.country,
    "category": Journal.category,
    "sender": Journal.sender,
}


@dataclass(frozen=True)
class Line:
    """A journal or a free message, and the message it is about where it is stored here."""

    charge: Journal | FreeMessage
    message: Message | None


def charged_lines(month: Month, chosen: dict[str, str], before: str | None) -> tuple[list[Line], str | None]:
    """A page of the journals of a month, newest first, narrowed by FILTERS; and where the next page begins."""
    query = select(Journal).where(Journal.kind.in_(OF_MESSAGES), Journal.day >= month.first, Journal.day < month.next)
    for name, value in chosen.items():
        query = query.where(FILTERS[name] == typed(name, value))
    if start := read_place(before):
        query = query.where(tuple_(Journal.day, Journal.id) < tuple_(*start))
    journals_shown = db.session.scalars(query.order_by(Journal.day.desc(), Journal.id.desc()).limit(PAGE + 1)).all()
    last = journals_shown[PAGE - 1] if len(journals_shown) > PAGE else None
    return with_messages(journals_shown[:PAGE]), f"{last.day}.{last.id}" if last else None


def free_lines(month: Month, reason: str, before: str | None) -> tuple[list[Line], str | None]:
    """A page of the messages of a month that were free for a reason, newest first; and where the next begins."""
    start = dt.datetime.combine(month.first, dt.time(), UTC), dt.datetime.combine(month.next, dt.time(), UTC)
    query = select(FreeMessage).where(FreeMessage.arrived_at >= start[0], FreeMessage.arrived_at < start[1])
    query = query.where(FreeMessage.free == reason, FreeMessage.is_posted)
    if cursor := Cursor.read(before):
        query = query.where(tuple_(FreeMessage.arrived_at, FreeMessage.id) < tuple_(*cursor.values))
    newest = query.order_by(FreeMessage.arrived_at.desc(), FreeMessage.id.desc()).limit(PAGE + 1)
    journals_shown = db.session.scalars(newest).all()
    last = journals_shown[PAGE - 1] if len(journals_shown) > PAGE else None
    return with_messages(journals_shown[:PAGE]), str(Cursor(last.arrived_at, last.id)) if last else None


def with_messages(charges: Sequence[Journal | FreeMessage]) -> list[Line]:
    keys = [(charge.phone_number_id, charge.wamid) for charge in charges]
    query: Select[Any] = select(Message).where(tuple_(Message.phone_number_id, Message.wamid).in_(keys))
    messages = {(each.phone_number_id, each.wamid): each for each in db.session.scalars(query).unique()} if keys else {}
    return [Line(charge, messages.get((charge.phone_number_id, charge.wamid))) for charge in charges]


def typed(name: str, value: str) -> Any:
    """A value of an address as its column has it; one that no row has where it is none."""
    match name:
        case "day":
            return read_day(value) or dt.date.min
        case "number":
            return as_uuid(value) or uuid.UUID(int=0)
    return value[:LONGEST_VALUE]


def read_place(value: str | None) -> tuple[dt.date, uuid.UUID] | None:
    day, _dot, id = (value or "").partition(".")
    read, row_id = read_day(day), as_uuid(id)
    return (read, row_id) if read and row_id else None


def read_day(value: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        return None
