"""The table of contacts, and the page of each."""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app.contacts import countries
from app.contacts.blueprint import bp
from app.contacts.fields import ContactField
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
from app.contacts.listing import MOST_COUNTED, ContactListing, marketing_of, values_of
from app.contacts.models import Contact, NumberTaken
from app.contacts.person import Person
from app.contacts.refusals import Refusal
from app.contacts.settings import COLUMNS, MOST_COLUMNS, ContactSettings, ContactTable
from app.contacts.taggings import MOST_AT_ONCE, ContactTagging
from app.contacts.tags import Tag
from app.meta import written_numbers
from app.meta.written_numbers import NotRead
from app.tenancy import announce, current_actor, in_menu, requires
from app.tenancy.guard import is_fragment
from app.words import N_


@bp.get("/")
@in_menu("rail", N_("Contacts"), "contact", order=20, key="g c")
@requires("inbox.read")
def index() -> str:
    template = "contacts/_table.html" if is_fragment() else "contacts/index.html"
    return render_template(template, **table_context())


@bp.post("/columns")
@requires("inbox.read")
def choose_columns() -> AnyResponse:
    possible = [*COLUMNS, *(f"field:{each.id}" for each in ContactField.all())]
    wanted = request.form.getlist("column")
    ContactTable.of(g.membership).choose([name for name in possible if name in wanted][:MOST_COLUMNS])
    return redirect(index_of(ContactListing.read(request.form)), 303)


@bp.get("/new")
@requires("inbox.reply")
def new() -> str:
    form = NewContactForm(request.args)
    form.country.data = ContactSettings.default_country()
    if form.phone.data:
        try:
            written_numbers.read(form.phone.data, form.country.data)
        except NotRead as problem:
            form.phone.errors = [Refusal.of(problem).explain(_)]
    return new_contact_page(form)


@bp.get("/new/number")
@requires("inbox.reply")
def read_number() -> str:
    """How a number is read that is being typed: its country, or what is wrong with it."""
    phone, country = request.args.get("phone", "")[:100], request.args.get("country", "")
    words, place = "", ""
    try:
        wa_id = written_numbers.read(phone, country if countries.is_country(country) else "")
        words, place = written_numbers.formatted(wa_id), countries.country_of(wa_id)
    except NotRead as problem:
        if sum(map(str.isdecimal, phone)) >= written_numbers.SHORTEST:
            words = Refusal.of(problem).explain(_)
    return render_template("contacts/_number_read.html", words=words, place=place)


def new_contact_page(form: NewContactForm, taken: Contact | None = None) -> str:
    return render_template("contacts/new.html", form=form, taken=taken)


@bp.post("/")
@requires("inbox.reply")
def create() -> AnyResponse | tuple[str, int]:
    form, taken_by = NewContactForm(), None
    if form.validate():
        try:
            contact = Contact.create(form.name.data, form.wa_id, by=current_actor())
            if request.form.get("then") == "message":
                return redirect(url_for("inbox.write_first", contact=contact.id), 303)
            flash(_("Contact added."))
            return redirect(url_for(".show", contact_id=contact.id), 303)
        except NumberTaken as taken:
            taken_by = taken.contact
            form.phone.errors = [_("Another contact has this number.")]
    return new_contact_page(form, taken_by), 422


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
    contact.rename(form.name.data, by=current_actor())
    return section(contact, "name")


def index_of(listing: ContactListing) -> str:
    arguments: dict[str, Any] = dict(listing.arguments)
    return url_for(".index", **arguments)


def table_context() -> dict[str, Any]:
    listing = ContactListing.read(request.args).load()
    fields = {f"field:{each.id}": each for each in ContactField.all()}
    columns = [name for name in ContactTable.of(g.membership).columns if name in COLUMNS or name in fields]
    shown_fields = [fields[name] for name in columns if name in fields]
    return {
        "listing": listing,
        "counted": listing.count(),
        "columns": columns,
        "fields": fields,
        "values": values_of(listing.contacts, shown_fields) if shown_fields else {},
        "marketing": marketing_of(listing.contacts) if "marketing" in columns else {},
        "tags": Tag.offered(),
        "tagging": latest_tagging(),
        "most_counted": MOST_COUNTED,
        "most_at_once": MOST_AT_ONCE,
    }


def latest_tagging() -> tuple[ContactTagging, Tag] | None:
    """The bulk change that has just been made here, with its tag, for as long as it can be undone."""
    tagging = ContactTagging.find(request.args.get("tagging"))
    if tagging is None or tagging.undone_at is not None or tagging.by_id != current_user.id:
        return None
    return tagging, Tag.get_or_404(tagging.tag_id)


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
    """Answers a change of one part of a contact: the part alone for htmx, else the page it is on."""
    if status < 400:
        announce("contact", contact.id)
    if status < 400 and not is_fragment():
        return redirect(back_to(contact), 303)
    context = person_context(contact, **({"opened": name} if status >= 400 else {}) | more)
    template = f"contacts/_{name}.html" if is_fragment() else "contacts/show.html"
    return render_template(template, **context), status


def back_to(contact: Contact) -> str:
    """The conversation that somebody came from, else the contact's own page."""
    came_from: str = request.came_from  # type: ignore[attr-defined]
    if came_from.startswith(f"/t/{g.tenant.slug}/inbox/"):
        return came_from
    return url_for("contacts.show", contact_id=contact.id)


@bp.app_template_global()
def about(contact: Contact) -> dict[str, Any]:
    """The context of the parts of a contact, with nothing typed into their forms."""
    return person_context(contact)
