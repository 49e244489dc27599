"""Automatic recharge: what a business has chosen, and the card that it has saved for it."""

from __future__ import annotations

import datetime as dt
from typing import Self

from sqlalchemy import CheckConstraint, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import TenantModel, database_now, db, later, now, of_tenant, one_of
from app.words import N_

from .balances import Balance
from .stripe_account import Card

# Why it has stopped, and what an owner can do.
STOPPED = {
    "declined": N_("The card was declined. Add a payment with another card and save it, then turn this on again."),
    "authentication": N_(
        "The card's bank wants you to confirm payments. Add a payment yourself and save the card, then turn this on "
        "again."
    ),
    "refused": N_("Stripe refused the payment. Check the amount, or save another card, then turn this on again."),
    "unreachable": N_("Stripe didn't answer for a day. Turn this on again."),
}


class Recharge(TenantModel):
    """“When below X, add Y, at most Z a month”. Off until an owner turns it on; stopped when the card is refused."""

    __table_args__ = (
        of_tenant(),
        UniqueConstraint("tenant_id"),
        one_of("stopped", ("", *STOPPED)),
        CheckConstraint("below_micros >= 0 and amount_micros >= 0 and most_micros >= 0", name="amounts"),
    )

    is_on: Mapped[bool] = mapped_column(default=False)
    below_micros: Mapped[int] = mapped_column(default=0)
    amount_micros: Mapped[int] = mapped_column(default=0)
    most_micros: Mapped[int] = mapped_column(default=0)
    customer_id: Mapped[str] = mapped_column(default="")
    card_id: Mapped[str] = mapped_column(default="")
    brand: Mapped[str] = mapped_column(default="")
    last4: Mapped[str] = mapped_column(default="")
    stopped: Mapped[str] = mapped_column(default="")
    # The month in which owners were mailed that its most is reached.
    limited_in: Mapped[dt.date] = mapped_column(default=dt.date.min)
    changed_by: Mapped[str] = mapped_column(default="")
    changed_at: Mapped[dt.datetime] = mapped_column(default=now, onupdate=now)

    @classmethod
    def current(cls) -> Self | None:
        return db.session.scalar(select(cls))

    @classmethod
    def locked(cls) -> Self | None:
        """Locked until the transaction ends: one payment is begun at a time. The balance is locked before."""
        query = select(cls).with_for_update(of=cls, key_share=True).execution_options(populate_existing=True)
        return db.session.scalar(query)

    @classmethod
    def opened(cls) -> Self:
        """The tenant's, locked; made where there is none."""
        if (mine := cls.locked()) is None:
            mine = cls()
            db.session.add(mine)
            db.session.flush()
        return mine

    @property
    def is_active(self) -> bool:
        return self.is_on and not self.stopped and bool(self.card_id)

    @property
    def why_stopped(self) -> str:
        return STOPPED[self.stopped] if self.stopped else ""

    def turn_on(self, balance: Balance, *, below: int, amount: int, most: int, by: str) -> None:
        self.is_on, self.stopped, self.changed_by = True, "", by
        self.below_micros, self.amount_micros, self.most_micros = below, amount, most
        self.limited_in = dt.date.min
        self.arm(balance)
        later("billing.recharge")

    def turn_off(self, balance: Balance, *, by: str) -> None:
        self.is_on, self.stopped, self.changed_by = False, "", by
        self.arm(balance)

    def arm(self, balance: Balance) -> None:
        """The balance knows by itself when it has to be filled, without a look at this row."""
        balance.recharge_below_micros = self.below_micros if self.is_active else None

    @classmethod
    def save(cls, card: Card) -> None:
        """A card was saved while somebody paid with it. One that was declined before is replaced."""
        balance, mine = Balance.locked(), cls.opened()
        mine.customer_id, mine.card_id, mine.brand, mine.last4 = card.customer_id, card.id, card.brand, card.last4
        if balance:
            mine.arm(balance)

    @classmethod
    def stop(cls, reason: str) -> None:
        """The card was refused: nothing is charged until an owner turns it on again."""
        balance, mine = Balance.locked(), cls.locked()
        if mine is None or mine.stopped or not mine.is_on:
            return
        mine.stopped = reason if reason in STOPPED else "refused"
        if balance:
            mine.arm(balance)
        later("billing.mail_recharge", mine.stopped)

    def drop_card(self, balance: Balance, *, by: str) -> None:
        self.turn_off(balance, by=by)
        self.card_id = self.brand = self.last4 = ""

    def reach_limit(self) -> None:
        """What may be charged in a month is reached: owners are mailed once in the month."""
        month = database_now().date().replace(day=1)
        if self.limited_in < month:
            self.limited_in = month
            later("billing.mail_recharge", "limit")
