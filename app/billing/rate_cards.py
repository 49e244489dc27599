"""Meta's rate cards by currency and day. A card is never changed: a correction is a newer card."""

from __future__ import annotations

import datetime as dt
import functools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self

from sqlalchemy import CheckConstraint, ForeignKey, Select, func, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from app.meta.pricing import CATEGORIES
from app.tenancy import GlobalModel, db, now, uuid7
from app.words import N_

from .money import Money, typed
from .price_lists import PriceList

# How many times a price may be the one before it, and how many times one in the middle of its list.
LEAP, SPREAD = 8, 50
# Why a price is unknown.
UNKNOWN = {
    "no_currency": N_("Meta hasn't reported the currency of this account yet."),
    "no_card": N_("No price list is loaded for this currency and day."),
    "no_number": N_("WhatsApp hides the customer's number, and the price depends on the country."),
    "no_market": N_("The country of this number is not on the price list."),
    "no_rate": N_("The price list has no price for this category."),
    "unlisted": N_("Meta has a price for this, but the price list doesn't include it."),
    "exempt": N_("Meta marks this message as exempt from payment."),
}


class RateCard(GlobalModel):
    """The prices in one currency from a day on, for all markets. See `PriceList`."""

    __tablename__ = "rate_cards"
    is_reference = True

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    currency: Mapped[str]
    valid_from: Mapped[dt.date]
    source: Mapped[str]
    loaded_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def newest_first(cls) -> Select[Self]:
        return select(cls).order_by(cls.currency, cls.valid_from.desc(), cls.loaded_at.desc(), cls.id.desc())

    @classmethod
    def on(cls, currency: str, day: dt.date) -> Self | None:
        """The card in force: of those from the same day, the last loaded."""
        valid = cls.newest_first().where(cls.currency == currency, cls.valid_from <= day)
        return db.session.scalar(valid.limit(1))

    @classmethod
    def load(cls, prices: PriceList, currency: str, valid_from: dt.date, source: str) -> Self | None:
        """Saves a new card; None where the last one from that day has the same prices."""
        db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("rate cards", 0))))
        latest = db.session.scalar(cls.newest_first().where(cls.currency == currency, cls.valid_from == valid_from))
        if latest and latest.prices == prices:
            return None
        card = cls(id=uuid7(), currency=currency, valid_from=valid_from, source=source)
        db.session.add(card)
        db.session.flush()
        codes = [{"code": code, "market": market} for code, market in prices.codes.items()]
        rates = [{"market": market, "category": each, "micros": m} for (market, each), m in prices.prices.items()]
        db.session.execute(insert(MarketCode), [row | {"rate_card_id": card.id} for row in codes])
        db.session.execute(insert(Rate), [row | {"rate_card_id": card.id} for row in rates])
        tiers = [
            {"rate_card_id": card.id, "market": market, "category": each, "after": after, "micros": micros}
            for (market, each), steps in prices.tiers.items()
            for after, micros in steps.items()
        ]
        if tiers:
            db.session.execute(insert(TierRate), tiers)
        return card

    @classmethod
    def odd_prices(cls, prices: PriceList, currency: str, day: dt.date) -> Iterator[str]:
        """Lines about prices far from those before `day`, or where there are none from the others of their category.

        A point in the wrong place is a factor of ten; Meta's own changes were never so large.
        """
        before = cls.on(currency, day - dt.timedelta(days=1))
        earlier = before.prices.prices if before else {}
        for (market, category), micros in prices.prices.items():
            usual, most = earlier.get((market, category)), LEAP
            if usual is None:
                usual, most = prices.median(category), SPREAD
            if micros and usual and not usual <= micros * most <= usual * most * most:
                facts = f"{typed(micros)} {currency}, where {typed(usual)} is usual"
                yield f"{market}: the price for {category} is {facts}"

    @property
    def prices(self) -> PriceList:
        return prices_of(self.id)

    def price(self, market: str, category: str, tier: str = "") -> Money | None:
        """In a tier that is not on the list, the list price."""
        micros = self.prices.price_in_tier(market, category, tier) if tier else None
        micros = self.prices.prices.get((market, category)) if micros is None else micros
        return None if micros is None else Money(micros, self.currency)


