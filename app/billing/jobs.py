"""Background jobs of money: posting, repricing, giving back what is held in vain, alerts."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import Select, select

from app.tenancy import Tenant, db, enqueue, job, later, now, platform_scope, sweep
from app.wabas.models import Waba

from .alerts import mail_alert
from .balances import Balance
from .credit_line import CreditLineCheck
from .guard import GuardStep
from .holds import Hold, release_lost
from .invoices import Close, Invoice, month_after, month_to_close
from .ledger import Ledger
from .posting import AT_ONCE, post_usages
from .rate_cards import day_of
from .reconciliation import Reconciliation
from .repricing import Repricing
from .subscriptions import charge_monthly_fee
from .usage import FreeMessage, Usage

TENANTS_AT_ONCE = 500
RECONCILED_AT = 9


@job("billing.post", seconds=120)
def post() -> None:
    """Posts what is charged and not posted yet, some thousands at a time."""
    if post_usages() == AT_ONCE:
        later("billing.post")


@job("billing.reprice", seconds=120)
def reprice(since: str, after: str = "") -> None:
    """Compares journals since a day with the cards in force, some thousands at a time."""
    _changed, last = Repricing().run(dt.date.fromisoformat(since), uuid.UUID(after) if after else None)
    if last:
        later("billing.reprice", since, last)


@job("billing.release")
def release() -> None:
    """Gives back what is held for messages that did not go out."""
    if release_lost() == 1_000:
        later("billing.release")


@job("billing.alert")
def alert(level: str) -> None:
    mail_alert(int(level))


@job("billing.revoke", seconds=120)
def revoke(step_id: str) -> None:
    """Revokes the credit line of a business, as two admins have decided."""
    GuardStep.get_or_404(step_id).revoke()


@sweep(every=120)
def enqueue_revocations() -> None:
    """Enqueues what Redis lost, or Meta refused."""
    with platform_scope("credit lines that are being revoked"):
        waiting = select(GuardStep.tenant_id, GuardStep.id).where(GuardStep.state == "revoking")
        for tenant_id, step_id in db.session.execute(waiting):
            later("billing.revoke", step_id, tenant_id=tenant_id)


@job("billing.read_credit_line", per_tenant=False)
def read_credit_line() -> None:
    CreditLineCheck().run()


@sweep(every=900)
def enqueue_reading() -> None:
    enqueue("billing.read_credit_line")


@job("billing.reconcile", seconds=180)
def reconcile(waba_id: str) -> None:
    """Compares an account's last days with what Meta counted."""
    Reconciliation(uuid.UUID(waba_id)).run()


@sweep(every=3600)
def enqueue_reconciliations() -> None:
    """Enqueues each account once a day, some hours after midnight in UTC, when Meta has counted the day."""
    if now().hour != RECONCILED_AT:
        return
    with platform_scope("accounts to reconcile"):
        for tenant_id, waba_id in db.session.execute(accounts_to_reconcile()):
            later("billing.reconcile", waba_id, tenant_id=tenant_id)


def accounts_to_reconcile() -> Select[uuid.UUID, uuid.UUID]:
    query = select(Waba.tenant_id, Waba.id).join(Tenant, Tenant.id == Waba.tenant_id)
    return query.where(Waba.token_ciphertext.is_not(None), ~Tenant.is_sandbox)


@job("billing.close", seconds=180)
def close(month: str) -> None:
    """Issues the invoice of a month, and of what came late for earlier ones."""
    Close(Ledger()).run(dt.date.fromisoformat(month))


@sweep(every=3600)
def enqueue_closes() -> None:
    """Enqueues, for each business with a plan, the month that is to be closed."""
    month = month_to_close(day_of(now()))
    closed = select(Invoice.id).where(Invoice.tenant_id == Balance.tenant_id, Invoice.until >= month_after(month))
    with platform_scope("months to be closed"):
        due = select(Balance.tenant_id).where(Balance.plan_id.is_not(None), ~closed.exists())
        for tenant_id in db.session.scalars(due.limit(TENANTS_AT_ONCE)):
            later("billing.close", month, tenant_id=tenant_id)


@job("billing.fee")
def charge_fee() -> None:
    charge_monthly_fee()


@sweep(every=600)
def enqueue_fees() -> None:
    """Enqueues the monthly fees that are due: at the beginning of a month, in UTC."""
    with platform_scope("monthly fees"):
        is_due = Balance.plan_id.is_not(None) & (Balance.fee_month < day_of(now()).replace(day=1))
        for tenant_id in db.session.scalars(select(Balance.tenant_id).where(is_due).limit(TENANTS_AT_ONCE)):
            later("billing.fee", tenant_id=tenant_id)


@sweep(every=30)
def enqueue_unposted() -> None:
    """Enqueues what Redis lost."""
    with platform_scope("charged messages without a journal"):
        for model in (Usage, FreeMessage):
            waiting = select(model.tenant_id).where(~model.is_posted).distinct().limit(TENANTS_AT_ONCE)
            for tenant_id in db.session.scalars(waiting):
                later("billing.post", tenant_id=tenant_id)


@sweep(every=60)
def enqueue_releases() -> None:
    """Enqueues the release of holds of each tenant that has any."""
    with platform_scope("money held for messages"):
        for tenant_id in db.session.scalars(select(Hold.tenant_id).distinct().limit(TENANTS_AT_ONCE)):
            later("billing.release", tenant_id=tenant_id)
