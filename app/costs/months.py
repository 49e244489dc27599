"""What a month of messages cost a business, from its totals."""

from __future__ import annotations

import calendar
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

from flask_babel import gettext as _
from sqlalchemy import Row, select, text

from app.billing.balances import Balance
from app.billing.holds import ReplyCount
from app.billing.money import Money
from app.billing.rate_cards import Rates, day_of
from app.billing.terms import category_words
from app.billing.totals import DIMENSIONS
from app.contacts.countries import example_of, is_country, name_of
from app.meta.pricing import FREE_ANSWERS
from app.tenancy import Membership, current_tenant_id, db, now
from app.wabas.models import PhoneNumber
from app.words import N_

MOST_ROWS = 30
# No business has sent anything before.
FIRST = dt.date(2000, 1, 1)
# Before this day of a month its pace says nothing about its end.
ENOUGH_DAYS = 3


@dataclass
class Figure:
    """Messages of one day, number, country …, and what they cost by currency; `unpriced` have no known price.

    Sent without a plan a message costs Meta's list price, and else what the plan charges; whatever plan there is now.
    `without_plan` is how much of it was sent without one.
    """

    value: str
    messages: int = 0
    unpriced: int = 0
    micros: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    without_plan: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, row: Row[Any]) -> None:
        self.messages += int(row.messages)
        self.unpriced += int(row.unpriced)
        self.micros[row.currency] += int(row.micros)
        self.without_plan[row.currency] += int(row.no_plan_micros)

    @property
    def sums(self) -> list[Money]:
        return amounts_of(self.micros)

    @property
    def sums_without_plan(self) -> list[Money]:
        return amounts_of(self.without_plan)

    @property
    def zero(self) -> Money | None:
        """Nothing, in the currency of messages that cost nothing; None without any message."""
        return next((Money(0, currency) for currency in sorted(self.micros) if currency), None)


def amounts_of(micros: dict[str, int]) -> list[Money]:
    return [Money(amount, currency) for currency, amount in sorted(micros.items()) if currency and amount]


