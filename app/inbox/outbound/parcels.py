"""Parcels: claimed messages, each with all that its request to Meta needs."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from time import monotonic
from typing import Any

from app.meta import messages as meta
from app.meta.errors import MetaError, NotConnected
from app.meta.graph import GraphClient
from app.meta.template_direct_send import explained

# A request starts within this time or not at all: a process stopped for longer may have lost its lease to another.
START_WITHIN = dt.timedelta(seconds=25)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One claimed message, with all that its request to Meta needs: the request runs without a database."""

    message_id: uuid.UUID
    conversation_id: uuid.UUID
    attempt_id: uuid.UUID
    lane: str
    fence: int
    attempts: int
    to: str | None
    recipient: str | None
    type: str
    content: dict[str, Any]
    context_wamid: str | None
    # Of a message that goes by Direct Send.
    category: str
    file_id: uuid.UUID | None
    # The files of its template that it shows.
    samples: frozenset[str]
    callback_data: str
    # The moment that the number's pace has for it, and until when it may start at all (monotonic).
    starts_at: float
    starts_before: float

    def send(self, graph: GraphClient, token: str, number: str) -> meta.Accepted | MetaError:
        """Calls Meta once. Returns the error instead of raising it; `NotConnected` where it is too late to start."""
        if monotonic() > self.starts_before:
            return NotConnected("the sender was held up, so nothing was sent")
        try:
            return meta.send(
                graph,
                token,
                number,
                to=self.to,
                recipient=self.recipient,
                content=self.content,
                callback_data=self.callback_data,
                context_wamid=self.context_wamid,
            )
        except MetaError as error:
            return explained(error) if self.category else error
