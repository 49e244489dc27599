"""A long list, a page at a time; the address says which (`page`, from 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from flask import request

from app.parameters import row_number

from .database import db

MOST_PAGES = 1_000


@dataclass(frozen=True, slots=True)
class Paged:
    """The rows of one page. `before` and `after` are the numbers of the pages beside it, or None."""

    rows: Sequence[Any]
    number: int
    has_more: bool

    @classmethod
    def of(cls, query: Any, most: int) -> Self:
        """The page of the query that the address asks for. Rows of one column are its values."""
        number = request.args.get("page", 1, type=row_number)
        number = number if 1 <= number <= MOST_PAGES else 1
        rows = db.session.execute(query.limit(most + 1).offset((number - 1) * most)).all()
        shown = [row[0] if len(row) == 1 else row for row in rows[:most]]
        return cls(shown, number, len(rows) > most and number < MOST_PAGES)

    @property
    def before(self) -> int | None:
        return self.number - 1 if self.number > 1 else None

    @property
    def after(self) -> int | None:
        return self.number + 1 if self.has_more else None
