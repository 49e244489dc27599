"""Background jobs of money: posting, repricing, giving back what is held in vain, alerts."""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid

import structlog
from sqlalchemy import Select, select

from app.extensions import outside
from app.meta import business_invoices
from app.meta.errors import MetaError
from app.tenancy import Tenant, by_chance, db, enqueue, job, later, now, platform_scope, sweep, tenant_scope
from app.wabas.models import Waba

from .alerts import mail_alert, mail_recharge, mail_trial
from .balances import Balance
from .credit_line import CreditLineCheck
from .guard import GuardStep
from .holds import Hold, release_lost
from .invoices import Close, Invoice, month_after, month_to_close
from .ledger import Ledger
from .meta_invoices import InvoiceComparison, MetaInvoice, MetaReport
from .posting import AT_ONCE, post_usages
from .rate_cards import day_of
from .recharging import charge, recharge
from .reconciliation import Reconciliation
from .repricing import Repricing
from .stripe_account import StripeError
from .stripe_events import StripeEvent
from .subscriptions import REMINDERS, charge_monthly_fee, settle_trial
from .tiers import AT_ONCE as PRICED_AT_ONCE
from .tiers import Tiers
from .top_ups import TopUp
from .totals import MonthTotal
from .usage import FreeMessage, Usage

log = structlog.get_logger()

TENANTS_AT_ONCE = 500
# Invoices that were issued within so many days are read again: their payment status changes.
INVOICES_SINCE = dt.timedelta(days=100)
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


@job("billing.tiers", seconds=180)
def price_by_tiers(waba_id: str) -> None:
    """Prices an account's last days by the volume tiers in which Meta counted them."""
    if Tiers(uuid.UUID(waba_id)).run() == PRICED_AT_ONCE:
        later("billing.tiers", waba_id)


@sweep(every=3600)
def enqueue_reconciliations() -> None:
    """Enqueues each account once a day, some hours after midnight in UTC, when Meta has counted the day."""
    if now().hour != RECONCILED_AT:
        return
    with platform_scope("accounts to reconcile"):
        for tenant_id, waba_id in db.session.execute(accounts_to_reconcile()):
            later("billing.reconcile", waba_id, tenant_id=tenant_id)
            later("billing.tiers", waba_id, tenant_id=tenant_id)


def accounts_to_reconcile() -> Select[uuid.UUID, uuid.UUID]:
    return accounts().where(Waba.token_ciphertext.is_not(None))


def accounts() -> Select[uuid.UUID, uuid.UUID]:
    query = select(Waba.tenant_id, Waba.id).join(Tenant, Tenant.id == Waba.tenant_id)
    return query.where(~Tenant.is_sandbox)


@job("billing.fetch_meta_invoices", per_tenant=False)
def fetch_meta_invoices() -> None:
    """Reads what Meta has invoiced in the last months."""
    here, today = outside(), day_of(now())
    try:
        invoices = business_invoices.fetch(
            here.graph,
            here.settings.meta_system_user_token,
            here.settings.meta_business_id,
            today - INVOICES_SINCE,
            today,
        )
    except MetaError as error:
        log.warning("invoices of Meta not read", meta_code=error.code)
        return
    with platform_scope("invoices of Meta"):
        MetaInvoice.save(invoices)


@sweep(every=86_400)
def enqueue_meta_invoices() -> None:
    if outside().settings.meta_business_id:
        enqueue("billing.fetch_meta_invoices")


@job("billing.compare_report", per_tenant=False)
def compare_report(month: str) -> None:
    """Enqueues the comparison of each account with Meta's report of a month."""
    with platform_scope("accounts to compare with Meta's report"):
        for tenant_id, waba_id in db.session.execute(accounts()):
            later("billing.compare_account", tenant_id, waba_id, month)


@job("billing.compare_account", per_tenant=False, seconds=180)
def compare_account(tenant_id: str, waba_id: str, month: str) -> None:
    first = dt.date.fromisoformat(month)
    with platform_scope("report of Meta"):
        report, waba = MetaReport.of_month(first), db.session.get(Waba, (uuid.UUID(tenant_id), uuid.UUID(waba_id)))
        figures = report.figures_of(waba.meta_id) if report and waba else None
    if figures is not None:
        with tenant_scope(uuid.UUID(tenant_id)):
            InvoiceComparison.compare(uuid.UUID(waba_id), first, figures)


@job("billing.rebuild_totals", seconds=120)
def rebuild_totals() -> None:
    """Adds up this month and the one before anew: an older version of the program may have added to days alone."""
    Ledger()
    this = day_of(now()).replace(day=1)
    for month in ((this - dt.timedelta(days=1)).replace(day=1), this):
        MonthTotal.rebuild(month)


@sweep(every=86_400)
def enqueue_rebuilding() -> None:
    with platform_scope("totals of months"):
        since = (day_of(now()).replace(day=1) - dt.timedelta(days=1)).replace(day=1)
        for tenant_id in db.session.scalars(select(MonthTotal.tenant_id).where(MonthTotal.month >= since).distinct()):
            later("billing.rebuild_totals", tenant_id=tenant_id)


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
        for tenant_id in db.session.scalars(by_chance(due, TENANTS_AT_ONCE)):
            later("billing.close", month, tenant_id=tenant_id)


