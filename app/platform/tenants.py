"""What an admin sees of one tenant: members, numbers, usage, failures and onboardings. Needs a platform scope."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, func, select

from app.billing.money import Money
from app.billing.terms import category_words
from app.billing.usage import Usage
from app.onboarding.models import Onboarding
from app.stories.failures import Failures
from app.team.models import UserSession
from app.tenancy import Membership, Tenant, db, first_id, now, within_tenant
from app.wabas.models import PhoneNumber

SHOWN = 20
MOST_MEMBERS = 200


@dataclass(frozen=True)
class CategoryUsage:
    """What one category of messages cost in one currency; `unpriced` of them have no known price."""

    category: str
    count: int
    unpriced: int
    money: Money

    @property
    def words(self) -> str:
        return category_words(self.category)


@dataclass(frozen=True)
class TenantOverview:
    tenant: Tenant
    members: list[tuple[Membership, dt.datetime | None, dt.datetime | None]]
    numbers: list[PhoneNumber]
    onboardings: list[Onboarding]
    month: dt.date
    usage: list[CategoryUsage]
    failures: list[Row[Any]]

    @classmethod
    def of(cls, tenant: Tenant) -> TenantOverview:
        month = now().date().replace(day=1)
        with within_tenant(tenant.id):
            failures = Failures(span="day").by_reason()
        return cls(
            tenant=tenant,
            members=members(tenant.id),
            numbers=list(db.session.scalars(numbers(tenant.id))),
            onboardings=list(db.session.scalars(onboardings(tenant.id))),
            month=month,
            usage=[usage_in(*row) for row in db.session.execute(usage(tenant.id, month))],
            failures=failures,
        )


def members(tenant_id: uuid.UUID) -> list[tuple[Membership, dt.datetime | None, dt.datetime | None]]:
    """By role and name, with when they last signed in and were last here; none once those sessions are over.

    Sessions are read by themselves: in a cluster they stay on one machine.
    """
    mine = select(Membership).where(Membership.tenant_id == tenant_id)
    memberships = db.session.scalars(mine.order_by(Membership.role.desc(), Membership.id).limit(MOST_MEMBERS)).all()
    last = func.max(UserSession.created_at), func.max(UserSession.last_seen_at)
    query = select(UserSession.user_id, *last).where(
        UserSession.user_id.in_([member.user_id for member in memberships])
    )
    times = {user_id: (began, seen) for user_id, began, seen in db.session.execute(query.group_by(UserSession.user_id))}
    return [(member, *times.get(member.user_id, (None, None))) for member in memberships]


def numbers(tenant_id: uuid.UUID) -> Select[PhoneNumber]:
    return select(PhoneNumber).where(PhoneNumber.tenant_id == tenant_id).order_by(PhoneNumber.created_at)


def onboardings(tenant_id: uuid.UUID) -> Select[Onboarding]:
    return Onboarding.newest_first().where(Onboarding.tenant_id == tenant_id).limit(SHOWN)


def usage(tenant_id: uuid.UUID, month: dt.date) -> Any:
    """By category and currency, the most expensive first. Months are in UTC, as Meta's prices are."""
    start = dt.datetime.combine(month, dt.time(), dt.UTC)
    # A row is written after its message arrived, so the primary key leads to this month's rows.
    mine = Usage.tenant_id == tenant_id, Usage.id >= first_id(start), Usage.arrived_at >= start
    micros = func.coalesce(func.sum(Usage.micros), 0)
    unpriced = func.count().filter(Usage.micros.is_(None))
    query = select(Usage.category, Usage.currency, func.count(), unpriced, micros).where(*mine)
    return query.group_by(Usage.category, Usage.currency).order_by(micros.desc(), Usage.category)


def usage_in(category: str, currency: str, count: int, unpriced: int, micros: int) -> CategoryUsage:
    return CategoryUsage(category, count, unpriced, Money(int(micros), currency))
