from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import quote

import pytest

from app.contacts.consents import Consent
from app.listings.jobs import advance_import
from app.listings.saved_searches import SavedSearch
from app.tenancy import tenant_scope
from tests.api.conftest import Caller, MakeCaller, team_without_numbers

from .conftest import Agency, body

BODY: dict[str, Any] = {
    "title": "Villa",
    "type": "villa",
    "city": "Dakar",
    "price": {"micros": 500_000_000_000, "currency": "XOF"},
}


@pytest.mark.parametrize("reference", ["DKR-204", "a/b//c", "شقة ١", "50% off.json", " x "])
def test_a_program_upserts_a_listing_by_any_reference(agency: Agency, shop: Caller, reference: str) -> None:
    path = f"/listings/{quote(reference, safe='')}"
    made, again = shop.put(path, BODY), shop.put(path, BODY | {"title": "Other"})
    assert (made.status_code, again.status_code) == (201, 200)
    read = body(shop.get(path))
    assert read["external_id"] == reference and read["title"] == "Other" and read["id"] == body(made)["id"]


def test_a_member_that_is_left_out_stays_as_it_is(agency: Agency, shop: Caller) -> None:
    shop.put("/listings/A", BODY)
    assert body(shop.put("/listings/A", {"title": "Villa"}))["price"] == BODY["price"]
    assert body(shop.put("/listings/A", {"title": "Villa", "price": None}))["price"] is None


def test_who_has_read_an_older_version_does_not_overwrite(agency: Agency, shop: Caller) -> None:
    tag = shop.put("/listings/A", BODY).headers["ETag"]
    shop.put("/listings/A", BODY | {"title": "Newer"})
    assert shop.put("/listings/A", BODY, If_Match=tag).status_code == 412
    assert shop.put("/listings/B", BODY, If_Match=tag).status_code == 412


WRONG: dict[str, dict[str, Any]] = {
    "/title": {"title": "\u200b"},
    "/price/micros": {"price": {"micros": 0, "currency": "XOF"}},
    "/price/currency": {"price": {"micros": 5, "currency": "XXZ"}},
    "/url": {"url": "javascript:alert(1)"},
    "/owner_contact_id": {"owner_contact_id": "00000000-0000-7000-8000-000000000001"},
    "/attributes": {"attributes": {"a": {"b": 1}}},
    "/rooms": {"rooms": -1},
}


@pytest.mark.parametrize("pointer", WRONG)
def test_what_is_wrong_is_named_with_its_place(agency: Agency, shop: Caller, pointer: str) -> None:
    answer = shop.put("/listings/A", BODY | WRONG[pointer])
    assert answer.status_code == 422 and body(answer)["errors"][0]["pointer"] == pointer


def test_the_list_filters_and_searches(agency: Agency, shop: Caller) -> None:
    shop.put("/listings/A", BODY)
    shop.put(
        "/listings/B", BODY | {"title": "Appartement Médina", "type": "appartement", "kind": "rent", "city": "Thiès"}
    )
    for query in ("filter[kind]=rent", "filter[type]=flat", "filter[place]=thies", "filter[search]=medina"):
        assert [one["external_id"] for one in body(shop.get(f"/listings?{query}"))["data"]] == ["B"]


def test_a_withdrawn_listing_stays_and_says_so(agency: Agency, shop: Caller) -> None:
    shop.put("/listings/A/1", BODY)
    assert body(shop.post("/listings/A%2F1/withdrawal"))["status"] == "withdrawn"
    assert shop.post("/listings/none/withdrawal").status_code == 404


def test_a_saved_search_needs_consent_which_can_come_with_it(agency: Agency, shop: Caller) -> None:
    search: dict[str, Any] = {"contact_id": str(agency.talk.contact_id), "criteria": {"places": ["Dakar"]}}
    assert body(shop.put("/saved-searches/S", search))["code"] == "no_marketing_consent"
    given = search | {"consent": {"source": "form", "evidence": "Ticked on agency.example"}}
    assert shop.put("/saved-searches/S", given).status_code == 201
    with tenant_scope(agency.tenant.id):
        assert Consent.latest(agency.talk.contact_id)["marketing"].evidence == "Ticked on agency.example"
    assert body(shop.put("/saved-searches/S", search | {"frequency": "at_once"}))["frequency"] == "at_once"
    assert body(shop.post("/saved-searches/S/stop"))["state"] == "stopped"


def test_a_teams_key_takes_over_no_search_of_a_contact_out_of_its_reach(agency: Agency, caller: MakeCaller) -> None:
    agency.agree()
    search: dict[str, Any] = {"contact_id": str(agency.talk.contact_id), "criteria": {"places": ["Dakar"]}}
    caller().put("/saved-searches/S", search)
    theirs = caller(kind="team", team_id=team_without_numbers(agency.tenant.id))
    own = body(theirs.post("/contacts", {"name": "Own", "phone": "+221770000009"}))["id"]
    given = search | {"contact_id": own, "consent": {"source": "form", "evidence": "x"}}
    assert body(theirs.put("/saved-searches/S", given))["code"] == "out_of_reach"
    with tenant_scope(agency.tenant.id):
        search_now = SavedSearch.with_external_id("S")
        assert search_now and search_now.contact_id == agency.talk.contact_id
        assert Consent.latest(uuid.UUID(own)) == {}


def test_a_search_for_everything_is_refused_with_words(agency: Agency, shop: Caller) -> None:
    agency.agree()
    answer = shop.put("/saved-searches/S", {"contact_id": str(agency.talk.contact_id), "criteria": {}})
    assert body(answer)["code"] == "search_too_wide" and "match every listing" in body(answer)["detail"]


def test_a_refused_search_records_no_consent(agency: Agency, shop: Caller) -> None:
    search = {"contact_id": str(agency.talk.contact_id), "criteria": {}, "consent": {"source": "form", "evidence": "x"}}
    assert shop.put("/saved-searches/S", search).status_code == 422
    with tenant_scope(agency.tenant.id):
        assert Consent.latest(agency.talk.contact_id) == {}


def test_a_teams_key_gives_no_listing_out_of_its_reach(agency: Agency, shop: Caller, caller: MakeCaller) -> None:
    owned = BODY | {"owner_contact_id": str(agency.talk.contact_id)}
    shop.put("/listings/A", owned)
    theirs = caller(kind="team", team_id=team_without_numbers(agency.tenant.id))
    assert theirs.put("/listings/A", owned | {"title": "Other"}).status_code == 200
    refused = theirs.put("/listings/B", owned)
    assert refused.status_code == 422 and body(refused)["errors"][0]["pointer"] == "/owner_contact_id"


def test_a_file_of_a_teams_key_links_no_owner_out_of_its_reach(
    agency: Agency, shop: Caller, caller: MakeCaller
) -> None:
    rows = b"external_id,title,owner_phone\nDKR-9,Villa,+221771234567\n"
    theirs = caller(kind="team", team_id=team_without_numbers(agency.tenant.id))
    for one, owner in ((theirs, None), (shop, str(agency.talk.contact_id))):
        begun = one.call("POST", "/listings/imports", rows, Content_Type="text/csv")
        advance_import(agency.tenant.id, body(begun)["id"])
        assert body(shop.get("/listings/DKR-9"))["owner_contact_id"] == owner
