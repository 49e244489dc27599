"""Reads a provider's answer, which may be anything."""

from __future__ import annotations

from typing import Any


def at(value: Any, *path: str | int) -> Any:
    """What is at a path of keys and places; None where the path ends early."""
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and len(value) > step else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def text_at(value: Any, *path: str | int) -> str | None:
    item = at(value, *path)
    return item if isinstance(item, str) else None


def number(value: Any, name: str) -> int:
    """A count of tokens, 0 where there is none."""
    count = at(value, name)
    return count if isinstance(count, int) and not isinstance(count, bool) and 0 <= count < 10**9 else 0