@dataclass(frozen=True)
class Month:
    first: dt.date

    @classmethod
    def read(cls, value: str | None) -> Self:
        """From an address, as 2026-11; this month where it is no month, or one to come. None is before FIRST."""
        this = day_of(now()).replace(day=1)
        try:
            first = dt.date.fromisoformat(f"{value}-01") if value and len(value) == len("2026-11") else this
        except ValueError:
            first = this
        return cls(max(FIRST, min(first, this)))

    @property
    def name(self) -> str:
        return f"{self.first:%Y-%m}"

    @property
    def days(self) -> int:
        return calendar.monthrange(self.first.year, self.first.month)[1]

    @property
    def next(self) -> dt.date:
        return self.first + dt.timedelta(days=self.days)

    @property
    def before(self) -> str | None:
        return f"{self.first - dt.timedelta(days=1):%Y-%m}" if self.first > FIRST else None

    @property
    def after(self) -> str | None:
        return None if self.is_this else f"{self.next:%Y-%m}"

    @property
    def is_this(self) -> bool:
        return self.first == day_of(now()).replace(day=1)

    @property
    def span(self) -> dict[str, Any]:
        return {"tenant": current_tenant_id(), "first": self.first, "next": self.next}

    @cached_property
    def groups(self) -> dict[str, list[Figure]]:
        """The charged messages by each of DIMENSIONS, the most expensive first; days in order."""
        by_dimension: dict[str, dict[str, Figure]] = {name: {} for name in DIMENSIONS}
        for row in db.session.execute(GROUPS, self.span):
            figure = by_dimension[row.dimension].setdefault(row.value, Figure(row.value))
            figure.add(row)
        return {
            name: sorted(figures.values(), key=(lambda figure: figure.value) if name == "day" else by_cost)
            for name, figures in by_dimension.items()
        }

    @cached_property
    def total(self) -> Figure:
        total = Figure("")
        for figure in self.groups["category"]:
            total.messages += figure.messages
            total.unpriced += figure.unpriced
            for currency, micros in figure.micros.items():
                total.micros[currency] += micros
                total.without_plan[currency] += figure.without_plan[currency]
        return total

    @property
    def is_charged(self) -> bool:
        """Whether a plan has charged for any of its messages, also one that has ended since."""
        return self.total.micros != self.total.without_plan

    @property
    def currency(self) -> str:
        """The one in which most was spent."""
        micros = self.total.micros
        return max(micros, key=lambda currency: micros[currency], default="")

    @property
    def forecast(self) -> Money | None:
        """What the month costs if it goes on as it began. None for a month that is over or has just begun."""
        today = day_of(now())
        if not self.is_this or today.day < ENOUGH_DAYS or not self.currency:
            return None
        return Money(self.total.micros[self.currency] * self.days // today.day, self.currency)

    @cached_property
    def saved(self) -> list[Figure]:
        """Messages that were free, by Meta's reason, and what they would have cost at list prices."""
        figures: dict[str, Figure] = {}
        for row in db.session.execute(SAVED, self.span):
            figures.setdefault(row.free, Figure(row.free)).add(row)
        return sorted(figures.values(), key=by_cost)

    @cached_property
    def bars(self) -> list[tuple[dt.date, Figure]]:
        """Every day of the month with its figure, also those on which nothing was charged."""
        by_day = {figure.value: figure for figure in self.groups["day"]}
        days = (self.first + dt.timedelta(days=place) for place in range(self.days))
        return [(day, by_day.get(day.isoformat(), Figure(day.isoformat()))) for day in days]

    def rows_of_csv(self) -> Iterable[Row[Any]]:
        return db.session.execute(EXPORT, self.span)


def by_cost(figure: Figure) -> tuple[int, int, str]:
    return -sum(figure.micros.values()), -figure.messages, figure.value


# What was charged in a month, by each value of each dimension? By uq_month_totals_key.
GROUPS = text("""
    select dimension, value, currency, messages, charged_micros + no_plan_micros as micros, no_plan_micros, unpriced
    from month_totals
    where tenant_id = :tenant and month = :first and free = ''
""")
# Any dimension adds up to the same; there are few categories.
SAVED = text("""
    select free, currency, sum(messages) as messages, sum(list_micros) as micros, 0 as no_plan_micros,
        sum(unpriced) as unpriced
    from month_totals
    where tenant_id = :tenant and month = :first and dimension = 'category' and free <> ''
    group by free, currency
""")
EXPORT = text("""
    select t.day, p.display_number, t.country, t.category, t.free, t.currency, sum(t.messages) as messages,
        sum(t.list_micros) as list_micros, sum(t.charged_micros) as charged_micros,
        sum(t.charged_micros + t.no_plan_micros) as cost_micros, sum(t.unpriced) as unpriced
    from day_totals t join phone_numbers p on p.tenant_id = :tenant and p.id = t.phone_number_id
    where t.tenant_id = :tenant and t.day >= :first and t.day < :next
    group by t.day, p.display_number, t.country, t.category, t.free, t.currency
    order by t.day, p.display_number, t.country, t.category, t.free, t.currency
""")


class Words:
    """What a page calls the values of each dimension. Looks names up once."""

    @cached_property
    def numbers(self) -> dict[str, str]:
        rows = db.session.execute(select(PhoneNumber.id, PhoneNumber.display_number))
        return {str(row.id): row.display_number for row in rows}

    @cached_property
    def members(self) -> dict[str, str]:
        return {str(each.user_id): each.user.name for each in db.session.scalars(select(Membership))}

    def of(self, dimension: str, value: str) -> str:
        match dimension:
            case "phone_number_id":
                return self.numbers.get(value, value)
            case "country":
                return name_of(value) if is_country(value) else str(_("Unknown country"))
            case "category":
                return category_words(value)
            case "sender":
                return self.sender(value)
        return value

    def sender(self, value: str) -> str:
        kind, _colon, id = value.partition(":")
        if kind == "agent":
            return self.members.get(id, str(_("Former team member")))
        return str(_(SENDERS.get(kind, SENDERS["system"])))


SENDERS = {
    "automation": N_("Automation"),
    "assistant": N_("Assistant"),
    "campaign": N_("Campaign"),
    "sequence": N_("Sequence"),
    "api": N_("API"),
    "phone": N_("Sent from the phone"),
    "system": N_("Switchboard"),
    "other": N_("Other software"),
}


@dataclass(frozen=True)
class Replies:
    """The free replies of one number in a month. `price`: of one more in the country it writes to most."""

    number: PhoneNumber
    free: int
    charged: int
    total: int = FREE_ANSWERS

    @property
    def is_used_up(self) -> bool:
        return self.charged > 0 or self.free >= self.total

    @classmethod
    def of_month(cls, month: Month) -> list[Self]:
        counts = db.session.scalars(select(ReplyCount).where(ReplyCount.month == month.first))
        by_number = {count.phone_number_id: count for count in counts}
        numbers = db.session.scalars(select(PhoneNumber).order_by(PhoneNumber.created_at, PhoneNumber.id)).all()
        shown = [number for number in numbers if number.takes_messages or number.id in by_number]
        return [cls.counted(number, by_number.get(number.id)) for number in shown]

    @classmethod
    def counted(cls, number: PhoneNumber, count: ReplyCount | None) -> Self:
        return cls(number, count.free if count else 0, count.charged if count else 0)


@dataclass(frozen=True)
class ReplyPrice:
    """What a reply costs after the free ones, in the country to which most was sent."""

    country: str
    price: Money

    @property
    def of_three(self) -> Money:
        return Money(3 * self.price.micros, self.price.currency)

    @property
    def country_words(self) -> str:
        return name_of(self.country)

    @classmethod
    def in_month(cls, month: Month, balance: Balance | None) -> Self | None:
        countries = sorted(month.groups["country"], key=lambda figure: -figure.messages)
        country = next((figure.value for figure in countries if is_country(figure.value)), "")
        if not country or not month.currency:
            return None
        quote = Rates().quote("service", example_of(country), month.currency, day_of(now()))
        if quote.money is None:
            return None
        micros = balance.price_of("service", quote.money.micros) if balance else quote.money.micros
        return cls(country, Money(micros, month.currency))
