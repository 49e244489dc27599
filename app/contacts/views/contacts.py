"""The people who write to a business: found, made by hand, looked at."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlsplit

from flask import g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import selectinload
from werkzeug.wrappers import Response as AnyResponse

from app.contacts import search
from app.contacts.blueprint import bp
from app.contacts.forms import (
    LINK_WORDS,
    PURPOSE_WORDS,
    SOURCE_WORDS,
    ConsentForm,
    LinkForm,
    NameForm,
    NewContactForm,
    NoteForm,
)
from app.contacts.models import Contact, NumberTaken
from app.contacts.person import Person
from app.contacts.tags import ContactTag, Tag
from app.tenancy import db, in_menu, requires
from app.tenancy.guard import is_fragment
from app.words import N_

PAGE = 50


@bp.get("/")
@in_menu("rail", N_("Contacts"), "contact", order=20, key="g c")
@requires("inbox.read")
def index() -> str:
    template = "contacts/_list.html" if is_fragment() else "contacts/index.html"
    return render_template(template, **list_context())


@bp.get("/new")
@requires("inbox.reply")
def new() -> str:
    return render_template("contacts/new.html", form=NewContactForm(request.args))


@bp.post("/")
@requires("inbox.reply")
def create() -> AnyResponse | tuple[str, int]:
    form, known = NewContactForm(), None
    if form.validate():
        try:
            contact = Contact.create(form.name.data, form.wa_id, by=current_user)
            return redirect(url_for(".show", contact_id=contact.id), 303)
        except NumberTaken as taken:
            known = taken.contact
            form.phone.errors = [_("This number is here already.")]
    return render_template("contacts/new.html", form=form, known=known), 422


@bp.get("/<uuid:contact_id>")
@requires("inbox.read")
def show(contact_id: uuid.UUID) -> str:
    contact = Contact.get_or_404(contact_id)
    return render_template("contacts/show.html", **person_context(contact))


@bp.post("/<uuid:contact_id>/name")
@requires("inbox.reply")
def rename(contact_id: uuid.UUID) -> AnyResponse | tuple[str, int]:
    contact, form = Contact.get_or_404(contact_id), NameForm()
    if not form.validate():
        return section(contact, "name", 422, name_form=form)
    contact.rename(form.name.data, by=current_user)
    return section(contact, "name")


def list_context() -> dict[str, Any]:
    query = request.args.get("q", "").replace("\x00", "").strip()[:100]
    tag = Tag.find(request.args.get("tag"))
    found, more = matching(query, tag) if query else newest(tag)
    return {
        "contacts": found,
        "more": more,
        "q": query,
        "tag": tag,
        "tags": db.session.scalars(Tag.in_order()).all(),
        "tags_meant": tags_meant(query) if query and not tag else [],
    }


def newest(tag: Tag | None) -> tuple[list[Contact], str | None]:
    query = select(Contact).where(Contact.merged_into_id.is_(None), Contact.erased_at.is_(None))
    if tag:
        query = query.where(Contact.id.in_(select(ContactTag.contact_id).where(ContactTag.tag_id == tag.id)))
    if (before := request.args.get("before")) and Contact.find(before):
        query = query.where(Contact.id < before)
    rows = list(db.session.scalars(loaded(query).order_by(Contact.id.desc()).limit(PAGE + 1)))
    more = url_for(".index", tag=tag and tag.id, before=rows[PAGE - 1].id) if len(rows) > PAGE else None
    return rows[:PAGE], more


def matching(query: str, tag: Tag | None) -> tuple[list[Contact], str | None]:
    only = None
    if tag:
        only = search.ContactTerm.contact_id.in_(select(ContactTag.contact_id).where(ContactTag.tag_id == tag.id))
    places = search.find(query, PAGE + 1, search.Place.read(request.args.get("after")), only=only)
    shown = places[:PAGE]
    by_id = {
        each.id: each
        for each in db.session.scalars(loaded(select(Contact).where(Contact.id.in_([p.id for p in shown]))))
    }
    more = url_for(".index", q=query, tag=tag and tag.id, after=str(shown[-1])) if len(places) > PAGE else None
    return [by_id[place.id] for place in shown if place.id in by_id], more


def loaded(query: Any) -> Any:
    return query.options(selectinload(Contact.identities), selectinload(Contact.tags))


def tags_meant(query: str) -> list[Tag]:
    """Tags whose name begins like what was searched for."""
    return [tag for tag in db.session.scalars(Tag.in_order()) if tag.name.casefold().startswith(query.casefold())][:3]


def person_context(contact: Contact, **more: Any) -> dict[str, Any]:
    return {"contact": contact, "person": Person(contact)} | blank_forms() | more


def blank_forms() -> dict[str, Any]:
    return {
        "words": {"links": LINK_WORDS, "purposes": PURPOSE_WORDS, "sources": SOURCE_WORDS},
        "name_form": None,
        "note_form": NoteForm(formdata=None),
        "link_form": LinkForm(formdata=None),
        "consent_form": ConsentForm(formdata=None),
        "tag_problem": "",
        "field_problems": {},
        "typed": {},
        "opened": "",
    }


def section(contact: Contact, name: str, status: int = 200, **more: Any) -> AnyResponse | tuple[str, int]:
    """A part of what is shown of a contact, after something was done to it: the part, or the page it is on."""
    if status < 400 and not is_fragment():
        return redirect(back_to(contact), 303)
    context = person_context(contact, **({"opened": name} if status >= 400 else {}) | more)
    template = f"contacts/_{name}.html" if is_fragment() else "contacts/show.html"
    return render_template(template, **context), status


def back_to(contact: Contact) -> str:
    """The page that somebody came from, if it is one of this business."""
    came_from = urlsplit(request.referrer or "")
    if came_from.netloc == request.host and came_from.path.startswith(f"/t/{g.tenant.slug}/inbox/"):
        return came_from.path
    return url_for("contacts.show", contact_id=contact.id)


@bp.app_template_global()
def about(contact: Contact) -> dict[str, Any]:
    """What the parts of a contact need to be shown, with nothing typed into them."""
    return person_context(contact)
