"""Plans: what a business pays the platform each month, and what is added to Meta's prices."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from typing import Any, Self

from sqlalchemy import CheckConstraint, Select, select, text
from sqlalchemy.orm import Mapped, mapped_column

from app.meta.pricing import CATEGORIES
from app.tenancy import GlobalModel, db, now, uuid7

from .money import Money, share_of

MOST_MARKUP = 100_000


class Plan(GlobalModel):
    """`markup` is by category, in hundredths of a percent of Meta's price. A change applies to messages from then on:
    each journal has the mark-up that was added."""

    __tablename__ = "plans"
    __table_args__ = (
        CheckConstraint("monthly_fee_micros >= 0 and included_messages >= 0 and seats >= 0", name="not_negative"),
        CheckConstraint(
            "numbers >= 0 and api_rate >= 0 and trial_days >= 0 and trial_micros >= 0", name="limits_not_negative"
        ),
    )
    is_reference = True

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    name: Mapped[str] = mapped_column(unique=True)
    currency: Mapped[str]
    monthly_fee_micros: Mapped[int] = mapped_column(default=0)
    # Team members, phone numbers, and API requests a second that a business may have; 0 is any number.
    seats: Mapped[int] = mapped_column(default=0)
    numbers: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    api_rate: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    # For how many days it can be tried without a fee, and what can be spent in them; 0 days is no trial.
    trial_days: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    trial_micros: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    # Charged messages a month that cost the tenant nothing.
    included_messages: Mapped[int] = mapped_column(default=0)
    markup: Mapped[dict[str, Any]] = mapped_column(default=dict)
    is_offered: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def in_order(cls) -> Select[Self]:
        return select(cls).order_by(cls.is_offered.desc(), cls.name)

    @classmethod
    def named(cls, name: str) -> Self | None:
        return db.session.scalar(select(cls).where(cls.name == name))

    @classmethod
    def offered_in(cls, currencies: Collection[str]) -> Sequence[Self]:
        """Those that a business may choose, the cheapest first; without a currency of its own, in any."""
        query = select(cls).where(cls.is_offered).order_by(cls.monthly_fee_micros, cls.name)
        return db.session.scalars(query.where(cls.currency.in_(currencies)) if currencies else query).all()

    @property
    def monthly_fee(self) -> Money:
        return Money(self.monthly_fee_micros, self.currency)

    @property
    def trial_money(self) -> Money:
        return Money(self.trial_micros, self.currency)

    @property
    def markups(self) -> list[tuple[str, int]]:
        """By category, in hundredths of a percent."""
        return [(category, self.markup_of(category)) for category in CATEGORIES]

    def limit(self, kind: str) -> int | None:
        """Of `seats`, `numbers` or `api_rate`; None is any number."""
        return int(getattr(self, kind)) or None

    def markup_of(self, category: str) -> int:
        """In hundredths of a percent."""
        return int(self.markup.get(category, 0)) if category in CATEGORIES else 0

    def markup_on(self, category: str, list_micros: int) -> int:
        return share_of(list_micros, self.markup_of(category))
