from __future__ import annotations

import pytest

from app.contacts.refusals import Refusal
from app.listings.amounts import price_words, read_number, read_price
from app.listings.kinds import read_kind, read_type
from app.listings.models import Listing, without_markup
from app.tenancy import Actor, db, tenant_scope
from tests.happenings import happenings, kinds

from .conftest import Agency

WRITTEN = {
    "500 000 FCFA": (500_000, "XOF"),
    "1.200.000": (1_200_000, "XOF"),
    "1,200,000.50 EUR": (1_200_000.5, "EUR"),
    "1.250,50 €": (1_250.5, "EUR"),
    "٥٠٠٬٠٠٠": (500_000, "XOF"),
    "12,00,000 INR": (1_200_000, "INR"),
    "1.5 EUR": (1.5, "EUR"),
}
REFUSED = ("", "abc", "-5", "0", "1000000000000000", "1.2.3,4", "12x34", "5 doubloons")


@pytest.mark.parametrize("written", WRITTEN)
def test_a_price_is_read_as_people_write_it(written: str) -> None:
    amount, currency = WRITTEN[written]
    assert read_price(written, "XOF") == (int(amount * 1_000_000), currency)


@pytest.mark.parametrize("written", REFUSED)
def test_what_is_no_price_is_refused_in_words(written: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_price(written, "XOF")
    assert "{" not in refused.value.explain()


def test_a_price_without_a_currency_is_refused() -> None:
    with pytest.raises(Refusal, match="currency"):
        read_price("500 000")


def test_prices_are_shown_as_each_language_writes_numbers() -> None:
    micros = 500_000 * 10**6
    assert price_words(micros, "XOF", "en") == "500,000 XOF"
    assert price_words(micros, "XOF", "fr") == "500\u202f000 XOF"


def test_words_of_six_languages_mean_the_same_kind_and_type() -> None:
    assert {read_kind(one) for one in ("À vendre", "en venta", "للبيع", "For Sale")} == {"sale"}
    assert {read_type(one) for one in ("Appartement", "apartment", "شقة", "Wohnung")} == {"flat"}
    assert read_type(" Duplex ") == "duplex" and read_kind("maybe") is None


def test_rooms_are_read_with_a_comma_and_arabic_digits() -> None:
    assert (read_number("3,5", 100), read_number("٣", 100), read_number("120 m²", 1_000)) == (3.5, 3.0, 120.0)
    assert read_number("-3", 100) is None and read_number("1e9", 100) is None


def test_html_in_a_description_becomes_its_words() -> None:
    html = "<p>Near the <b>sea</b></p><script>alert(1)</script><p>A &amp; B</p>"
    assert without_markup(html) == "Near the sea\nA & B"
    assert without_markup("<script>" * 500) == ""


def test_two_systems_that_upsert_the_same_reference_make_one_listing(agency: Agency) -> None:
    first, again = agency.put("A/1 é"), agency.put("A/1 é", title="Other title")
    assert first.id == again.id
    assert kinds(agency.tenant.id) == ["listing.created", "listing.changed"]
    assert happenings(agency.tenant.id, "listing.changed")[0].facts["changed"] == ["title"]


def test_an_upsert_that_says_the_same_changes_nothing(agency: Agency) -> None:
    before = agency.put()
    assert agency.put().updated_at == before.updated_at
    assert kinds(agency.tenant.id) == ["listing.created"]


def test_a_listing_is_news_again_when_it_comes_back_or_gets_cheaper(agency: Agency) -> None:
    first = agency.put()
    agency.change("DKR-204", price_micros=600_000_000_000)
    assert agency.put(price_micros=600_000_000_000).news_at == first.news_at
    dearer = agency.put(price_micros=550_000_000_000)
    assert dearer.news_at == dearer.dropped_at and dearer.news_at > first.news_at
    agency.change("DKR-204", status="withdrawn")
    assert agency.put(price_micros=550_000_000_000, status="available").dropped_at is None


def test_withdrawing_says_so_once(agency: Agency) -> None:
    agency.put()
    with tenant_scope(agency.tenant.id):
        listing = Listing.with_external_id("DKR-204")
        assert listing and listing.withdraw(by=Actor.system("tests")) and not listing.withdraw(by=Actor.system("tests"))
        db.session.flush()
    assert kinds(agency.tenant.id) == ["listing.created", "listing.withdrawn"]


def test_the_heading_says_what_where_and_how_much(agency: Agency) -> None:
    agency.put()
    with tenant_scope(agency.tenant.id):
        listing = Listing.with_external_id("DKR-204")
        assert listing and listing.heading == "Villa in Dakar · 500,000 XOF"
