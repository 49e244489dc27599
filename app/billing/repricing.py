"""Prices that become known, or change, after a message was posted: its journal is taken back and written anew."""

from __future__ import annotations

import datetime as dt
import functools
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Select, select, tuple_
from sqlalchemy.orm import aliased

from app.contacts.countries import example_of
from app.tenancy import db
from app.wabas.models import Waba

from .ledger import Draft, Journal, Ledger, message_draft
from .money import Money
from .rate_cards import Rates, day_of
from .usage import accounts_by_number

AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Price:
    """What a message is now priced at: by a card, or as Meta reported (no card)."""

    money: Money
    market: str = ""
    rate_card_id: uuid.UUID | None = None
    tier: str = ""


@dataclass
class Repricing:
    """Compares the journals of the current tenant with the cards in force on their days."""

    rates: Rates = field(default_factory=Rates)

    def run(self, since: dt.date, after: uuid.UUID | None = None) -> tuple[int, uuid.UUID | None]:
        """Looks at AT_ONCE journals since a day, or after one. Returns how many changed, and where to go on."""
        ledger, accounts = Ledger(), accounts_by_number()
        # Where the account's zone is ahead of UTC, its day begins on the day before.
        query = live(Journal.day >= since - dt.timedelta(days=1)).order_by(Journal.day, Journal.id).limit(AT_ONCE)
        if after and (last := Journal.find(after)):
            query = query.where(tuple_(Journal.day, Journal.id) > tuple_(last.day, last.id))
        journals = list(db.session.scalars(query))
        changes = {each.id: (each, price) for each in journals if (price := self.change(each, accounts))}
        changed = replace(ledger, changes.values())
        return changed, journals[-1].id if len(journals) == AT_ONCE else None

    def change(self, journal: Journal, accounts: dict[uuid.UUID, Waba]) -> Price | None:
        """Another price than the journal has; None where there is none, or it is the same.

        What Meta reported stays: such a journal has a price and no card.
        """
        if journal.list_micros is not None and journal.rate_card_id is None:
            return None
        account = accounts.get(journal.phone_number_id or uuid.UUID(int=0))
        currency = journal.currency or (account.currency if account else "")
        day = day_of(journal.occurred_at, account.zone if account else dt.UTC)
        card = self.rates.card(currency, day) if currency else None
        if card is None or card.id == journal.rate_card_id or journal.unknown == "exempt":
            return None
        market = card.prices.market_of(number_in(journal.country)) if journal.country else journal.market
        money = card.price(market or journal.market, journal.category, journal.tier)
        if money is None or (money.micros, currency) == (journal.list_micros, journal.currency):
            return None
        return Price(money, market or journal.market, card.id, journal.tier)


@functools.cache
def number_in(country: str) -> str:
    return example_of(country)


def live(*conditions: ColumnElement[bool]) -> Select[Journal]:
    """The journals of messages that are not taken back."""
    later = aliased(Journal)
    taken_back = select(later.id).where(
        later.tenant_id == Journal.tenant_id, later.reverses_id == Journal.id, later.kind == "reversal"
    )
    return select(Journal).where(Journal.kind.in_(("message", "repricing")), ~taken_back.exists(), *conditions)


def report_prices(prices: dict[tuple[uuid.UUID, str], Money]) -> int:
    """Takes over what Meta reported to have charged, by number and wamid. Returns how many journals changed."""
    ledger = Ledger()
    key = tuple_(Journal.phone_number_id, Journal.wamid)
    changes = []
    for journal in db.session.scalars(live(key.in_(list(prices)))):
        money = prices[journal.phone_number_id or uuid.UUID(int=0), journal.wamid]
        if (journal.list_micros, journal.currency) != (money.micros, money.currency):
            changes.append((journal, Price(money, journal.market)))
    return replace(ledger, changes)


def replace(ledger: Ledger, changes: Iterable[tuple[Journal, Price]]) -> int:
    """Takes journals back and writes them with other prices."""
    drafts: list[Draft] = []
    for journal, price in changes:
        drafts += [draft_like(journal).reversed(journal.id), repriced(journal, price)]
    ledger.post(drafts)
    return len(drafts) // 2


def draft_like(journal: Journal) -> Draft:
    return message_draft(
        Row.of(journal, journal.market, journal.currency, journal.rate_card_id),
        kind=journal.kind,
        list_micros=journal.list_micros,
        markup=journal.markup,
        free=journal.free,
        unknown=journal.unknown,
        tier=journal.tier,
    )


def repriced(journal: Journal, price: Price) -> Draft:
    row = Row.of(journal, price.market, price.money.currency, price.rate_card_id)
    return message_draft(
        row,
        kind="repricing",
        list_micros=price.money.micros,
        markup=journal.markup,
        free=journal.free,
        reverses_id=str(journal.id),
        tier=price.tier,
    )


@dataclass(frozen=True, slots=True)
class Row:
    """What `message_draft` reads of a message."""

    phone_number_id: uuid.UUID | None
    wamid: str
    category: str
    market: str
    country: str
    sender: str
    rate_card_id: uuid.UUID | None
    arrived_at: dt.datetime
    day: dt.date
    currency: str

    @classmethod
    def of(cls, journal: Journal, market: str, currency: str, rate_card_id: uuid.UUID | None) -> Row:
        same = (journal.phone_number_id, journal.wamid, journal.category, market, journal.country, journal.sender)
        return cls(*same, rate_card_id, journal.occurred_at, journal.day, currency)
