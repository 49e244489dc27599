"""Charts, drawn on the server: days as pairs of bars, hours of the week as a table, ratings as stacked bars."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

WIDTH, HEIGHT, GAP = 720, 150, 4
# Beyond this many days a bar is a week.
MOST_BARS, WEEK = 62, 7
SHADES = 5
# How many bars have their day beneath, and how wide that is.
LABELS, LABEL = 8, 48


@dataclass(frozen=True, slots=True)
class Part:
    """One coloured bar: `name` says of what, which is its class too."""

    name: str
    count: int
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Bar:
    """One day, or the week that begins with it."""

    day: dt.date
    counts: Mapping[str, int]
    parts: list[Part]
    middle: int
    is_labelled: bool


@dataclass(frozen=True)
class Chart:
    """Bars side by side, or one above the other where they are `stacked`. `most` is the highest."""

    bars: list[Bar]
    most: int
    step: int
    width: int = WIDTH
    height: int = HEIGHT

    @classmethod
    def of(cls, days: Mapping[dt.date, Mapping[str, int]], names: tuple[str, ...], *, stacked: bool = False) -> Self:
        step = 1 if len(days) <= MOST_BARS else WEEK
        groups = in_groups(days, names, step)
        heights = [sum(counts.values()) if stacked else max(counts.values()) for counts in groups.values()]
        most, room = max(heights, default=0), WIDTH / max(len(groups), 1)
        every = -(-len(groups) // LABELS)
        bars = []
        for place, (day, counts) in enumerate(groups.items()):
            left, width = round(place * room), max(1, round(room) - GAP)
            parts = list(drawn(counts, left, width, most, stacked=stacked))
            middle = min(max(left + width // 2, LABEL // 2), WIDTH - LABEL // 2)
            bars.append(Bar(day, counts, parts, middle, place % every == 0))
        return cls(bars, most, step)


def in_groups(
    days: Mapping[dt.date, Mapping[str, int]], names: tuple[str, ...], step: int
) -> dict[dt.date, dict[str, int]]:
    groups: dict[dt.date, dict[str, int]] = {}
    for place, (day, counts) in enumerate(days.items()):
        if place % step == 0:
            group = groups[day] = dict.fromkeys(names, 0)
        for name in names:
            group[name] += counts[name]
    return groups


def drawn(counts: Mapping[str, int], left: int, width: int, most: int, *, stacked: bool) -> list[Part]:
    parts, top, each = [], HEIGHT, width if stacked else max(1, width // len(counts))
    for place, (name, count) in enumerate(counts.items()):
        height = max(2, round(HEIGHT * count / most)) if count and most else 0
        top = top - height if stacked else HEIGHT - height
        if height:
            parts.append(Part(name, count, left if stacked else left + place * each, max(0, top), each, height))
    return parts


def shade(count: int, most: int) -> int:
    """From 0 for nothing to 5 for the most."""
    return -(-count * SHADES // most) if most else 0
