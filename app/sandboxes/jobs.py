"""Background jobs of sandboxes: make them, copy templates, post what Meta would."""

from __future__ import annotations

from sqlalchemy import select

from app.tenancy import (
    Tenant,
    commit,
    current_tenant_id,
    database_now,
    db,
    job,
    later,
    platform_scope,
    sweep,
    tenant_scope,
)
from app.tenancy.queue import Job

from . import copies
from .models import PretendedWebhook, Sandbox

COPIES: list[Job] = []


@job("sandboxes.open")
def open_sandbox() -> None:
    """Makes the sandbox of a business; what test keys need of the business follows."""
    sandbox = Sandbox(current_tenant_id())
    name = db.session.get_one(Tenant, sandbox.business_id).name
    commit()
    sandbox.open(name)
    for copy in COPIES:
        later(copy.name)


def copies_to_sandboxes(copy: Job) -> Job:
    """Marks a job that brings a sandbox up to date, which also runs when one was made."""
    COPIES.append(copy)
    return copy


@copies_to_sandboxes
@job("sandboxes.copy_templates", seconds=180)
def copy_templates() -> None:
    """Brings the sandbox's up to date, where the business has one. No transaction sees both."""
    sandbox = Sandbox(current_tenant_id())
    if not sandbox.is_open:
        return
    templates = copies.read()
    commit()
    with tenant_scope(sandbox.id):
        copies.write(templates)


@job("sandboxes.post_webhooks")
def post_webhooks() -> None:
    PretendedWebhook.post_due()


@sweep(every=5)
def enqueue_webhooks() -> None:
    """Has those posted that are due by now, also where a job was lost."""
    with platform_scope("webhooks of sandboxes that are due"):
        due = select(PretendedWebhook.tenant_id).where(PretendedWebhook.due_at <= database_now()).distinct()
        for tenant_id in db.session.scalars(due):
            later("sandboxes.post_webhooks", tenant_id=tenant_id)
