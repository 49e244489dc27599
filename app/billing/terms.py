"""The price of a message before it is sent: the list price, free and why, or unknown and why. Never a guess."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from flask_babel import gettext as _

from app import dates, zones
from app.meta.pricing import is_free_in_window
from app.templating import in_zone
from app.words import N_, pN_

from .money import Money
from .plans import Plan
from .rate_cards import UNKNOWN, Quote, Rates, day_of

CATEGORY_WORDS = {
    "marketing": N_("Marketing"),
    "utility": N_("Utility"),
    "authentication": N_("Authentication"),
    "authentication_international": N_("Authentication, international"),
    "service": pN_("noun", "Reply"),
}


@dataclass(frozen=True, slots=True)
class Estimate:
    """`free` says why it costs nothing (`entry_point`, `window`), until a moment; `allowance` that it may.

    `plan`: whose mark-up is added; without one it is Meta's list price. `abroad` is what Meta charges instead for
    businesses that it counts as foreign in that market.
    """

    quote: Quote
    free: str = ""
    until: dt.datetime | None = None
    has_allowance: bool = False
    abroad: Quote | None = None
    plan: Plan | None = None

    @property
    def charged(self) -> Money | None:
        """What the business pays with its plan; None without one, or where the price is unknown."""
        return self.with_markup(self.quote) if self.plan else None

    def with_markup(self, quote: Quote) -> Money | None:
        """A price as the business pays it."""
        if quote.money is None or self.plan is None:
            return quote.money
        return Money(quote.money.micros + self.plan.markup_on(quote.category, quote.money.micros), quote.money.currency)

    @property
    def words(self) -> str:
        if self.free:
            return " · ".join((self.free_words, category_words(self.quote.category)))
        place = [category_words(self.quote.category), *filter(None, [self.quote.market and _(self.quote.market)])]
        if self.quote.money is None:
            words = _("Price unknown: %(why)s", why=_(UNKNOWN[self.quote.unknown]))
            return " · ".join((words, *place))
        price = exact(self.with_markup(self.quote))
        words = _("≈ %(price)s with your plan", price=price) if self.plan else _("≈ %(price)s", price=price)
        with_place = " · ".join((words, *place))
        if self.has_allowance:
            return str(_("Free for this number's first 1,000 replies of the month, then %(price)s", price=with_place))
        return with_place + self.abroad_words

    @property
    def free_words(self) -> str:
        if self.free == "entry_point":
            return str(_("Free until %(time)s: the customer came from an ad", time=time_words(self.until)))
        if self.until is None:
            return str(_("Free: sent within 24 hours of the customer's message"))
        return str(_("Free until %(time)s: the customer wrote less than 24 hours ago", time=time_words(self.until)))

    @property
    def abroad_words(self) -> str:
        if self.abroad is None:
            return ""
        if self.abroad.money is None:
            return str(_("; a different price if Meta counts the business as international"))
        price = exact(self.with_markup(self.abroad))
        return str(_("; %(price)s if Meta counts the business as international", price=price))


@dataclass
class Terms:
    """What decides the price of a message to one customer: currency, number, open windows, the account's time zone.

    The number is None where WhatsApp hides it.
    """

    currency: str
    number: str | None
    window_closes_at: dt.datetime | None = None
    free_until: dt.datetime | None = None
    plan: Plan | None = None
    rates: Rates = field(default_factory=Rates)
    zone: dt.tzinfo = dt.UTC

    def price_of(self, category: str, at: dt.datetime) -> Estimate:
        """Of a message of this category (`service` is whatever is no template) that goes out at that moment."""
        category, day = category.lower(), day_of(at, self.zone)
        quote = self.rates.quote(category, self.number, self.currency, day)
        if self.free_until and at < self.free_until:
            return Estimate(quote, "entry_point", self.free_until, plan=self.plan)
        is_open = bool(self.window_closes_at and at < self.window_closes_at)
        if is_free_in_window(category, day) and (is_open or category == "service"):
            return Estimate(quote, "window", self.window_closes_at if is_open else None, plan=self.plan)
        abroad = self.abroad(day) if category == "authentication" and quote.money else None
        return Estimate(quote, has_allowance=category == "service", abroad=abroad, plan=self.plan)

    def abroad(self, day: dt.date) -> Quote | None:
        quote = self.rates.quote("authentication_international", self.number, self.currency, day)
        return None if quote.unknown == "no_rate" else quote


def exact(price: Money | None) -> str:
    return price.exact if price else ""


def category_words(category: str) -> str:
    return str(_(CATEGORY_WORDS[category])) if category in CATEGORY_WORDS else category.replace("_", " ").capitalize()


def time_words(moment: dt.datetime | None) -> str:
    """14:05 CET, by the reader's clock; with its day, where that is not today."""
    assert moment
    moment = zones.local(moment)
    if moment.date() == zones.today():
        return f"{dates.clock(moment)} {zones.abbreviation(moment)}"
    return in_zone(moment, "MMMEd")
