"""The figures of the console's overview, counted over all tenants. Needs a platform scope."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import aliased

from app.folding import fold
from app.inbox.conversations import Message
from app.onboarding.models import Onboarding
from app.tenancy import Membership, Tenant, db
from app.wabas.models import PhoneNumber
from app.webhook_events.models import HeldChange, WebhookEvent

SHOWN = 20
PAGE = 50


@dataclass(frozen=True)
class StuckOnboarding:
    """An onboarding that failed, or retries at a later time, with its tenant."""

    tenant: Tenant
    onboarding: Onboarding


@dataclass(frozen=True)
class Board:
    tenants: int
    numbers: dict[str, int]
    failed: list[StuckOnboarding]
    webhooks_waiting: int
    oldest_webhook_at: dt.datetime | None
    held: dict[str, int]
    outbox_waiting: int

    @classmethod
    def load(cls) -> Board:
        waiting, oldest = db.session.execute(WebhookEvent.backlog()).one()
        return cls(
            tenants=figure(select(func.count()).where(~Tenant.is_sandbox)),
            numbers=by_kind(numbers_by_state()),
            failed=[StuckOnboarding(*row) for row in db.session.execute(stuck_onboardings())],
            webhooks_waiting=waiting,
            oldest_webhook_at=oldest,
            held=by_kind(HeldChange.counts()),
            outbox_waiting=figure(waiting_messages()),
        )


def numbers_by_state() -> Select[str, int]:
    mine = PhoneNumber.tenant_id.not_in(Tenant.sandboxes())
    return select(PhoneNumber.state, func.count()).where(mine).group_by(PhoneNumber.state)


def waiting_messages() -> Select[int]:
    waits = Message.state.in_(("queued", "dispatching"))
    return select(func.count()).where(waits, Message.tenant_id.not_in(Tenant.sandboxes()))


def figure(query: Select[int]) -> int:
    return db.session.scalars(query).one()


def by_kind(query: Select[str, int]) -> dict[str, int]:
    return {row[0]: row[1] for row in db.session.execute(query)}


def stuck_onboardings() -> Select[Tenant, Onboarding]:
    """The oldest first, without those after which the tenant connected."""
    later = aliased(Onboarding)
    connected_later = (
        select(later.id)
        .where(later.tenant_id == Onboarding.tenant_id, later.id > Onboarding.id, later.state == "connected")
        .exists()
    )
    return (
        select(Tenant, Onboarding)
        .join(Onboarding, Onboarding.tenant_id == Tenant.id)
        .where(or_(Onboarding.state == "failed", Onboarding.waits_for_a_day()), ~connected_later)
        .order_by(Onboarding.id)
        .limit(SHOWN)
    )


def tenants_named(search: str, after: Tenant | None) -> Select[Tenant]:
    """By name (keyset paging)."""
    query = select(Tenant).where(~Tenant.is_sandbox).order_by(Tenant.name, Tenant.id)
    if search:
        query = query.where(func.strpos(func.search_fold(Tenant.name), fold(search)) > 0)
    if after:
        query = query.where((Tenant.name > after.name) | ((Tenant.name == after.name) & (Tenant.id > after.id)))
    return query.limit(PAGE + 1)


def count_by_tenant(model: type[Membership | PhoneNumber], tenants: Sequence[Tenant]) -> dict[uuid.UUID, int]:
    """How many rows each of these has; those without any are left out."""
    mine = model.tenant_id.in_([tenant.id for tenant in tenants])
    query = select(model.tenant_id, func.count()).where(mine).group_by(model.tenant_id)
    return {row[0]: row[1] for row in db.session.execute(query)}
