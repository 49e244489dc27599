"""What Meta bills: one row for each message that arrived and is charged. And those that were free, and why."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, false, select, text
from sqlalchemy.orm import Mapped, aliased, mapped_column

from app.contacts.models import ContactIdentity
from app.meta.events import StatusUpdate
from app.tenancy import TenantModel, belongs_to, current_tenant_id, database_now, db, later, now, one_of, uuid7
from app.wabas.models import PhoneNumber, Waba

from .countries import country_of
from .money import Money
from .rate_cards import UNKNOWN, Rates, day_of
from .terms import category_words

# A message is charged when it reaches the phone; Meta may skip the first of these statuses.
ARRIVED = ("delivered", "read")
Key = tuple[str, str]


class Usage(TenantModel):
    """One message that Meta charges for, at the list price when it arrived: written once, never changed.

    It refers to the message by Meta's id alone, so it holds nothing about a person, and messages that other software
    sent from the number are counted too. `is_posted`: whether its journal is written (`posting.py`).
    """

    __tablename__ = "usages"
    __table_args__ = (
        belongs_to("phone_numbers", "phone_number_id"),
        UniqueConstraint("tenant_id", "phone_number_id", "wamid"),
        one_of("unknown", ("", *UNKNOWN)),
        Index("ix_usages_unpriced", "unknown", postgresql_where=text("unknown <> ''")),
        Index("ix_usages_unposted", "tenant_id", "id", postgresql_where=text("not is_posted")),
        CheckConstraint("(micros is null) = (unknown <> '')", name="known_or_why_not"),
    )

    phone_number_id: Mapped[uuid.UUID]
    wamid: Mapped[str]
    arrived_at: Mapped[dt.datetime]
    # As Meta's webhook says, which may differ from what we knew of the template.
    category: Mapped[str]
    market: Mapped[str | None]
    currency: Mapped[str]
    micros: Mapped[int | None]
    unknown: Mapped[str]
    # No foreign key, which would be checked for every row: cards are never deleted.
    rate_card_id: Mapped[uuid.UUID | None]
    # ISO 3166, by the customer's number; empty where it is unknown.
    country: Mapped[str] = mapped_column(default="", server_default="")
    is_posted: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @property
    def category_words(self) -> str:
        return category_words(self.category)

    @property
    def why_unknown(self) -> str:
        return UNKNOWN[self.unknown] if self.unknown else ""

    @property
    def money(self) -> Money | None:
        return None if self.micros is None else Money(self.micros, self.currency)

    @classmethod
    def record(cls, statuses: Iterable[StatusUpdate], numbers: Mapping[str, PhoneNumber]) -> None:
        """Saves a row for each message that these statuses prove to be charged, or free. They may come twice, in any
        order and days late: the first of ARRIVED with a price decides. `sent` has a price too, but proves nothing."""
        arrived = first_arrivals(statuses)
        if not arrived:
            return
        accounts, hidden, rates = accounts_of(numbers.values()), numbers_by_bsuid(arrived.values()), Rates()
        charged: list[dict[str, Any]] = []
        free: list[dict[str, Any]] = []
        for status in arrived.values():
            number = numbers[status.phone_number_id]
            recipient = status.recipient_id or hidden.get(status.recipient_user_id or "")
            row = usage_row(status, number, recipient, accounts[number.waba_id], rates)
            (charged if row["free"] is None else free).append(row)
        mine = {"tenant": current_tenant_id(), "now": database_now()}
        for rows, statement in ((charged, NEW_USAGES), (free, NEW_FREE_MESSAGES)):
            if rows:
                db.session.execute(statement, mine | {"rows": json.dumps(rows)})
        later("billing.post")


class FreeMessage(TenantModel):
    """One message that arrived and that Meta does not charge for. `free` is its reason, `micros` what it would cost."""

    __table_args__ = (
        belongs_to("phone_numbers", "phone_number_id"),
        UniqueConstraint("tenant_id", "phone_number_id", "wamid"),
        Index("ix_free_messages_unposted", "tenant_id", "id", postgresql_where=text("not is_posted")),
        Index("ix_free_messages_arrived", "tenant_id", "arrived_at", "id"),
    )

    phone_number_id: Mapped[uuid.UUID]
    wamid: Mapped[str]
    arrived_at: Mapped[dt.datetime]
    category: Mapped[str]
    market: Mapped[str | None]
    country: Mapped[str] = mapped_column(default="")
    currency: Mapped[str]
    micros: Mapped[int | None]
    free: Mapped[str]
    is_posted: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @property
    def category_words(self) -> str:
        return category_words(self.category)

    @property
    def money(self) -> Money | None:
        return None if self.micros is None else Money(self.micros, self.currency)


# Inserts the charged messages of a batch; one that is recorded already (same number and wamid) stays as it is, by the
# unique index. A null `micros` means that the price is unknown, and `unknown` says why.
NEW_USAGES = text("""
    insert into usages (tenant_id, id, phone_number_id, wamid, arrived_at, category, market, currency, micros, unknown,
                        rate_card_id, country, is_posted, created_at)
    select :tenant, id, phone_number_id, wamid, arrived_at, category, market, currency, micros, unknown,
           rate_card_id, country, false, :now
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(
        id uuid, phone_number_id uuid, wamid text, arrived_at timestamptz, category text, market text, currency text,
        micros bigint, unknown text, rate_card_id uuid, country text)
    on conflict (tenant_id, phone_number_id, wamid) do nothing
