"""Forms in WhatsApp whose choices are listings, and forms that become saved searches."""

from __future__ import annotations

import pytest
from flask import Flask

from app.contacts.consents import Consent
from app.listings.form_source import answer, criteria_from
from app.listings.inquiries import Inquiry
from app.listings.models import Listing
from app.listings.saved_searches import SavedSearch
from app.listings.settings import ListingSettings
from app.tenancy import Actor, db, tenant_scope
from app.whatsapp_flows.models import WhatsappFlow
from tests.arrivals import arrive, conversation
from tests.happenings import deliver_to_subscriber
from tests.posts import message
from tests.whatsapp_flows.forms import begin, part, receive, reply, screen, send
from tests.whatsapp_flows.test_data_endpoint import Phone
from tests.world import World

from .conftest import Agency

FILTERS = screen(part("short", "City", "city"), part("number", "Budget", "budget"), title="Where")
CHOICE = screen(part("lookup", "Property", "property", required=True), title="Choose")
WANTED = [screen(part("short", "City", "city"), part("opt_in", "Send me new offers", "news"), title="Alerts")]


def listing(world: World, external_id: str, city: str) -> None:
    with tenant_scope(world.bakery.id):
        by = Actor.agent(world.ann)
        Listing.put(external_id, {"title": f"House {external_id}", "city": city}, source="api", by=by)


@pytest.fixture
def phone(app: Flask, world: World) -> Phone:
    """A customer's phone with a form that takes its choices from listings."""
    phone = Phone(app, world, [FILTERS, CHOICE])
    with tenant_scope(world.bakery.id):
        WhatsappFlow.get_or_404(phone.flow.id).lookup_source = "listings"
    listing(world, "A", "Dakar")
    listing(world, "B", "Thiès")
    return phone


def test_a_customer_filters_in_the_form_and_asks_about_what_they_choose(phone: Phone, world: World) -> None:
    shown = phone.ask("data_exchange", "SCREEN_A", city="thies")
    assert [one["id"] for one in shown["data"]["property"]] == ["B"]
    closed = phone.ask("data_exchange", "SCREEN_B", city="thies", property="B")
    params = closed["data"]["extension_message_response"]["params"]
    assert params["property"] == "B · House B"
    receive(world, reply(params))
    deliver_to_subscriber("listings_forms", world.bakery.id)
    with tenant_scope(world.bakery.id):
        inquiry = db.session.scalars(db.select(Inquiry)).one()
        assert (inquiry.source, inquiry.listing.external_id) == ("form", "B")


@pytest.mark.parametrize("ticked", [True, False])
def test_a_form_becomes_a_saved_search_where_its_opt_in_is_ticked(world: World, ticked: bool) -> None:
    number, _ = world.connect_numbers()
    arrive(message("Hello"))
    talk = conversation(world)
    flow = begin(world, number, WANTED)
    send(world, talk, flow)
    with tenant_scope(world.bakery.id):
        settings = ListingSettings.current()
        settings.search_flow_id = flow.id
        settings.save()
    receive(world, reply({"city": "Dakar", "news": ticked}))
    deliver_to_subscriber("listings_forms", world.bakery.id)
    with tenant_scope(world.bakery.id):
        saved = [one.criteria for one in db.session.scalars(SavedSearch.of_contact(talk.contact_id))]
        consents = Consent.latest(talk.contact_id)
    assert saved == ([{"places": ["Dakar"]}] if ticked else [])
    assert [one.evidence for one in consents.values()] == (["Order: Send me new offers"] if ticked else [])


def test_labels_in_other_languages_say_what_an_answer_is(agency: Agency) -> None:
    with tenant_scope(agency.tenant.id):
        results = criteria_from(
            [("Ville", "Dakar"), ("Quartier", "Almadies"), ("نوع", "فيلا"), ("Budget", "500 000 FCFA")]
        )
    assert results.places == ("Almadies",) and results.type_keys == ["villa"]
    assert (results.price_to, results.currency) == (500_000_000_000, "XOF")


def test_a_form_offers_at_most_ten_matching_listings_as_meta_takes_them(agency: Agency) -> None:
    for place in range(12):
        agency.put(f"D{place}", title=f"Villa number {place}")
    agency.put("T", city="Thiès", district="")
    with tenant_scope(agency.tenant.id):
        options = answer([("City", "dakar")], {"property": ""}).options["property"]
    assert len(options) == 10 and all(len(one["title"]) <= 30 for one in options)
    assert options[0] == {"id": "D11", "title": "Villa, Almadies · 500,000 XOF"}


def test_a_chosen_listing_becomes_words_with_its_reference(agency: Agency) -> None:
    agency.put()
    with tenant_scope(agency.tenant.id):
        assert answer([], {"property": "DKR-204"}).answers == {"property": "DKR-204 · Villa with a garden"}
        assert answer([], {"property": "made up"}).answers == {}


def test_nothing_that_matches_offers_nothing(agency: Agency) -> None:
    with tenant_scope(agency.tenant.id):
        assert answer([("City", "Nowhere")], {"property": ""}).options == {}
