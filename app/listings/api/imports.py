"""Files of listings, by programs."""

from __future__ import annotations

import uuid
from typing import IO, Annotated

from pydantic import Field

from app.api import Page, PageQuery, Place, Problem, Shape, current_key, endpoint, problem
from app.api.pages import after, page_of
from app.contacts.refusals import Refusal
from app.listings.amounts import read_currency
from app.listings.imports import MOST_BYTES, ImportProblem, ListingImport, TooManyImports
from app.listings.settings import ListingSettings
from app.storage import StorageUnavailable
from app.tenancy import db, later
from app.words import N_

from .listings import READ, TAG, WRITE
from .shapes import ImportProblemShape, ImportShape

TYPES = ("text/*", "application/json", "application/x-ndjson", "application/*")
BUSY = problem(
    "too_many_imports", 409, "Earlier imports are on their way", N_("Wait until an earlier import is finished.")
)
UNREADABLE = problem("unreadable_file", 422, "The file can't be read", N_("Send CSV, JSON, JSON lines or Excel."))


class ImportQuery(Shape):
    currency: Annotated[str, Field(max_length=10)] = Field("", description="Of prices that come without one.")
    withdraw_missing: bool = Field(
        False,
        description="Withdraw listings of earlier files that are not in this one, unless it is mostly bad or empty.",
    )


@endpoint(
    "POST",
    "/listings/imports",
    scope=WRITE,
    query=ImportQuery,
    takes=TYPES,
    most_bytes=MOST_BYTES,
    gives=ImportShape,
    status=202,
    tag=TAG,
    problems=(BUSY, UNREADABLE, "storage_away"),
)
def import_listings(body: IO[bytes], query: ImportQuery) -> ImportShape:
    """Import a file of listings.

    CSV, JSON, JSON lines or Excel, up to 250,000 rows. Rows are created or changed by their reference; bad ones are
    left out and reported. Only what differs is changed.
    """
    settings = ListingSettings.current()
    try:
        currency = read_currency(query.currency) if query.currency else settings.currency
        begun = ListingImport.begin(
            "listings",
            body,
            currency=currency,
            withdraws=query.withdraw_missing,
            source="api",
            by=current_key().actor,
        )
    except TooManyImports as refusal:
        raise Problem(BUSY, refusal.explain()) from None
    except Refusal as refusal:
        raise Problem(UNREADABLE, refusal.explain()) from None
    except StorageUnavailable:
        raise Problem("storage_away") from None
    later("listings.advance_import", begun.id)
    return ImportShape.of(begun)


@endpoint("GET", "/listings/imports", scope=READ, query=PageQuery, gives=Page[ImportShape], tag=TAG)
def list_listing_imports(query: PageQuery) -> Page[ImportShape]:
    """List imports of listings.

    Newest first.
    """
    rows = after(ListingImport.newest().order_by(None), query.after, ListingImport.id)
    read = db.session.scalars(rows.limit(query.limit + 1))
    return page_of(read, query.limit, ImportShape.of, lambda one: Place(one.id))


@endpoint("GET", "/listings/imports/<uuid:import_id>", scope=READ, gives=ImportShape, tag=TAG)
def get_listing_import(import_id: uuid.UUID) -> ImportShape:
    """Get an import of listings."""
    return ImportShape.of(ListingImport.get_or_404(import_id))


class ProblemsQuery(Shape):
    limit: int = Field(100, ge=1, le=1_000, description="How many to return.")
    after: int = Field(0, ge=0, le=10**9, description="The number of the last row of the page before.")


class ImportProblems(Shape):
    """`next` is the row after which to go on; null at the end."""

    data: list[ImportProblemShape]
    next: int | None


@endpoint(
    "GET",
    "/listings/imports/<uuid:import_id>/problems",
    scope=READ,
    query=ProblemsQuery,
    gives=ImportProblems,
    tag=TAG,
)
def list_listing_import_problems(import_id: uuid.UUID, query: ProblemsQuery) -> ImportProblems:
    """List the rows that an import left out.

    In the order of the file, each with its number and the reason. For a week.
    """
    listing_import = ListingImport.get_or_404(import_id)
    rows = db.session.scalars(ImportProblem.of(listing_import.id, query.after).limit(query.limit + 1)).all()
    shown = rows[: query.limit]
    following = shown[-1].number if len(rows) > query.limit else None
    return ImportProblems(data=[ImportProblemShape.of(row) for row in shown], next=following)
