"""Background jobs of webhooks: sending, replays, mails, and deleting what is old."""

from __future__ import annotations

import structlog
from sqlalchemy import select

from app.extensions import outside
from app.tenancy import Tenant, db, enqueue, job, later, now, platform_scope, sweep

from .deliverer import Deliverer, waiting_endpoints
from .deliveries import cancel_waiting
from .endpoints import WebhookEndpoint
from .mails import mail_disabled
from .replays import replay_range
from .retention import forget_old, purge

log = structlog.get_logger()

AT_ONCE = 5_000


@job("hooks.deliver", "hooks", per_tenant=False, seconds=180)
def deliver() -> None:
    """Sends what is due to every webhook; enqueues itself again if time runs out first."""
    if Deliverer(outside().egress).run():
        enqueue("hooks.deliver")


@sweep(every=5)
def enqueue_due_deliveries() -> None:
    if any(is_due for *_, is_due in waiting_endpoints()):
        enqueue("hooks.deliver")


@job("hooks.cancel", seconds=120)
def cancel(endpoint_id: str) -> None:
    """Cancels what waits for a disabled webhook, some thousands at a time."""
    endpoint = WebhookEndpoint.find(endpoint_id)
    if endpoint and not endpoint.is_active and cancel_waiting(endpoint.id, AT_ONCE) == AT_ONCE:
        later("hooks.cancel", endpoint_id)


@job("hooks.purge", seconds=120)
def purge_endpoint(endpoint_id: str) -> None:
    """Deletes a removed webhook and its log, some thousands of deliveries at a time."""
    if not purge(endpoint_id, AT_ONCE):
        later("hooks.purge", endpoint_id)


@job("hooks.replay", seconds=120)
def replay(endpoint_id: str, first: str, last: str) -> None:
    """Queues a stretch of time again for one webhook, some hundreds of events at a time."""
    if after := replay_range(endpoint_id, first, last):
        later("hooks.replay", endpoint_id, after, last)


@job("hooks.mail_disabled", seconds=120)
def mail(endpoint_id: str) -> None:
    mail_disabled(endpoint_id)


@sweep(every=60)
def resume_endpoints() -> None:
    """Enqueues again what Redis may have lost: mails that are due, and the rest of disabled and removed webhooks."""
    with platform_scope("webhooks that were disabled or removed"):
        query = select(
            WebhookEndpoint.tenant_id, WebhookEndpoint.id, WebhookEndpoint.state, WebhookEndpoint.is_mail_due
        )
        for tenant_id, id, state, is_mail_due in db.session.execute(
            query.where(WebhookEndpoint.state != "active")
        ).all():
            later("hooks.purge" if state == "removed" else "hooks.cancel", id, tenant_id=tenant_id)
            if is_mail_due:
                later("hooks.mail_disabled", id, tenant_id=tenant_id)


@sweep(every=3600)
def forget_old_deliveries() -> None:
    """Has what is older than 30 days deleted, by a job of each business: some have millions."""
    with platform_scope("businesses whose old deliveries are deleted"):
        for tenant_id in db.session.scalars(select(Tenant.id)):
            later("hooks.forget", tenant_id=tenant_id)


@job("hooks.forget", seconds=120)
def forget() -> None:
    if forget_old(now(), AT_ONCE):
        later("hooks.forget")
