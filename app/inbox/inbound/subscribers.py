"""Subscribers that act on received messages outside the drain."""

from __future__ import annotations

from app.tenancy import Happened, subscriber

from . import out_of_office


@subscriber("away", "message.received")
def send_out_of_office_replies(received: list[Happened]) -> None:
    out_of_office.send_out_of_office_replies(received)
