"""Background jobs of subscriptions: reminders that are due, subscriptions that are over, another hour."""

from __future__ import annotations

from sqlalchemy import select

from app.tenancy import as_uuid, database_now, db, job, later, platform_scope, sweep

from .models import Subscription, SubscriptionReminder, end_due, move_waiting, remind_due


@job("subscriptions.remind", seconds=120)
def remind() -> None:
    """Some of a tenant's; the rest in a job of their own, so that other tenants come in between."""
    if remind_due():
        later("subscriptions.remind")


@job("subscriptions.end", seconds=120)
def end() -> None:
    if end_due():
        later("subscriptions.end")


@job("subscriptions.move", seconds=120)
def move(after_id: str = "") -> None:
    """Moves reminders that wait to another hour of their day."""
    if last := move_waiting(as_uuid(after_id)):
        later("subscriptions.move", last)


@sweep(every=15)
def remind_all() -> None:
    """Enqueues a job for each tenant with something due."""
    with platform_scope("reminders of subscriptions that are due"):
        waiting = SubscriptionReminder.state == "waiting", SubscriptionReminder.due_at <= database_now()
        for tenant_id in db.session.scalars(select(SubscriptionReminder.tenant_id).where(*waiting).distinct()):
            later("subscriptions.remind", tenant_id=tenant_id)


@sweep(every=60)
def end_all() -> None:
    with platform_scope("subscriptions that are over"):
        over = Subscription.status == "active", Subscription.renews.is_(False), Subscription.ends_at <= database_now()
        for tenant_id in db.session.scalars(select(Subscription.tenant_id).where(*over).distinct()):
            later("subscriptions.end", tenant_id=tenant_id)
