"""The parts of a contact that are edited in place, in the inbox or on the contact's own page."""

from __future__ import annotations

import uuid

from flask import abort, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from app.contacts import search
from app.contacts.blueprint import bp
from app.contacts.consents import Consent
from app.contacts.fields import Wrong
from app.contacts.forms import ConsentForm, LinkForm, NoteForm, TagNameForm
from app.contacts.models import Contact
from app.contacts.person import MOST_LINKS, Person
from app.contacts.records import ContactLink, ContactNote
from app.contacts.tags import Tag
from app.tenancy import current_actor, db, requires
from app.tenancy.guard import is_fragment

from .contacts import person_context, section

Answer = AnyResponse | tuple[str, int]


@bp.get("/<uuid:contact_id>/parts/<any(tags, fields, notes, links, consent):part>")
@requires("inbox.read")
def whole_part(contact_id: uuid.UUID, part: str) -> str:
    """All of a part of which other pages show the beginning."""
    context = person_context(Contact.get_or_404(contact_id), whole=True, part=part, opened=part)
    return render_template(f"contacts/_{part}.html" if is_fragment() else "contacts/whole_part.html", **context)


@bp.post("/<uuid:contact_id>/tags")
@requires("inbox.reply")
def add_tag(contact_id: uuid.UUID) -> Answer:
    contact, form = Contact.get_or_404(contact_id), TagNameForm()
    if not form.validate():
        return section(contact, "tags", 422, tag_problem=form.tag.errors[0], typed={"tag": form.tag.data})
    contact.tag(form.tag.data, by=current_actor())
    return section(contact, "tags", opened="tags")


@bp.post("/<uuid:contact_id>/tags/<uuid:tag_id>/removal")
@requires("inbox.reply")
def remove_tag(contact_id: uuid.UUID, tag_id: uuid.UUID) -> Answer:
    contact, tag = Contact.get_or_404(contact_id), Tag.get_or_404(tag_id)
    tag.take_off(contact.id)
    db.session.expire(contact, ["tags"])
    return section(contact, "tags", opened="tags")


@bp.post("/<uuid:contact_id>/fields")
@requires("inbox.reply")
def save_fields(contact_id: uuid.UUID) -> Answer:
    """All fields at once: every value is saved, or none and each wrong one says why."""
    contact = Contact.get_or_404(contact_id)
    typed, values, problems = {}, {}, {}
    for field, _value in Person(contact).fields:
        if (value := request.form.get(f"field-{field.id}")) is None:
            continue
        typed[field.id] = value
        try:
            values[field] = field.read(value)
        except Wrong as wrong:
            problems[field.id] = wrong.explain(gettext)
    if problems:
        return section(contact, "fields", 422, field_problems=problems, typed=typed)
    for field, value in values.items():
        field.put_on(contact.id, value, by=current_actor())
    search.index([contact.id])
    return section(contact, "fields")


@bp.post("/<uuid:contact_id>/notes")
@requires("inbox.reply")
def add_note(contact_id: uuid.UUID) -> Answer:
    contact, form = Contact.get_or_404(contact_id), NoteForm()
    if not form.validate():
        return section(contact, "notes", 422, note_form=form)
    ContactNote.write(contact.id, form.note.data, by=current_actor())
    return section(contact, "notes")


@bp.post("/<uuid:contact_id>/notes/<uuid:note_id>/removal")
@requires("inbox.reply")
def remove_note(contact_id: uuid.UUID, note_id: uuid.UUID) -> Answer:
    contact = Contact.get_or_404(contact_id)
    remove(contact, ContactNote.get_or_404(note_id))
    return section(contact, "notes")


@bp.post("/<uuid:contact_id>/links")
@requires("inbox.reply")
def add_link(contact_id: uuid.UUID) -> Answer:
    contact, form = Contact.get_or_404(contact_id), LinkForm()
    if not form.validate() or len(Person(contact).links) >= MOST_LINKS:
        return section(contact, "links", 422, link_form=form)
    link = ContactLink(contact_id=contact.id, kind=form.kind.data, title=form.title.data, url=form.url.data)
    db.session.add(link)
    db.session.flush()
    return section(contact, "links")


@bp.post("/<uuid:contact_id>/links/<uuid:link_id>/removal")
@requires("inbox.reply")
def remove_link(contact_id: uuid.UUID, link_id: uuid.UUID) -> Answer:
    contact = Contact.get_or_404(contact_id)
    remove(contact, ContactLink.get_or_404(link_id))
    return section(contact, "links")


@bp.post("/<uuid:contact_id>/consents")
@requires("inbox.reply")
def add_consent(contact_id: uuid.UUID) -> Answer:
    contact, form = Contact.get_or_404(contact_id), ConsentForm()
    if not form.validate():
        return section(contact, "consent", 422, consent_form=form)
    answer = {"purpose": form.purpose.data, "source": form.source.data, "evidence": form.evidence.data}
    is_granted = form.answer.data == "yes"
    Consent.record(contact.id, is_granted=is_granted, by=current_actor(), **answer)
    db.session.flush()
    return section(contact, "consent")


def remove(contact: Contact, row: ContactNote | ContactLink) -> None:
    if row.contact_id != contact.id:
        abort(404)
    db.session.delete(row)
    db.session.flush()
