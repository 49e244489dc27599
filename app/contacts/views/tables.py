"""Importing contacts from a file, and exporting them to one."""

from __future__ import annotations

import contextlib
import uuid
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app import zones
from app.contacts import countries
from app.contacts.blueprint import bp
from app.contacts.exports import ContactExport, rows_as_csv
from app.contacts.fields import ContactField
from app.contacts.forms import one_line
from app.contacts.imports import NUMBER_CHOICES, ContactImport, ImportRow
from app.contacts.refusals import Refusal
from app.contacts.settings import ContactSettings
from app.contacts.tables import DELIMITERS, ENCODINGS, MOST_BYTES, MOST_ROWS, Unreadable
from app.spreadsheets import csv_download
from app.tenancy import Download, confirmed, db, later, now, requires, takes_files
from app.tenancy.guard import is_fragment, open_when_closed
from app.words import N_

SHOWN_PROBLEMS = 100
SHOWN_ROWS = 5
DELIMITER_WORDS = {",": N_("Comma"), ";": N_("Semicolon"), "\t": N_("Tab"), "|": N_("Vertical bar")}
FORMAT_WORDS = {"csv": N_("CSV"), "xlsx": N_("Excel workbook"), "vcard": N_("vCard")}
TARGET_WORDS = {
    "name": N_("Name"),
    "first_name": N_("First name"),
    "last_name": N_("Last name"),
    "phone": N_("Phone number"),
    "tags": N_("Tags"),
    "marketing": N_("Agreed to marketing"),
}


@bp.get("/export")
@requires("contacts.manage")
def exports() -> str:
    return render_template("contacts/export.html", exports=db.session.scalars(ContactExport.newest()).all())


@bp.post("/export")
@requires("contacts.manage")
@open_when_closed
@confirmed
def export() -> Response:
    ContactExport.record(by=current_user)
    rows = rows_as_csv(Download.begin("contacts.manage"), zones.reader_zone())
    return csv_download(f"contacts-{now():%Y-%m-%d}", rows)


@bp.get("/imports")
@requires("contacts.manage")
def new_import() -> str:
    return new_import_page()


def new_import_page(problem: str = "") -> str:
    return render_template(
        "contacts/import.html",
        problem=problem,
        unfinished=db.session.scalars(ContactImport.unfinished()).all(),
        most_rows=MOST_ROWS,
        most_megabytes=MOST_BYTES // 10**6,
    )


@bp.post("/imports")
@requires("contacts.manage")
@takes_files(MOST_BYTES + 100_000)
def begin_import() -> AnyResponse | tuple[str, int]:
    """Stores the file; a job reads it."""
    file = request.files.get("file")
    try:
        if file is None or not file.filename:
            raise Unreadable(N_("Choose a file first."))
        with contextlib.closing(file):
            data = file.read()
        country = ContactSettings.default_country()
        begun = ContactImport.begin(file.filename, data, country=country, by=current_user)
    except Refusal as refusal:
        return new_import_page(refusal.explain(_)), 422
    later("contacts.advance_import", begun.id)
    return redirect(url_for(".show_import", import_id=begun.id), 303)


@bp.get("/imports/<uuid:import_id>")
@requires("contacts.manage")
def show_import(import_id: uuid.UUID) -> str:
    return import_page(ContactImport.get_or_404(import_id))


def import_page(contact_import: ContactImport, problem: str = "") -> str:
    template = "contacts/_import.html" if is_fragment() else "contacts/import_show.html"
    return render_template(template, **import_context(contact_import), problem=problem)


def import_context(contact_import: ContactImport) -> dict[str, Any]:
    after = request.args.get("after", "")
    bad = ImportRow.of(contact_import.id, int(after) if after.isdecimal() and len(after) < 10 else 0).where(
        ImportRow.is_bad
    )
    is_listed = contact_import.state in ("ready", "done")
    rows = (
        list(db.session.scalars(ImportRow.of(contact_import.id).limit(SHOWN_ROWS)))
        if contact_import.state == "ready"
        else []
    )
    problems = list(db.session.scalars(bad.limit(SHOWN_PROBLEMS + 1))) if is_listed else []
    return {
        "contact_import": contact_import,
        "rows": rows,
        "problems": problems[:SHOWN_PROBLEMS],
        "more_after": problems[SHOWN_PROBLEMS - 1].number if len(problems) > SHOWN_PROBLEMS else None,
        "fields": ContactField.all(),
        "countries": countries.choices(),
        "words": {
            "formats": FORMAT_WORDS,
            "delimiters": DELIMITER_WORDS,
            "encodings": ENCODINGS,
            "targets": TARGET_WORDS,
        },
    }


