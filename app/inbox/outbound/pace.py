"""How fast a number may send: so many messages a second, and to one person one in six seconds after a burst.

Both are stored as GCRA's "theoretical arrival time" (tat) in Postgres, not in Redis: a flush, a restart or a second
worker cannot let a burst through. Meta answers what comes too fast with 130429 and 131056 (Cloud API: throughput).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import TenantModel, belongs_to, current_tenant_id, database_now, db, now
from app.wabas.models import PhoneNumber

# Meta's throughput levels, and a number that is also in the WhatsApp Business app (Cloud API: throughput).
STANDARD, HIGH, ON_BIZ_APP = 80, 1000, 20
# Share and burst together stay below Meta's limit in any second, which also counts what customers write.
SHARE = 0.93
BURST_SECONDS = 0.05
RECOVERY_PER_SECOND = 1.05
SLOWEST = 0.02
PAUSE = dt.timedelta(seconds=1)
# The rest is for agents' replies, and for what customers write back.
CAMPAIGNS_SHARE = 0.8
# Meta's six seconds, and a little for messages that are not equally long on their way.
PAIR_SECONDS, PAIR_BURST = 6.2, 45


class NumberPace(TenantModel):
    """What a number has sent lately, as its limiter counts it; its id is the number's. Made when it first sends."""

    __table_args__ = (belongs_to("phone_numbers", "id", ondelete="CASCADE"),)

    sending_tat: Mapped[dt.datetime] = mapped_column(default=now, server_default=func.now())
    campaigns_tat: Mapped[dt.datetime] = mapped_column(default=now, server_default=func.now())
    # A share of the full speed, from the moment on at which Meta said that it was too fast.
    slowdown: Mapped[float] = mapped_column(default=1.0, server_default="1")
    slowed_at: Mapped[dt.datetime] = mapped_column(default=now, server_default=func.now())


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many messages may go now, of them how many of campaigns; and after how many seconds more may."""

    replies: int
    campaigns: int
    wait: float
    is_connected: bool


class Pace:
    """A number's speed. Each method runs inside the transaction that claims messages."""

    def __init__(self, number: PhoneNumber) -> None:
        self.ids = {"tenant": current_tenant_id(), "number": number.id}
        self.rate = 1.0
        self.sending_tat = self.campaigns_tat = dt.datetime.min.replace(tzinfo=dt.UTC)

    def allowance(self) -> Allowance:
        """What may be sent now. Locks the number's pace, so that several workers share one allowance."""
        row, at = self.lock(), database_now()
        self.sending_tat, self.campaigns_tat = max(row.sending_tat, at), max(row.campaigns_tat, at)
        limit = ON_BIZ_APP if row.is_on_biz_app else HIGH if row.throughput == "HIGH" else STANDARD
        self.rate = limit * SHARE * self.recovered(row.slowdown, at - row.slowed_at)
        replies, wait = self.spare(self.sending_tat - at, self.rate)
        campaigns, campaigns_wait = self.spare(self.campaigns_tat - at, self.rate * CAMPAIGNS_SHARE)
        return Allowance(replies, campaigns, wait if not replies else campaigns_wait, row.state == "connected")

    def lock(self) -> Row[Any]:
        if (row := db.session.execute(LOCK, self.ids).one_or_none()) is None:
            db.session.execute(CREATE, self.ids | {"now": database_now()})
            row = db.session.execute(LOCK, self.ids).one()
        return row

    @staticmethod
    def spare(ahead: dt.timedelta, rate: float) -> tuple[int, float]:
        spare = max(BURST_SECONDS, 1 / rate) - ahead.total_seconds()
        # A hair's breadth is forgiven: the clock of the last wait was another one.
        return int(max(spare, 0.0) * rate + 1e-6), max(1 / rate - spare, 0.001)

    def spend(self, count: int, campaigns: int = 0) -> None:
        """Counts messages that are being sent, some of them a campaign's; after `allowance`, under its lock."""
        each = dt.timedelta(seconds=1 / self.rate)
        self.sending_tat += count * each
        self.campaigns_tat += campaigns * each / CAMPAIGNS_SHARE
        db.session.execute(SPEND, self.ids | {"sending": self.sending_tat, "campaigns": self.campaigns_tat})

    def slow_down(self) -> None:
        """Halves the present speed, which then climbs back: Meta said that it was too fast."""
        row, at = self.lock(), database_now()
        half = max(SLOWEST, self.recovered(row.slowdown, at - row.slowed_at) / 2)
        db.session.execute(SLOW_DOWN, self.ids | {"slowdown": half, "now": at, "next": at + PAUSE})

    @staticmethod
    def recovered(slowdown: float, since: dt.timedelta) -> float:
        return min(1.0, slowdown * float(RECOVERY_PER_SECOND ** min(since.total_seconds(), 1000.0)))


# The moments are compared and added up here, under the row's lock: the time is read after it, never before.
LOCK = text("""
    select n.throughput, n.is_on_biz_app, n.state, p.slowdown, p.slowed_at, p.sending_tat, p.campaigns_tat
    from number_paces p join phone_numbers n on n.tenant_id = p.tenant_id and n.id = p.id
    where p.tenant_id = :tenant and p.id = :number for no key update of p
""")
CREATE = text("""
    insert into number_paces (tenant_id, id, sending_tat, campaigns_tat, slowed_at)
    values (:tenant, :number, :now, :now, :now) on conflict do nothing
""")
SPEND = text("""
    update number_paces set sending_tat = :sending, campaigns_tat = :campaigns
    where tenant_id = :tenant and id = :number
""")
SLOW_DOWN = text("""
    update number_paces set slowdown = :slowdown, slowed_at = :now, sending_tat = greatest(sending_tat, :next)
    where tenant_id = :tenant and id = :number
""")
