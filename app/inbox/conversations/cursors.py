"""Where a page of a list, or of a thread, ended."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page of a list ended: a time and an id, as text `<microseconds>-<id>`."""

    at: dt.datetime
    id: uuid.UUID

    @classmethod
    def read(cls, value: str | None) -> Cursor | None:
        """The cursor in an address, or none if there is none or it is garbage."""
        at, _, id = (value or "").partition("-")
        try:
            return cls(dt.datetime.fromtimestamp(int(at) / 1_000_000, dt.UTC), uuid.UUID(id))
        except (ValueError, OverflowError, OSError):
            return None

    @property
    def values(self) -> tuple[dt.datetime, uuid.UUID]:
        return self.at, self.id

    def __str__(self) -> str:
        return f"{round(self.at.timestamp() * 1_000_000)}-{self.id}"
