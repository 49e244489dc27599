"""Listings as the choices of a form in WhatsApp, and forms that become saved searches.

The labels of a form's fields say what the answers are, as the titles of a feed's columns do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Select, select

from app.contacts.consents import Consent
from app.contacts.models import Contact
from app.contacts.refusals import Refusal
from app.contacts.tables.columns import simplified
from app.meta.flow_json import LONGEST_OPTION, parts_of
from app.tenancy import Actor, db
from app.whatsapp_flows.lookups import Reply, lookup_source
from app.whatsapp_flows.responses import FlowResponse
from app.words import N_

from .amounts import price_words, read_number, read_price
from .criteria import Criteria, kind_of
from .feed_columns import NAME_BY_TITLE
from .models import Listing
from .saved_searches import NoConsent, SavedSearch
from .settings import ListingSettings

NAME = "listings"
MOST_OPTIONS = 10
BETWEEN = " · "
BY = Actor.system("form")
TICKED = "✓"
# fmt: off
BUDGET = frozenset(map(simplified, (
    "budget", "your budget", "max price", "maximum price", "price up to", "prix max", "prix maximum", "budget max",
    "precio maximo", "presupuesto", "preco maximo", "orcamento", "hochstpreis", "الميزانيه", "السعر الاقصي", "ميزانيتك",
)))
# fmt: on


@lookup_source(
    NAME,
    N_("Property search"),
    N_(
        "Offers up to 10 listings that match what the customer chose: offer, type, city, district, budget, rooms, area."
    ),
)
def answer(rows: Sequence[tuple[str, str]], chosen: Mapping[str, str]) -> Reply:
    """The newest matching listings as choices; a chosen one as words that people can read."""
    try:
        criteria = criteria_from(rows)
    except Refusal:
        criteria = Criteria()
    offered = db.session.scalars(criteria.offered().limit(MOST_OPTIONS))
    options = [{"id": listing.external_id, "title": option(listing)} for listing in offered]
    named = {one.external_id: one.title for one in db.session.scalars(with_references(chosen.values()))}
    words = {name: f"{value}{BETWEEN}{named[value]}" for name, value in chosen.items() if value in named}
    return Reply(dict.fromkeys(chosen, options) if options else {}, answers=words)


def with_references(references: Iterable[str]) -> Select[Listing]:
    return select(Listing).where(Listing.external_id.in_([one for one in references if one]))


def option(listing: Listing) -> str:
    """`Villa, Dakar · 500,000 XOF`, or as much of it as an option can have."""
    price = price_words(listing.price_micros, listing.currency)
    where = ", ".join(filter(None, (listing.type_words, listing.district or listing.city))) or listing.title
    return BETWEEN.join(filter(None, (where[: max(LONGEST_OPTION - len(price) - len(BETWEEN), 8)], price)))[
        :LONGEST_OPTION
    ]


def criteria_from(rows: Sequence[tuple[str, str]]) -> Criteria:
    """What the answers to a form look for. Raises `Refusal` where they contradict each other."""
    currency = ListingSettings.current().currency
    given: dict[str, object] = {}
    places: list[str] = []
    for label, value in rows:
        name = simplified(label)
        what = "price" if name in BUDGET else NAME_BY_TITLE.get(name, "")
        match what:
            case "kind":
                given["kind"] = kind_of(value)
            case "type":
                given["types"] = tuple(one.strip() for one in value.split(",") if one.strip())
            case "city" | "district":
                places.append(value)
            case "price":
                given |= price_to(value, currency)
            case "rooms" | "area":
                number = read_number(value, 10**6)
                given |= {f"{what}_from": number} if number else {}
    # A district says more than its city.
    given["places"] = tuple(places[-1:])
    return Criteria.of(given)


def price_to(value: str, currency: str) -> dict[str, object]:
    try:
        micros, code = read_price(value, currency)
    except Refusal:
        return {}
    return {"price_to": micros, "currency": code}


def search_from(response: FlowResponse, contact: Contact) -> SavedSearch | None:
    """Saves what a form looks for. A ticked opt-in in it is the consent to marketing, with the form as evidence."""
    rows = [(row["label"], row["value"]) for row in response.rows]
    agree(response, rows)
    try:
        return SavedSearch.begin(contact, criteria_from(rows), source="form", by=BY)
    except (Refusal, NoConsent):
        return None


def agree(response: FlowResponse, rows: Sequence[tuple[str, str]]) -> None:
    version = response.version
    opt_ins = {part["label"] for part in parts_of(version.screens) if part["kind"] == "opt_in"} if version else set()
    for label, value in rows:
        if label in opt_ins and value == TICKED:
            evidence = f"{response.flow.name if response.flow else ''}: {label}"[:1_000]
            Consent.record(response.contact_id, "marketing", is_granted=True, source="form", by=BY, evidence=evidence)
