"""Automations beside listings."""

from __future__ import annotations

import pytest

from app.automation.starters import starter
from app.contacts.consents import Consent
from app.listings.inquiries import Inquiry
from app.listings.models import Listing
from app.listings.saved_searches import SavedSearch
from app.tenancy import Actor, db, happened, tenant_scope
from tests.automation.conftest import Shop, keyword, reply
from tests.world import World

BY = Actor.system("tests")


@pytest.fixture
def shop(world: World) -> Shop:
    return Shop(world)


def inquire(shop: Shop, **given: object) -> None:
    """The customer of the shop's conversation asks about a villa."""
    villa = {
        "title": "Villa",
        "city": "Dakar",
        "price_micros": 5_000_000,
        "currency": "XOF",
        "url": "https://x.example",
    }
    with tenant_scope(shop.id):
        listing, _ = Listing.put("A", villa | given, source="api", by=BY)
        db.session.flush()
        Inquiry.receive(listing, shop.talk.contact, source="link", by=None, conversation=shop.talk)
    shop.work()


def test_an_inquiry_is_answered_with_the_listings_facts(shop: Shop) -> None:
    shop.rule({"kind": "inquiry"}, reply("{{listing.title}} in {{listing.place}}: {{listing.price}} {{listing.link}}"))
    shop.write("hello")
    inquire(shop)
    assert shop.sent() == ["Villa in Dakar: 5 XOF https://x.example"]


def test_an_inquiry_about_another_offer_begins_nothing(shop: Shop) -> None:
    shop.rule({"kind": "inquiry", "offer": "rent"}, reply("For rent"))
    shop.write("hello")
    inquire(shop, kind="sale")
    assert shop.sent() == []


def test_a_withdrawn_listing_runs_in_the_conversation_with_its_owner(shop: Shop) -> None:
    shop.rule({"kind": "listing", "what": "withdrawn"}, reply("Off: {{listing.title}}"))
    shop.write("hello")
    with tenant_scope(shop.id):
        listing, _ = Listing.put("A", {"title": "Villa", "contact_id": shop.talk.contact_id}, source="api", by=BY)
        db.session.flush()
        listing.withdraw(by=BY)
    shop.work()
    assert shop.sent() == ["Off: Villa"]


def test_alerts_that_a_customer_stops_begin_an_automation(shop: Shop) -> None:
    shop.rule({"kind": "alert_stopped"}, reply("Sorry to hear that."))
    shop.write("hello")
    with tenant_scope(shop.id):
        for how in ("agent", "customer"):
            happened("alert.stopped", shop.talk.contact_id, saved_search_id=shop.talk.id, how=how)
    shop.work()
    assert shop.sent() == ["Sorry to hear that."]


SAVE = {"kind": "save_search", "place": "{{answer}}", "budget": "500 000 FCFA"}


def test_a_search_is_saved_of_what_the_customer_wrote(shop: Shop) -> None:
    shop.rule(keyword("Dakar"), SAVE)
    shop.write("warm up")
    with tenant_scope(shop.id):
        Consent.record(shop.talk.contact_id, "marketing", is_granted=True, source="message", by=BY)
    shop.write("Dakar")
    with tenant_scope(shop.id):
        assert db.session.scalars(db.select(SavedSearch)).one().criteria == {
            "places": ["Dakar"],
            "price_to": 500_000_000_000,
            "currency": "XOF",
        }


def test_a_search_without_consent_is_a_result_with_words(shop: Shop) -> None:
    shop.rule(keyword("Dakar"), SAVE)
    shop.write("Dakar")
    assert shop.results() == ["refused"] and "agreed to marketing" in shop.steps()[0].words


def test_the_starter_hands_over_and_sets_nothing_that_is_missing(shop: Shop) -> None:
    with tenant_scope(shop.id):
        for name in ("inquiry", "listing-withdrawn", "alerts-stopped"):
            rows = starter(name)
            assert rows and rows.definition().steps
