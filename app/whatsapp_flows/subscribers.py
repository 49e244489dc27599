"""Forms among the messages that customers send."""

from __future__ import annotations

from app.tenancy import Happened, subscriber

from . import responses


@subscriber("flows", "message.received")
def record_responses(received: list[Happened]) -> None:
    responses.record(received)
