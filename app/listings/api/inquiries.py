"""Inquiries for programs: list, get, add, change the state."""

from __future__ import annotations

import uuid
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.exceptions import NotFound

from app.api import Fault, Page, PageQuery, Place, Problem, Shape, check_match, current_key, endpoint, scope
from app.api.pages import after, page_of
from app.contacts.models import Contact
from app.inbox.api import reach
from app.inbox.conversations import Conversation
from app.listings.inquiries import LONGEST_TEXT, Inquiry
from app.listings.models import LONGEST_ID, Listing
from app.tenancy import db
from app.words import N_

from .listings import READ, TAG
from .shapes import InquiryShape

WRITE = scope("inquiries:write", N_("Add inquiries about listings and change their state"))
State = Literal["new", "answered", "viewing_booked", "lost"]


class InquiriesQuery(PageQuery):
    state: list[State] | None = Field(None, alias="filter[state]", max_length=4)
    listing: Annotated[str, Field(max_length=LONGEST_ID)] | None = Field(
        None, alias="filter[listing]", description="Your reference of a listing."
    )
    contact_id: uuid.UUID | None = Field(None, alias="filter[contact_id]")


@endpoint("GET", "/inquiries", scope=READ, query=InquiriesQuery, gives=Page[InquiryShape], tag=TAG)
def list_inquiries(query: InquiriesQuery) -> Page[InquiryShape]:
    """List inquiries.

    Newest first.
    """
    rows = select(Inquiry).where(reach.contact_reached(Inquiry.contact_id)).options(joinedload(Inquiry.listing))
    if query.state:
        rows = rows.where(Inquiry.state.in_(query.state))
    if query.listing is not None:
        mine = select(Listing.id).where(Listing.external_id == query.listing)
        rows = rows.where(Inquiry.listing_id.in_(mine))
    if query.contact_id:
        rows = rows.where(Inquiry.contact_id == query.contact_id)
    rows = after(rows, query.after, Inquiry.id)
    read = db.session.scalars(rows.limit(query.limit + 1))
    return page_of(read, query.limit, InquiryShape.of, lambda one: Place(one.id))


@endpoint("GET", "/inquiries/<uuid:inquiry_id>", scope=READ, gives=InquiryShape, tag=TAG)
def get_inquiry(inquiry_id: uuid.UUID) -> InquiryShape:
    """Get an inquiry."""
    return InquiryShape.of(find_inquiry(inquiry_id))


def find_inquiry(inquiry_id: uuid.UUID) -> Inquiry:
    inquiry = Inquiry.get_or_404(inquiry_id)
    if not reach.is_reached(inquiry.contact):
        raise NotFound
    return inquiry


class NewInquiry(Shape):
    listing: Annotated[str, Field(min_length=1, max_length=LONGEST_ID)] = Field(
        description="Your reference of a listing."
    )
    contact_id: uuid.UUID
    conversation_id: uuid.UUID | None = None
    text: Annotated[str, Field(max_length=LONGEST_TEXT)] = ""


@endpoint("POST", "/inquiries", scope=WRITE, body=NewInquiry, gives=InquiryShape, status=201, tag=TAG)
def add_inquiry(body: NewInquiry) -> InquiryShape:
    """Add an inquiry.

    The same contact about the same listing within the days that you chose is the inquiry that there is, once more.
    """
    listing, contact = Listing.with_external_id(body.listing), Contact.find(body.contact_id)
    faults = []
    if listing is None:
        faults.append(Fault("not_found", "There is no such listing.", pointer="/listing"))
    if contact is None or contact.is_erased or not reach.is_reached(contact):
        faults.append(Fault("not_found", "There is no such contact.", pointer="/contact_id"))
    talk = conversation(body.conversation_id, contact)
    if body.conversation_id and talk is None:
        faults.append(Fault("not_found", "The contact has no such conversation.", pointer="/conversation_id"))
    if faults or listing is None or contact is None:
        raise Problem("invalid_request", errors=faults)
    by = current_key().actor
    inquiry, _is_new = Inquiry.receive(listing, contact, source="api", by=by, conversation=talk, words=body.text)
    return InquiryShape.of(inquiry)


def conversation(id: uuid.UUID | None, contact: Contact | None) -> Conversation | None:
    if id is None or contact is None:
        return None
    try:
        talk = reach.find_conversation(id)
    except NotFound:
        return None
    return talk if talk.contact_id == contact.id else None


class InquiryState(Shape):
    state: State


@endpoint("PUT", "/inquiries/<uuid:inquiry_id>/state", scope=WRITE, body=InquiryState, gives=InquiryShape, tag=TAG)
def change_inquiry_state(inquiry_id: uuid.UUID, body: InquiryState) -> InquiryShape:
    """Change the state of an inquiry."""
    inquiry = find_inquiry(inquiry_id).refresh_locked()
    check_match(InquiryShape.of(inquiry))
    inquiry.put(body.state)
    return InquiryShape.of(inquiry)
