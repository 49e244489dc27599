"""Background jobs of contacts: reading, checking and importing files, and keeping what search finds up to date."""

from __future__ import annotations

import structlog
from sqlalchemy import func, select

from app.tenancy import announce, by_chance, commit, db, in_turn, job, later, now, platform_scope, sweep
from app.words import N_

from . import search
from .import_reading import check_rows, read_file
from .import_writing import write_contacts
from .imports import BUSY, LASTS, MOST_ATTEMPTS, ContactImport
from .models import Contact
from .refusals import Refusal
from .tables import Unreadable

log = structlog.get_logger()

SECONDS = 300
LOST_AFTER = 30


@job("contacts.advance_import", "files", seconds=SECONDS)
def advance_import(import_id: str) -> None:
    """Reads, checks or imports a file. Killed anywhere, it begins again; what kills it every time fails."""
    contact_import = ContactImport.claim(import_id)
    if contact_import is None:
        return
    contact_import.attempts += 1
    if contact_import.attempts > MOST_ATTEMPTS:
        contact_import.fail(Refusal(N_("This file couldn't be processed. Save it again as CSV, or split it.")))
        announce("import", contact_import.id)
        return
    commit()
    if (claimed := ContactImport.claim(import_id)) is not None:
        work_on(claimed)
        announce("import", claimed.id)


def work_on(contact_import: ContactImport) -> None:
    if contact_import.state == "importing":
        write_contacts(contact_import)
        commit()
        index_outdated()
        return
    try:
        if contact_import.state == "reading":
            read_file(contact_import)
    except Unreadable as refusal:
        log.info("import not readable", import_id=str(contact_import.id), reason=refusal.words)
        contact_import.fail(refusal)
        return
    check_rows(contact_import)
    contact_import.state = "ready"


@sweep(every=10)
def recover_imports() -> None:
    """Re-enqueues imports whose job was lost, and clears those of more than a week ago."""
    with platform_scope("imports whose job was lost, and old ones"):
        since = now().timestamp() - LOST_AFTER
        lost = select(ContactImport.tenant_id, ContactImport.id).where(
            ContactImport.state.in_(BUSY), func.extract("epoch", ContactImport.created_at) < since
        )
        for tenant_id, import_id in db.session.execute(by_chance(lost, 100)):
            later("contacts.advance_import", import_id, tenant_id=tenant_id)
        is_old = ContactImport.created_at < now() - LASTS, ~ContactImport.is_cleared
        old = in_turn(select(ContactImport.tenant_id, ContactImport.id).where(*is_old), ContactImport.created_at, 100)
        for tenant_id, import_id in db.session.execute(old):
            later("contacts.clear_import", import_id, tenant_id=tenant_id)


@job("contacts.clear_import", seconds=SECONDS)
def clear_import(import_id: str) -> None:
    """A job for each: they may have a hundred thousand rows."""
    if contact_import := ContactImport.find(import_id):
        contact_import.clear()


@job("contacts.index", "files", seconds=SECONDS)
def index_contacts() -> None:
    """Indexes imported contacts, and those that an older release indexed."""
    index_outdated()


def index_outdated() -> None:
    """A batch per transaction: messages keep arriving meanwhile."""
    while ids := db.session.scalars(search.outdated(Contact).limit(search.AT_ONCE)).all():
        search.index(ids)
        commit()


@sweep(every=60)
def find_outdated_terms() -> None:
    with platform_scope("contacts that are found by terms of an older release"):
        # By ix_contacts_terms_version, which is empty but for a while after a release.
        for tenant_id in db.session.scalars(select(Contact.tenant_id).where(search.is_outdated(Contact)).distinct()):
            later("contacts.index", tenant_id=tenant_id)
