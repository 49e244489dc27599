"""Links and buttons, signed links, subjects and touches for programs."""

from __future__ import annotations

import threading
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from flask import Flask

from app.entry_points.models import EntryPoint, EntryReference
from app.inbox.conversations import Conversation
from app.inbox.conversations.number_desks import NumberDesk
from app.team.models import Team
from app.tenancy import db, tenant_scope
from app.wabas.models import PhoneNumber
from tests.api.conftest import UNKNOWN_ID, Caller, MakeCaller
from tests.arrivals import arrive, conversation
from tests.client import isolated
from tests.posts import message
from tests.world import World

OBJECT = {"type": "property", "external_id": "V-12", "title": "Villa", "price": "500000", "currency": "XOF"}


def given(number: PhoneNumber, **more: Any) -> dict[str, Any]:
    texts = [{"language": "fr", "text": "Bonjour {title}"}]
    return {"name": "Villas", "phone_number_id": str(number.id), "texts": texts} | more


@pytest.fixture
def villas(shop: Caller, number: PhoneNumber) -> dict[str, Any]:
    answer = shop.put("/entry-points/site", given(number, slug="villas"))
    assert answer.status_code == 201
    made: dict[str, Any] = answer.get_json()
    return made


@pytest.mark.parametrize("id", ["site", "a/b c", "..", "فيلا", "links", "1/links/2"])
def test_an_entry_point_is_made_once_and_changed(shop: Caller, number: PhoneNumber, id: str) -> None:
    at = f"/entry-points/{quote(id, safe='')}"
    first, second = shop.put(at, given(number)), shop.put(at, given(number, name="Flats"))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.get_json()["id"] == second.get_json()["id"] and first.get_json()["external_id"] == id
    assert shop.get(at).get_json()["name"] == "Flats" and len(shop.get("/entry-points").get_json()["data"]) == 1


def test_it_is_found_by_its_id_too_and_listed(shop: Caller, villas: dict[str, Any]) -> None:
    assert shop.get(f"/entry-points/{villas['id']}").get_json() == villas
    assert shop.get("/entry-points?filter[kind]=page").get_json()["data"] == [villas]
    assert shop.get("/entry-points?filter[kind]=qr").get_json()["data"] == []


def test_an_older_version_is_not_overwritten(shop: Caller, number: PhoneNumber, villas: dict[str, Any]) -> None:
    assert shop.put("/entry-points/site", given(number), If_Match='"other"').status_code == 412


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"phone_number_id": str(UNKNOWN_ID)}, "/phone_number_id"),
        ({"team_id": str(UNKNOWN_ID)}, "/team_id"),
        ({"tag_ids": [str(UNKNOWN_ID)]}, "/tag_ids/0"),
        ({"slug": "a b"}, "/slug"),
        ({"texts": [{"language": "fr", "text": ""}]}, "/texts/0/text"),
        ({"kind": "poster"}, "/kind"),
    ],
)
def test_what_is_wrong_is_named(shop: Caller, number: PhoneNumber, wrong: dict[str, Any], pointer: str) -> None:
    answer = shop.put("/entry-points/site", given(number, **wrong))
    assert answer.status_code == 422 and answer.get_json()["errors"][0]["pointer"] == pointer


def test_a_slug_of_another_business_is_taken(caller: MakeCaller, world: World, villas: dict[str, Any]) -> None:
    with tenant_scope(world.shoes.id):
        number = db.session.scalars(db.select(PhoneNumber)).one()
    answer = caller(world.shoes).put("/entry-points/site", given(number, slug="villas"))
    assert answer.status_code == 409 and answer.get_json()["code"] == "slug_taken"


def test_a_signed_link_is_believed(app: Flask, shop: Caller, world: World, villas: dict[str, Any]) -> None:
    made = shop.post("/entry-points/site/links", {"object": OBJECT, "language": "fr", "utm_source": "site"})
    assert made.status_code == 201 and "switchboard-chat" in made.get_json()["html"]
    parts = urlsplit(made.get_json()["address"])
    browser = app.test_client()
    answer = isolated(browser.get, f"{parts.path}?{parts.query}", headers={"User-Agent": "Mozilla/5.0"})
    text = parse_qs(urlsplit(answer.location).query)["text"][0]
    arrive(message(text))
    with tenant_scope(world.bakery.id):
        reference = db.session.scalars(db.select(EntryReference)).one()
    assert reference.utm == {"source": "site"} and not reference.subject.get("is_claimed")
    shape = shop.get(f"/conversations/{conversation(world).id}").get_json()
    assert shape["subject"]["title"] == "Villa" and shape["subject"]["is_claimed"] is False
    assert shape["entry_point_id"] == villas["id"]


