"""Fetches the feed of a business from its address: public, over TLS, within limits, once a day or when asked."""

from __future__ import annotations

import datetime as dt
import tempfile
import uuid
from typing import IO

import structlog
from sqlalchemy import Select, or_, select

from app.contacts.refusals import Refusal
from app.egress import Refused, Unreachable
from app.extensions import outside
from app.storage import StorageUnavailable
from app.tenancy import Actor, commit, now
from app.words import N_

from .imports import MOST_BYTES, ListingImport
from .settings import ListingSettings

log = structlog.get_logger()

EVERY = dt.timedelta(hours=24)
SECONDS = 120.0
BY = Actor.system("feed")
HEADERS = {"User-Agent": "Switchboard", "Accept": "text/csv, application/json, */*;q=0.5"}
NOT_ALLOWED = N_("This address can't be called. Use a public one that begins with https://.")
NO_ANSWER = N_("The address did not answer in time.")
OTHER_ANSWER = N_("The address answered with status {status} instead of the feed.")
TOO_LARGE = N_("The feed is larger than {count} MB.")


def due_since(at: dt.datetime) -> Select[uuid.UUID]:
    """The settings whose feed was fetched more than a day ago."""
    late = or_(ListingSettings.feed_fetched_at.is_(None), ListingSettings.feed_fetched_at < at - EVERY)
    return select(ListingSettings.tenant_id).where(ListingSettings.feed_url != "", late)


def fetch(settings: ListingSettings) -> ListingImport | None:
    """Puts the feed into storage and begins its import. Commits first; a failure is stored in the settings."""
    url, settings.feed_fetched_at = settings.feed_url, now()
    commit()
    with tempfile.TemporaryFile() as file:
        failure = download(url, file)
        settings = ListingSettings.current()
        if failure is None:
            try:
                begun = ListingImport.begin(
                    "feed", file, currency=settings.currency, withdraws=settings.feed_withdraws, source="feed", by=BY
                )
            except Refusal as refusal:
                failure = refusal
            except StorageUnavailable:
                failure = Refusal(N_("The storage is not available. The feed is fetched again tomorrow."))
            else:
                settings.feed_failure = {}
                return begun
        settings.feed_failure = failure.as_dict()
    return None


def download(url: str, file: IO[bytes]) -> Refusal | None:
    """Writes what the address answers into the file. Returns why not, if so."""
    size = 0
    try:
        with outside().egress.answered("GET", url, HEADERS, seconds=SECONDS) as answer:
            if answer.status != 200:
                return Refusal(OTHER_ANSWER, status=answer.status)
            for chunk in answer.iter_stream():
                size += len(chunk)
                if size > MOST_BYTES:
                    return Refusal(TOO_LARGE, count=MOST_BYTES // 10**6)
                file.write(chunk)
    except Refused:
        return Refusal(NOT_ALLOWED)
    except Unreachable as problem:
        log.info("feed not reached", reason=str(problem))
        return Refusal(NO_ANSWER)
    return None
