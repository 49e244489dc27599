"""What automations do with listings: they begin with an inquiry, a listing that changes, or alerts that stop."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from flask_babel import gettext as _
from sqlalchemy import select

from app.contacts.refusals import Refusal
from app.listings.amounts import read_number, read_price
from app.listings.criteria import Criteria, kind_of
from app.listings.inquiries import STATES, Inquiry
from app.listings.kinds import KINDS
from app.listings.models import Listing
from app.listings.saved_searches import SavedSearch
from app.listings.settings import ListingSettings
from app.tenancy import db
from app.words import N_

from .parts import Miss, Names, Step, Trigger, choice, entry
from .turns import Outcome, Turn

GROUP = N_("Listings")
NO_INQUIRY = N_("This customer has no inquiry.")
HINT = N_("Variables such as {{answer}} are replaced by their values.")
OFFERS = {"": N_("Any offer"), **KINDS}
VALUES = tuple(f"listing.{name}" for name in ("title", "price", "place", "link", "status", "kind", "type", "reference"))


def know_listing(turn: Any, id: object) -> Listing | None:
    """Remembers what a listing is, for later steps: {{listing.title}}, {{listing.price}} …"""
    listing = Listing.find(id)
    if listing is not None:
        offer = (listing.title, listing.price, listing.location, listing.url)
        facts = (listing.status, listing.kind, listing.type, listing.external_id)
        for name, value in zip(VALUES, (*offer, *facts), strict=True):
            turn.know(name, value)
    return listing


class InquiryReceived(Trigger):
    kind: Literal["inquiry"] = "inquiry"
    title: ClassVar[str] = N_("A customer asks about a listing")
    group: ClassVar[str] = GROUP
    happenings: ClassVar[tuple[str, ...]] = ("inquiry.received",)
    values: ClassVar[tuple[str, ...]] = VALUES
    offer: Literal["", "sale", "rent"] = choice(
        N_("The listing is"),
        OFFERS,
        hint=N_(
            "Steps get {{listing.title}}, {{listing.price}}, {{listing.place}}, {{listing.link}}, {{listing.status}}."
        ),
    )

    def matches(self, turn: Any) -> Miss | None:
        listing = know_listing(turn, turn.facts.get("listing_id"))
        if self.offer and (listing is None or listing.kind != self.offer):
            return Miss(listing.kind_words if listing else "")
        return None

    def sentence(self, names: Names) -> str:
        if self.offer:
            return str(_("When a customer asks about a listing: %(offer)s", offer=_(KINDS[self.offer])))
        return str(_("When a customer asks about a listing"))


class ListingChanges(Trigger):
    """In the conversation with its owner."""

    kind: Literal["listing"] = "listing"
    title: ClassVar[str] = N_("A listing of a customer changes")
    group: ClassVar[str] = GROUP
    CHANGES: ClassVar[dict[str, str]] = {
        "created": N_("is added"),
        "changed": N_("is changed"),
        "withdrawn": N_("is withdrawn"),
    }
    happenings: ClassVar[tuple[str, ...]] = tuple(f"listing.{name}" for name in CHANGES)
    values: ClassVar[tuple[str, ...]] = VALUES
    what: Literal["created", "changed", "withdrawn"] = choice(
        N_("The listing"), CHANGES, hint=N_("It runs in the conversation with the listing's owner.")
    )

    def matches(self, turn: Any) -> Miss | None:
        what = turn.happening.removeprefix("listing.")
        if what != self.what:
            return Miss(what)
        listing = Listing.with_external_id(str(turn.facts.get("external_id")))
        know_listing(turn, listing.id if listing else None)
        return None

    def sentence(self, names: Names) -> str:
        return str(_("When a listing of a customer %(changes)s", changes=_(self.CHANGES[self.what])))


class AlertsStopped(Trigger):
    kind: Literal["alert_stopped"] = "alert_stopped"
    title: ClassVar[str] = N_("A customer stops alerts about a saved search")
    group: ClassVar[str] = GROUP
    happenings: ClassVar[tuple[str, ...]] = ("alert.stopped",)

    def matches(self, turn: Any) -> Miss | None:
        how = str(turn.facts.get("how"))
        return None if how == "customer" else Miss(how)

    def sentence(self, names: Names) -> str:
        return str(_("When a customer stops alerts about a saved search"))


class MoveInquiry(Step):
    kind: Literal["inquiry_state"] = "inquiry_state"
    title: ClassVar[str] = N_("Set the state of the inquiry")
    group: ClassVar[str] = GROUP
    state: Literal["new", "answered", "viewing_booked", "lost"] = choice(N_("State"), STATES, default="answered")

    def do(self, turn: Turn) -> Outcome:
        mine = select(Inquiry).where(Inquiry.contact_id == turn.contact.id).order_by(Inquiry.last_at.desc())
        inquiry = db.session.scalar(mine.limit(1))
        if inquiry is None:
            return Outcome("refused", words=NO_INQUIRY)
        return Outcome("done" if inquiry.put(self.state) else "unchanged")

    def sentence(self, names: Names) -> str:
        return str(_("Set the state of the inquiry to “%(state)s”", state=_(STATES[self.state])))


class SaveSearch(Step):
    """Needs the customer's consent to marketing, as a result with words says where it is missing."""

    kind: Literal["save_search"] = "save_search"
    title: ClassVar[str] = N_("Save what the customer looks for")
    group: ClassVar[str] = GROUP
    offer: str = entry(N_("Offer"), most=60, needed=False, hint=N_("For sale or for rent, such as {{Interest}}."))
    type: str = entry(N_("Type"), most=100, needed=False, hint=HINT)
    place: str = entry(N_("City or district"), most=100, needed=False, hint=HINT)
    budget: str = entry(N_("Price up to"), most=60, needed=False, hint=HINT)
    rooms: str = entry(N_("Rooms from"), most=20, needed=False, hint=HINT)

    def do(self, turn: Turn) -> Outcome:
        assert turn.automation
        try:
            criteria = self.criteria(turn)
            search = SavedSearch.begin(turn.contact, criteria, source="automation", by=turn.automation.actor)
        except Refusal as refusal:
            facts = {name: str(value) for name, value in refusal.facts.items()}
            return Outcome("refused", words=refusal.words, seen=facts)
        return Outcome("done", seen={"search": search.label[:200]})

    def criteria(self, turn: Turn) -> Criteria:
        """Raises `Refusal`. What is no price and no number is left out, as a customer may write anything."""
        given: dict[str, Any] = {"kind": kind_of(turn.fill(self.offer))}
        given |= {
            "types": tuple(filter(None, [turn.fill(self.type)])),
            "places": tuple(filter(None, [turn.fill(self.place)])),
        }
        given["rooms_from"] = read_number(turn.fill(self.rooms), 10_000)
        try:
            given["price_to"], given["currency"] = read_price(
                turn.fill(self.budget), ListingSettings.current().currency
            )
        except Refusal:
            given["price_to"] = None
        return Criteria.of(given)

    def problems(self) -> list[str]:
        has_any = any((self.offer, self.type, self.place, self.budget, self.rooms))
        return [] if has_any else [str(_("Fill in at least one thing to look for."))]
