"""Which entry points a key reaches: a team's key, those of its numbers."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, true

from app.api import current_key

Find = Callable[[], Select[uuid.UUID]]
FINDERS: list[Find] = []


def finds_numbers(find: Find) -> Find:
    """Registers which numbers a team's key reaches, from where teams have numbers."""
    FINDERS.append(find)
    return find


def reached(phone_number_id: Any) -> ColumnElement[bool]:
    if current_key().kind != "team":
        return true()
    return or_(*(phone_number_id.in_(find()) for find in FINDERS))
