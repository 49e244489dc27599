"""How fast a number may send: so many messages a second, and to one person one in six seconds after a burst.

Both are stored as GCRA's "theoretical arrival time" (tat) in Postgres, not in Redis: a flush, a restart or a second
worker cannot let a burst through. Meta answers what comes too fast with 130429 and 131056 (Cloud API: throughput).

Each message gets a moment of its own, one after the other at the pace, a little ahead: so one claim carries many
messages, and they leave evenly all the same.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import TenantModel, belongs_to, current_tenant_id, database_now, db, now
from app.wabas.models import PhoneNumber

# Meta's throughput levels, and a number that is also in the WhatsApp Business app (Cloud API: throughput).
STANDARD, HIGH, ON_BIZ_APP = 80, 1000, 20
# Below Meta's limit in any second, which also counts what customers write: messages are not equally long on their way.
# Several processes share a fast number, and each may be late with what it has claimed: more is left over there.
SHARE, HIGH_SHARE = 0.96, 0.93
# How far ahead moments are given away: in time, and of a fast number no more than that many.
AHEAD_SECONDS, AHEAD_MESSAGES = 0.25, 96
MOST_AHEAD_SECONDS = 60
# How much a request may be late for the next ones to catch up.
LATE_SECONDS = 0.01
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


@dataclass(slots=True)
class Moments:
    """Moments to send at, 1 / `rate` seconds apart, of which some may be taken ahead; `tat` is the next free one."""

    rate: float
    at: dt.datetime
    tat: dt.datetime

    def __post_init__(self) -> None:
        # No one takes so much ahead: the database's clock was set back.
        self.tat = self.at if self.ahead > MOST_AHEAD_SECONDS else max(self.tat, self.at)

    @property
    def ahead(self) -> float:
        return (self.tat - self.at).total_seconds()

    @property
    def horizon(self) -> float:
        return max(min(AHEAD_SECONDS, AHEAD_MESSAGES / self.rate), 1 / self.rate)

    @property
    def free(self) -> int:
        # A hair's breadth is forgiven: the clock of the last wait was another one.
        return int(max(self.horizon - self.ahead, 0.0) * self.rate + 1e-6)

    @property
    def wait(self) -> float:
        """Seconds until a third of them is free: a claim for each single message would cost more than it sends."""
        return max(self.ahead - self.horizon + max(self.horizon / 3, 1 / self.rate), 0.001)

    def take(self, count: int) -> list[float]:
        """The next moments, in seconds from `at`."""
        taken = [self.ahead + n / self.rate for n in range(count)]
        self.tat += dt.timedelta(seconds=count / self.rate)
        return taken


class Throttle:
    """Starts the requests of one process at their moments. After a standstill it does not make up for lost time."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self.clock, self.sleep, self.lock = clock, sleep, threading.Lock()
        self.gap = self.next_at = 0.0
        self.expected = self.started = 0

    @property
    def behind(self) -> float:
        """Seconds until the last one that is expected has started."""
        return max(0.0, self.next_at + (self.expected - self.started) * self.gap - self.clock())

    def wait_for(self, moment: float) -> None:
        """Called by the thread of each request; they go one after the other."""
        with self.lock:
            self.sleep(max(0.0, moment - self.clock(), self.next_at - self.clock()))
            self.next_at = max(self.next_at, self.clock() - LATE_SECONDS) + self.gap
            self.started += 1


class Pace:
    """A number's speed. Each method runs inside the transaction that claims messages."""

    def __init__(self, number: PhoneNumber) -> None:
        self.ids = {"tenant": current_tenant_id(), "number": number.id}
        self.limit = STANDARD

    def begin(self, behind: float = 0.0) -> bool:
        """Locks the number's pace, so that several workers share it. Returns whether the number is connected at all.

        `behind`: for how many seconds this process is still busy with what it claimed before.
        """
        row, at = self.lock(), database_now()
        self.limit = ON_BIZ_APP if row.is_on_biz_app else HIGH if row.throughput == "HIGH" else STANDARD
        share = HIGH_SHARE if self.limit == HIGH else SHARE
        rate = self.limit * share * self.recovered(row.slowdown, at - row.slowed_at)
        self.sending = Moments(rate, at, max(row.sending_tat, at + dt.timedelta(seconds=behind)))
        self.campaigns = Moments(rate * CAMPAIGNS_SHARE, at, row.campaigns_tat)
        return bool(row.state == "connected")

    def lock(self) -> Row[Any]:
        if (row := db.session.execute(LOCK, self.ids).one_or_none()) is None:
            db.session.execute(CREATE, self.ids | {"now": database_now()})
            row = db.session.execute(LOCK, self.ids).one()
        return row

    def spend(self, count: int, campaigns: int = 0) -> list[float]:
        """Counts messages that are being sent, some of them a campaign's; after `begin`, under its lock.

        Returns their moments, in seconds from now.
        """
        moments = self.sending.take(count)
        self.campaigns.take(campaigns)
        db.session.execute(SPEND, self.ids | {"sending": self.sending.tat, "campaigns": self.campaigns.tat})
        return moments

    def slow_down(self) -> None:
        """Halves the present speed, which then climbs back: Meta said that it was too fast.

        Once only for all that was under way together.
        """
        row, at = self.lock(), database_now()
        if abs(at - row.slowed_at) < PAUSE and row.slowdown < 1:
            return
        half = max(SLOWEST, self.recovered(row.slowdown, at - row.slowed_at) / 2)
        db.session.execute(SLOW_DOWN, self.ids | {"slowdown": half, "now": at, "next": at + PAUSE})

    @staticmethod
    def recovered(slowdown: float, since: dt.timedelta) -> float:
        """The share by now. A moment in the future is from before the clock was set back."""
        return min(1.0, slowdown * float(RECOVERY_PER_SECOND ** min(abs(since.total_seconds()), 1000.0)))


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
