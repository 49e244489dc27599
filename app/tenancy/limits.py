"""How much of something a tenant may have. Who makes such things asks here; what sets the limits registers itself."""

from __future__ import annotations

from collections.abc import Callable

# What can be limited.
KINDS = ("seats", "numbers", "api_rate")
Source = Callable[[str], int | None]
SOURCES: list[Source] = []


class OverLimit(Exception):
    """One more would be more than the tenant may have: `kind` of KINDS, of which it may have `most`."""

    def __init__(self, kind: str, most: int) -> None:
        super().__init__(kind)
        self.kind, self.most = kind, most


def limit_source(function: Source) -> Source:
    """Has the decorated function say how much of a kind the current tenant may have; None is any number."""
    SOURCES.append(function)
    return function


def most_of(kind: str) -> int | None:
    """How much of a kind the current tenant may have; None is any number."""
    return min((most for source in SOURCES if (most := source(kind)) is not None), default=None)


def refuse_over(kind: str, count: int) -> None:
    """Raises `OverLimit` where a tenant would have more than it may. What it has already is left alone."""
    most = most_of(kind)
    if most is not None and count > most:
        raise OverLimit(kind, most)
