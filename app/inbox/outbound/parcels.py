"""Parcels: claimed messages, each with all that its request to Meta needs."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Self

from sqlalchemy import Row

from app.inbox.conversations.callback import callback_of
from app.inbox.conversations.flow_tokens import FlowToken
from app.meta import messages as meta
from app.meta.errors import MetaError, NotConnected
from app.meta.graph import GraphClient
from app.meta.outgoing import content_of, with_flow_token
from app.meta.template_direct_send import explained
from app.meta.template_sending import with_samples
from app.tenancy import current_tenant_id, uuid7

from .pace import Throttle
from .sample_uploads import sample_ids

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

    @classmethod
    def of(cls, row: Row[Any], file_ids: Mapping[str, str], claimed_at: float, moment: float) -> Self:
        """The parcel of a claimed message, to start `moment` seconds after the claim. `file_ids`: samples at Meta."""
        attempt_id, raw, samples = uuid7(), row.raw or {}, frozenset[str]()
        if row.type == "template" and (samples := frozenset(sample_ids(raw))):
            raw = with_samples(raw, file_ids)
        return cls(
            message_id=row.id,
            conversation_id=row.conversation_id,
            attempt_id=attempt_id,
            lane=row.lane,
            fence=row.fence,
            attempts=row.attempts,
            to=row.wa_id,
            recipient=row.bsuid,
            type=row.type,
            content=with_flow_token(
                content_of(row.type, row.body, raw, row.file_meta_id, row.category or ""),
                lambda: FlowToken(row.contact_id, row.id).sign(current_tenant_id()),
            ),
            context_wamid=row.reply_to_wamid,
            category=row.category or "",
            file_id=row.file_id,
            samples=samples,
            callback_data=callback_of(attempt_id),
            starts_at=claimed_at + moment,
            starts_before=claimed_at + START_WITHIN.total_seconds(),
        )

    def send(self, graph: GraphClient, token: str, number: str, throttle: Throttle) -> meta.Accepted | MetaError:
        """Calls Meta once, at its moment, in a thread of its own. Returns the error instead of raising it.

        `NotConnected` where it is too late to start. `throttle.expected` counts it already.
        """
        throttle.wait_for(self.starts_at)
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
