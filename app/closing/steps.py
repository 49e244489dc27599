"""What closing a business does, in the order in which no one is left paying for another.

Each step runs in the tenant's scope, may run twice, and returns facts for the page. One that has to wait for something
else raises `NotYet`. The order of what is ended at Meta is that of `app/wabas/offboarding.py`: the credit line first.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import UniqueConstraint, func, select, text, update
from sqlalchemy.orm import Mapped, mapped_column

from app.api import ApiKey
from app.assistant.knowledge import KnowledgeSource
from app.billing.holds import release_lost
from app.billing.invoices import Close
from app.billing.ledger import Ledger
from app.billing.money import Money
from app.billing.posting import AT_ONCE, post_usages
from app.billing.rate_cards import day_of
from app.billing.recharges import Recharge
from app.billing.subscriptions import close_plan
from app.crm.models import CrmConnection
from app.hooks.endpoints import WebhookEndpoint
from app.inbox.conversations import BusinessClosed, Message
from app.inbox.conversations.gate import error_of
from app.inbox.conversations.statuses import show_ticks
from app.listings.settings import ListingSettings
from app.onboarding.models import Onboarding
from app.team.models import Invitation
from app.tenancy import (
    Membership,
    Tenant,
    TenantModel,
    belongs_to,
    commit,
    current_tenant_id,
    database_now,
    db,
    end_streams,
    later,
)
from app.wabas.models import Waba
from app.wabas.offboarding import Offboarding
from app.words import N_

MESSAGES_AT_ONCE, HOLDS_AT_ONCE = 1_000, 1_000


class NotYet(Exception):
    """The step waits for something that ends by itself, or that Meta refuses: its facts say what."""


class ClosureStep(TenantModel):
    """One step of a closure. `facts` are what it did, or what it waits for."""

    __table_args__ = (
        belongs_to("closures", "closure_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "closure_id", "position"),
    )

    closure_id: Mapped[uuid.UUID]
    position: Mapped[int]
    name: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    done_at: Mapped[dt.datetime | None]

    @property
    def title(self) -> str:
        return STEPS[self.name].title

    @property
    def returned(self) -> Money:
        """What `close_books` has given back of the plan's fee."""
        return Money(self.facts["returned"], self.facts["currency"])


@dataclass(frozen=True, slots=True)
class Step:
    title: str
    # Gets the row, the reason and the name of the admin who asked for the closure.
    run: Callable[[ClosureStep, str, str], None]


def stop_sending(_step: ClosureStep, _reason: str, _by: str) -> None:
    """The gate and the outbox refuse since the closure was approved (`Balance.is_closed`). No card is charged again."""
    ledger, recharge = Ledger(), Recharge.locked()
    if ledger.balance and recharge:
        recharge.turn_off(ledger.balance, by="")


def cancel_waiting(step: ClosureStep, _reason: str, _by: str) -> None:
    """Cancels what is queued or scheduled, and gives back what is held for it."""
    error = json.dumps(error_of(BusinessClosed()))
    values = {"tenant": current_tenant_id(), "error": error, "limit": MESSAGES_AT_ONCE}
    while cancelled := list(db.session.scalars(CANCEL, values)):
        show_ticks(cancelled)
        step.facts = {"cancelled": step.facts.get("cancelled", 0) + len(cancelled)}
        commit()
    # What is being sent comes back within its lease: accepted, refused, or queued again.
    step.facts = {"cancelled": step.facts.get("cancelled", 0), "under_way": under_way()}
    if step.facts["under_way"]:
        raise NotYet
    while release_lost(HOLDS_AT_ONCE) == HOLDS_AT_ONCE:
        commit()


def under_way() -> int:
    waits = Message.state.in_(("queued", "scheduled", "dispatching"))
    return db.session.scalar(select(func.count()).select_from(Message).where(waits)) or 0


