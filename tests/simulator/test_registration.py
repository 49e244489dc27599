from typing import Any

import pytest
from flask.testing import FlaskClient

from simulator import World
from simulator.phone_numbers import PhoneNumber
from tests.simulator.stand_ins import Graph


@pytest.fixture
def register(graph: Graph, business_token: str, signed_up: dict[str, str]) -> Any:
    def register(pin: str = "212834", edge: str = "register") -> Any:
        body = {"messaging_product": "whatsapp", "pin": pin}
        return graph("POST", f"{signed_up['phone_number_id']}/{edge}", token=business_token, json=body)

    return register


def test_registering_connects_the_number(
    register: Any, graph: Graph, business_token: str, signed_up: dict[str, str]
) -> None:
    assert register().json == {"success": True}
    fields = "status,platform_type,is_pin_enabled"
    number = graph("GET", f"{signed_up['phone_number_id']}?fields={fields}", token=business_token).json
    assert (number["status"], number["platform_type"], number["is_pin_enabled"]) == (
        "CONNECTED",
        "CLOUD_API",
        True,
    )


def test_a_number_remembers_its_pin(register: Any) -> None:
    register("111111")
    assert register("222222").json["error"]["code"] == 133005
    assert register("111111").json == {"success": True}


def test_a_new_pin_can_be_set(register: Any, graph: Graph, business_token: str, signed_up: dict[str, str]) -> None:
    register("111111")
    graph("POST", signed_up["phone_number_id"], token=business_token, json={"pin": "222222"})
    assert register("222222").json == {"success": True}


def test_guessing_pins_is_stopped(register: Any) -> None:
    register("111111")
    codes = [register("222222").json["error"]["code"] for _ in range(6)]
    assert codes == [133005] * 5 + [133008]


def test_ten_registrations_in_three_days_are_enough(register: Any, world: World) -> None:
    for _ in range(10):
        register()
    assert register().json["error"]["code"] == 133016
    world.advance(72 * 3600 + 1)
    assert register().json == {"success": True}


def test_a_pin_is_six_digits(register: Any) -> None:
    assert register("12345").json["error"]["code"] == 100


def test_an_unverified_number_cannot_be_registered(register: Any, world: World, signed_up: dict[str, str]) -> None:
    number = PhoneNumber.find(world, signed_up["phone_number_id"])
    assert number
    number.update(code_verification_status="NOT_VERIFIED")
    assert register().json["error"]["code"] == 133006


def test_a_deregistered_number_is_disconnected(
    register: Any, graph: Graph, business_token: str, signed_up: dict[str, str]
) -> None:
    register()
    assert register(edge="deregister").json == {"success": True}
    number = graph("GET", f"{signed_up['phone_number_id']}?fields=status", token=business_token).json
    assert number["status"] == "DISCONNECTED"


def test_after_two_weeks_only_another_sign_up_helps(
    register: Any, world: World, client: FlaskClient, signed_up: dict[str, str]
) -> None:
    world.advance(14 * 86400 + 1)
    refused = register().json["error"]
    assert (refused["code"], "14 days" in refused["message"]) == (100, True)
    client.post("/control/api/signups", json={"name": "Wind & Wool", "display_phone_number": "15550001111"})
    assert register().json == {"success": True}


def test_a_number_that_was_registered_in_time_may_come_back_later(register: Any, world: World) -> None:
    register()
    register(edge="deregister")
    world.advance(20 * 86400)
    assert register().json == {"success": True}
