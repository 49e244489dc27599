from __future__ import annotations

import io
import re

import pytest

from app.listings.imports import ListingImport
from app.listings.jobs import advance_import
from app.listings.models import Listing
from app.listings.saved_searches import SavedSearch
from app.listings.settings import ListingSettings
from app.message_templates.models import MessageTemplate
from app.tenancy import db, tenant_scope
from tests.client import Browser

from .conftest import Agency
from .test_inquiries import touch


@pytest.fixture
def ann(agency: Agency) -> Browser:
    return Browser(agency.app, tenant="bakery").signed_in_as(agency.world.ann)


def page(browser: Browser, path: str) -> str:
    return str(browser.get(f"/t/bakery{path}").get_data(as_text=True))


def test_a_listing_is_added_by_hand_as_people_write_it(agency: Agency, ann: Browser) -> None:
    form = {"title": "فيلا في دكار", "kind": "sale", "status": "available", "price": "500 000 FCFA", "rooms": "3,5"}
    ann.post("/t/bakery/listings/", form | {"city": "Dakar", "type": "villa", "description": "<b>Sea</b>"})
    with tenant_scope(agency.tenant.id):
        listing = db.session.scalars(db.select(Listing)).one()
        assert (listing.price, listing.rooms, listing.description, listing.source) == (
            "500,000 XOF",
            3.5,
            "Sea",
            "hand",
        )
    assert "فيلا في دكار" in page(ann, "/listings/?q=دكار") and "No listings found" in page(ann, "/listings/?kind=rent")


def test_a_mistake_in_the_form_is_shown_at_its_field(agency: Agency, ann: Browser) -> None:
    form = {"title": "x", "kind": "sale", "status": "available", "price": "-5 XOF", "url": "ftp://x", "owner": "12"}
    answer = ann.post("/t/bakery/listings/", form)
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422 and "below zero" in text and "isn&#39;t a web address" in text
    assert len(re.findall(r'id="(?:price|url|owner)-problem"', text)) == 3


def test_editing_changes_and_withdrawing_withdraws(agency: Agency, ann: Browser) -> None:
    listing = agency.put()
    assert 'value="500000"' in page(ann, f"/listings/{listing.id}/edit")
    form = {"title": "New title", "kind": "rent", "status": "reserved", "price": "5", "currency": "EUR"}
    ann.post(f"/t/bakery/listings/{listing.id}", form)
    assert "New title" in page(ann, f"/listings/{listing.id}") and "Reserved" in page(ann, f"/listings/{listing.id}")
    ann.post(f"/t/bakery/listings/{listing.id}/withdrawal", {})
    assert "Withdrawn" in page(ann, f"/listings/{listing.id}")


def test_a_file_is_uploaded_and_its_report_names_every_bad_row(agency: Agency, ann: Browser) -> None:
    file = (io.BytesIO(b"ref,title,price\nA,House,5 XOF\n,x,5 XOF\n"), "feed.csv")
    answer = ann.post("/t/bakery/listings/imports", {"file": file})
    with tenant_scope(agency.tenant.id):
        begun = db.session.scalars(db.select(ListingImport)).one()
    advance_import(agency.tenant.id, str(begun.id))
    text = page(ann, f"/listings/imports/{begun.id}")
    assert answer.status_code == 303 and "1 listing added" in text and "The reference is missing." in text
    assert "feed.csv" in page(ann, "/listings/imports")


def test_a_search_is_saved_beside_a_conversation_with_consent(agency: Agency, ann: Browser) -> None:
    contact = {"contact_id": str(agency.talk.contact_id)}
    form = contact | {"kind": "sale", "types": "villa, land", "places": "Dakar", "frequency": "daily"}
    refused = ann.post("/t/bakery/listings/searches", form)
    assert refused.status_code == 422 and "Alerts are marketing" in refused.get_data(as_text=True)
    ann.post("/t/bakery/listings/searches", form | {"consent_source": "phone", "consent_evidence": "Called today"})
    with tenant_scope(agency.tenant.id):
        search = db.session.scalars(db.select(SavedSearch)).one()
        assert search.criteria == {"kind": "sale", "types": ["villa", "land"], "places": ["Dakar"]}
    ann.post(f"/t/bakery/listings/searches/{search.id}/stop", {})
    assert "Resume" in page(ann, "/listings/searches")


def test_the_card_shows_what_the_customer_asked_about(agency: Agency, ann: Browser) -> None:
    agency.put()
    touch(agency)
    text = page(ann, f"/inbox/{agency.talk.id}/details")
    assert "Villa in Dakar · 500,000 XOF" in text and "Similar listings" in text


def test_a_similar_listing_is_sent_from_the_list(agency: Agency, ann: Browser) -> None:
    listing, other = agency.put(), agency.put("B", title="Another villa")
    shown = page(ann, f"/listings/{listing.id}/similar?conversation={agency.talk.id}")
    assert "Another villa" in shown
    form = {"conversation_id": str(agency.talk.id), "once": "1"}
    for _ in range(2):
        ann.post(f"/t/bakery/listings/{other.id}/sending", form)
    assert [one.body.splitlines()[0] for one in agency.sent("inbox")] == ["Another villa"]


