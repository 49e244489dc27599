"""Prices messages by the volume tiers in which Meta counts them: those of a portfolio, over all its partners."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Row

from app.extensions import outside
from app.meta import pricing_analytics
from app.meta.errors import MetaError
from app.meta.pricing_analytics import Volume
from app.tenancy import commit, database_now, db
from app.wabas.models import Waba

from .ledger import Journal, Ledger
from .price_lists import first_of
from .rate_cards import Rates, day_of
from .repricing import Price, live, replace
from .tier_lists import CATEGORIES

# For so many days Meta's figures are read again: they settle late.
DAYS = 7
AT_ONCE = 2_000
Group = tuple[dt.datetime, dt.datetime, str, str]


@dataclass(frozen=True)
class Tiers:
    """Of one account of the current tenant."""

    waba_id: uuid.UUID

    def run(self, now: dt.datetime | None = None) -> int | None:
        """Fetches what Meta counted in which tier, and corrects up to AT_ONCE journals. Returns how many.

        None where Meta does not say it.
        """
        waba, now = Waba.get_or_404(self.waba_id), now or database_now()
        here, token, meta_id, zone = outside(), waba.token, waba.meta_id, waba.zone
        if token is None:
            return None
        today = dt.datetime.combine(day_of(now, zone), dt.time(), zone)
        commit()
        try:
            since = today - dt.timedelta(days=DAYS)
            volumes = pricing_analytics.fetch(here.graph, token, meta_id, since, today, pricing_analytics.BY_TIER)
        except MetaError:
            return None
        return self.apply(volumes, zone)

    def apply(self, volumes: Iterable[Volume], zone: dt.tzinfo) -> int:
        counted: dict[Group, dict[str, int]] = defaultdict(dict)
        for each in volumes:
            if each.type == "regular" and each.category in CATEGORIES and first_of(each.tier) is not None:
                counted[each.start, each.end, each.country, each.category][each.tier] = each.volume
        ledger, rates = Ledger(), Rates()
        changes = (change for group, tiers in counted.items() for change in self.changes(group, tiers, rates, zone))
        return replace(ledger, list(islice(changes, AT_ONCE)))

    def changes(
        self, group: Group, tiers: dict[str, int], rates: Rates, zone: dt.tzinfo
    ) -> Iterator[tuple[Journal, Price]]:
        """What Meta counted in a higher tier arrived after what it counted in a lower one."""
        rows = self.arrived(group)
        for row, counted in zip(rows, in_order(tiers, len(rows)), strict=True):
            tier = counted if first_of(counted) else ""
            card = rates.card(row.currency, day_of(row.occurred_at, zone)) if row.currency else None
            if card is None or row.tier == tier:
                continue
            if tier and card.prices.price_in_tier(row.market, row.category, tier) is None:
                # Without a price of its own the list price stays, which is never too low.
                continue
            money = card.price(row.market, row.category, tier)
            if money:
                yield Journal.get_or_404(row.id), Price(money, row.market, card.id, tier)

    def arrived(self, group: Group) -> Sequence[Row[uuid.UUID, str, str, str, dt.datetime, str]]:
        """The messages of a day with a price from a card, in the order in which they arrived."""
        start, end, country, category = group
        waba = Waba.get_or_404(self.waba_id)
        mine = live(
            Journal.day >= day_of(start),
            Journal.day <= day_of(end),
            Journal.occurred_at >= start,
            Journal.occurred_at < end,
            Journal.phone_number_id.in_([number.id for number in waba.phone_numbers]),
            Journal.country == country,
            Journal.category == category,
            Journal.rate_card_id.is_not(None),
            Journal.list_micros.is_not(None),
        )
        columns = Journal.id, Journal.tier, Journal.market, Journal.currency, Journal.occurred_at, Journal.category
        query = mine.with_only_columns(*columns).order_by(Journal.occurred_at, Journal.wamid)
        return db.session.execute(query).all()


def in_order(tiers: dict[str, int], count: int) -> list[str]:
    """The tier of each of so many messages; what Meta has not counted is in its last one."""
    steps = sorted(tiers, key=lambda tier: first_of(tier) or 0)
    each = [tier for tier in steps for _ in range(min(tiers[tier], count))][:count]
    return each + steps[-1:] * (count - len(each))