@job("billing.fee")
def charge_fee() -> None:
    charge_monthly_fee()


@sweep(every=600)
def enqueue_fees() -> None:
    """Enqueues the monthly fees that are due: at the beginning of a month, in UTC."""
    with platform_scope("monthly fees"):
        today = day_of(now())
        goes_on = Balance.ends_on.is_(None) | (Balance.ends_on > today)
        is_due = Balance.plan_id.is_not(None) & (Balance.fee_month < today.replace(day=1))
        is_due &= goes_on & Balance.trial_until.is_(None)
        for tenant_id in db.session.scalars(by_chance(select(Balance.tenant_id).where(is_due), TENANTS_AT_ONCE)):
            later("billing.fee", tenant_id=tenant_id)


@sweep(every=30)
def enqueue_unposted() -> None:
    """Enqueues what Redis lost."""
    with platform_scope("charged messages without a journal"):
        for model in (Usage, FreeMessage):
            waiting = select(model.tenant_id).where(~model.is_posted).distinct()
            for tenant_id in db.session.scalars(by_chance(waiting, TENANTS_AT_ONCE)):
                later("billing.post", tenant_id=tenant_id)


@sweep(every=60)
def enqueue_releases() -> None:
    """Enqueues the release of holds of each tenant that has any."""
    with platform_scope("money held for messages"):
        for tenant_id in db.session.scalars(by_chance(select(Hold.tenant_id).distinct(), TENANTS_AT_ONCE)):
            later("billing.release", tenant_id=tenant_id)


@job("billing.trial")
def end_or_remind() -> None:
    settle_trial()


@sweep(every=3600)
def enqueue_trials() -> None:
    """Enqueues the trials that end within days."""
    with platform_scope("trials that end"):
        ends_soon = Balance.trial_until <= day_of(now()) + dt.timedelta(days=max(REMINDERS))
        for tenant_id in db.session.scalars(by_chance(select(Balance.tenant_id).where(ends_soon), TENANTS_AT_ONCE)):
            later("billing.trial", tenant_id=tenant_id)


@job("billing.mail_trial")
def send_trial_mail(stage: str) -> None:
    mail_trial(stage)


@job("billing.mail_recharge")
def send_recharge_mail(reason: str) -> None:
    mail_recharge(reason)


@job("billing.stripe_event", per_tenant=False)
def handle_stripe_event(event_id: str) -> None:
    StripeEvent.handle(event_id)


@sweep(every=60)
def enqueue_stripe_events() -> None:
    """Enqueues what Redis lost, or Stripe could not say."""
    with platform_scope("events of Stripe"):
        StripeEvent.forget_old()
        for event_id in StripeEvent.waiting():
            later("billing.stripe_event", event_id)


@job("billing.catch_up_with_stripe", per_tenant=False, seconds=300)
def catch_up_with_stripe() -> None:
    """Finds refunds, disputes and payments whose events never arrived."""
    try:
        StripeEvent.catch_up()
    except StripeError as error:
        log.warning("events of Stripe not listed", error=type(error).__name__, code=error.code)


@sweep(every=86_400)
def enqueue_catching_up() -> None:
    if outside().settings.stripe_secret_key:
        enqueue("billing.catch_up_with_stripe")


@job("billing.check_top_up")
def check_top_up(top_up_id: str) -> None:
    """Asks Stripe about a payment that no one has reported: its event may be lost."""
    with contextlib.suppress(StripeError):
        if TopUp.get_or_404(top_up_id).is_unheard:
            charge(uuid.UUID(top_up_id))
        else:
            TopUp.check(uuid.UUID(top_up_id))


@sweep(every=60)
def enqueue_open_top_ups() -> None:
    """Enqueues payments that stay open: the events of some are lost."""
    with platform_scope("open payments"):
        is_due = (TopUp.state == "opened") & (TopUp.next_check_at <= now())
        due = select(TopUp.tenant_id, TopUp.id).where(is_due).order_by(TopUp.next_check_at).limit(TENANTS_AT_ONCE)
        for tenant_id, top_up_id in db.session.execute(due):
            later("billing.check_top_up", top_up_id, tenant_id=tenant_id)


@job("billing.recharge")
def recharge_balance() -> None:
    recharge()


@sweep(every=60)
def enqueue_recharges() -> None:
    """Enqueues balances that are low: messages under way use them up without a posting."""
    available = Balance.balance_micros + Balance.limit_micros - Balance.held_micros
    with platform_scope("balances to recharge"):
        is_low = Balance.recharge_below_micros.is_not(None) & (available < Balance.recharge_below_micros)
        for tenant_id in db.session.scalars(by_chance(select(Balance.tenant_id).where(is_low), TENANTS_AT_ONCE)):
            later("billing.recharge", tenant_id=tenant_id)