def test_inquiries_are_listed_and_moved(agency: Agency, ann: Browser) -> None:
    agency.put()
    touch(agency)
    inquiry = agency.inquiries()[0]
    ann.post(f"/t/bakery/listings/inquiries/{inquiry.id}/state", {"state": "viewing_booked"})
    assert "Villa with a garden" in page(ann, "/listings/inquiries?state=viewing_booked")
    assert "Villa with a garden" not in page(ann, "/listings/inquiries?state=lost")


def test_the_settings_say_what_a_notification_needs_that_is_not_filled_in(agency: Agency, ann: Browser) -> None:
    agency.notify(names=("first_name", "shoe_size"))
    text = page(ann, "/listings/settings")
    assert "needs shoe_size" in text
    form = {
        "alert_notification_id": "",
        "alert_hour": "10",
        "inquiry_days": "3",
        "currency": "fcfa",
        "feed_url": "https://agency.example/feed.csv",
    }
    assert ann.post("/t/bakery/listings/settings", form).status_code == 303
    with tenant_scope(agency.tenant.id):
        settings = ListingSettings.current()
        assert (settings.alert_hour, settings.currency, settings.alert_notification_id) == (10, "XOF", None)


@pytest.mark.parametrize(
    ("category", "names", "words"),
    [("UTILITY", ("count",), "category marketing"), ("MARKETING", ("shoe_size",), "nothing fills in shoe_size")],
)
def test_a_notification_that_cannot_be_sent_for_alerts_is_refused(
    agency: Agency, ann: Browser, category: str, names: tuple[str, ...], words: str
) -> None:
    agency.notify(names=names)
    with tenant_scope(agency.tenant.id):
        db.session.execute(db.update(MessageTemplate).values(category=category))
        chosen = ListingSettings.current().alert_notification_id
        ListingSettings.current().alert_notification_id = None
    form = {"alert_hour": "10", "inquiry_days": "3", "alert_notification_id": str(chosen)}
    answer = ann.post("/t/bakery/listings/settings", form)
    assert answer.status_code == 422 and words in answer.text
    with tenant_scope(agency.tenant.id):
        assert ListingSettings.current().alert_notification_id is None


def test_the_description_of_a_saved_search_is_true(agency: Agency, ann: Browser) -> None:
    agency.agree()
    form = {"contact_id": str(agency.talk.contact_id), "kind": "sale", "places": "Dakar", "frequency": "daily"}

    def description_of(**more: str) -> str:
        ann.post("/t/bakery/listings/searches", form | more)
        return page(ann, "/listings/searches")

    assert "until a notification for them is chosen" in description_of()
    agency.notify(alert_hour=11)
    assert "once a day, from 11:00" in description_of() and "when something new matches" in description_of(
        frequency="at_once"
    )


@pytest.mark.parametrize("url", ["http://agency.example/x", "https://localhost/x", "https://10.0.0.1/x"])
def test_a_feed_has_to_be_at_a_public_address(agency: Agency, ann: Browser, url: str) -> None:
    form = {"alert_hour": "10", "inquiry_days": "3", "feed_url": url}
    assert ann.post("/t/bakery/listings/settings", form).status_code == 422


def test_agents_neither_import_nor_change_settings(agency: Agency) -> None:
    ben = Browser(agency.app, tenant="bakery").signed_in_as(agency.world.ben)
    assert ben.get("/t/bakery/listings/").status_code == 200
    assert ben.get("/t/bakery/listings/imports").status_code == 403
    assert ben.get("/t/bakery/listings/settings").status_code == 403


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "kind"),
        ({"kind": "sale", "price_from": "9 XOF", "price_to": "5 XOF"}, "price_to"),
        ({"kind": "sale", "rooms_from": "2000000"}, "rooms_from"),
        ({"kind": "sale", "places": ",".join("abcdefghijkl")}, "places"),
    ],
)
def test_a_mistake_in_a_search_is_shown_at_its_field(
    agency: Agency, ann: Browser, given: dict[str, str], field: str
) -> None:
    agency.agree()
    answer = ann.post("~/listings/searches", {"contact_id": str(agency.talk.contact_id), "frequency": "daily"} | given)
    assert answer.status_code == 422 and f'id="{field}-problem"' in answer.text and "problem-line" not in answer.text


def test_a_search_without_consent_says_so_where_consent_is_recorded(agency: Agency, ann: Browser) -> None:
    given = {"contact_id": str(agency.talk.contact_id), "frequency": "daily", "kind": "sale", "places": "Dakar"}
    assert 'id="consent_source-problem"' in ann.post("~/listings/searches", given).text


def test_the_contacts_page_has_their_searches(agency: Agency, ann: Browser) -> None:
    agency.agree()
    agency.look_for()
    contact_id = agency.talk.contact_id
    assert f"/listings/searches/of/{contact_id}" in ann.get(f"~/contacts/{contact_id}").text
    assert "Dakar" in ann.get(f"~/listings/searches/of/{contact_id}").text


def test_an_alert_that_was_chosen_and_lacks_values_since_prevents_no_saving(agency: Agency, ann: Browser) -> None:
    agency.notify(names=("first_name", "shoe_size"))
    with tenant_scope(agency.tenant.id):
        chosen = str(ListingSettings.current().alert_notification_id)
    given = {"alert_notification_id": chosen, "alert_hour": "11", "inquiry_days": "7"}
    assert ann.post("~/listings/settings", given).status_code == 303
    assert "needs shoe_size" in ann.get("~/listings/settings").text
    assert ann.post("~/listings/settings", given | {"inquiry_notification_id": chosen}).status_code == 422
