"""What the platform's admins look at first, counted over all tenants. Needs a platform scope."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import aliased

from app.inbox.conversations import Message
from app.onboarding.models import Onboarding
from app.tenancy import Membership, Tenant, db
from app.wabas.models import PhoneNumber
from app.webhook_events.models import HeldChange, WebhookEvent

SHOWN = 20
PAGE = 50


@dataclass(frozen=True)
class Failed:
    """An onboarding that failed, or waits for a day to pass, with its tenant."""

    tenant: Tenant
    onboarding: Onboarding


@dataclass(frozen=True)
class Board:
    tenants: int
    numbers: dict[str, int]
    failed: list[Failed]
    webhooks_waiting: int
    oldest_webhook_at: dt.datetime | None
    held: dict[str, int]
    outbox_waiting: int

    @classmethod
    def look(cls) -> Board:
        waiting, oldest = db.session.execute(WebhookEvent.backlog()).one()
        return cls(
            tenants=count(select(func.count()).select_from(Tenant)),
            numbers=by_kind(select(PhoneNumber.state, func.count()).group_by(PhoneNumber.state)),
            failed=[Failed(tenant, onboarding) for tenant, onboarding in db.session.execute(failed())],
            webhooks_waiting=waiting,
            oldest_webhook_at=oldest,
            held=by_kind(HeldChange.counts()),
            outbox_waiting=count(select(func.count()).where(Message.state.in_(("queued", "dispatching")))),
        )


def count(query: Select[int]) -> int:
    return db.session.scalars(query).one()


def by_kind(query: Select[str, int]) -> dict[str, int]:
    return {row[0]: row[1] for row in db.session.execute(query)}


def failed() -> Select[Tenant, Onboarding]:
    """The longest failed first; without those after which the tenant got through."""
    later = aliased(Onboarding)
    got_through = (
        select(later.id)
        .where(later.tenant_id == Onboarding.tenant_id, later.id > Onboarding.id, later.state == "connected")
        .exists()
    )
    return (
        select(Tenant, Onboarding)
        .join(Onboarding, Onboarding.tenant_id == Tenant.id)
        .where(or_(Onboarding.state == "failed", Onboarding.waits_for_a_day()), ~got_through)
        .order_by(Onboarding.id)
        .limit(SHOWN)
    )


def tenants(search: str, after: Tenant | None) -> Select[Tenant, int, int]:
    """By name, with how many members and numbers each has (keyset paging)."""
    query = select(Tenant, of_tenant(Membership), of_tenant(PhoneNumber)).order_by(Tenant.name, Tenant.id)
    if search:
        query = query.where(Tenant.name.icontains(search, autoescape=True))
    if after:
        query = query.where((Tenant.name > after.name) | ((Tenant.name == after.name) & (Tenant.id > after.id)))
    return query.limit(PAGE + 1)


def of_tenant(model: type[Membership | PhoneNumber]) -> Any:
    return select(func.count()).where(model.tenant_id == Tenant.id).correlate(Tenant).scalar_subquery()


def numbers_of(tenant_id: uuid.UUID) -> Select[PhoneNumber]:
    return select(PhoneNumber).where(PhoneNumber.tenant_id == tenant_id).order_by(PhoneNumber.created_at)


def onboardings_of(tenant_id: uuid.UUID) -> Select[Onboarding]:
    return Onboarding.newest_first().where(Onboarding.tenant_id == tenant_id).limit(SHOWN)
