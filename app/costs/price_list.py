"""What a message costs a business in each country: the card in force, with the mark-up of its plan."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from app.billing.balances import Balance
from app.billing.money import Money
from app.billing.plans import Plan
from app.billing.rate_cards import RateCard, day_of
from app.billing.subscriptions import currencies_of_accounts
from app.contacts.countries import choices, example_of
from app.folding import fold
from app.meta.pricing import CATEGORIES
from app.tenancy import db, now

USUAL_CURRENCY = "USD"
LONGEST_QUERY = 60


@dataclass(frozen=True)
class Line:
    """One country: its market on the card, and by category what a message costs, or None where that is unknown."""

    country: str
    name: str
    market: str
    prices: dict[str, Money | None]


@dataclass(frozen=True)
class TenantPrices:
    """`plan`: with whose mark-up; None shows Meta's prices as they are."""

    card: RateCard | None
    plan: Plan | None
    currency: str

    @classmethod
    def today(cls) -> Self:
        """In the currency of the tenant's accounts, else of its balance."""
        balance = Balance.current()
        plan = balance.plan if balance and not balance.has_ended else None
        currencies = [*([balance.currency] if balance and plan else []), *sorted(currencies_of_accounts())]
        currency = currencies[0] if currencies else USUAL_CURRENCY
        return cls(RateCard.on(currency, day_of(now())), plan, currency)

    @cached_property
    def next_card(self) -> RateCard | None:
        """The one that replaces it on a day that is known already."""
        coming = RateCard.newest_first().where(RateCard.currency == self.currency, RateCard.valid_from > day_of(now()))
        return db.session.scalar(coming.order_by(None).order_by(RateCard.valid_from).limit(1))

    @property
    def until(self) -> dt.date | None:
        """The last day of these prices, where it is known."""
        return self.next_card.valid_from - dt.timedelta(days=1) if self.next_card else None

    @property
    def categories(self) -> list[str]:
        return list(CATEGORIES)

    def lines(self, query: str = "") -> list[Line]:
        """The countries whose name, code or calling code has these words, in the reader's order."""
        if self.card is None:
            return []
        wanted = fold(query[:LONGEST_QUERY].strip().lstrip("+"))
        return [self.line(code, name) for code, name in choices() if matches(wanted, code, name)]

    def line(self, code: str, name: str) -> Line:
        assert self.card
        market = self.card.prices.market_of(example_of(code)) or ""
        return Line(code, name, market, {category: self.price(market, category) for category in CATEGORIES})

    def price(self, market: str, category: str) -> Money | None:
        assert self.card
        listed = self.card.price(market, category)
        if listed is None or self.plan is None:
            return listed
        return Money(listed.micros + self.plan.markup_on(category, listed.micros), listed.currency)


def matches(wanted: str, code: str, name: str) -> bool:
    return not wanted or wanted == fold(code) or wanted in fold(name)