@bp.post("/imports/<uuid:import_id>/reading")
@requires("contacts.manage")
def reread_import(import_id: uuid.UUID) -> AnyResponse:
    """Reads the file again with the encoding, delimiter, sheet or first row that a person chose."""
    contact_import = ContactImport.get_or_404(import_id).refresh_locked()
    if contact_import.state == "ready":
        contact_import.reread(
            {
                "encoding": one_of(request.form.get("encoding"), ENCODINGS),
                "delimiter": one_of(request.form.get("delimiter"), DELIMITERS),
                "sheet": one_of(request.form.get("sheet"), contact_import.sheets),
                "first_row": one_of(request.form.get("first_row"), ("header", "contact")),
            }
        )
        later("contacts.advance_import", contact_import.id)
    return redirect(url_for(".show_import", import_id=contact_import.id), 303)


@bp.post("/imports/<uuid:import_id>/mapping")
@requires("contacts.manage")
def map_import(import_id: uuid.UUID) -> AnyResponse:
    """Checks the rows again with the columns that a person chose."""
    contact_import = ContactImport.get_or_404(import_id).refresh_locked()
    if contact_import.state == "ready":
        check_again(contact_import, chosen_reading(contact_import))
    return redirect(url_for(".show_import", import_id=contact_import.id), 303)


def chosen_reading(contact_import: ContactImport) -> dict[str, Any]:
    targets = {*TARGET_WORDS, "new", *(f"field:{each.id}" for each in ContactField.all())}
    chosen = {str(column): request.form.get(f"column-{column}", "") for column in range(len(contact_import.header))}
    return {
        "mapping": {column: target for column, target in chosen.items() if target in targets},
        "country": one_of(request.form.get("country"), [code for code, _name in countries.choices()]),
        "number_choice": one_of(request.form.get("number_choice"), NUMBER_CHOICES) or "first",
        "evidence": one_line(request.form.get("evidence"))[:1_000],
    }


def check_again(contact_import: ContactImport, reading: dict[str, Any]) -> None:
    contact_import.recheck(**reading)
    ContactSettings.save_country(reading["country"])
    later("contacts.advance_import", contact_import.id)


@bp.post("/imports/<uuid:import_id>/run")
@requires("contacts.manage")
def run_import(import_id: uuid.UUID) -> AnyResponse | tuple[str, int]:
    """Columns that were chosen since the rows were checked are never imported unseen: they are checked first."""
    contact_import = ContactImport.get_or_404(import_id).refresh_locked()
    if contact_import.state == "ready":
        reading = chosen_reading(contact_import) if "country" in request.form else {}
        if any(getattr(contact_import, name) != value for name, value in reading.items()):
            check_again(contact_import, reading)
            flash(_("You changed the columns. Check the result, then import."), "warning")
            return redirect(url_for(".show_import", import_id=contact_import.id), 303)
        if contact_import.blocker:
            return import_page(contact_import), 422
        if contact_import.counts.get("bad") and not request.form.get("leave_out"):
            return import_page(
                contact_import, _("Some rows have mistakes. Tick “Skip rows with mistakes”, or fix the file.")
            ), 422
        contact_import.start()
        later("contacts.advance_import", contact_import.id)
    return redirect(url_for(".show_import", import_id=contact_import.id), 303)


@bp.post("/imports/<uuid:import_id>/removal")
@requires("contacts.manage")
def discard_import(import_id: uuid.UUID) -> AnyResponse:
    contact_import = ContactImport.get_or_404(import_id).refresh_locked()
    if contact_import.is_open or contact_import.state == "failed":
        db.session.delete(contact_import)
        flash(_("Import of “%(name)s” discarded.", name=contact_import.filename))
    return redirect(url_for(".new_import"), 303)


def one_of(value: str | None, allowed: Any) -> str:
    return value if value in allowed and value else ""
