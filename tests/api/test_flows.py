"""Forms and their responses through the API, and sending one."""

from __future__ import annotations

from typing import Any

import pytest

from app.inbox.conversations import Conversation, Message
from app.inbox.conversations.number_desks import NumberDesk
from app.team.models import Team
from app.tenancy import db, tenant_scope
from app.wabas.models import PhoneNumber
from tests.api.conftest import UNKNOWN_ID, Caller, MakeCaller
from tests.whatsapp_flows.forms import META_ID, begin, receive, reply, send
from tests.world import World


def sending(talk: Conversation, **more: Any) -> dict[str, Any]:
    part = {"flow_id": META_ID, "body": "Please order", "button": "Open"} | more
    return {"type": "flow", "to": {"conversation_id": str(talk.id)}, "flow": part}


def test_a_form_is_sent(shop: Caller, carla: Conversation, world: World) -> None:
    answer = shop.post("/messages", sending(carla, screen="SCREEN_A", data={"bread": "0"}))
    assert answer.status_code == 202, answer.json
    with tenant_scope(world.bakery.id):
        raw = Message.get_or_404(answer.get_json(force=True)["id"]).raw
    assert raw["action"]["parameters"] == {
        "flow_message_version": "3",
        "flow_id": META_ID,
        "flow_cta": "Open",
        "flow_action": "navigate",
        "flow_action_payload": {"screen": "SCREEN_A", "data": {"bread": "0"}},
    }


def test_a_form_whose_first_screen_comes_from_the_endpoint_has_no_screen(
    shop: Caller, carla: Conversation, world: World
) -> None:
    answer = shop.post("/messages", sending(carla, screen="SCREEN_A", exchange=True))
    with tenant_scope(world.bakery.id):
        parameters = Message.get_or_404(answer.get_json(force=True)["id"]).raw["action"]["parameters"]
    assert parameters["flow_action"] == "data_exchange" and "flow_action_payload" not in parameters


@pytest.mark.parametrize("wrong", [{"button": "Open 🙂"}, {"button": "x" * 31}, {"flow_id": ""}, {"body": " "}])
def test_what_whatsapp_would_refuse_is_refused(shop: Caller, carla: Conversation, wrong: dict[str, str]) -> None:
    assert shop.post("/messages", sending(carla, **wrong)).status_code == 422


def test_forms_are_listed_with_their_fields(shop: Caller, number: PhoneNumber, world: World) -> None:
    flow = begin(world, number)
    (one,) = shop.get("/flows").get_json(force=True)["data"]
    assert (one["id"], one["sendable"], one["newest"]["status"]) == (str(flow.id), META_ID, "PUBLISHED")
    assert [question["name"] for question in one["newest"]["questions"]] == ["full_name", "guests", "bread", "news"]
    assert shop.get(f"/flows/{flow.id}").json == one


@pytest.fixture
def answered(number: PhoneNumber, carla: Conversation, world: World) -> Any:
    flow = begin(world, number)
    send(world, carla, flow)
    receive(world, reply({"full_name": "Carla", "bread": "0"}))
    return flow


def test_responses_are_listed_and_read(shop: Caller, answered: Any) -> None:
    (one,) = shop.get(f"/flow-responses?filter[flow_id]={answered.id}").get_json(force=True)["data"]
    assert one["answers"] == {"full_name": "Carla", "bread": "0"} and one["flow_name"] == "Order"
    assert one["rows"] == [{"label": "Full name", "value": "Carla"}, {"label": "Bread", "value": "Rye"}]
    assert shop.get(f"/flow-responses/{one['id']}").json == one
    assert shop.get(f"/flow-responses?filter[flow_id]={UNKNOWN_ID}").get_json(force=True)["data"] == []


def test_another_tenant_has_none_of_them(caller: MakeCaller, world: World, shop: Caller, answered: Any) -> None:
    stranger = caller(world.shoes)
    (one,) = shop.get("/flow-responses").get_json(force=True)["data"]
    assert (
        stranger.get("/flow-responses").get_json(force=True)["data"]
        == stranger.get("/flows").get_json(force=True)["data"]
        == []
    )
    for path in (f"/flows/{answered.id}", f"/flow-responses/{one['id']}"):
        assert stranger.get(path).status_code == 404


def test_a_teams_key_reaches_what_is_on_its_numbers(
    caller: MakeCaller, world: World, carla: Conversation, answered: Any
) -> None:
    with tenant_scope(world.bakery.id):
        team = Team(name="Bread")
        db.session.add(team)
        db.session.flush()
    key = caller(kind="team", team_id=team.id)
    assert (
        key.get("/flow-responses").get_json(force=True)["data"] == key.get("/flows").get_json(force=True)["data"] == []
    )
    with tenant_scope(world.bakery.id):
        db.session.add(NumberDesk(id=carla.phone_number_id, team_id=team.id))
    assert (
        len(key.get("/flow-responses").get_json(force=True)["data"])
        == len(key.get("/flows").get_json(force=True)["data"])
        == 1
    )


def test_reading_needs_the_scope(caller: MakeCaller, world: World) -> None:
    assert caller(scopes=["messages:read"]).get("/flows").status_code == 403
