"""Subscribers that act on received messages outside the drain."""

from __future__ import annotations

from app.tenancy import Happened, subscriber

from . import away


@subscriber("away", "message.received")
def send_away_messages(received: list[Happened]) -> None:
    away.send_away_messages(received)
