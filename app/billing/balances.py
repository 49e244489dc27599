"""What a tenant with a plan may spend: its balance, what is held for messages under way, limits and stops."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any, Self

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, select, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.tenancy import TenantModel, database_now, db, later, now, of_tenant, one_of
from app.words import N_

from .money import Money, share_of
from .plans import Plan
from .rate_cards import day_of

MODES = ("prepaid", "postpaid")
# How far the credit line is guarded against a tenant that does not pay, step by step.
LADDER = ("open", "warned", "no_marketing", "no_paid", "revoked")
# And a business that is closed, or being closed (app/closing): nothing of it goes out any more.
STAGES = (*LADDER, "closed")
# Of the reserve, in halves, how much a message of a category has to leave: marketing stops first, sign-in codes last.
LEAVES = {"marketing": 2, "authentication": 0, "authentication_international": 0}
LEAVES_ELSE = 1
# Up to which part of the monthly cap a category may go, in hundredths of a percent; sign-in codes are not capped.
CAPPED_AT = {"marketing": 9_000, "authentication": None, "authentication_international": None}
CAPPED_AT_ELSE = 10_000
ALERTS = (80, 100)

# Why a message is not paid for.
NO_ROOM = {
    "used_up": N_("The balance doesn't cover this message."),
    "capped": N_("The monthly cap on spending is reached."),
    "stopped": N_("Paid messages are stopped until the open amount is paid."),
    "closed": N_("This business is closed."),
    "ended": N_("The plan has ended. Paid messages wait until you choose a plan."),
    "currency": N_("This number's account is billed in another currency than the plan. Ask the operator."),
    "no_currency": N_("Meta hasn't reported yet in which currency this number's account is billed."),
}


class Balance(TenantModel):
    """One of each tenant that has, or had, a plan; without a plan nothing is limited.

    `balance_micros` is what was paid in less what was charged: the negative of the ledger's `receivable`. A prepaid one
    has no limit, so it never goes below zero; a post-paid one may go below zero as far as `limit_micros`.
    """

    __table_args__ = (
        of_tenant(),
        UniqueConstraint("tenant_id"),
        one_of("mode", MODES),
        one_of("stage", STAGES),
        CheckConstraint("held_micros >= 0", name="held"),
        CheckConstraint("limit_micros >= 0 and reserve_micros >= 0", name="limits"),
        CheckConstraint("mode = 'postpaid' or limit_micros = 0", name="prepaid"),
    )

    plan_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("plans.id"))
    currency: Mapped[str]
    mode: Mapped[str] = mapped_column(default="prepaid")
    balance_micros: Mapped[int] = mapped_column(default=0)
    held_micros: Mapped[int] = mapped_column(default=0)
    limit_micros: Mapped[int] = mapped_column(default=0)
    # What marketing leaves for other messages, and half of it what those leave for sign-in codes.
    reserve_micros: Mapped[int] = mapped_column(default=0)
    # The most to be spent in a month; None is no cap.
    cap_micros: Mapped[int | None]
    # The month that the next two count; late messages count where they are posted.
    month: Mapped[dt.date]
    spent_micros: Mapped[int] = mapped_column(default=0)
    included_used: Mapped[int] = mapped_column(default=0)
    # The highest of ALERTS that was sent this month.
    alerted: Mapped[int] = mapped_column(default=0)
    # The balance after the last top-up.
    filled_micros: Mapped[int] = mapped_column(default=0)
    # The last month whose fee is charged.
    fee_month: Mapped[dt.date] = mapped_column(default=dt.date.min)
    stage: Mapped[str] = mapped_column(default="open")
    # Below which it is filled from a saved card (`Recharge`); None is never.
    recharge_below_micros: Mapped[int | None]
    # The day from which on paid messages wait until a plan is chosen; None where no one has ended the plan.
    ends_on: Mapped[dt.date | None]
    # The first day that is no longer free, and how many days before it owners were reminded last.
    trial_until: Mapped[dt.date | None]
    trial_micros: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    trial_reminded: Mapped[int | None]
    # A business tries plans once.
    tried_at: Mapped[dt.datetime | None]
    # Of the plan's included messages, those of the days before it began, in its first month.
    included_cut: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    plan: Mapped[Plan | None] = relationship(lazy="joined")

    @classmethod
    def current(cls) -> Self | None:
        return db.session.scalar(select(cls))

    @classmethod
    def of_closed(cls) -> bool:
        """Whether the current tenant is closed, or is being closed."""
        mine = cls.current()
        return mine is not None and mine.is_closed

    @classmethod
    def plan_now(cls) -> Plan | None:
        """The current tenant's, whose mark-ups its messages have."""
        mine = cls.current()
        return mine.plan if mine else None

    @classmethod
    def locked(cls) -> Self | None:
        """The tenant's, locked until the transaction ends, in its month."""
        query = select(cls).with_for_update(of=cls, key_share=True).execution_options(populate_existing=True)
        if balance := db.session.scalar(query):
            balance.begin_month(database_now().date().replace(day=1))
        return balance

    def begin_month(self, month: dt.date) -> None:
        if self.month < month:
            self.month, self.spent_micros, self.included_used, self.alerted = month, 0, 0, 0
            self.included_cut = 0

    @property
    def is_enforced(self) -> bool:
        """Whether it limits anything: by a plan, or by the guard of the credit line."""
        return self.plan_id is not None or self.stage in STAGES[STAGES.index("no_marketing") :]

    @property
    def available_micros(self) -> int:
        """What can still be held or spent."""
        return self.balance_micros + self.limit_micros - self.held_micros

    @property
    def exposure_micros(self) -> int:
        """What we owe Meta for this tenant without having its money: unpaid, and held for what is under way."""
        return max(0, self.held_micros - self.balance_micros)

    def money(self, micros: int) -> Money:
        return Money(micros, self.currency)

    @property
    def included_left(self) -> int:
        return max(0, self.included - self.included_used)

    @property
    def included(self) -> int:
        """The messages of this month that the plan covers: none while a prepaid fee is not paid."""
        return self.entitled if self.mode == "postpaid" or self.balance_micros >= 0 else 0

    @property
    def entitled(self) -> int:
        """The messages of this month that the fee is for."""
        is_covered = self.is_charged or self.covers_rest
        return max(0, self.plan.included_messages - self.included_cut) if self.plan and is_covered else 0

    @property
    def is_charged(self) -> bool:
        """Whether the plan's fee applies: not in a trial, nor once it has ended."""
        return self.plan is not None and not self.has_ended and self.trial_until is None

    @property
    def is_closed(self) -> bool:
        return self.stage == "closed"

    @property
    def covers_rest(self) -> bool:
        """Whether messages that were under way when the business closed are still included, in that month."""
        return self.is_closed and self.ends_on is not None and self.ends_on >= self.month

    @property
    def has_ended(self) -> bool:
        """Whether its business, or the end of a trial, has ended the plan: its mark-ups go on, paid messages wait."""
        return self.ends_on is not None and self.ends_on <= day_of(now())

    @property
    def is_trial(self) -> bool:
        return self.trial_until is not None and self.trial_until > day_of(now())

    def is_foreign(self, currency: str) -> bool:
        """Whether an account that is billed in this currency cannot be charged to it."""
        return self.plan_id is not None and bool(currency) and currency != self.currency

    @property
    def is_low(self) -> bool:
        """Whether it is to be filled from the saved card."""
        return self.recharge_below_micros is not None and self.available_micros < self.recharge_below_micros

    def price_of(self, category: str, list_micros: int) -> int:
        """What a message of this list price costs the tenant."""
        return list_micros + (self.plan.markup_on(category, list_micros) if self.plan else 0)

    def obstacle_of_currency(self, currency: str) -> str:
        """Why paid messages of an account that is billed in this currency may not go; it may be unknown yet."""
        if self.is_foreign(currency):
            return "currency"
        return "no_currency" if self.plan_id and not currency else ""

    def obstacle(self, category: str, micros: int) -> str:
        """Why a message of this price may not go (a key of NO_ROOM); "" where it may."""
        if not self.is_enforced:
            return ""
        if self.is_closed:
            return "closed"
        if self.stops(category, micros):
            return "stopped"
        if not micros or self.plan_id is None:
            return ""
        if self.has_ended:
            return "ended"
        if micros > self.available_micros - self.reserve_micros * LEAVES.get(category, LEAVES_ELSE) // 2:
            return "used_up"
        return "capped" if self.is_over_cap(category, micros) else ""

    def stops(self, category: str, micros: int) -> bool:
        """Whether the guard of the credit line has stopped such messages."""
        step = STAGES.index(self.stage)
        if category == "marketing" and step >= STAGES.index("no_marketing"):
            return True
        return step >= STAGES.index("revoked") or (step >= STAGES.index("no_paid") and micros > 0)

    def is_over_cap(self, category: str, micros: int) -> bool:
        part = CAPPED_AT.get(category, CAPPED_AT_ELSE)
        if self.cap_micros is None or part is None:
            return False
        return self.spent_micros + self.held_micros + micros > share_of(self.cap_micros, part)

    def move(self, micros: int) -> None:
        self.balance_micros += micros

    def count(self, drafts: Sequence[Any]) -> None:
        """Counts what these journals of messages cost this month, and alerts where a threshold is crossed."""
        for draft in drafts:
            if draft.kind in ("message", "reversal", "repricing"):
                self.spent_micros += draft.owed
                if draft.columns["free"] == "included":
                    self.included_used += -1 if draft.kind == "reversal" else 1
        self.alert()
        if self.is_low:
            later("billing.recharge")

    @property
    def used_percent(self) -> int:
        """How much is used up: of the month's cap, and of the post-paid limit or of what was there after a top-up."""
        parts = [0]
        if self.cap_micros is not None:
            parts.append(100 * self.spent_micros // self.cap_micros if self.cap_micros else 100)
        if self.mode == "postpaid" and self.limit_micros:
            parts.append(100 * -self.balance_micros // self.limit_micros)
        if self.mode == "prepaid" and self.filled_micros > 0:
            parts.append(100 * (self.filled_micros - self.balance_micros) // self.filled_micros)
        return max(parts)

    def fill(self) -> None:
        """A payment has come in: what is used up is counted from here."""
        self.filled_micros = max(0, self.balance_micros)
        self.alerted = self.level

    @property
    def level(self) -> int:
        """The highest of ALERTS that is reached."""
        return max((level for level in ALERTS if self.used_percent >= level), default=0)

    def alert(self) -> None:
        reached = self.level
        if reached > self.alerted and self.plan_id:
            self.alerted = reached
            later("billing.alert", reached)
