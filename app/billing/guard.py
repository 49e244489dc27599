"""The guard of the credit line: a business that does not pay is stopped step by step, then no longer paid for."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import Index, Select, func, select, text
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import outside
from app.meta import credit_lines
from app.meta.errors import MetaError
from app.tenancy import Tenant, TenantModel, commit, database_now, db, later, now, of_tenant, one_of
from app.wabas.credit import CreditLineShare
from app.wabas.models import PhoneNumber, Waba
from app.words import N_

from .balances import LADDER, Balance
from .ledger import Ledger
from .money import Money
from .rate_cards import day_of
from .totals import DayTotal

STATES = ("done", "waiting", "revoking", "withdrawn")
STAGE_WORDS = {
    "open": N_("Nothing is stopped"),
    "warned": N_("Warned"),
    "no_marketing": N_("Marketing is stopped"),
    "no_paid": N_("Paid messages are stopped"),
    "revoked": N_("The credit line is revoked"),
    "closed": N_("The business is closed"),
}
# From how much of a limit or cap on, in percent, which step is suggested.
SUGGESTED = ((150, "no_paid"), (100, "no_marketing"), (80, "warned"))


class SameAdmin(Exception):
    """A step that needs a second admin cannot be approved by the one who asked for it."""


class Closed(Exception):
    """The business is closed, or being closed: there is nothing left to guard."""


class GuardStep(TenantModel):
    """A step up or down the ladder, by whom and why. Revoking the credit line waits for a second admin."""

    __table_args__ = (
        of_tenant(),
        one_of("stage", LADDER),
        one_of("state", STATES),
        Index("ix_guard_steps_revoking", "id", postgresql_where=text("state = 'revoking'")),
    )

    stage: Mapped[str]
    before: Mapped[str]
    reason: Mapped[str]
    by_id: Mapped[uuid.UUID]
    by_name: Mapped[str]
    approved_by_name: Mapped[str] = mapped_column(default="")
    state: Mapped[str]
    error: Mapped[dict[str, Any] | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    finished_at: Mapped[dt.datetime | None]

    @classmethod
    def take(cls, stage: str, *, reason: str, by_id: uuid.UUID, by_name: str) -> Self:
        """Takes a step for the current tenant; one that needs approval waits for it. Raises `Closed`."""
        balance = balance_to_guard()
        if balance.is_closed:
            raise Closed
        cls.withdraw_waiting()
        step = cls(stage=stage, before=balance.stage, reason=reason, by_id=by_id, by_name=by_name)
        step.state = "waiting" if stage == "revoked" else "done"
        db.session.add(step)
        db.session.flush()
        if step.state == "done":
            step.apply(balance)
        return step

    @classmethod
    def withdraw_waiting(cls) -> None:
        for step in db.session.scalars(select(cls).where(cls.state == "waiting").with_for_update()):
            step.state, step.finished_at = "withdrawn", database_now()

    @classmethod
    def newest_first(cls) -> Select[Self]:
        return select(cls).order_by(cls.id.desc())

    def approve(self, *, by_id: uuid.UUID, by_name: str) -> None:
        """A second admin agrees: sending stops at once, and the line is revoked. Raises `SameAdmin`."""
        balance = balance_to_guard()
        if self.refresh_locked().state != "waiting" or balance.is_closed:
            return
        if by_id == self.by_id:
            raise SameAdmin
        self.state, self.approved_by_name = "revoking", by_name
        self.apply(balance)
        later("billing.revoke", self.id)

    def withdraw(self) -> None:
        if self.refresh_locked().state == "waiting":
            self.state, self.finished_at = "withdrawn", database_now()

    def apply(self, balance: Balance) -> None:
        balance.stage = self.stage
        if self.state == "done":
            self.finished_at = database_now()
        later("outbound.release_unfunded")

    def revoke(self) -> None:
        """Revokes each share of the line at Meta. May run twice; what Meta refuses is tried again by the sweep."""
        if self.refresh_locked().state != "revoking":
            return
        shares = list(db.session.scalars(select(CreditLineShare)))
        here = outside()
        token = here.settings.meta_system_user_token
        commit()
        try:
            for allocation in sorted({share.allocation_config_id for share in shares}):
                if not credit_lines.is_revoked(here.graph, token, allocation):
                    credit_lines.revoke(here.graph, token, allocation)
        except MetaError as error:
            self.error = error.as_dict()
            return
        for share in shares:
            share.verified_at = None
        self.state, self.error, self.finished_at = "done", None, database_now()


def balance_to_guard() -> Balance:
    """The tenant's balance, locked; made for a tenant without a plan, which it does not charge."""
    ledger = Ledger()
    if ledger.balance is None:
        currency = db.session.scalar(select(Waba.currency).where(Waba.currency != "").limit(1)) or "USD"
        ledger.balance = Balance(currency=currency, month=day_of(database_now()).replace(day=1))
        db.session.add(ledger.balance)
        db.session.flush()
    return ledger.balance


