"""Money held for messages under way: taken when the outbox claims one, given back when it arrives or does not."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Index, UniqueConstraint, func, select, text
from sqlalchemy.orm import Mapped, mapped_column

from app.meta.pricing import FREE_ANSWERS
from app.tenancy import TenantModel, belongs_to, current_tenant_id, database_now, db, of_tenant

from .balances import Balance
from .rate_cards import Quote, Rates, day_of

# Meta delivers for 30 days at most; what was not reported until then is not charged.
LASTS = dt.timedelta(days=31)


class Hold(TenantModel):
    """Of one message, whose id it has: a message that is retried has one hold."""

    __table_args__ = (
        of_tenant(),
        Index("ix_holds_number", "tenant_id", "phone_number_id", "category"),
        Index("ix_holds_expiring", "expires_at"),
    )

    phone_number_id: Mapped[uuid.UUID]
    category: Mapped[str]
    micros: Mapped[int]
    held_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]


class ReplyCount(TenantModel):
    """The replies of a number that have arrived in a month of its account: how many were free, how many charged."""

    __table_args__ = (
        belongs_to("phone_numbers", "phone_number_id"),
        UniqueConstraint("tenant_id", *("phone_number_id", "month")),
    )

    phone_number_id: Mapped[uuid.UUID]
    month: Mapped[dt.date]
    free: Mapped[int] = mapped_column(default=0)
    charged: Mapped[int] = mapped_column(default=0)

    @classmethod
    def add(cls, counts: dict[tuple[uuid.UUID, dt.date], tuple[int, int]]) -> None:
        rows = [
            {"number": str(number), "month": month.isoformat(), "free": free, "charged": charged}
            for (number, month), (free, charged) in sorted(counts.items())
        ]
        if rows:
            db.session.execute(COUNT, {"tenant": current_tenant_id(), "rows": json.dumps(rows)})

    @classmethod
    def free_left(cls, number_id: uuid.UUID, zone: dt.tzinfo) -> int:
        """How many replies of a number are still free this month (the account's), less those that are under way."""
        month = day_of(database_now(), zone).replace(day=1)
        count = db.session.scalar(select(cls).where(cls.phone_number_id == number_id, cls.month == month))
        if count and count.charged:
            return 0
        mine = Hold.phone_number_id == number_id, Hold.category == "service", Hold.micros == 0
        under_way = db.session.scalar(select(func.count()).select_from(Hold).where(*mine)) or 0
        return max(0, FREE_ANSWERS - (count.free if count else 0) - under_way)


COUNT = text("""
    insert into reply_counts as c (tenant_id, id, phone_number_id, month, free, charged)
    select :tenant, gen_random_uuid(), number, month, free, charged
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(number uuid, month date, free bigint, charged bigint)
    on conflict (tenant_id, phone_number_id, month) do update set
        free = c.free + excluded.free, charged = c.charged + excluded.charged
""")


def included_under_way() -> int:
    """How many messages are under way for which nothing is held, other than replies."""
    query = select(func.count()).select_from(Hold).where(Hold.micros == 0, Hold.category != "service")
    return db.session.scalar(query) or 0


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that the outbox is about to send. `is_free`: Meta charges nothing for it, as for a reaction."""

    message_id: uuid.UUID
    category: str
    number: str | None
    is_free: bool = False


@dataclass
class Funds:
    """The current tenant's balance while messages of one number are claimed; locked, so that no two claims spend it."""

    balance: Balance
    number_id: uuid.UUID
    currency: str
    zone: dt.tzinfo = dt.UTC
    rates: Rates = field(default_factory=Rates)
    free_left: int | None = None
    included_left: int | None = None

    @classmethod
    def locked(cls, number_id: uuid.UUID, currency: str, zone: dt.tzinfo = dt.UTC) -> Funds | None:
        """None for a tenant without a plan, which nothing limits. Currency and zone are of the number's account."""
        balance = Balance.locked()
        return cls(balance, number_id, currency, zone) if balance and balance.is_enforced else None

    def hold(self, claimed: Sequence[Claimed]) -> dict[uuid.UUID, str]:
        """Holds the price of each message for which there is room, in their order.

        Returns the others, each with the reason (a key of NO_ROOM).
        """
        earlier = self.held_earlier([each.message_id for each in claimed])
        refused: dict[uuid.UUID, str] = {}
        rows = []
        for each in claimed:
            self.balance.held_micros -= earlier.get(each.message_id, 0)
            micros = self.price(each)
            if why := self.obstacle(each, micros):
                self.balance.held_micros += earlier.get(each.message_id, 0)
                refused[each.message_id] = why
                continue
            micros = micros if self.balance.plan_id else 0
            self.balance.held_micros += micros
            rows.append({"id": str(each.message_id), "category": each.category, "micros": micros})
        at = database_now()
        mine = {"tenant": current_tenant_id(), "number": self.number_id, "now": at, "until": at + LASTS}
        if rows:
            db.session.execute(HOLD, mine | {"rows": json.dumps(rows)})
        return refused

    def obstacle(self, each: Claimed, micros: int) -> str:
        """Why it may not go. What is billed in another currency, or an unknown one, could not be charged."""
        is_paid = bool(micros) or (each.category != "service" and not each.is_free)
        why = self.balance.obstacle_of_currency(self.currency) if is_paid else ""
        return why or self.balance.obstacle(each.category, micros)

    def held_earlier(self, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
        query = select(Hold.id, Hold.micros).where(Hold.id.in_(list(ids)))
        return {row.id: row.micros for row in db.session.execute(query)}

    def price(self, each: Claimed) -> int:
        """What to hold: nothing for a free reply or an included message, as long as there are any."""
        if each.is_free:
            return 0
        if each.category == "service" and self.take_free():
            return 0
        micros = self.balance.price_of(each.category, self.list_price(each))
        return 0 if micros and self.take_included() else micros

    def list_price(self, each: Claimed) -> int:
        """Where the price is unknown, the highest of the category: what is sent must be covered."""
        today = day_of(database_now(), self.zone)
        quote: Quote = self.rates.quote(each.category, each.number, self.currency, today)
        if quote.money:
            return quote.money.micros
        card = self.rates.card(self.balance.currency, today)
        return card.prices.highest(each.category) if card else 0

    def take_free(self) -> bool:
        if self.free_left is None:
            self.free_left = ReplyCount.free_left(self.number_id, self.zone)
        self.free_left -= 1
        return self.free_left >= 0

    def take_included(self) -> bool:
        if self.included_left is None:
            self.included_left = self.balance.included_left - included_under_way()
        self.included_left -= 1
        return self.included_left >= 0


def release(balance: Balance, ids: Iterable[uuid.UUID]) -> int:
    """Gives back what is held for these messages. Returns how many holds there were."""
    mine = {"tenant": current_tenant_id(), "ids": [str(id) for id in ids]}
    released = list(db.session.scalars(RELEASE, mine))
    balance.held_micros -= sum(released)
    return len(released)


def release_lost(limit: int = 1_000) -> int:
    """Gives back what is held for messages of the current tenant that did not go out, or arrived without a hold.

    Returns how many there were.
    """
    balance = Balance.locked()
    if balance is None:
        return 0
    mine = {"tenant": current_tenant_id(), "now": database_now(), "limit": limit}
    return release(balance, db.session.scalars(LOST, mine).all())


# Holds the prices of messages; one that is claimed again is held for its price now. By the primary key.
HOLD = text("""
    insert into holds (tenant_id, id, phone_number_id, category, micros, held_at, expires_at)
    select :tenant, id, :number, category, micros, :now, :until
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, category text, micros bigint)
    on conflict (tenant_id, id) do update set
        category = excluded.category, micros = excluded.micros, held_at = excluded.held_at,
        expires_at = excluded.expires_at
""")
RELEASE = text("""
    delete from holds where tenant_id = :tenant and id = any(cast(:ids as uuid[])) returning micros
""")
# For which messages is money held in vain? Those that failed or will not be sent, those that have arrived (their
# journal was written before anybody knew whose message it was), those whose time is over, and those that are gone.
LOST = text("""
    select h.id from holds h
    left join messages m on m.tenant_id = :tenant and m.id = h.id
    where h.tenant_id = :tenant and (
        h.expires_at <= :now or m.id is null or m.state in ('failed', 'cancelled', 'expired')
        or exists (select from usages u where u.tenant_id = :tenant and u.phone_number_id = m.phone_number_id
            and u.wamid = m.wamid and u.is_posted)
        or exists (select from free_messages f where f.tenant_id = :tenant and f.phone_number_id = m.phone_number_id
            and f.wamid = m.wamid and f.is_posted))
    limit :limit
""")
