"""Background jobs of listings: imports, the daily feed, matching saved searches, and sending alerts."""

from __future__ import annotations

import datetime as dt

import structlog
from sqlalchemy import select

from app.contacts.refusals import Refusal
from app.inbox.files.deletions import delete_later
from app.storage import NotStored, StorageUnavailable
from app.tenancy import announce, by_chance, commit, db, in_turn, job, later, now, platform_scope, sweep
from app.words import N_

from .alerts import ListingAlert, send_due
from .feed_writing import work_on
from .fetching import due_since, fetch
from .imports import BUSY, LASTS, MOST_ATTEMPTS, ListingImport
from .matching import match
from .saved_searches import SavedSearch
from .settings import ListingSettings

log = structlog.get_logger()

LOST_AFTER = dt.timedelta(seconds=60)
MOST_TENANTS = 1_000
# Alerts that one turn sends before other businesses have theirs.
AT_ONCE = 200


@job("listings.advance_import", "files", seconds=300)
def advance_import(import_id: str) -> None:
    """Writes the next rows of a file. Killed anywhere, it goes on; what kills it every time fails."""
    listing_import = ListingImport.claim(import_id)
    if listing_import is None:
        return
    listing_import.attempts += 1
    listing_import.worked_at = now()
    if listing_import.attempts > MOST_ATTEMPTS:
        listing_import.fail(Refusal(N_("This file couldn't be processed. Save it again as CSV, or split it.")))
        settle(import_id)
        return
    commit()
    if (claimed := ListingImport.claim(import_id)) is None:
        return
    try:
        work_on(claimed)
    except (NotStored, StorageUnavailable) as problem:
        # The sweep tries again in a while: the store may be unavailable, or the file on its way into it.
        log.warning("file of an import not readable", import_id=import_id, reason=type(problem).__name__)
        return
    settle(import_id)


def settle(import_id: str) -> None:
    """Goes on in another turn, or forgets the file."""
    listing_import = ListingImport.find(import_id)
    if listing_import is None:
        return
    announce("listing_import", listing_import.id)
    if listing_import.is_busy:
        later("listings.advance_import", listing_import.id)
        return
    delete_later([listing_import.storage_key])
    listing_import.storage_key = ""


@sweep(every=10)
def recover_imports() -> None:
    """Re-enqueues imports whose job was lost, and clears the reports of more than a week ago."""
    with platform_scope("listing imports whose job was lost, and old ones"):
        lost = ListingImport.state.in_(BUSY), ListingImport.worked_at < now() - LOST_AFTER
        query = select(ListingImport.tenant_id, ListingImport.id).where(*lost)
        for tenant_id, import_id in db.session.execute(by_chance(query, 100)):
            later("listings.advance_import", import_id, tenant_id=tenant_id)
        old = ListingImport.created_at < now() - LASTS, ~ListingImport.is_cleared, ListingImport.state.not_in(BUSY)
        query = select(ListingImport.tenant_id, ListingImport.id).where(*old)
        for tenant_id, import_id in db.session.execute(in_turn(query, ListingImport.created_at, 100)):
            later("listings.clear_import", import_id, tenant_id=tenant_id)


@job("listings.clear_import")
def clear_import(import_id: str) -> None:
    if (listing_import := ListingImport.find(import_id)) and not listing_import.is_busy:
        listing_import.clear()


@job("listings.fetch_feed", "files", seconds=300)
def fetch_feed() -> None:
    settings = ListingSettings.current()
    if settings.feed_url and (begun := fetch(settings)) is not None:
        later("listings.advance_import", begun.id)


@sweep(every=300)
def fetch_due_feeds() -> None:
    with platform_scope("listing feeds that are due"):
        for tenant_id in db.session.scalars(by_chance(due_since(now()), 100)):
            later("listings.fetch_feed", tenant_id=tenant_id)


@job("listings.match", "files", seconds=300)
def match_searches() -> None:
    """Makes the alerts that are due by the clock of the business."""
    settings = ListingSettings.current()
    if settings.alert_notification is None:
        return
    made = match(settings, now())
    if made:
        log.info("alerts made", count=made)
    later("listings.send_alerts")


@job("listings.send_alerts", "default", seconds=120)
def send_alerts() -> None:
    """Sends what is due, some in each transaction; the rest in a job of its own, so that others come in between."""
    settings = ListingSettings.current()
    notification = settings.alert_notification
    if notification is not None and send_due(notification, settings, AT_ONCE) == AT_ONCE:
        later("listings.send_alerts")


@sweep(every=300)
def match_all() -> None:
    """Each business with active searches; what was matched and not sent is sent."""
    with platform_scope("saved searches"):
        active = select(SavedSearch.tenant_id).where(SavedSearch.state == "active").distinct()
        for tenant_id in db.session.scalars(by_chance(active, MOST_TENANTS)).all():
            later("listings.match", tenant_id=tenant_id)
        due = select(ListingAlert.tenant_id).where(ListingAlert.state == "due").distinct()
        for tenant_id in db.session.scalars(by_chance(due, MOST_TENANTS)).all():
            later("listings.send_alerts", tenant_id=tenant_id)