def leave_meta(step: ClosureStep, reason: str, by: str) -> None:
    """Ends connecting, revokes the credit line, turns off webhooks, deregisters the numbers and deletes our access,
    account by account. What connects a number may be at Meta: it ends before its account is looked at."""
    is_connecting = Onboarding.end_all()
    commit()
    wabas = list(db.session.scalars(select(Waba).order_by(Waba.id)))
    processes = {each.waba_id: each for each in db.session.scalars(select(Offboarding).order_by(Offboarding.id))}
    for waba in wabas:
        if not (process := processes.get(waba.id)) or (process.state == "done" and not waba.is_left):
            processes[waba.id] = Offboarding.begin(waba, by=by, reason=reason)
    left = [each for each in processes.values() if each.state != "done"]
    refused = next((each.error for each in left if each.state == "failed"), None)
    numbers = sum(len(waba.phone_numbers) for waba in wabas)
    step.facts = {"accounts": len(wabas), "numbers": numbers, "left": len(left), "refused": refused}
    if left or is_connecting:
        raise NotYet


def close_books(step: ClosureStep, _reason: str, by: str) -> None:
    """Ends the plan and issues the last invoice. What Meta reports later is posted, and is on one that follows."""
    while post_usages() == AT_ONCE:
        commit()
    ledger = Ledger()
    returned = close_plan(ledger, by=by)
    this = day_of(database_now()).replace(day=1)
    before = (this - dt.timedelta(days=1)).replace(day=1)
    issued = [invoice for month in (before, this) if (invoice := Close(ledger).run(month))]
    currency = ledger.balance.currency if ledger.balance else ""
    step.facts = {"invoices": [invoice.number for invoice in issued], "returned": returned, "currency": currency}


def end_access(step: ClosureStep, reason: str, by: str) -> None:
    """Revokes keys, disables outgoing webhooks, withdraws invitations, ends streams, and shows members that it is
    closed. A message that was being written while the others were cancelled is cancelled now."""
    cancel_waiting(step, reason, by)
    keys = list(db.session.scalars(select(ApiKey).where(ApiKey.revoked_at.is_(None))))
    for key in keys:
        key.revoke()
    endpoints = list(db.session.scalars(WebhookEndpoint.listed().where(WebhookEndpoint.state == "active")))
    for endpoint in endpoints:
        endpoint.disable("closed")
    stop_fetching()
    for invitation in db.session.scalars(Invitation.open_ones()).all():
        Invitation.withdraw(invitation.email)
    members = list(db.session.scalars(select(Membership.user_id)))
    for user_id in members:
        end_streams(user_id)
    tenant = db.session.get_one(Tenant, current_tenant_id())
    tenant.closed_at = tenant.closed_at or database_now()
    later("closing.mail")
    step.facts = {"keys": len(keys), "webhooks": len(endpoints), "members": len(members)}


def stop_fetching() -> None:
    """Disconnects CRMs, and removes what is fetched on a schedule: the feed of listings, pages of knowledge."""
    for connection in CrmConnection.all():
        connection.disconnect()
    db.session.execute(update(ListingSettings).values(feed_url=""))
    db.session.execute(update(KnowledgeSource).values(refresh_hours=0, next_read_at=None))


STEPS = {
    "stop_sending": Step(N_("Stop sending"), stop_sending),
    "cancel_waiting": Step(N_("Cancel waiting messages and release held money"), cancel_waiting),
    "leave_meta": Step(N_("Revoke the credit line and disconnect the numbers"), leave_meta),
    "close_books": Step(N_("End the plan and issue the last invoice"), close_books),
    "end_access": Step(N_("End API keys, webhooks and access"), end_access),
}
# Cancels messages that wait. By ix_messages_due and ix_messages_scheduled; what another transaction has is left for the
# next look.
CANCEL = text("""
    with chosen as (
        select id from messages where tenant_id = :tenant and state in ('queued', 'scheduled')
        limit :limit for update skip locked
    )
    update messages m set state = 'cancelled', lease_until = null, error = cast(:error as jsonb)
    from chosen where m.tenant_id = :tenant and m.id = chosen.id
    returning m.id
""")
