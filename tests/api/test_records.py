"""Records by API: kept in step by their own ids, linked, listed."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import select

from app.inbox.conversations import Conversation
from app.records.models import Record
from app.team.models import Team
from app.tenancy import db, tenant_scope
from tests.api.conftest import UNKNOWN_ID, Caller, MakeCaller
from tests.happenings import happenings
from tests.world import World

VILLA = {"title": "Villa in Dakar", "stage": "New", "amount_micros": 500_000_000_000, "currency": "XOF"}
AT = "/records/agency/property/villa-17"


def put(shop: Caller, body: dict[str, Any] = VILLA, at: str = AT) -> Any:
    return shop.put(at, body)


def test_the_first_put_creates_and_the_second_changes(shop: Caller) -> None:
    first, second = put(shop), put(shop, VILLA | {"stage": "Viewing"})
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.get_json()["id"] == second.get_json()["id"] and second.get_json()["stage"] == "Viewing"


def test_the_same_content_again_is_no_event(shop: Caller, world: World) -> None:
    for _ in range(3):
        put(shop)
    assert [one.facts["is_new"] for one in happenings(world.bakery.id, "record.changed")] == [True]


IDS = ["a/b", "a//b", ".", "a b+c", "فيلا ١٧", "100%", "?x=1#y", "x" * 200, "links", "😀"]


@pytest.mark.parametrize("external_id", IDS)
def test_any_text_is_an_id(shop: Caller, external_id: str) -> None:
    at = f"/records/agency/property/{quote(external_id, safe='')}"
    assert put(shop, at=at).status_code == 201
    assert shop.get(at).get_json()["external_id"] == external_id


@pytest.mark.parametrize(
    ("at", "status"),
    [("/records/Agency/deal/1", 422), ("/records/here/deal/1", 422), ("/records/agency/ship/1", 404)],
)
def test_addresses_that_can_not_be(shop: Caller, at: str, status: int) -> None:
    assert put(shop, at=at).status_code == status


def test_two_programs_do_not_overwrite_each_other(shop: Caller) -> None:
    etag = put(shop).headers["ETag"]
    shop.put(AT, VILLA | {"stage": "Viewing"}, If_Match=etag)
    assert shop.put(AT, VILLA, If_Match=etag).status_code == 412
    assert shop.put("/records/agency/deal/new", VILLA, If_Match=etag).status_code == 412


def test_attributes_have_their_order_and_their_types(shop: Caller) -> None:
    given = {"Rooms": 4, "Price": {"amount_micros": 5, "currency": "XOF"}, "Area": 120.5, "Pool": False, "A": "é"}
    answer = put(shop, VILLA | {"attributes": given}).get_json()
    assert list(answer["attributes"].items()) == list(given.items())


WRONG: list[dict[str, Any]] = [
    {"url": "http://a.example"},
    {"url": "https://user@a.example"},
    {"currency": "xof"},
    {"amount_micros": 5, "currency": None},
    {"title": "\u200b"},
    {"attributes": {f"n{place}": 1 for place in range(31)}},
    {"attributes": {"a": {"b": 1}}},
    {"attributes": {"a": "x" * 501}},
    {"stage": "x" * 101},
]


def test_what_is_wrong_is_refused_where_it_is(shop: Caller) -> None:
    assert [put(shop, VILLA | wrong).status_code for wrong in WRONG] == [422] * len(WRONG)


def test_a_put_replaces_what_is_left_out(shop: Caller) -> None:
    put(shop, VILLA | {"owner_name": "Awa", "attributes": {"a": 1}, "url": "https://a.example/"})
    answer = put(shop, {"title": "Villa"}).get_json()
    assert (answer["owner_name"], answer["attributes"], answer["url"], answer["amount_micros"]) == (
        None,
        {},
        None,
        None,
    )


def test_a_record_is_linked_to_a_contact_and_listed_by_it(shop: Caller, carla: Conversation) -> None:
    id, other = put(shop).get_json()["id"], put(shop, at="/records/agency/deal/2").get_json()["id"]
    link = shop.post(f"/records/{id}/links", {"contact_id": str(carla.contact_id)})
    assert link.status_code == 201 and link.get_json()["by"]["name"] == "Shop"
    listed = shop.get(f"/records?filter[contact_id]={carla.contact_id}").get_json()["data"]
    assert [one["id"] for one in listed] == [id] and other not in str(listed)
    assert shop.delete(f"/records/{id}/links/{link.get_json()['id']}").status_code == 204
    assert shop.get(f"/records/{id}/links").get_json()["data"] == []


def test_linking_again_is_the_same_link(shop: Caller, carla: Conversation) -> None:
    id = put(shop).get_json()["id"]
    first = shop.post(f"/records/{id}/links", {"contact_id": str(carla.contact_id)}).get_json()
    second = shop.post(f"/records/{id}/links", {"conversation_id": str(carla.id)}).get_json()
    assert first["id"] == second["id"] and second["conversation_id"] == str(carla.id)


@pytest.mark.parametrize("body", [{}, {"contact_id": str(UNKNOWN_ID)}, {"conversation_id": str(UNKNOWN_ID)}])
def test_a_link_without_a_recipient_is_refused(shop: Caller, body: dict[str, str]) -> None:
    id = put(shop).get_json()["id"]
    assert shop.post(f"/records/{id}/links", body).status_code == 422


def test_records_are_filtered(shop: Caller) -> None:
    put(shop)
    put(shop, VILLA | {"title": "Flat in Thiès", "stage": "Won"}, "/records/erp/deal/2")
    for name, value in (("type", "deal"), ("stage", "WON"), ("search", "thies"), ("source", "erp")):
        listed = shop.get(f"/records?filter[{name}]={value}").get_json()["data"]
        assert [one["title"] for one in listed] == ["Flat in Thiès"], name


def test_a_stage_is_changed_alone(shop: Caller, world: World) -> None:
    id = put(shop).get_json()["id"]
    assert shop.put(f"/records/{id}/stage", {"stage": "Viewing"}).get_json()["stage"] == "Viewing"
    assert happenings(world.bakery.id, "record.changed")[-1].facts["stage_before"] == "New"


def test_what_a_connection_copies_is_changed_only_there(shop: Caller, world: World) -> None:
    id = put(shop).get_json()["id"]
    with tenant_scope(world.bakery.id):
        db.session.scalars(select(Record)).one().is_mirrored = True
    assert put(shop).get_json()["code"] == "record_is_mirrored"
    assert shop.put(f"/records/{id}/stage", {"stage": "x"}).get_json()["code"] == "record_is_mirrored"


def test_another_business_sees_nothing(shop: Caller, caller: MakeCaller, world: World) -> None:
    id, stranger = put(shop).get_json()["id"], caller(world.shoes)
    assert stranger.get(AT).status_code == stranger.get(f"/records/{id}").status_code == 404
    assert stranger.put(AT, VILLA).status_code == 201 and stranger.get("/records").get_json()["data"][0]["id"] != id


def test_a_teams_key_reaches_records_of_its_contacts(
    shop: Caller, caller: MakeCaller, carla: Conversation, world: World
) -> None:
    id = put(shop).get_json()["id"]
    with tenant_scope(world.bakery.id):
        team = Team(name="Sales")
        db.session.add(team)
        db.session.flush()
    mine = caller(kind="team", team_id=team.id)
    assert mine.get(f"/records/{id}").status_code == 200
    shop.post(f"/records/{id}/links", {"contact_id": str(carla.contact_id)})
    assert mine.get(f"/records/{id}").status_code == 404 and put(mine).status_code == 403
