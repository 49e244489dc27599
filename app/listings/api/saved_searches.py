"""Saved searches of contacts, and the alerts they got, for programs."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal

from flask import request
from pydantic import Field
from sqlalchemy import select
from werkzeug.exceptions import NotFound

from app.api import (
    Created,
    Fault,
    Page,
    PageQuery,
    Place,
    Problem,
    Shape,
    check_match,
    current_key,
    endpoint,
    problem,
    scope,
)
from app.api.pages import after, page_of
from app.contacts.consents import Consent
from app.contacts.models import Contact
from app.contacts.names import LONGEST_NAME
from app.contacts.refusals import Refusal
from app.inbox.api import reach
from app.listings.alerts import ListingAlert
from app.listings.criteria import MOST_PLACES, MOST_TYPES, Criteria, TooWide
from app.listings.models import LONGEST_PLACE
from app.listings.saved_searches import NoConsent, SavedSearch
from app.tenancy import db
from app.words import N_

from .listings import READ, TAG, check_reference
from .shapes import AlertShape, Kind, SavedSearchShape

WRITE = scope("saved-searches:write", N_("Create, change, stop and delete saved searches of contacts"))
NO_CONSENT = problem(
    "no_marketing_consent",
    409,
    "The contact has not agreed to marketing",
    N_("Alerts are marketing. Give “consent” with how the contact agreed, or record it with PUT /contacts/…/consents."),
)
TOO_WIDE = problem("search_too_wide", 422, "The search matches too much", N_("Narrow the search."))
Price = Annotated[int, Field(ge=1, lt=10**18)]
Number = Annotated[float, Field(ge=0, le=1_000_000)]
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_PLACE)]


class CriteriaBody(Shape):
    """What is looked for. A member that is left out means any."""

    kind: Kind | None = None
    types: list[Name] = Field(default_factory=list, max_length=MOST_TYPES)
    places: list[Name] = Field(default_factory=list, max_length=MOST_PLACES, description="Cities or districts.")
    price_from: Price | None = Field(None, description="In micro-units.")
    price_to: Price | None = None
    currency: Annotated[str, Field(max_length=3)] | None = None
    rooms_from: Number | None = None
    rooms_to: Number | None = None
    area_from: Number | None = None
    area_to: Number | None = None
    words: Annotated[str, Field(max_length=200)] = ""

    @property
    def read(self) -> Criteria:
        """Raises a `Problem`."""
        try:
            return Criteria.of(self.model_dump())
        except Refusal as refusal:
            raise Problem(
                "invalid_request", errors=[Fault("invalid", refusal.explain(), pointer="/criteria")]
            ) from None


class GivenConsent(Shape):
    """How the contact agreed to marketing. It is stored with the consent."""

    source: Literal["message", "phone", "form", "paper", "other"]
    evidence: Annotated[str, Field(min_length=1, max_length=1_000)]


class SearchUpsert(Shape):
    contact_id: uuid.UUID
    criteria: CriteriaBody
    name: Annotated[str, Field(max_length=LONGEST_NAME)] = ""
    frequency: Literal["daily", "at_once"] = Field(
        "daily", description="A contact gets at most one alert a day, whatever the number of searches."
    )
    wants_price_drops: bool = False
    consent: GivenConsent | None = None


class SearchesQuery(PageQuery):
    contact_id: uuid.UUID | None = Field(None, alias="filter[contact_id]")
    state: Literal["active", "stopped"] | None = Field(None, alias="filter[state]")


@endpoint("GET", "/saved-searches", scope=READ, query=SearchesQuery, gives=Page[SavedSearchShape], tag=TAG)
def list_saved_searches(query: SearchesQuery) -> Page[SavedSearchShape]:
    """List saved searches.

    Newest first.
    """
    rows = select(SavedSearch).where(reach.contact_reached(SavedSearch.contact_id))
    rows = rows.where(SavedSearch.contact_id == query.contact_id) if query.contact_id else rows
    rows = rows.where(SavedSearch.state == query.state) if query.state else rows
    rows = after(rows, query.after, SavedSearch.id)
    read = db.session.scalars(rows.limit(query.limit + 1))
    return page_of(read, query.limit, SavedSearchShape.of, lambda one: Place(one.id))


@endpoint("GET", "/saved-searches/<external:external_id>", scope=READ, gives=SavedSearchShape, tag=TAG)
def get_saved_search(external_id: str) -> SavedSearchShape:
    """Get a saved search by your reference."""
    return SavedSearchShape.of(find_search(external_id))


def find_search(external_id: str) -> SavedSearch:
    search = SavedSearch.with_external_id(external_id)
    if search is None or not reach.is_reached(search.contact):
        raise NotFound
    return search


@endpoint(
    "PUT",
    "/saved-searches/<external:external_id>",
    scope=WRITE,
    body=SearchUpsert,
    gives=SavedSearchShape,
    tag=TAG,
    problems=(NO_CONSENT, TOO_WIDE, reach.OUT_OF_REACH),
    creates=True,
)
def upsert_saved_search(external_id: str, body: SearchUpsert) -> SavedSearchShape | Created:
    """Create or change a saved search by your reference.

    201 where it is new. The contact must have agreed to marketing; a search for everything is refused.
    """
    check_reference(external_id)
    contact = Contact.find(body.contact_id)
    if contact is None or contact.is_erased or not reach.is_reached(contact):
        raise Problem(
            "invalid_request", errors=[Fault("not_found", "There is no such contact.", pointer="/contact_id")]
        )
    # Of two at once, the second finds what the first has made.
    contact.refresh_locked()
    earlier = SavedSearch.with_external_id(external_id)
    if earlier is not None:
        if not reach.is_reached(earlier.contact):
            raise Problem(reach.OUT_OF_REACH)
        check_match(SavedSearchShape.of(earlier.refresh_locked()))
    elif request.headers.get("If-Match") is not None:
        raise Problem("changed_meanwhile")
    if body.consent:
        given: dict[str, Any] = {"source": body.consent.source, "evidence": body.consent.evidence}
        Consent.record(contact.id, "marketing", is_granted=True, by=current_key().actor, **given)
    search = save(earlier, contact, body, external_id)
    shape = SavedSearchShape.of(search)
    return shape if earlier else Created(shape)


def save(earlier: SavedSearch | None, contact: Contact, body: SearchUpsert, external_id: str) -> SavedSearch:
    criteria = body.criteria.read
    more: dict[str, Any] = {"name": body.name, "frequency": body.frequency, "wants_drops": body.wants_price_drops}
    by = current_key().actor
    try:
        if earlier is None:
            return SavedSearch.begin(contact, criteria, source="api", by=by, external_id=external_id, **more)
        earlier.change(contact, criteria, **more)
    except NoConsent:
        raise Problem(NO_CONSENT) from None
    except TooWide as refusal:
        raise Problem(TOO_WIDE, refusal.explain()) from None
    except Refusal as refusal:
        raise Problem("invalid_request", errors=[Fault("invalid", refusal.explain(), pointer="/criteria")]) from None
    return earlier


@endpoint("POST", "/saved-searches/<external:external_id>/stop", scope=WRITE, gives=SavedSearchShape, tag=TAG)
def stop_saved_search(external_id: str) -> SavedSearchShape:
    """Stop the alerts about a saved search."""
    search = find_search(external_id)
    search.stop(by=current_key().actor, how="api")
    return SavedSearchShape.of(search)


class AlertsQuery(PageQuery):
    contact_id: uuid.UUID | None = Field(None, alias="filter[contact_id]")


@endpoint("GET", "/listing-alerts", scope=READ, query=AlertsQuery, gives=Page[AlertShape], tag=TAG)
def list_listing_alerts(query: AlertsQuery) -> Page[AlertShape]:
    """List alerts about new listings.

    In no particular order of time; each says whether it was sent, and if not, why.
    """
    rows = select(ListingAlert).where(reach.contact_reached(ListingAlert.contact_id))
    rows = rows.where(ListingAlert.contact_id == query.contact_id) if query.contact_id else rows
    rows = after(rows, query.after, ListingAlert.id, ListingAlert.created_at)
    read = db.session.scalars(rows.limit(query.limit + 1))
    return page_of(read, query.limit, AlertShape.of, lambda one: Place(one.id, one.created_at))
