"""Contacts in from a file, and out to one."""

from __future__ import annotations

import uuid

from flask import Response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app.contacts.blueprint import bp
from app.contacts.exports import table
from app.contacts.fields import ContactField
from app.contacts.forms import one_line
from app.contacts.imports import ContactImport, Unreadable
from app.tenancy import now, requires

SHOWN_PROBLEMS = 100
SHOWN_ROWS = 5


@bp.post("/export")
@requires("contacts.manage")
def export() -> Response:
    name = f"contacts-{now():%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response("".join(table()), content_type="text/csv; charset=utf-8", headers=headers)


@bp.get("/imports")
@requires("contacts.manage")
def new_import() -> str:
    return render_template("contacts/import.html", problem="")


@bp.post("/imports")
@requires("contacts.manage")
def begin_import() -> AnyResponse | tuple[str, int]:
    file = request.files.get("file")
    try:
        if file is None or not file.filename:
            raise Unreadable(_("Choose a file first."))
        begun = ContactImport.begin(file.filename, file.read(), by=current_user)
    except Unreadable as problem:
        return render_template("contacts/import.html", problem=str(problem)), 422
    return redirect(url_for(".show_import", import_id=begun.id), 303)


@bp.get("/imports/<uuid:import_id>")
@requires("contacts.manage")
def show_import(import_id: uuid.UUID) -> str:
    return import_page(ContactImport.get_or_404(import_id))


def import_page(found: ContactImport, problem: str = "") -> str:
    if found.state == "done":
        return render_template("contacts/imported.html", found=found)
    return render_template(
        "contacts/import_check.html",
        found=found,
        problem=problem or found.problem,
        fields=ContactField.all(),
        shown_rows=found.rows[:SHOWN_ROWS],
        shown_problems=found.bad[:SHOWN_PROBLEMS] if not found.problem else [],
    )


@bp.post("/imports/<uuid:import_id>/mapping")
@requires("contacts.manage")
def map_import(import_id: uuid.UUID) -> AnyResponse:
    found = ContactImport.get_or_404(import_id)
    if found.state == "draft":
        remember_mapping(found)
    return redirect(url_for(".show_import", import_id=found.id), 303)


@bp.post("/imports/<uuid:import_id>/run")
@requires("contacts.manage")
def run_import(import_id: uuid.UUID) -> AnyResponse | tuple[str, int]:
    found = ContactImport.get_or_404(import_id)
    if found.state == "draft":
        if found.problem:
            return import_page(found), 422
        if found.bad and not request.form.get("leave_out"):
            return import_page(
                found, _("Some rows have mistakes. Say that they are to be left out, or mend the file.")
            ), 422
        found.run(by=current_user)
    return redirect(url_for(".show_import", import_id=found.id), 303)


def remember_mapping(found: ContactImport) -> None:
    places = {"name", "phone", "tags", "marketing", *(f"field:{each.id}" for each in ContactField.all())}
    columns = range(len(found.header))
    chosen = {str(column): request.form.get(f"column-{column}", "") for column in columns}
    found.remap(
        {column: to for column, to in chosen.items() if to in places}, one_line(request.form.get("evidence"))[:1_000]
    )