""")
# The same of the free ones.
NEW_FREE_MESSAGES = text("""
    insert into free_messages (tenant_id, id, phone_number_id, wamid, arrived_at, category, market, country, currency,
                               micros, free, is_posted, created_at)
    select :tenant, id, phone_number_id, wamid, arrived_at, category, market, country, currency, micros, free, false,
           :now
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(
        id uuid, phone_number_id uuid, wamid text, arrived_at timestamptz, category text, market text, currency text,
        micros bigint, free text, country text)
    on conflict (tenant_id, phone_number_id, wamid) do nothing
""")


def first_arrivals(statuses: Iterable[StatusUpdate]) -> dict[Key, StatusUpdate]:
    """The first arrival of each message that says what Meta charges for it; one that is charged before one that is
    free."""
    first: dict[Key, StatusUpdate] = {}
    for status in statuses:
        if status.status in ARRIVED and status.pricing and (status.pricing.is_charged or status.pricing.type):
            key = status.phone_number_id, status.wamid
            if key not in first or order_of(status) < order_of(first[key]):
                first[key] = status
    return first


def order_of(status: StatusUpdate) -> tuple[bool, dt.datetime]:
    return not (status.pricing and status.pricing.is_charged), status.timestamp


def accounts_of(numbers: Iterable[PhoneNumber]) -> dict[uuid.UUID, Waba]:
    mine = select(Waba).where(Waba.id.in_({number.waba_id for number in numbers}))
    return {waba.id: waba for waba in db.session.scalars(mine)}


def accounts_by_number() -> dict[uuid.UUID, Waba]:
    """The current tenant's accounts, by the ids of their numbers."""
    same = (Waba.tenant_id == PhoneNumber.tenant_id) & (Waba.id == PhoneNumber.waba_id)
    return {row[0]: row[1] for row in db.session.execute(select(PhoneNumber.id, Waba).join(Waba, same))}


def numbers_by_bsuid(statuses: Iterable[StatusUpdate]) -> dict[str, str]:
    """Numbers, by BSUID, of people whose statuses hide the number but who have shown it before."""
    bsuids = {status.recipient_user_id for status in statuses if not status.recipient_id and status.recipient_user_id}
    if not bsuids:
        return {}
    bsuid, number = ContactIdentity, aliased(ContactIdentity)
    same = (number.tenant_id == bsuid.tenant_id) & (number.contact_id == bsuid.contact_id) & (number.kind == "wa_id")
    query = select(bsuid.value, number.value).join(number, same).where(bsuid.kind == "bsuid", bsuid.value.in_(bsuids))
    # Latest last, so that the latest stays.
    return dict(db.session.execute(query.order_by(number.created_at, number.id)).all())


def usage_row(
    status: StatusUpdate, number: PhoneNumber, recipient: str | None, waba: Waba, rates: Rates
) -> dict[str, Any]:
    pricing = status.pricing
    assert pricing
    quote = rates.quote(pricing.category or "", recipient, waba.currency, day_of(status.timestamp, waba.zone))
    money, unknown = quote.money, quote.unknown
    if pricing.is_exempt:
        money, unknown = None, "exempt"
    return {
        "id": str(uuid7()),
        "phone_number_id": str(number.id),
        "wamid": status.wamid,
        "arrived_at": status.timestamp.isoformat(),
        "category": quote.category,
        "market": quote.market,
        "currency": waba.currency,
        "micros": money.micros if money else None,
        "unknown": unknown,
        "rate_card_id": str(quote.rate_card_id) if quote.rate_card_id else None,
        "country": country_of(recipient, status.recipient_user_id),
        "free": None if pricing.is_charged else (pricing.type or "")[:60],
    }
