"""A number's messages by week: received, sent and failed."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import Row, func, select

from app.inbox.conversations import Message
from app.tenancy import db, first_id


@dataclass(frozen=True)
class Traffic:
    """One row for each week that has messages, the newest first."""

    weeks: Sequence[Row[Any]]

    @classmethod
    def of(cls, phone_number_id: uuid.UUID, since: dt.datetime) -> Self:
        week = func.date_trunc("week", func.timezone("UTC", Message.occurred_at)).label("week")
        inbound, failed = Message.direction == "inbound", Message.state == "failed"
        query = (
            select(
                week,
                func.count().filter(inbound).label("inbound"),
                func.count().filter(~inbound).label("outbound"),
                func.count().filter(failed).label("failed"),
            )
            .where(Message.phone_number_id == phone_number_id, Message.id > first_id(since))
            .where(Message.occurred_at > since)
            .group_by(week)
            .order_by(week.desc())
        )
        return cls(db.session.execute(query).all())

    @property
    def most(self) -> int:
        return max((max(row.inbound, row.outbound) for row in self.weeks), default=0)
