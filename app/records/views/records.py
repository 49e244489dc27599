"""One record: its page, entering one by hand, moving it to another stage, and its links."""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from app.contacts.models import Contact
from app.inbox.conversations import Conversation
from app.inbox.desk.addresses import back_to
from app.records import search
from app.records.blueprint import bp
from app.records.forms import RecordForm
from app.records.interactions import interactions, linked_contacts, names_of
from app.records.models import MOST_SHOWN, Record, RecordLink, TooManyLinks, of_contact
from app.records.stages import LONGEST_STAGE, TYPE_NAMES, TYPES, RecordStage
from app.tenancy import as_uuid, current_actor, db, requires
from app.tenancy.guard import is_fragment

Answer = str | tuple[str, int] | AnyResponse
MOST_CHANGES = 50
MOST_CHOICES = 20


@bp.get("/<uuid:record_id>")
@requires("records.view")
def show(record_id: uuid.UUID) -> str:
    record = Record.get_or_404(record_id)
    changes = db.session.scalars(record.history().limit(MOST_CHANGES)).all()
    mentioned = [as_uuid(change.facts.get("contact_id")) for change in changes]
    links = linked_contacts(record)
    actors = [change.by for change in changes] + [link.by for link in links]
    members = {actor.user_id for actor in actors if actor and actor.user_id}
    context = {
        "record": record,
        "links": links,
        "interactions": interactions(record),
        "changes": changes,
        "member_names": names_of(members),
        "contact_names": contact_names(mentioned),
    }
    page = "_show" if is_fragment() else "show"
    return render_template(f"records/{page}.html", **context, stages=RecordStage.of(record.type), types=TYPE_NAMES)


def contact_names(ids: list[uuid.UUID | None]) -> dict[str, str]:
    named = select(Contact.id, Contact.name).where(Contact.id.in_([id for id in ids if id]))
    return {str(id): name for id, name in db.session.execute(named)}


@bp.get("/new")
@requires("records.edit")
def new() -> str:
    conversation = Conversation.find(request.args.get("conversation"))
    contact = conversation.contact if conversation else Contact.find(request.args.get("contact"))
    chosen = request.args.get("type", "")
    form = RecordForm(formdata=None, data={"type": chosen if chosen in TYPES else "deal"})
    return choose_page(form, contact, conversation)


def choose_page(form: RecordForm, contact: Contact | None, conversation: Conversation | None) -> str:
    """A search for a record to link, where there is somebody to link it to, and a form for a new one."""
    words = request.args.get("q", "")[: search.LONGEST_QUERY].strip()
    ids = search.matching(words) if contact else None
    query = select(Record).order_by(Record.staged_at.desc(), Record.id.desc()).limit(MOST_CHOICES)
    choices = db.session.scalars(query.where(Record.id.in_(ids))).all() if ids is not None else []
    about: dict[str, Any] = {"contact": contact, "conversation": conversation, "words": words}
    stages = db.session.scalars(select(RecordStage.name).order_by(RecordStage.type, RecordStage.position)).all()
    names = list(dict.fromkeys(stages))
    return render_template("records/new.html", form=form, choices=choices, types=TYPE_NAMES, stage_names=names, **about)


@bp.post("/")
@requires("records.edit")
def create() -> Answer:
    """Makes a record by hand, and links it to the contact or conversation that the form names."""
    form, about = RecordForm(), about_whom()
    if not form.validate():
        return choose_page(form, *about), 422
    by = current_actor()
    record = Record.create_here(form.type.data, form.external_id.data, form.values, by=by)
    contact, conversation = about
    if contact is None:
        return redirect(url_for(".show", record_id=record.id), 303)
    return link_and_return(record, contact, conversation)


@bp.post("/<uuid:record_id>/links")
@requires("records.edit")
def link(record_id: uuid.UUID) -> AnyResponse:
    record = Record.get_or_404(record_id)
    contact, conversation = about_whom()
    if contact is None:
        raise NotFound
    return link_and_return(record, contact, conversation)


def about_whom() -> tuple[Contact | None, Conversation | None]:
    """Whom the form is about: the contact of the conversation that it names, else the contact."""
    named = request.form.get("conversation_id")
    if named and (conversation := Conversation.find(named)) is None:
        raise NotFound
    conversation = Conversation.find(named) if named else None
    if conversation:
        return conversation.contact, conversation
    contact_id = request.form.get("contact_id")
    return (Contact.get_or_404(contact_id) if contact_id else None), None


def link_and_return(record: Record, contact: Contact, conversation: Conversation | None) -> AnyResponse:
    """Back to where the customer is. A link is for all conversations with them."""
    try:
        record.link(contact.id, by=current_actor())
        flash(_("“%(title)s” is linked.", title=record.title))
    except TooManyLinks:
        flash(_("There are too many links already. Remove one first."), "error")
    return redirect(place_of(contact, conversation), 303)


def place_of(contact: Contact, conversation: Conversation | None) -> str:
    if conversation:
        return back_to(conversation.id)
    return url_for("contacts.show", contact_id=contact.id)


@bp.post("/<uuid:record_id>/links/<uuid:record_link_id>/removal")
@requires("records.edit")
def unlink(record_id: uuid.UUID, record_link_id: uuid.UUID) -> AnyResponse:
    record, link = Record.get_or_404(record_id), RecordLink.get_or_404(record_link_id)
    if link.record_id != record.id:
        raise NotFound
    record.unlink(link, by=current_actor())
    flash(_("“%(title)s” is no longer linked.", title=record.title))
    conversation = Conversation.find(request.form.get("conversation_id"))
    if conversation and conversation.contact_id == link.contact_id:
        return redirect(back_to(conversation.id), 303)
    return redirect(url_for(".show", record_id=record.id), 303)


@bp.post("/<uuid:record_id>/stage")
@requires("records.edit")
def move(record_id: uuid.UUID) -> AnyResponse:
    record, stage = Record.get_or_404(record_id), request.form.get("stage", "")[:LONGEST_STAGE]
    if record.is_mirrored:
        flash(_("This record is changed where it comes from. Open it there."), "error")
    elif record.move(stage, by=current_actor()):
        flash(_("“%(title)s” is in “%(stage)s” now.", title=record.title, stage=record.stage or _("No stage")))
    if request.form.get("back") == "board":
        owner = request.form.get("owner") or None
        return redirect(url_for(".index", type=record.type, owner=owner, _anchor=f"record-{record.id}"), 303)
    return redirect(url_for(".show", record_id=record.id), 303)


@bp.post("/<uuid:record_id>/removal")
@requires("records.manage")
def remove(record_id: uuid.UUID) -> AnyResponse:
    record = Record.get_or_404(record_id)
    type = record.type
    record.remove()
    flash(_("The record was deleted here. In its own system nothing changed."))
    return redirect(url_for(".index", type=type), 303)


@bp.get("/of/<uuid:contact_id>")
@requires("records.view")
def of_one_contact(contact_id: uuid.UUID) -> str:
    """A part of the contact's page, loaded when it is opened; without JavaScript, a page of its own."""
    contact = Contact.get_or_404(contact_id)
    records = db.session.scalars(of_contact(contact.id).limit(MOST_SHOWN + 1)).all()
    page = "_of_contact" if is_fragment() else "of_contact"
    context = {"contact": contact, "records": records[:MOST_SHOWN], "has_more": len(records) > MOST_SHOWN}
    return render_template(f"records/{page}.html", **context, types=TYPE_NAMES)
