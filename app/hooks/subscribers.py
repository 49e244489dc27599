"""The happenings that leave the house."""

from __future__ import annotations

from app.tenancy import Happened, subscriber
from app.tenancy.catalogue import KINDS

from .event_types import outside
from .outbox import write


@subscriber("webhooks", *outside(KINDS))
def write_events(happenings: list[Happened]) -> None:
    write(happenings)
