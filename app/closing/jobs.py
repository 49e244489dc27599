"""Background jobs of closing a business."""

from __future__ import annotations

from sqlalchemy import select

from app.tenancy import db, job, later, now, platform_scope, sweep

from .mails import mail_closed
from .models import Closure


@job("closing.go", seconds=180)
def go(closure_id: str) -> None:
    Closure.get_or_404(closure_id).go()


@sweep(every=10)
def enqueue_closures() -> None:
    """Enqueues what Redis lost, what was killed, and what waits for Meta."""
    due = select(Closure.tenant_id, Closure.id).where(Closure.state == "running", Closure.next_attempt_at <= now())
    with platform_scope("businesses that are being closed"):
        for tenant_id, closure_id in db.session.execute(due):
            later("closing.go", closure_id, tenant_id=tenant_id)


@job("closing.mail")
def mail() -> None:
    mail_closed()
