"""What closing a business would end, as things are now: shown before anybody asks for it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Self

from sqlalchemy import func, select

from app.api import ApiKey
from app.billing.balances import Balance
from app.billing.guard import Hit
from app.billing.invoices import unbilled_micros
from app.billing.money import Money
from app.hooks.endpoints import WebhookEndpoint
from app.inbox.conversations import Message
from app.tenancy import Membership, Tenant, db, now, within_tenant
from app.wabas.models import PhoneNumber, Waba

WAITING = ("queued", "scheduled", "dispatching")


@dataclass(frozen=True)
class ClosingHit:
    """`messages` by state; `numbers` that are connected; `accounts` that lose the credit line, also of other tenants
    whose accounts belong to the same business at Meta."""

    messages: dict[str, int]
    balance: Balance | None
    unbilled: Money | None
    numbers: list[PhoneNumber]
    accounts: list[tuple[Waba, Tenant]]
    keys: int
    webhooks: int
    members: int

    @classmethod
    def of(cls, tenant_id: uuid.UUID) -> Self:
        """Needs a platform scope."""
        wider = Hit.of(tenant_id)
        with within_tenant(tenant_id):
            balance = Balance.current()
            states = select(Message.state, func.count()).where(Message.state.in_(WAITING)).group_by(Message.state)
            keys = select(func.count()).select_from(ApiKey)
            active = (ApiKey.expires_at.is_(None)) | (ApiKey.expires_at > now())
            webhooks = select(func.count()).select_from(WebhookEndpoint).where(WebhookEndpoint.state == "active")
            return cls(
                messages={row[0]: row[1] for row in db.session.execute(states)},
                balance=balance,
                unbilled=balance.money(unbilled_micros(balance)) if balance and balance.plan_id else None,
                numbers=wider.numbers,
                accounts=wider.accounts,
                keys=db.session.scalar(keys.where(ApiKey.revoked_at.is_(None), active)) or 0,
                webhooks=db.session.scalar(webhooks) or 0,
                members=db.session.scalar(select(func.count()).select_from(Membership)) or 0,
            )

    @property
    def waiting(self) -> int:
        return sum(self.messages.values())
