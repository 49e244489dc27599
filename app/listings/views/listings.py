"""The list of listings, one of them, and a listing by hand."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response as AnyResponse

from app.contacts.names import plain
from app.inbox.compose.problems import NOT_SENT, explain
from app.inbox.conversations import Conversation
from app.listings.amounts import number_words, rooms_words
from app.listings.blueprint import bp
from app.listings.criteria import Criteria
from app.listings.forms import ListingForm
from app.listings.inquiries import STATES as INQUIRY_STATES
from app.listings.inquiries import Inquiry
from app.listings.kinds import KINDS, STATUSES
from app.listings.models import LONGEST_PLACE, Listing
from app.tenancy import Paged, current_actor, db, exists, in_menu, requires, uuid7
from app.words import N_

PAGE, MOST_INQUIRIES, MOST_SIMILAR = 50, 50, 10
Answer = str | tuple[str, int] | AnyResponse


@dataclass(frozen=True, slots=True)
class Filter:
    """What an address asks for; what makes no sense is passed over. `arguments` make the same address again."""

    criteria: Criteria
    status: str

    @classmethod
    def read(cls) -> Filter:
        given = {
            name: request.args.get(name, "").replace("\x00", "")[:LONGEST_PLACE]
            for name in ("q", "kind", "type", "place")
        }
        kind = given["kind"] if given["kind"] in KINDS else ""
        types, places = (tuple(filter(None, [given[name].strip()])) for name in ("type", "place"))
        status = request.args.get("status", "")
        return cls(
            Criteria(kind=kind, types=types, places=places, words=given["q"]), status if status in STATUSES else ""
        )

    @property
    def arguments(self) -> dict[str, str]:
        wanted = self.criteria
        given = {
            "q": wanted.words,
            "kind": wanted.kind,
            "type": ", ".join(wanted.types),
            "place": ", ".join(wanted.places),
        }
        return {name: value for name, value in (given | {"status": self.status}).items() if value}


@bp.get("/")
@in_menu("records", N_("Listings"), "house", order=20)
@requires("listings.view")
def index() -> str:
    wanted = Filter.read()
    query = Listing.newest_first().where(*wanted.criteria.conditions()).options(joinedload(Listing.owner))
    query = query.where(Listing.status == wanted.status) if wanted.status else query
    page = Paged.of(query, PAGE)
    return render_template("listings/index.html", page=page, wanted=wanted, kinds=KINDS, statuses=STATUSES)


@bp.get("/new")
@requires("listings.edit")
def new() -> str:
    return render_template("listings/edit.html", form=ListingForm(formdata=None), listing=None)


@bp.post("/")
@requires("listings.edit")
def create() -> Answer:
    form = ListingForm()
    reference = plain(form.external_id.data or "") or uuid7().hex[-10:]
    is_taken = exists(Listing.newest_first().where(Listing.external_id == reference))
    is_valid = form.validate()
    if is_taken or reference == "imports":
        form.external_id.errors = [_("Another listing has this reference.")]
    if not is_valid or is_taken or reference == "imports":
        return render_template("listings/edit.html", form=form, listing=None), 422
    listing, _is_new = Listing.put(reference, form.given, source="hand", by=current_actor())
    flash(_("Listing added."))
    return redirect(url_for(".show", listing_id=listing.id), 303)


@bp.get("/<uuid:listing_id>")
@requires("listings.view")
def show(listing_id: uuid.UUID) -> str:
    listing = Listing.get_or_404(listing_id)
    inquiries = Inquiry.newest().where(Inquiry.listing_id == listing.id).limit(MOST_INQUIRIES)
    return render_template(
        "listings/show.html",
        listing=listing,
        inquiries=db.session.scalars(inquiries).all(),
        states=INQUIRY_STATES,
    )


@bp.get("/<uuid:listing_id>/edit")
@requires("listings.edit")
def edit(listing_id: uuid.UUID) -> str:
    listing = Listing.get_or_404(listing_id)
    return render_template("listings/edit.html", form=ListingForm(listing, formdata=None), listing=listing)


@bp.post("/<uuid:listing_id>")
@requires("listings.edit")
def save(listing_id: uuid.UUID) -> Answer:
    listing, form = Listing.get_or_404(listing_id), ListingForm()
    if not form.validate():
        return render_template("listings/edit.html", form=form, listing=listing), 422
    if not form.owner.data and listing.owner and not listing.owner.phone:
        # An owner whose number WhatsApp hides has none that could be typed.
        del form.given["contact_id"]
    listing.refresh_locked().change(form.given, by=current_actor())
    flash(_("Saved."))
    return redirect(url_for(".show", listing_id=listing.id), 303)


@bp.post("/<uuid:listing_id>/withdrawal")
@requires("listings.edit")
def withdraw(listing_id: uuid.UUID) -> AnyResponse:
    listing = Listing.get_or_404(listing_id).refresh_locked()
    if listing.withdraw(by=current_actor()):
        flash(_("Withdrawn. It is no longer in alerts."))
    return redirect(url_for(".show", listing_id=listing.id), 303)


@bp.get("/<uuid:listing_id>/similar")
@requires("listings.view")
def similar(listing_id: uuid.UUID) -> str:
    """Listings to offer beside this one, to be sent in a conversation where the address names one."""
    listing = Listing.get_or_404(listing_id)
    talk = Conversation.find(request.args.get("conversation"))
    alike = Criteria(
        kind=listing.kind,
        types=(listing.type,) if listing.type else (),
        places=(listing.city,) if listing.city else (),
    )
    rows = alike.offered().where(Listing.id != listing.id).limit(MOST_SIMILAR)
    shown = db.session.scalars(rows).all()
    return render_template(
        "listings/similar.html", listing=listing, listings=shown, conversation=talk, once=uuid.uuid4().hex
    )


@bp.post("/<uuid:listing_id>/sending")
@requires("inbox.reply")
def send(listing_id: uuid.UUID) -> AnyResponse:
    """Sends a listing in a conversation: what it is, its price, its link."""
    listing = Listing.get_or_404(listing_id)
    talk = Conversation.get_or_404(request.form.get("conversation_id"))
    client_id = uuid.uuid5(talk.id, f"listing {listing.id} {request.form.get('once', '')[:40]}")
    try:
        talk.reply(words_of(listing), by=current_actor(), client_id=client_id)
    except NOT_SENT as problem:
        flash(explain(problem), "error")
    else:
        flash(_("Sent."))
    return redirect(url_for("inbox.show", conversation_id=talk.id), 303)


def words_of(listing: Listing) -> str:
    heading = listing.heading
    title = listing.title if listing.title not in heading else ""
    return "\n".join(filter(None, (title, heading, listing.url)))


@bp.app_template_filter()
def rooms(number: float) -> str:
    """3.5 rooms."""
    return rooms_words(number_words(number), number)


@bp.app_template_filter()
def number_in_words(number: float) -> str:
    return number_words(number)
