"""How much was sent with a template. What stores messages says so here, beside its own model."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sent:
    """Messages that arrived in one market: `number` is the beginning of their recipients' numbers, "" where hidden.

    `charged` of them were paid for.
    """

    number: str
    delivered: int
    charged: int


Count = Callable[[uuid.UUID, dt.datetime, dt.datetime], list[Sent]]
COUNTS: list[Count] = []


def counts_templates(count: Count) -> Count:
    """Registers a function that counts what arrived of a template, given its id and the time from and until."""
    COUNTS.append(count)
    return count


def sent_with(template_id: uuid.UUID, since: dt.datetime, until: dt.datetime) -> list[Sent]:
    return [one for count in COUNTS for one in count(template_id, since, until)]
