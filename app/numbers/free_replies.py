"""How many of its free replies each number has used this month, as far as the statuses of its messages say."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import distinct, func, select

from app.billing.usage import ARRIVED, Usage
from app.inbox.conversations import Message, MessageEvent
from app.inbox.conversations.attempts import is_free_reply
from app.meta.pricing import FREE_ANSWERS
from app.tenancy import db, now


@dataclass(frozen=True, slots=True)
class FreeReplies:
    """Of one number in one month: how many were free, and how many were charged after that."""

    free: int
    charged: int
    month: dt.date
    total: int = FREE_ANSWERS

    @property
    def is_used_up(self) -> bool:
        return self.free >= self.total or self.charged > 0

    @property
    def is_nearly_used_up(self) -> bool:
        return not self.is_used_up and self.free >= self.total * 0.8


def free_replies_of(number_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, FreeReplies]:
    """Meta counts in the account's time zone, which it does not report; we count in UTC."""
    start = now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    ids = list(number_ids)
    arrived = MessageEvent.status.in_(ARRIVED), MessageEvent.occurred_at >= start, is_free_reply()
    free = select(Message.phone_number_id, func.count(distinct(Message.id)))
    free = free.join(MessageEvent, MessageEvent.message_id == Message.id).where(*arrived)
    free = free.where(Message.phone_number_id.in_(ids)).group_by(Message.phone_number_id)
    paid = Usage.phone_number_id.in_(ids), Usage.category == "service", Usage.arrived_at >= start
    charged = select(Usage.phone_number_id, func.count()).where(*paid).group_by(Usage.phone_number_id)
    counted = {row[0]: row[1] for row in db.session.execute(free)}
    billed = {row[0]: row[1] for row in db.session.execute(charged)}
    return {id: FreeReplies(counted.get(id, 0), billed.get(id, 0), start.date()) for id in ids}
