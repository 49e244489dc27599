"""The custom fields of a business."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.contacts.blueprint import bp
from app.contacts.fields import MOST_FIELDS, ContactField
from app.contacts.forms import KIND_WORDS, FieldForm
from app.tenancy import db, in_menu, requires
from app.words import N_


@bp.get("/fields")
@in_menu(
    "settings", N_("Fields"), "list", order=150, group="inbox", hint=N_("What you want to know about each customer.")
)
@requires("contacts.manage")
def fields() -> str:
    return fields_page(FieldForm(formdata=None))


def fields_page(form: FieldForm, wrong: uuid.UUID | None = None) -> str:
    listed = ContactField.all()
    return render_template("contacts/fields.html", fields=listed, form=form, wrong=wrong, kinds=KIND_WORDS)


@bp.post("/fields")
@requires("contacts.manage")
def create_field() -> AnyResponse | tuple[str, int]:
    form, existing = FieldForm(), ContactField.all()
    if form.validate():
        refuse_taken(form, None)
        if len(existing) >= MOST_FIELDS:
            form.name.errors = [_("A business can have at most %(count)s fields.", count=MOST_FIELDS)]
    if form.errors or form.name.errors:
        return fields_page(form), 422
    position = max((each.position for each in existing), default=0) + 1
    choices = form.listed if form.kind.data == "choice" else []
    db.session.add(ContactField(name=form.name.data, kind=form.kind.data, choices=choices, position=position))
    return redirect(url_for(".fields"), 303)


@bp.post("/fields/<uuid:field_id>")
@requires("contacts.manage")
def change_field(field_id: uuid.UUID) -> AnyResponse | tuple[str, int]:
    """Changes name and choices. The type stays: the saved values are of that type."""
    field, form = ContactField.get_or_404(field_id), FieldForm()
    form.kind.data = field.kind
    if form.validate():
        refuse_taken(form, field)
    if form.errors or form.name.errors:
        return fields_page(form, wrong=field.id), 422
    field.name = form.name.data
    if field.kind == "choice":
        field.choices = form.listed
    flash(_("Field “%(name)s” saved.", name=field.name))
    return redirect(url_for(".fields"), 303)


@bp.post("/fields/<uuid:field_id>/removal")
@requires("contacts.manage")
def delete_field(field_id: uuid.UUID) -> AnyResponse:
    field = ContactField.get_or_404(field_id)
    db.session.delete(field)
    flash(_("Field “%(name)s” and its values deleted.", name=field.name))
    return redirect(url_for(".fields"), 303)


def refuse_taken(form: FieldForm, field: ContactField | None) -> None:
    other = ContactField.named(form.name.data)
    if other is not None and other is not field:
        form.name.errors = [_("Another field has this name.")]
