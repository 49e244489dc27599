"""What Meta charges for a message to one country, as the rate card in force says it, for people without an account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import phonenumbers
from babel.core import get_global
from sqlalchemy import select

from app.billing.money import Money
from app.billing.rate_cards import RateCard, day_of
from app.billing.terms import category_words
from app.contacts.countries import is_country
from app.tenancy import db, now
from app.words import N_

# What each category is for, in the order in which a business meets them.
SHOWN = {
    "service": N_("Any reply within 24 hours of the customer's last message"),
    "utility": N_("An approved template about an order, a delivery or an appointment"),
    "authentication": N_("An approved template with a one-time code"),
    "marketing": N_("An approved template with an offer or news"),
}
USUAL_CURRENCY, USUAL_COUNTRY = "USD", "US"


@dataclass(frozen=True)
class CountryPrices:
    """Of the card in force of one currency; `market` is Meta's name for a country, or for a group of them."""

    card: RateCard
    currencies: list[str]
    country: str
    market: str

    @classmethod
    def of(cls, country: str, currency: str, languages: list[str]) -> Self | None:
        """Of the country and currency asked for; else of the reader's languages. None without a card in force."""
        today = day_of(now())
        listed = db.session.scalars(select(RateCard.currency).distinct().order_by(RateCard.currency)).all()
        cards = {one: card for one in listed if (card := RateCard.on(one, today))}
        if not cards:
            return None
        card = cards.get(currency) or cards.get(USUAL_CURRENCY) or next(iter(cards.values()))
        chosen = next(filter(is_country, [country, *map(country_of, languages)]), USUAL_COUNTRY)
        return cls(card, list(cards), chosen, card.prices.market_of(number_in(chosen)) or "")

    @property
    def rows(self) -> list[tuple[str, str, str, Money | None]]:
        """Each category with its name, what it is for, and the price; None where the card has none."""
        return [(each, category_words(each), use, self.card.price(self.market, each)) for each, use in SHOWN.items()]


def country_of(language: str) -> str:
    """`de-AT`: AT. Where a language names no country, the one where most people speak it."""
    parts = language.replace("-", "_").split("_")
    likely = str(get_global("likely_subtags").get(parts[0].lower(), ""))
    return next((part.upper() for part in parts[1:] if is_country(part.upper())), likely.rpartition("_")[2])


def number_in(country: str) -> str:
    """A number of this country, in digits: markets go by how numbers begin, not by the calling code alone."""
    number = phonenumbers.example_number(country)
    return f"{number.country_code}{number.national_number}" if number else ""
