"""The parts of a contact's page that need its conversations; merging, exporting and erasing it."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Flask, Response, abort, current_app, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload
from werkzeug.wrappers import Response as AnyResponse

from app import zones
from app.contacts import search
from app.contacts.forms import ErasureForm
from app.contacts.models import Contact
from app.contacts.records import ContactEvent
from app.contacts.suggestions import MergeSuggestion
from app.contacts.views.contacts import back_to
from app.inbox.compose.number_request import ask_for_number
from app.inbox.compose.problems import explain
from app.inbox.conversations import ClientIdReused, Conversation, Cursor, NumberUnavailable, Refusal, WindowClosed
from app.people.blueprint import bp
from app.people.costs import Costs
from app.people.erasure import erase
from app.people.gallery import PAGE, gallery
from app.people.merges import ContactMerge, NotLast, NotTwo
from app.people.person_file import person_file
from app.people.timeline import timeline
from app.tenancy import current_actor, db, requires
from app.tenancy.guard import is_fragment

Page = str | AnyResponse


@bp.get("/<uuid:contact_id>/media")
@requires("inbox.read")
def media(contact_id: uuid.UUID) -> str:
    contact, before = Contact.get_or_404(contact_id), Cursor.read(request.args.get("before"))
    files = db.session.execute(gallery(contact.id, before).limit(PAGE + 1)).all()
    more = files[PAGE - 1][1].cursor if len(files) > PAGE else None
    return render_part("media", contact, files=files[:PAGE], more=more, is_first=before is None)


@bp.get("/<uuid:contact_id>/timeline")
@requires("inbox.read")
def history(contact_id: uuid.UUID) -> str:
    contact = Contact.get_or_404(contact_id)
    return render_part("timeline", contact, moments=timeline(contact))


@bp.get("/<uuid:contact_id>/conversations")
@requires("inbox.read")
def conversations(contact_id: uuid.UUID) -> str:
    contact = Contact.get_or_404(contact_id)
    mine = select(Conversation).where(Conversation.contact_id == contact.id, Conversation.merged_into_id.is_(None))
    query = mine.options(joinedload(Conversation.phone_number)).order_by(Conversation.last_message_at.desc())
    return render_part("conversations", contact, conversations=db.session.scalars(query).all())


@bp.get("/<uuid:contact_id>/costs")
@requires("inbox.read")
def costs(contact_id: uuid.UUID) -> str:
    contact = Contact.get_or_404(contact_id)
    return render_part("costs", contact, costs=Costs(contact.id))


@bp.get("/<uuid:contact_id>/costs/messages")
@requires("inbox.read")
def charges(contact_id: uuid.UUID) -> str:
    """Each charged message, with a link to it in its conversation."""
    contact, before = Contact.get_or_404(contact_id), Cursor.read(request.args.get("before"))
    costs = Costs(contact.id)
    charged, more = costs.charges(before)
    return render_part("charges", contact, costs=costs, charged=charged, more=more, is_first=before is None)


def render_part(name: str, contact: Contact, **context: Any) -> str:
    """A part of the contact's page, loaded when it is opened; without JavaScript, a page of its own."""
    if is_fragment():
        return render_template(f"people/_{name}.html", contact=contact, **context)
    return render_template("people/part.html", contact=contact, part=name, **context)


@bp.get("/<uuid:contact_id>/merges/new")
@requires("inbox.reply")
def choose_merge(contact_id: uuid.UUID) -> str:
    contact, query = Contact.get_or_404(contact_id), request.args.get("q", "").replace("\x00", "").strip()[:100]
    ids = [match.id for match in search.find(query, 21)] if query else []
    others = select(Contact).where(Contact.id.in_(ids), Contact.id != contact.id)
    contacts = db.session.scalars(others.options(selectinload(Contact.identities))).all() if ids else []
    return render_template("people/merge.html", contact=contact, q=query, others=contacts[:20])


@bp.post("/<uuid:contact_id>/merges")
@requires("inbox.reply")
def merge(contact_id: uuid.UUID) -> AnyResponse:
    contact, other = Contact.get_or_404(contact_id), Contact.get_or_404(request.form.get("other_id"))
    return merge_contacts(contact, other)


