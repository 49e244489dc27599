"""Beside a conversation: what the customer asked about, and what they look for."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.inbox.conversations import Conversation
from app.inbox.desk.cards import details_card
from app.listings.inquiries import STATES, Inquiry
from app.listings.models import Listing
from app.listings.saved_searches import SavedSearch
from app.tenancy import db, exists

MOST = 5


@dataclass(frozen=True, slots=True)
class Content:
    inquiries: list[Inquiry]
    searches: list[SavedSearch]
    states: dict[str, str]


@details_card("listings/_card.html", order=30, permission="listings.view")
def listings_beside(conversation: Conversation) -> Content | None:
    """None for a business without listings."""
    around = joinedload(Inquiry.listing).options(joinedload(Listing.owner), joinedload(Listing.member))
    mine = select(Inquiry).where(Inquiry.contact_id == conversation.contact_id).options(around)
    inquiries = list(db.session.scalars(mine.order_by(Inquiry.last_at.desc()).limit(MOST)))
    searches = list(db.session.scalars(SavedSearch.of_contact(conversation.contact_id).limit(MOST)))
    if not inquiries and not searches and not exists(select(Listing.id).limit(1)):
        return None
    return Content(inquiries, searches, STATES)