@dataclass(frozen=True)
class Exposure:
    """What the platform would lose on a tenant: unpaid and held, or without a plan Meta's charges of the month."""

    tenant: Tenant
    currency: str
    micros: int
    held_micros: int
    month_micros: int
    balance: Balance | None

    @property
    def money(self) -> Money:
        return Money(self.micros, self.currency)

    @property
    def held(self) -> Money:
        return Money(self.held_micros, self.currency)

    @property
    def month(self) -> Money:
        return Money(self.month_micros, self.currency)

    @property
    def stage(self) -> str:
        return self.balance.stage if self.balance else "open"

    @property
    def suggested(self) -> str:
        """The step that its use of a limit suggests, where that is further than it is now."""
        if self.balance is None or not self.balance.plan_id:
            return ""
        if self.balance.mode == "prepaid":
            return "warned" if self.balance.balance_micros < 0 and self.stage == "open" else ""
        used = self.balance.used_percent
        if self.balance.is_closed:
            return ""
        step = next((stage for percent, stage in SUGGESTED if used >= percent), "open")
        return step if LADDER.index(step) > LADDER.index(self.stage) else ""

    @classmethod
    def all(cls) -> list[Self]:
        """Of every tenant that has any, the highest first. Needs a platform scope."""
        balances = {each.tenant_id: each for each in db.session.scalars(select(Balance))}
        first = day_of(now()).replace(day=1)
        sums = select(DayTotal.tenant_id, DayTotal.currency, func.sum(DayTotal.list_micros))
        sums = sums.where(DayTotal.day >= first, DayTotal.free == "").group_by(DayTotal.tenant_id, DayTotal.currency)
        spent = {(row[0], row[1]): int(row[2]) for row in db.session.execute(sums)}
        ids = {*balances, *(tenant_id for tenant_id, _ in spent)}
        tenants = select(Tenant).where(Tenant.id.in_(ids), ~Tenant.is_sandbox)
        measures = [each for tenant in db.session.scalars(tenants) for each in cls.of(tenant, balances, spent)]
        return sorted(measures, key=lambda each: (-each.micros, -each.month_micros, each.tenant.name))

    @classmethod
    def of(
        cls, tenant: Tenant, balances: dict[uuid.UUID, Balance], spent: dict[tuple[uuid.UUID, str], int]
    ) -> Iterable[Self]:
        balance = balances.get(tenant.id)
        currencies = {currency for tenant_id, currency in spent if tenant_id == tenant.id and currency}
        for currency in sorted(currencies | ({balance.currency} if balance else set())):
            month = spent.get((tenant.id, currency), 0)
            if balance and balance.plan_id and balance.currency == currency:
                yield cls(tenant, currency, balance.exposure_micros, balance.held_micros, month, balance)
            else:
                yield cls(tenant, currency, month, 0, month, balance)


@dataclass(frozen=True)
class Hit:
    """What a step would stop, as things are now. `accounts`: Meta revokes the line for all of a business's accounts."""

    marketing_queued: int
    queued: int
    numbers: list[PhoneNumber]
    accounts: list[tuple[Waba, Tenant]]

    @classmethod
    def of(cls, tenant_id: uuid.UUID) -> Self:
        """Needs a platform scope."""
        queued = db.session.execute(QUEUED, {"tenant": tenant_id}).one()
        connected = PhoneNumber.tenant_id == tenant_id, PhoneNumber.state.in_(("connected", "paused"))
        owners = select(Waba.owner_business_id).where(Waba.tenant_id == tenant_id, Waba.owner_business_id != "")
        same = (Waba.tenant_id == tenant_id) | Waba.owner_business_id.in_(list(db.session.scalars(owners)))
        accounts = db.session.execute(select(Waba, Tenant).join(Tenant, Tenant.id == Waba.tenant_id).where(same))
        return cls(
            queued.marketing,
            queued.total,
            list(db.session.scalars(select(PhoneNumber).where(*connected).order_by(PhoneNumber.id))),
            [(row[0], row[1]) for row in accounts],
        )


# How many messages of a tenant wait to be sent, and how many of those are marketing templates? By ix_messages_lane.
QUEUED = text("""
    select count(*) as total, count(*) filter (where t.category = 'MARKETING') as marketing
    from messages m left join message_templates t on t.tenant_id = :tenant and t.id = m.template_id
    where m.tenant_id = :tenant and m.state in ('queued', 'scheduled')
""")
