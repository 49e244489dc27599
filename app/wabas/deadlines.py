"""Something that ends on a day: how many days are left, and which warning is due."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from app.tenancy import now


@dataclass(frozen=True)
class Deadline:
    """`warn_at` are the days before it at which somebody is warned, `warned` is the last warning sent."""

    at: dt.datetime | None
    warn_at: tuple[int, ...]
    warned: int | None

    @property
    def days_left(self) -> int | None:
        """Whole days; None where nothing ends."""
        return None if self.at is None else max(0, (self.at - now()).days)

    @property
    def step(self) -> int | None:
        """The smallest day of `warn_at` that has come; None before the first."""
        left = self.days_left
        return None if left is None else next((days for days in reversed(self.warn_at) if left < days), None)

    @property
    def is_due(self) -> bool:
        """Whether the warning of that day has not been sent yet."""
        return self.step is not None and (self.warned is None or self.step < self.warned)

    @property
    def is_over(self) -> bool:
        return self.at is not None and self.at <= now()