def merge_contacts(contact: Contact, other: Contact) -> AnyResponse:
    try:
        merge = ContactMerge.merge(contact, other, by=current_actor())
    except NotTwo:
        flash(_("These contacts can't be merged. They are already one contact, or one was erased."), "error")
        return redirect(url_for("contacts.show", contact_id=contact.id), 303)
    flash(_("Contacts merged. You can undo this under Activity on the contact's page."))
    return redirect(url_for("contacts.show", contact_id=merge.contact_id), 303)


@bp.post("/<uuid:contact_id>/merges/<uuid:merge_id>/undoing")
@requires("inbox.reply")
def undo_merge(contact_id: uuid.UUID, merge_id: uuid.UUID) -> AnyResponse:
    contact, merge = Contact.get_or_404(contact_id), ContactMerge.get_or_404(merge_id)
    if merge.contact_id != contact.id:
        abort(404)
    try:
        merge.undo(by=current_actor())
        flash(_("Merge undone. There are two contacts again."))
    except NotLast as not_last:
        name = not_last.later.other_name_for(contact.id) or _("No name")
        flash(_("Undo the later merge with “%(name)s” first.", name=name), "error")
    except NotTwo:
        flash(_("This person was erased, so the merge can't be undone."), "error")
    return redirect(url_for("contacts.show", contact_id=contact.id), 303)


@bp.post("/suggestions/<uuid:suggestion_id>/acceptance")
@requires("inbox.reply")
def accept_suggestion(suggestion_id: uuid.UUID) -> AnyResponse:
    suggestion = MergeSuggestion.get_or_404(suggestion_id)
    contact, other = Contact.get_or_404(suggestion.contact_id), Contact.get_or_404(suggestion.other_id)
    return merge_contacts(contact, other)


@bp.post("/suggestions/<uuid:suggestion_id>/dismissal")
@requires("inbox.reply")
def dismiss_suggestion(suggestion_id: uuid.UUID) -> AnyResponse | tuple[str, int]:
    suggestion = MergeSuggestion.get_or_404(suggestion_id)
    if suggestion.state == "open":
        suggestion.decide("dismissed", by=current_actor())
    if is_fragment():
        return "", 200
    return redirect(back_to(Contact.get_or_404(suggestion.contact_id)), 303)


@bp.post("/<uuid:contact_id>/number-requests/<uuid:conversation_id>")
@requires("inbox.reply")
def request_number(contact_id: uuid.UUID, conversation_id: uuid.UUID) -> AnyResponse:
    """Asks a customer who hides their number for it, in this conversation."""
    contact, conversation = Contact.get_or_404(contact_id), Conversation.get_or_404(conversation_id)
    if conversation.contact_id != contact.id:
        abort(404)
    try:
        ask_for_number(conversation, by=current_actor())
        flash(_("Request sent. When they share the number, it's saved with this contact."))
    except ClientIdReused:
        flash(_("You already requested the number. They haven't replied yet."), "warning")
    except WindowClosed:
        flash(_("The 24-hour reply window has closed. You can request the number when they write again."), "error")
    except NumberUnavailable:
        flash(_("This wasn't sent. The number is not connected to WhatsApp."), "error")
    except Refusal as refusal:
        flash(explain(refusal), "error")
    return redirect(back_to(contact), 303)


@bp.post("/<uuid:contact_id>/person-file")
@requires("contacts.erase")
def give_out(contact_id: uuid.UUID) -> Response:
    contact = Contact.get_or_404(contact_id)
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    body = person_file(app, g.tenant.id, contact, zones.reader_zone())
    ContactEvent.record(contact.id, "exported", by=current_actor())
    headers = {"Content-Disposition": f'attachment; filename="person-{contact.id}.json"'}
    return Response(body, content_type="application/json; charset=utf-8", headers=headers)


@bp.get("/<uuid:contact_id>/erasure")
@requires("contacts.erase")
def confirm_erasure(contact_id: uuid.UUID) -> str:
    return render_template("people/erasure.html", contact=Contact.get_or_404(contact_id), form=ErasureForm())


@bp.post("/<uuid:contact_id>/erasure")
@requires("contacts.erase")
def erase_contact(contact_id: uuid.UUID) -> AnyResponse | tuple[str, int]:
    contact, form = Contact.get_or_404(contact_id), ErasureForm()
    if not form.validate():
        return render_template("people/erasure.html", contact=contact, form=form), 422
    if not contact.is_erased:
        erase(contact, by=current_actor())
    flash(_("Erased. Only the number and times of messages remain."))
    return redirect(url_for("contacts.show", contact_id=contact.id), 303)
