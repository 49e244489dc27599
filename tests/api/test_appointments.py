"""Appointments by program: upserted by the id of another system, and changed."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from typing import Any
from urllib.parse import quote

import pytest

from app.appointments.models import Appointment
from app.inbox.conversations import Conversation
from app.tenancy import db, now, tenant_scope
from app.wabas.models import PhoneNumber
from tests.api.conftest import Caller, MakeCaller, team_without_numbers
from tests.world import World


def given(talk: Conversation, hours: float = 48, **more: Any) -> dict[str, Any]:
    at = now().replace(microsecond=0) + dt.timedelta(hours=hours)
    body = {"contact": {"contact_id": str(talk.contact_id)}, "title": "Viewing: Villa Azur"}
    return body | {"starts_at": at.isoformat(), "time_zone": "Africa/Dakar"} | more


def test_put_books_and_put_again_moves_the_same(shop: Caller, carla: Conversation) -> None:
    first = shop.put("/appointments/v-1", given(carla))
    again = shop.put("/appointments/v-1", given(carla, hours=60))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json()["id"] == again.get_json()["id"] and again.get_json()["version"] == 2
    assert again.get_json()["phone_number_id"] == str(carla.phone_number_id) and again.get_json()["source"] == "api"


@pytest.mark.parametrize("name", ["a/b/c", "a.b", "with space", "موعد ١", "x/cancellation", "%2F", "ü" * 100])
def test_any_text_is_an_external_id(shop: Caller, carla: Conversation, name: str) -> None:
    path = f"/appointments/{quote(name, safe='')}"
    assert shop.put(path, given(carla)).get_json()["external_id"] == name
    assert shop.get(path).get_json()["external_id"] == name
    assert shop.post(f"{path}/cancellation").get_json()["state"] == "cancelled"


def test_one_that_was_booked_here_has_its_id_as_address(shop: Caller, carla: Conversation) -> None:
    made = shop.put("/appointments/v-1", given(carla)).get_json()
    assert shop.get(f"/appointments/{made['id']}").get_json()["external_id"] == "v-1"
    assert shop.get(f"/appointments/{uuid.uuid4()}").status_code == 404


def test_two_systems_at_once_make_one_row(caller: MakeCaller, carla: Conversation, world: World) -> None:
    callers, codes = [caller(), caller()], []
    bodies = [given(carla, hours=hours) for hours in (48, 50)]
    threads = [
        threading.Thread(target=lambda n=n: codes.append(callers[n].put("/appointments/v-1", bodies[n]).status_code))
        for n in (0, 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with tenant_scope(world.bakery.id):
        assert sorted(codes) == [200, 201] and len(db.session.scalars(db.select(Appointment)).all()) == 1


def test_who_has_read_another_version_changes_nothing(shop: Caller, carla: Conversation) -> None:
    etag = shop.put("/appointments/v-1", given(carla)).headers["ETag"]
    shop.put("/appointments/v-1", given(carla, hours=60), If_Match=etag)
    assert shop.put("/appointments/v-1", given(carla, hours=70), If_Match=etag).status_code == 412


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"starts_at": "2020-01-01T10:00:00Z"}, "/starts_at"),
        ({"starts_at": "2099-01-01T10:00:00Z"}, "/starts_at"),
        ({"time_zone": "Moon/Base"}, "/time_zone"),
        ({"agent_id": str(uuid.UUID(int=7))}, "/agent_id"),
        ({"phone_number_id": str(uuid.UUID(int=7))}, "/phone_number_id"),
        ({"contact": {"contact_id": str(uuid.UUID(int=7))}}, "/contact/contact_id"),
        ({"contact": {"phone": "12"}}, "/contact/phone"),
        ({"title": ""}, "/title"),
    ],
)
def test_what_is_wrong_is_named(shop: Caller, carla: Conversation, more: dict[str, Any], pointer: str) -> None:
    answer = shop.put("/appointments/v-1", given(carla, **more))
    assert answer.status_code == 422 and answer.get_json()["errors"][0]["pointer"] == pointer
    assert shop.get("/appointments/v-1").status_code == 404


def test_an_unknown_phone_number_becomes_a_contact(shop: Caller, number: PhoneNumber, carla: Conversation) -> None:
    body = given(carla, contact={"phone": "+221 77 123 45 67", "name": "Awa"})
    made = shop.put("/appointments/v-1", body).get_json()
    assert made["contact_id"] != str(carla.contact_id) and made["phone_number_id"] == str(number.id)


def test_states_are_posted_and_stay_when_posted_again(shop: Caller, carla: Conversation) -> None:
    shop.put("/appointments/v-1", given(carla))
    assert shop.post("/appointments/v-1/confirmation").get_json()["state"] == "confirmed"
    assert shop.post("/appointments/v-1/reschedule-request").get_json()["state"] == "reschedule_requested"
    assert shop.post("/appointments/v-1/no-show").get_json()["code"] == "appointment_not_begun"
    for _twice in range(2):
        assert shop.post("/appointments/v-1/cancellation").get_json()["state"] == "cancelled"
    assert shop.post("/appointments/v-1/confirmation").get_json()["code"] == "appointment_closed"
    assert shop.put("/appointments/v-1", given(carla, hours=90)).get_json()["code"] == "appointment_closed"


def test_the_list_is_by_time_and_filtered(shop: Caller, carla: Conversation) -> None:
    for name, hours in (("late", 90), ("soon", 30), ("gone", 40)):
        shop.put(f"/appointments/{name}", given(carla, hours=hours))
    shop.post("/appointments/gone/cancellation")
    first = shop.get("/appointments?limit=2").get_json()
    rest = shop.get(f"/appointments?limit=2&after={first['next']}").get_json()
    assert [one["external_id"] for one in first["data"] + rest["data"]] == ["soon", "gone", "late"]
    assert len(shop.get("/appointments?filter[state]=cancelled").get_json()["data"]) == 1


def test_a_teams_key_sees_what_is_on_its_numbers(caller: MakeCaller, shop: Caller, carla: Conversation) -> None:
    shop.put("/appointments/v-1", given(carla))
    theirs = caller(kind="team", team_id=team_without_numbers(carla.tenant_id))
    assert theirs.get("/appointments/v-1").status_code == 404 and theirs.get("/appointments").get_json()["data"] == []
    assert theirs.put("/appointments/v-1", given(carla)).status_code in (404, 422)


@pytest.mark.parametrize("written", ["+1 650-555-1234", "16505551234"])
def test_a_teams_key_books_nothing_for_a_phone_number_out_of_its_reach(
    caller: MakeCaller, carla: Conversation, written: str
) -> None:
    theirs = caller(kind="team", team_id=team_without_numbers(carla.tenant_id))
    answer = theirs.put("/appointments/v-1", given(carla, contact={"phone": written}))
    assert answer.status_code == 422 and answer.get_json()["errors"][0]["pointer"] == "/contact/phone"
    own = theirs.put("/appointments/v-1", given(carla, contact={"phone": "+221771234567"}))
    assert own.status_code == 201


def test_another_business_finds_nothing(caller: MakeCaller, shop: Caller, carla: Conversation, world: World) -> None:
    shop.put("/appointments/v-1", given(carla))
    assert caller(world.shoes).get("/appointments/v-1").status_code == 404