def test_a_price_without_a_currency_is_refused(shop: Caller, villas: dict[str, Any]) -> None:
    answer = shop.post("/entry-points/site/links", {"object": {"type": "property", "title": "Villa", "price": "5"}})
    assert answer.status_code == 422


def test_conversations_are_found_by_what_they_are_about(shop: Caller, carla: Conversation) -> None:
    changed = shop.put(f"/conversations/{carla.id}/subject", OBJECT)
    assert changed.status_code == 200 and changed.get_json()["subject"]["price_micros"] == 500_000_000_000
    results = shop.get("/conversations?filter[subject_type]=property&filter[subject_id]=V-12").get_json()["data"]
    assert [one["id"] for one in results] == [str(carla.id)]
    assert shop.delete(f"/conversations/{carla.id}/subject").status_code == 204
    assert shop.get("/conversations?filter[subject_type]=property").get_json()["data"] == []


def test_touches_are_listed(shop: Caller, world: World, villas: dict[str, Any]) -> None:
    arrive(message(f"Hello {villas['reference']}"))
    talk = conversation(world)
    (touch,) = shop.get(f"/conversations/{talk.id}/touches").get_json()["data"]
    assert touch["entry_point_id"] == villas["id"] and touch["is_first"] and touch["subject"] is None
    assert [
        one["id"] for one in shop.get(f"/conversations?filter[entry_point_id]={villas['id']}").get_json()["data"]
    ] == [str(talk.id)]


def test_figures_of_one_and_of_all(shop: Caller, world: World, villas: dict[str, Any]) -> None:
    arrive(message(f"Hello {villas['reference']}"))
    for address in ("/entry-points/site/figures", "/entry-point-figures"):
        (row,) = shop.get(address).get_json()["data"]
        assert row["key"] == villas["id"] and row["conversations"] == 1 and row["clicks"] == 0
    assert shop.get("/entry-point-figures?since=2020-01-01T00:00:00Z").status_code == 422


def test_a_deleted_one_is_gone(app: Flask, shop: Caller, villas: dict[str, Any]) -> None:
    assert shop.delete("/entry-points/site").status_code == 204
    assert shop.get("/entry-points/site").status_code == 404
    assert isolated(app.test_client().get, "/c/villas").status_code == 404


def test_another_business_finds_nothing(caller: MakeCaller, world: World, villas: dict[str, Any]) -> None:
    shoes = caller(world.shoes)
    for address in (f"/entry-points/{villas['id']}", "/entry-points/site", "/entry-points/site/figures"):
        assert shoes.get(address).status_code == 404
    assert (
        shoes.post("/entry-points/site/links", {}).status_code == shoes.delete("/entry-points/site").status_code == 404
    )


def test_a_teams_key_reaches_the_entry_points_of_its_numbers(
    caller: MakeCaller, world: World, number: PhoneNumber, villas: dict[str, Any]
) -> None:
    with tenant_scope(world.bakery.id):
        team = Team(name="Sales")
        db.session.add(team)
        db.session.flush()
    key = caller(kind="team", team_id=team.id)
    assert key.get("/entry-points/site").status_code == 404 and key.get("/entry-points").get_json()["data"] == []
    with tenant_scope(world.bakery.id):
        db.session.add(NumberDesk(id=number.id, team_id=team.id))
    assert key.get("/entry-points/site").status_code == 200


def test_two_programs_at_once_make_one(app: Flask, world: World, shop: Caller, number: PhoneNumber) -> None:
    answers: list[int] = []

    def put() -> None:
        answers.append(Caller(app, shop.secret, shop.key).put("/entry-points/both", given(number)).status_code)

    threads = [threading.Thread(target=put) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with tenant_scope(world.bakery.id):
        assert db.session.scalar(db.select(db.func.count()).select_from(EntryPoint)) == 1
    assert sorted(answers) == [200, 200, 200, 201]
