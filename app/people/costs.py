"""What a contact has cost: the messages that Meta charged for, at its list prices."""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.orm import selectinload

from app.billing.money import Money
from app.billing.terms import category_words
from app.billing.usage import Usage
from app.inbox.conversations import Conversation, Cursor, Message
from app.tenancy import db

PAGE = 50


@dataclass(frozen=True)
class Row:
    """The messages of one category: how many, what they cost by currency, and how many have no known price."""

    category: str
    messages: int
    sums: list[Money]
    unpriced: int

    @property
    def category_words(self) -> str:
        return category_words(self.category)


class Costs:
    """The costs of the messages that are the contact's now: they follow messages that a merge moves or returns."""

    def __init__(self, contact_id: uuid.UUID) -> None:
        self.contact_id = contact_id

    @cached_property
    def rows(self) -> list[Row]:
        """By category, the one with the most messages first."""
        parts_of: dict[str, list[Any]] = defaultdict(list)
        for part in db.session.execute(self.select_charged(*SUMS).group_by(Usage.category, Usage.currency)):
            parts_of[part.category].append(part)
        rows = [
            Row(category, sum(part.messages for part in parts), sums_of(parts), sum(part.unpriced for part in parts))
            for category, parts in parts_of.items()
        ]
        return sorted(rows, key=lambda row: (-row.messages, row.category))

    @property
    def messages(self) -> int:
        return sum(row.messages for row in self.rows)

    @property
    def unpriced(self) -> int:
        return sum(row.unpriced for row in self.rows)

    @property
    def sums(self) -> list[Money]:
        """The sum in each currency."""
        total: dict[str, int] = defaultdict(int)
        for money in (money for row in self.rows for money in row.sums):
            total[money.currency] += money.micros
        return [Money(micros, currency) for currency, micros in sorted(total.items())]

    def charges(self, before: Cursor | None = None) -> tuple[list[tuple[Usage, Message]], Cursor | None]:
        """A page of charged messages, newest first, and where the next page begins."""
        query = self.select_charged(Usage, Message).options(selectinload(Message.changes))
        if before:
            query = query.where(tuple_(Usage.arrived_at, Usage.id) < tuple_(*before.values))
        newest = query.order_by(Usage.arrived_at.desc(), Usage.id.desc()).limit(PAGE + 1)
        rows = [tuple(row) for row in db.session.execute(newest)]
        more = Cursor(rows[PAGE - 1][0].arrived_at, rows[PAGE - 1][0].id) if len(rows) > PAGE else None
        return rows[:PAGE], more

    def select_charged(self, *columns: Any) -> Select[Any]:
        conversations = select(Conversation.id).where(Conversation.contact_id == self.contact_id)
        same = (
            (Usage.tenant_id == Message.tenant_id)
            & (Usage.phone_number_id == Message.phone_number_id)
            & (Usage.wamid == Message.wamid)
        )
        return select(*columns).select_from(Message).join(Usage, same).where(Message.conversation_id.in_(conversations))


SUMS = (
    Usage.category,
    Usage.currency,
    func.count().label("messages"),
    func.sum(Usage.micros).label("micros"),
    func.count().filter(Usage.micros.is_(None)).label("unpriced"),
)


def sums_of(parts: list[Any]) -> list[Money]:
    return [Money(int(part.micros), part.currency) for part in parts if part.micros is not None]
