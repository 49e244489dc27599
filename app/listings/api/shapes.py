"""Listings, saved searches and inquiries as the API shows them. Outgoing webhooks carry the same."""

from __future__ import annotations

import uuid
from typing import Any, Literal, Self

from pydantic import Field

from app.api import Shape
from app.api.declaring import Time
from app.listings.alerts import ListingAlert
from app.listings.imports import ImportProblem, ListingImport
from app.listings.inquiries import Inquiry
from app.listings.models import Listing
from app.listings.saved_searches import SavedSearch

Kind = Literal["sale", "rent"]
Status = Literal["available", "reserved", "sold", "let", "withdrawn"]


class PriceShape(Shape):
    """An amount in micro-units (millionths) of a currency: 500,000 XOF is 500000000000."""

    micros: int = Field(ge=1, lt=10**18)
    currency: str = Field(min_length=3, max_length=3, examples=["XOF"])


class ListingShape(Shape):
    """Something on offer. `external_id` is its reference in your system."""

    id: uuid.UUID
    external_id: str
    title: str
    kind: Kind
    type: str
    city: str
    district: str
    price: PriceShape | None
    rooms: float | None
    area: float | None = Field(description="In square metres.")
    url: str
    picture_url: str
    description: str
    status: Status
    owner_contact_id: uuid.UUID | None
    member_id: uuid.UUID | None
    attributes: dict[str, Any]
    source: str = Field(description="hand, api or feed.")
    listed_at: Time
    updated_at: Time

    @classmethod
    def of(cls, listing: Listing) -> Self:
        price = None
        if listing.price_micros is not None:
            price = PriceShape(micros=listing.price_micros, currency=listing.currency or "")
        return cls(
            id=listing.id,
            external_id=listing.external_id,
            title=listing.title,
            kind=listing.kind,  # type: ignore[arg-type]
            type=listing.type,
            city=listing.city,
            district=listing.district,
            price=price,
            rooms=listing.rooms,
            area=listing.area,
            url=listing.url,
            picture_url=listing.picture_url,
            description=listing.description,
            status=listing.status,  # type: ignore[arg-type]
            owner_contact_id=listing.contact_id,
            member_id=listing.member_id,
            attributes=listing.attributes,
            source=listing.source,
            listed_at=listing.listed_at,
            updated_at=listing.updated_at,
        )


class SavedSearchShape(Shape):
    """What a contact looks for. `criteria` has the members that were given."""

    id: uuid.UUID
    external_id: str | None
    contact_id: uuid.UUID
    name: str
    criteria: dict[str, Any]
    frequency: str
    wants_price_drops: bool
    state: str
    source: str
    stopped_by: str | None
    created_at: Time

    @classmethod
    def of(cls, search: SavedSearch) -> Self:
        return cls(
            id=search.id,
            external_id=search.external_id,
            contact_id=search.contact_id,
            name=search.name,
            criteria=search.criteria,
            frequency=search.frequency,
            wants_price_drops=search.wants_drops,
            state=search.state,
            source=search.source,
            stopped_by=search.stopped_by or None,
            created_at=search.created_at,
        )


class InquiryShape(Shape):
    """A customer asks about a listing. `times` is how often, within the days that count as one inquiry."""

    id: uuid.UUID
    listing_id: uuid.UUID
    listing_external_id: str
    contact_id: uuid.UUID
    conversation_id: uuid.UUID | None
    source: str
    state: str
    text: str
    times: int
    owner_notified: bool
    created_at: Time
    last_at: Time

    @classmethod
    def of(cls, inquiry: Inquiry) -> Self:
        return cls(
            id=inquiry.id,
            listing_id=inquiry.listing_id,
            listing_external_id=inquiry.listing.external_id,
            contact_id=inquiry.contact_id,
            conversation_id=inquiry.conversation_id,
            source=inquiry.source,
            state=inquiry.state,
            text=inquiry.text,
            times=inquiry.times,
            owner_notified=inquiry.owner_notified_at is not None,
            created_at=inquiry.created_at,
            last_at=inquiry.last_at,
        )


class AlertShape(Shape):
    """One day's alert of a contact."""

    id: uuid.UUID
    contact_id: uuid.UUID
    day: str
    state: str
    reason: str | None
    listing_count: int
    saved_search_ids: list[str]
    message_id: uuid.UUID | None
    created_at: Time

    @classmethod
    def of(cls, alert: ListingAlert) -> Self:
        return cls(
            id=alert.id,
            contact_id=alert.contact_id,
            day=alert.day,
            state=alert.state,
            reason=alert.reason or None,
            listing_count=alert.listing_count,
            saved_search_ids=alert.search_ids,
            message_id=alert.message_id,
            created_at=alert.created_at,
        )


class ImportShape(Shape):
    """A file of listings. While `state` is waiting or importing, `row` says how far it is."""

    id: uuid.UUID
    filename: str
    state: str
    failure: str | None
    row: int
    created: int
    changed: int
    unchanged: int
    bad: int
    withdrawn: int
    not_withdrawn_because: str | None
    created_at: Time
    finished_at: Time | None

    @classmethod
    def of(cls, listing_import: ListingImport) -> Self:
        return cls(
            id=listing_import.id,
            filename=listing_import.filename,
            state=listing_import.state,
            failure=listing_import.reason or None,
            row=listing_import.row,
            created=listing_import.created,
            changed=listing_import.changed,
            unchanged=listing_import.same,
            bad=listing_import.bad,
            withdrawn=listing_import.withdrawn,
            not_withdrawn_because=listing_import.guard_words or None,
            created_at=listing_import.created_at,
            finished_at=listing_import.finished_at,
        )


class ImportProblemShape(Shape):
    """A row that was left out: its number in the file, the column, and why."""

    row: int
    column: str | None
    reason: str

    @classmethod
    def of(cls, problem: ImportProblem) -> Self:
        return cls(row=problem.number, column=problem.column or None, reason=problem.reason)