class MarketCode(GlobalModel):
    """Which market of a card a calling code belongs to; `*` is every code that is not listed."""

    __tablename__ = "market_codes"
    is_reference = True

    rate_card_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("rate_cards.id"), primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    market: Mapped[str]


class Rate(GlobalModel):
    """What one message costs, in micro-units of the card's currency. None: Meta has a price that we do not know."""

    __tablename__ = "rates"
    is_reference = True

    rate_card_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("rate_cards.id"), primary_key=True)
    market: Mapped[str] = mapped_column(primary_key=True)
    category: Mapped[str] = mapped_column(primary_key=True)
    micros: Mapped[int | None]


class TierRate(GlobalModel):
    """What a message costs beyond so many of its market and category in a month, by Meta's count."""

    __tablename__ = "tier_rates"
    __table_args__ = (CheckConstraint("after > 0 and micros >= 0", name="amounts"),)
    is_reference = True

    rate_card_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("rate_cards.id"), primary_key=True)
    market: Mapped[str] = mapped_column(primary_key=True)
    category: Mapped[str] = mapped_column(primary_key=True)
    after: Mapped[int] = mapped_column(primary_key=True)
    micros: Mapped[int]


@functools.lru_cache(maxsize=64)
def prices_of(rate_card_id: uuid.UUID) -> PriceList:
    """A card's prices, cached in memory because they never change."""
    codes = db.session.execute(
        select(MarketCode.code, MarketCode.market).where(MarketCode.rate_card_id == rate_card_id)
    )
    rates = db.session.execute(select(Rate.market, Rate.category, Rate.micros).where(Rate.rate_card_id == rate_card_id))
    prices = PriceList({row.code: row.market for row in codes})
    prices.prices.update({(row.market, row.category): row.micros for row in rates})
    for tier in db.session.scalars(select(TierRate).where(TierRate.rate_card_id == rate_card_id)):
        prices.tiers.setdefault((tier.market, tier.category), {})[tier.after] = tier.micros
    return prices


@dataclass(frozen=True, slots=True)
class Quote:
    """The list price of one message, or why it is unknown (a key of UNKNOWN)."""

    category: str
    market: str | None = None
    money: Money | None = None
    unknown: str = ""
    rate_card_id: uuid.UUID | None = None


@dataclass
class Rates:
    """The cards in force, each loaded once."""

    cards: dict[tuple[str, dt.date], RateCard | None] = field(default_factory=dict)

    def card(self, currency: str, day: dt.date) -> RateCard | None:
        if (currency, day) not in self.cards:
            self.cards[currency, day] = RateCard.on(currency, day)
        return self.cards[currency, day]

    def quote(self, category: str, number: str | None, currency: str, day: dt.date) -> Quote:
        card = self.card(currency, day) if currency else None
        if card is None:
            return Quote(category, unknown="no_card" if currency else "no_currency")
        if category not in CATEGORIES:
            return Quote(category, unknown="no_rate", rate_card_id=card.id)
        if not (number and number.isdecimal()):
            return Quote(category, unknown="no_number", rate_card_id=card.id)
        if (market := card.prices.market_of(number)) is None:
            return Quote(category, unknown="no_market", rate_card_id=card.id)
        if money := card.price(market, category):
            return Quote(category, market, money, rate_card_id=card.id)
        unknown = "unlisted" if (market, category) in card.prices.prices else "no_rate"
        return Quote(category, market, unknown=unknown, rate_card_id=card.id)


def day_of(moment: dt.datetime, zone: dt.tzinfo = dt.UTC) -> dt.date:
    """The day of a moment. Prices change at midnight in the account's zone; books, fees and invoices are in UTC."""
    return moment.astimezone(zone).date()
