"""How fast Meta lets a number send: so many messages a second, and to one person one in six seconds after a burst.

Both are kept as GCRA's "theoretical arrival time" (tat) in Postgres, not in Redis: a flush, a restart or a second
worker cannot let a burst through. Meta answers what comes too fast with 130429 and 131056 (Cloud API: throughput).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text

from app.tenancy import current_tenant_id, db
from app.wabas.models import PhoneNumber

# Share and burst together stay below Meta's limit in any second, which also counts what customers write.
SHARE = 0.93
BURST_SECONDS = 0.05
RECOVERY_PER_SECOND = 1.05
SLOWEST = 0.02
# The rest is kept for agents' replies, and for what customers write back.
CAMPAIGNS_SHARE = 0.8
# Meta's six seconds, and a little for messages that are not equally long on their way.
PAIR_SECONDS, PAIR_BURST = 6.2, 45


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

    def allowance(self) -> Allowance:
        """Locks the number's row, so that several workers share one allowance."""
        row = db.session.execute(LOCK, self.ids).one()
        self.rate = row.messages_per_second * SHARE * self.recovered(row.slowdown, row.since)
        replies, wait = self.spare(row.ahead, self.rate)
        campaigns, campaigns_wait = self.spare(row.campaigns_ahead, self.rate * CAMPAIGNS_SHARE)
        return Allowance(replies, campaigns, wait if not replies else campaigns_wait, row.state == "connected")

    @staticmethod
    def spare(ahead: float, rate: float) -> tuple[int, float]:
        spare = max(BURST_SECONDS, 1 / rate) - max(ahead, 0.0)
        # A hair's breadth is forgiven: the clock of the last wait was another one.
        return int(max(spare, 0.0) * rate + 1e-6), max(1 / rate - spare, 0.001)

    def spend(self, count: int, campaigns: int = 0) -> None:
        each = 1 / self.rate
        seconds = {"seconds": count * each, "campaigns": campaigns * each / CAMPAIGNS_SHARE}
        db.session.execute(SPEND, self.ids | seconds)

    def slow_down(self) -> None:
        """Meta said that it was too fast: half of the present speed, which then climbs back."""
        row = db.session.execute(LOCK, self.ids).one()
        half = max(SLOWEST, self.recovered(row.slowdown, row.since) / 2)
        db.session.execute(SLOW_DOWN, self.ids | {"slowdown": half})

    @staticmethod
    def recovered(slowdown: float, since: float) -> float:
        return min(1.0, slowdown * float(RECOVERY_PER_SECOND ** min(since, 1000.0)))


LOCK = text("""
    select messages_per_second, slowdown, extract(epoch from clock_timestamp() - slowed_at)::float as since,
        extract(epoch from sending_tat - clock_timestamp())::float as ahead,
        extract(epoch from campaigns_tat - clock_timestamp())::float as campaigns_ahead, state
    from phone_numbers where tenant_id = :tenant and id = :number for no key update
""")
SPEND = text("""
    update phone_numbers set
        sending_tat = greatest(sending_tat, clock_timestamp()) + make_interval(secs => :seconds),
        campaigns_tat = greatest(campaigns_tat, clock_timestamp()) + make_interval(secs => :campaigns)
    where tenant_id = :tenant and id = :number
""")
SLOW_DOWN = text("""
    update phone_numbers set slowdown = :slowdown, slowed_at = clock_timestamp(),
        sending_tat = greatest(sending_tat, clock_timestamp() + interval '1 s')
    where tenant_id = :tenant and id = :number
""")
