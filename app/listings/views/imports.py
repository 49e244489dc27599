"""Importing listings from a file, and what became of it."""

from __future__ import annotations

import contextlib
import uuid
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.contacts.refusals import Refusal
from app.contacts.tables import ENCODINGS, Unreadable
from app.listings.amounts import read_currency
from app.listings.blueprint import bp
from app.listings.imports import MOST_BYTES, MOST_ROWS, ImportProblem, ListingImport
from app.listings.settings import ListingSettings
from app.storage import StorageUnavailable
from app.tenancy import current_actor, db, later, requires, takes_files
from app.tenancy.guard import is_fragment
from app.words import N_

SHOWN, SHOWN_PROBLEMS = 20, 100
Answer = str | tuple[str, int] | AnyResponse
COLUMNS = {
    "external_id": N_("Reference"),
    "title": N_("Title"),
    "kind": N_("Offer"),
    "type": N_("Type"),
    "city": N_("City"),
    "district": N_("District"),
    "price": N_("Price"),
    "currency": N_("Currency"),
    "rooms": N_("Rooms"),
    "area": N_("Area in m²"),
    "url": N_("Link"),
    "picture_url": N_("Picture"),
    "description": N_("Description"),
    "status": N_("Status"),
    "owner_phone": N_("Owner's phone number"),
    "listed_at": N_("Date"),
    "attributes": N_("Attributes"),
}


@bp.get("/imports")
@requires("listings.manage")
def imports() -> str:
    return imports_page()


def imports_page(problem: str = "") -> str:
    return render_template(
        "listings/imports.html",
        problem=problem,
        imports=db.session.scalars(ListingImport.newest().limit(SHOWN)).all(),
        settings=ListingSettings.current(),
        columns=COLUMNS,
        most_rows=MOST_ROWS,
        most_megabytes=MOST_BYTES // 10**6,
    )


@bp.post("/imports")
@requires("listings.manage")
@takes_files(MOST_BYTES + 100_000)
def begin_import() -> Answer:
    """Stores the file; a job reads it."""
    file = request.files.get("file")
    try:
        if file is None or not file.filename:
            raise Unreadable(N_("Choose a file first."))
        written = request.form.get("currency", "").strip()
        currency = read_currency(written) if written else ListingSettings.current().currency
        with contextlib.closing(file):
            begun = ListingImport.begin(
                file.filename,
                file.stream,
                currency=currency,
                withdraws=bool(request.form.get("withdraws")),
                source="upload",
                by=current_actor(),
            )
    except Refusal as refusal:
        return imports_page(refusal.explain(_)), 422
    except StorageUnavailable:
        return imports_page(_("The storage is not available at the moment. Try again in a few minutes.")), 503
    later("listings.advance_import", begun.id)
    return redirect(url_for(".show_import", listing_import_id=begun.id), 303)


@bp.get("/imports/<uuid:listing_import_id>")
@requires("listings.manage")
def show_import(listing_import_id: uuid.UUID) -> str:
    listing_import = ListingImport.get_or_404(listing_import_id)
    template = "listings/_import.html" if is_fragment() else "listings/import.html"
    return render_template(template, **context_of(listing_import))


def context_of(listing_import: ListingImport) -> dict[str, Any]:
    after = request.args.get("after", "")
    start = int(after) if after.isdecimal() and after.isascii() and len(after) < 10 else 0
    problems = db.session.scalars(ImportProblem.of(listing_import.id, start).limit(SHOWN_PROBLEMS + 1)).all()
    return {
        "listing_import": listing_import,
        "problems": problems[:SHOWN_PROBLEMS],
        "more_after": problems[SHOWN_PROBLEMS - 1].number if len(problems) > SHOWN_PROBLEMS else None,
        "columns": COLUMNS,
        "encodings": ENCODINGS,
    }


@bp.post("/feed/fetching")
@requires("listings.manage")
def fetch_feed() -> AnyResponse:
    if ListingSettings.current().feed_url:
        later("listings.fetch_feed")
        flash(_("The feed is being fetched. Its import appears here in a moment."))
    return redirect(url_for(".imports"), 303)
