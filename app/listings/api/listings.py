"""Listings for programs: upsert by your reference, list, get, withdraw."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from flask import request
from pydantic import AfterValidator, Field
from sqlalchemy.orm import undefer
from werkzeug.exceptions import NotFound

from app.api import Created, Fault, Page, PageQuery, Place, Problem, Shape, check_match, current_key, endpoint, scope
from app.api.declaring import GivenTime
from app.api.pages import after, page_of
from app.contacts.models import Contact
from app.contacts.names import plain
from app.contacts.refusals import Refusal
from app.inbox.api import reach
from app.inbox.conversations.assignment import member_or_none
from app.listings.amounts import CURRENCIES, checked_price
from app.listings.criteria import Criteria
from app.listings.feed_reading import MOST_AREA, MOST_ROOMS
from app.listings.models import (
    LONGEST_DESCRIPTION,
    LONGEST_LINK,
    LONGEST_PLACE,
    LONGEST_TITLE,
    MOST_ATTRIBUTES,
    Listing,
    is_link,
    read_attributes,
    without_markup,
)
from app.tenancy import db
from app.words import N_

from .shapes import Kind, ListingShape, PriceShape, Status

READ = scope("listings:read", N_("Read listings, saved searches, alerts and inquiries"))
WRITE = scope("listings:write", N_("Create, change, withdraw and import listings"))
TAG = "Listings"


def visible(value: str) -> str:
    if not (cleaned := plain(value)):
        raise ValueError("Give a text that can be read.")
    return cleaned


def one_line(value: str) -> str:
    return plain(value)


def link(value: str) -> str:
    if value and not is_link(value):
        raise ValueError("Give a whole address that begins with https://.")
    return value


def bounded_attributes(value: dict[str, Any]) -> dict[str, Any]:
    try:
        return read_attributes(value)
    except ValueError:
        raise ValueError(
            "Attributes are texts of up to 500 characters, numbers, true and false, by short names."
        ) from None


Line = Annotated[str, Field(max_length=LONGEST_PLACE), AfterValidator(one_line)]
Link = Annotated[str, Field(max_length=LONGEST_LINK), AfterValidator(link)]


class ListingUpsert(Shape):
    """A member that is left out stays as it is; of a new listing it is empty."""

    title: Annotated[str, Field(min_length=1, max_length=LONGEST_TITLE), AfterValidator(visible)]
    kind: Kind = "sale"
    type: Line = Field("", description="villa, flat, land … or any other word.")
    city: Line = ""
    district: Line = ""
    price: PriceShape | None = Field(None, description="Null where it is on request.")
    rooms: Annotated[float, Field(ge=0, le=MOST_ROOMS)] | None = None
    area: Annotated[float, Field(ge=0, le=MOST_AREA)] | None = Field(None, description="In square metres.")
    url: Link = ""
    picture_url: Link = ""
    description: Annotated[str, Field(max_length=LONGEST_DESCRIPTION * 2)] = Field(
        "", description="Plain text. Of HTML the words are stored."
    )
    status: Status = "available"
    owner_contact_id: uuid.UUID | None = Field(None, description="The landlord or seller.")
    member_id: uuid.UUID | None = Field(None, description="The member of the team who takes care of it.")
    attributes: Annotated[dict[str, Any], Field(max_length=MOST_ATTRIBUTES), AfterValidator(bounded_attributes)] = (
        Field(default_factory=dict)
    )
    listed_at: GivenTime | None = None

    @property
    def given(self) -> dict[str, Any]:
        """As columns. Raises a `Problem` for what it refers to and is not there."""
        values = {name: getattr(self, name) for name in self.model_fields_set - {"price", "owner_contact_id"}}
        if "price" in self.model_fields_set:
            values |= self.priced
        if "description" in values:
            values["description"] = without_markup(self.description)
        if "owner_contact_id" in self.model_fields_set:
            values["contact_id"] = self.owner
        if values.get("member_id") and member_or_none(self.member_id) is None:
            raise missing("/member_id", "There is no such team member.")
        if values.get("listed_at", "") is None:
            del values["listed_at"]
        return values

    @property
    def priced(self) -> dict[str, Any]:
        if self.price is None:
            return {"price_micros": None, "currency": None}
        code = self.price.currency.upper()
        if code not in CURRENCIES:
            raise missing("/price/currency", "There is no such currency.")
        try:
            return {"price_micros": checked_price(self.price.micros, str(self.price.micros)), "currency": code}
        except Refusal as refusal:
            raise missing("/price/micros", refusal.explain(), "out_of_range") from None

    @property
    def owner(self) -> uuid.UUID | None:
        if self.owner_contact_id is None:
            return None
        contact = Contact.find(self.owner_contact_id)
        if contact is None or contact.is_erased:
            raise missing("/owner_contact_id", NO_CONTACT)
        return contact.id


NO_CONTACT = "There is no such contact."


def missing(pointer: str, words: str, code: str = "not_found") -> Problem:
    return Problem("invalid_request", errors=[Fault(code, words, pointer=pointer)])


class ListingsQuery(PageQuery):
    status: list[Status] | None = Field(None, alias="filter[status]", max_length=5)
    kind: Kind | None = Field(None, alias="filter[kind]")
    type: Annotated[str, Field(max_length=LONGEST_PLACE)] | None = Field(None, alias="filter[type]")
    place: Annotated[str, Field(max_length=LONGEST_PLACE)] | None = Field(
        None, alias="filter[place]", description="A city or a district."
    )
    search: Annotated[str, Field(max_length=200)] | None = Field(
        None, alias="filter[search]", description="Words of the title, the type, the place or the reference."
    )
    owner: uuid.UUID | None = Field(None, alias="filter[owner_contact_id]")


@endpoint("GET", "/listings", scope=READ, query=ListingsQuery, gives=Page[ListingShape], tag=TAG)
def list_listings(query: ListingsQuery) -> Page[ListingShape]:
    """List listings.

    The newest first, by when they were listed.
    """
    wanted = Criteria(
        kind=query.kind or "",
        types=(query.type,) if query.type else (),
        places=(query.place,) if query.place else (),
        words=query.search or "",
    )
    rows = Listing.newest_first().order_by(None).where(*wanted.conditions()).options(undefer(Listing.description))
    if query.status:
        rows = rows.where(Listing.status.in_(query.status))
    if query.owner:
        rows = rows.where(Listing.contact_id == query.owner)
    rows = after(rows, query.after, Listing.id, Listing.listed_at)
    read = db.session.scalars(rows.limit(query.limit + 1))
    return page_of(read, query.limit, ListingShape.of, lambda one: Place(one.id, one.listed_at))


@endpoint("GET", "/listings/<external:external_id>", scope=READ, gives=ListingShape, tag=TAG)
def get_listing(external_id: str) -> ListingShape:
    """Get a listing by your reference."""
    return ListingShape.of(find_listing(external_id))


def find_listing(external_id: str) -> Listing:
    if (listing := Listing.with_external_id(external_id)) is None:
        raise NotFound
    return listing


@endpoint(
    "PUT",
    "/listings/<external:external_id>",
    scope=WRITE,
    body=ListingUpsert,
    gives=ListingShape,
    tag=TAG,
    creates=True,
)
def upsert_listing(external_id: str, body: ListingUpsert) -> ListingShape | Created:
    """Create or change a listing by your reference.

    201 where it is new. The reference is any text of up to 200 characters, percent-encoded in the address. Two programs
    that do it at once make one listing; what the second one says holds, unless it gives If-Match.
    """
    check_reference(external_id)
    if earlier := Listing.with_external_id(external_id):
        check_match(ListingShape.of(earlier.refresh_locked()))
    elif request.headers.get("If-Match") is not None:
        raise Problem("changed_meanwhile")
    given = body.given
    check_owner(given.get("contact_id"), earlier)
    listing, is_new = Listing.put(external_id, given, source="api", by=current_key().actor)
    db.session.flush()
    return Created(ListingShape.of(listing)) if is_new else ListingShape.of(listing)


def check_owner(contact_id: uuid.UUID | None, earlier: Listing | None) -> None:
    """A team's key gives a listing to no one out of its reach; who has it already may be sent back."""
    if contact_id is None or (earlier and earlier.contact_id == contact_id):
        return
    if not reach.is_reached(Contact.get_or_404(contact_id)):
        raise missing("/owner_contact_id", NO_CONTACT)


def check_reference(external_id: str) -> None:
    """`imports` is an address of ours."""
    if external_id == "imports" or not plain(external_id):
        fault = Fault(
            "invalid_reference", "Give a reference that can be read, other than “imports”.", parameter="external_id"
        )
        raise Problem("invalid_request", errors=[fault])


@endpoint("POST", "/listings/<external:external_id>/withdrawal", scope=WRITE, gives=ListingShape, tag=TAG)
def withdraw_listing(external_id: str) -> ListingShape:
    """Withdraw a listing.

    It stays, with its inquiries; no alert and no search of customers offers it any more.
    """
    listing = find_listing(external_id).refresh_locked()
    listing.withdraw(by=current_key().actor)
    return ListingShape.of(listing)
