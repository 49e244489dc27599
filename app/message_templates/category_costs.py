"""What another category costs: the messages of a month at the prices of the one and of the other."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Self

from app.billing.money import Money
from app.billing.rate_cards import Rates, day_of
from app.meta.pricing import is_free_in_window
from app.tenancy import now
from app.wabas.models import Waba

from .changes import TemplateChange
from .models import MessageTemplate
from .sent import Sent, sent_with

MONTH = dt.timedelta(days=30)


@dataclass(slots=True)
class CategoryCost:
    """Of the messages that were delivered in the 30 days before: at Meta's list prices, per month.

    `unpriced` of them have no known price and are in neither sum.
    """

    before: str
    after: str
    currency: str
    is_done: bool
    delivered: int = 0
    unpriced: int = 0
    micros_before: int = 0
    micros_after: int = 0
    rates: Rates = field(default_factory=Rates, repr=False)

    @classmethod
    def of(cls, template: MessageTemplate) -> Self | None:
        """Where Meta has changed the category within the last 30 days, or says that it will."""
        change = TemplateChange.latest(template.id, "category")
        if (coming := template.correct_category) and coming != template.category:
            before, after, until, is_done = template.category, coming, now(), False
        elif change and change.is_metas and change.after == template.category and change.at > now() - MONTH:
            before, after, until, is_done = change.before, change.after, change.at, True
        else:
            return None
        cost = cls(before, after, Waba.get_or_404(template.waba_id).currency, is_done)
        for one in sent_with(template.id, until - MONTH, until):
            cost.add(one)
        return cost

    def add(self, sent: Sent) -> None:
        """Marketing is never free; what was free because the customer had just written stays so for the others."""
        self.delivered += sent.delivered
        old, new = self.price(self.before, sent.number), self.price(self.after, sent.number)
        if old is None or new is None:
            self.unpriced += sent.delivered
            return
        self.micros_before += old * self.charged(self.before, sent)
        self.micros_after += new * self.charged(self.after, sent)

    def price(self, category: str, number: str) -> int | None:
        quote = self.rates.quote(category.lower(), number, self.currency, day_of(now()))
        return quote.money.micros if quote.money else None

    def charged(self, category: str, sent: Sent) -> int:
        return sent.charged if is_free_in_window(category.lower(), day_of(now())) else sent.delivered

    @property
    def difference(self) -> Money:
        return Money(self.micros_after - self.micros_before, self.currency)

    @property
    def money_before(self) -> Money:
        return Money(self.micros_before, self.currency)

    @property
    def money_after(self) -> Money:
        return Money(self.micros_after, self.currency)

    @property
    def is_more(self) -> bool:
        return self.micros_after > self.micros_before
