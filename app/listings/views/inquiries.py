"""Inquiries: the list, their state, and one that an agent adds."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.inbox.conversations import Conversation
from app.listings.blueprint import bp
from app.listings.inquiries import SOURCES, STATES, TOO_MANY, Inquiry
from app.listings.models import LONGEST_ID, Listing
from app.listings.settings import ListingSettings
from app.tenancy import Paged, current_actor, requires

PAGE = 50


@bp.get("/inquiries")
@requires("listings.view")
def inquiries() -> str:
    state = request.args.get("state", "")
    query = Inquiry.newest()
    query = query.where(Inquiry.state == state) if state in STATES else query
    return render_template(
        "listings/inquiries.html",
        too_many=TOO_MANY,
        page=Paged.of(query, PAGE),
        state=state if state in STATES else "",
        states=STATES,
        sources=SOURCES,
        settings=ListingSettings.current(),
    )


@bp.post("/inquiries/<uuid:inquiry_id>/state")
@requires("listings.edit")
def move_inquiry(inquiry_id: uuid.UUID) -> AnyResponse:
    inquiry, state = Inquiry.get_or_404(inquiry_id), request.form.get("state", "")
    if state in STATES and inquiry.put(state):
        flash(_("Saved."))
    return redirect(url_for(".inquiries"), 303)


@bp.post("/inquiries")
@requires("listings.edit")
def add_inquiry() -> AnyResponse:
    """By an agent, beside the conversation: the listing by its reference."""
    talk = Conversation.get_or_404(request.form.get("conversation_id"))
    reference = request.form.get("reference", "").replace("\x00", "").strip()[:LONGEST_ID]
    listing = Listing.with_external_id(reference)
    if listing is None:
        flash(_("There is no listing with the reference “%(reference)s”.", reference=reference[:60]), "error")
    else:
        Inquiry.receive(listing, talk.contact, source="agent", by=current_actor(), conversation=talk)
        flash(_("Inquiry added."))
    return redirect(url_for("inbox.show", conversation_id=talk.id), 303)
