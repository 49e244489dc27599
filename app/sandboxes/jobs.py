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

from . import copies
from .models import PretendedWebhook, Sandbox


@job("sandboxes.open")
def open_sandbox() -> None:
    """Makes the sandbox of a business, and copies its templates."""
    sandbox = Sandbox(current_tenant_id())
    name = db.session.get_one(Tenant, sandbox.business_id).name
    commit()
    sandbox.open(name)
    copy_templates_to(sandbox)


@job("sandboxes.copy_templates")
def copy_templates() -> None:
    """Brings the sandbox's up to date, where the business has one."""
    sandbox = Sandbox(current_tenant_id())
    if sandbox.is_open:
        copy_templates_to(sandbox)


def copy_templates_to(sandbox: Sandbox) -> None:
    """Reads in the scope of the business, then writes in the sandbox's: no transaction sees both."""
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
