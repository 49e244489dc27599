"""What Bakery has on offer in the demo besides bread: properties in Dakar, and who asked about one."""

from __future__ import annotations

from typing import Any

from app.contacts.consents import Consent
from app.inbox.conversations import Conversation
from app.listings.criteria import Criteria
from app.listings.inquiries import Inquiry
from app.listings.models import Listing
from app.listings.saved_searches import SavedSearch
from app.listings.settings import ListingSettings
from app.tenancy import Actor, User, db

LISTINGS: dict[str, dict[str, Any]] = {
    "DKR-204": {
        "title": "Villa avec jardin aux Almadies",
        "type": "villa",
        "district": "Almadies",
        "price_micros": 500_000 * 10**6,
        "kind": "rent",
        "rooms": 5.0,
        "area": 240.0,
        "description": "Cinq pièces près de la mer, jardin et garage.\nLibre à partir de janvier.",
        "attributes": {"Piscine": True, "Étages": 2},
    },
    "DKR-117": {
        "title": "Appartement lumineux au Plateau",
        "type": "appartement",
        "district": "Plateau",
        "price_micros": 350_000 * 10**6,
        "kind": "rent",
        "rooms": 3.0,
        "area": 95.0,
    },
    "DKR-310": {
        "title": "أرض للبيع في مبور",
        "type": "أرض",
        "city": "Mbour",
        "price_micros": 12_000_000 * 10**6,
        "kind": "sale",
        "area": 300.0,
    },
    "DKR-088": {
        "title": "Villa familiale à Ngor",
        "type": "villa",
        "district": "Ngor",
        "price_micros": 450_000 * 10**6,
        "kind": "rent",
        "rooms": 4.0,
        "status": "reserved",
    },
}


def offer(*, by: Actor, customer: Conversation, owner: Conversation, ben: User) -> None:
    """Safe to run again: what is there stays."""
    for reference, given in LISTINGS.items():
        always = {"city": "Dakar", "currency": "XOF", "url": f"https://agency.example/{reference.lower()}"}
        who = {"contact_id": owner.contact_id, "member_id": ben.id}
        Listing.put(reference, always | who | given, source="hand", by=by)
    db.session.flush()
    settings = ListingSettings.current()
    settings.currency = "XOF"
    settings.save()
    villa = Listing.with_external_id("DKR-204")
    assert villa
    Inquiry.receive(villa, customer.contact, source="agent", by=by, conversation=customer, words="هل الفيلا متاحة؟")
    evidence: dict[str, Any] = {"source": "message", "evidence": "Wrote that offers are welcome."}
    Consent.record(customer.contact_id, "marketing", is_granted=True, by=by, **evidence)
    wanted = Criteria(kind="rent", types=("villa",), places=("Dakar",), price_to=600_000 * 10**6, currency="XOF")
    SavedSearch.begin(customer.contact, wanted, source="agent", by=by)
