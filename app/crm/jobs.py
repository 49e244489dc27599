"""Background jobs of CRM connections: what waits, mails about refused tokens, and deleting copies."""

from __future__ import annotations

import uuid

from sqlalchemy import select

from app.records.models import Record
from app.tenancy import by_chance, db, job, later, now, platform_scope, sweep, uuid7

from .lookups import CrmLookup
from .mails import mail_needs_token
from .models import AT_ONCE, CrmConnection, delete_copies, usable_at
from .notes import CrmNote
from .work import Work


@job("crm.work", "crm", seconds=240)
def work(connection_id: str) -> None:
    if Work.run(connection_id):
        later("crm.work", connection_id)


@sweep(every=10)
def enqueue_due_work() -> None:
    """Connections with something due that may be called: what Redis lost, and what had to wait."""
    at = now()
    with platform_scope("what waits for CRMs"):
        for model in (CrmLookup, CrmNote):
            same = (model.tenant_id == CrmConnection.tenant_id) & (model.connection_id == CrmConnection.id)
            due = select(model.id).where(same, model.due_at <= at).exists()
            waiting = select(CrmConnection.tenant_id, CrmConnection.id).where(usable_at(at), due)
            for tenant_id, id in db.session.execute(waiting).all():
                later("crm.work", id, tenant_id=tenant_id)


@job("crm.mail", seconds=120)
def mail(connection_id: str) -> None:
    mail_needs_token(connection_id)


@sweep(every=60)
def enqueue_due_mails() -> None:
    with platform_scope("mails about CRMs"):
        due = select(CrmConnection.tenant_id, CrmConnection.id).where(CrmConnection.is_mail_due.is_(True))
        for tenant_id, id in db.session.execute(due).all():
            later("crm.mail", id, tenant_id=tenant_id)


@job("crm.forget", seconds=120)
def forget(provider: str, before: str) -> None:
    """Deletes what was copied before a moment, some thousands at a time."""
    if delete_copies(provider, uuid.UUID(before), AT_ONCE):
        later("crm.forget", provider, before)


@sweep(every=600)
def resume_forgetting() -> None:
    """Enqueues again what Redis may have lost: copies of CRMs that are no longer connected."""
    same = (CrmConnection.tenant_id == Record.tenant_id) & (CrmConnection.provider == Record.source)
    without_connection = ~select(CrmConnection.id).where(same).exists()
    left = select(Record.tenant_id, Record.source).where(Record.is_mirrored.is_(True), without_connection).distinct()
    with platform_scope("copies of CRMs that are no longer connected"):
        for tenant_id, provider in db.session.execute(by_chance(left, 100)).all():
            later("crm.forget", provider, uuid7(), tenant_id=tenant_id)
