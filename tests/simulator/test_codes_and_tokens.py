from typing import Any

import pytest
from flask.testing import FlaskClient

from simulator import Settings, World
from tests.simulator.stand_ins import Graph


@pytest.fixture
def exchange(client: FlaskClient, settings: Settings) -> Any:
    def exchange(code: str, **changed: str) -> Any:
        query = {
            "client_id": settings.app_id,
            "client_secret": settings.app_secret[0],
            "code": code,
        } | changed
        return client.get("/v25.0/oauth/access_token", query_string=query)

    return exchange


def test_a_code_buys_a_token_for_sixty_days(exchange: Any, signed_up: dict[str, str]) -> None:
    answer = exchange(signed_up["code"]).json
    assert answer["access_token"].startswith("EAA")
    assert answer["token_type"] == "bearer"
    assert answer["expires_in"] == 60 * 86400


def test_a_code_works_once(exchange: Any, signed_up: dict[str, str]) -> None:
    exchange(signed_up["code"])
    again = exchange(signed_up["code"])
    assert again.status_code == 400
    assert (again.json["error"]["code"], again.json["error"]["error_subcode"]) == (100, 36009)


def test_a_code_lives_thirty_seconds(exchange: Any, signed_up: dict[str, str], world: World) -> None:
    world.advance(31)
    assert exchange(signed_up["code"]).json["error"]["error_subcode"] == 36007


def test_a_code_of_the_popup_knows_no_redirect_address(exchange: Any, signed_up: dict[str, str]) -> None:
    answer = exchange(signed_up["code"], redirect_uri="https://elsewhere.example/")
    assert answer.json["error"]["error_subcode"] == 36008


def test_the_app_must_prove_itself(exchange: Any, signed_up: dict[str, str]) -> None:
    assert exchange(signed_up["code"], client_id="1").json["error"]["code"] == 101
    assert exchange(signed_up["code"], client_secret="wrong").json["error"]["code"] == 1


def test_client_credentials_give_an_app_token(exchange: Any, graph: Graph, settings: Settings) -> None:
    token = exchange("", grant_type="client_credentials").json["access_token"]
    assert graph("GET", f"{settings.app_id}/subscriptions", token=token).status_code == 200


def test_a_token_tells_which_wabas_it_may_touch(graph: Graph, business_token: str, signed_up: dict[str, str]) -> None:
    data = graph("GET", f"debug_token?input_token={business_token}").json["data"]
    assert data["is_valid"]
    assert data["granular_scopes"][0] == {
        "scope": "whatsapp_business_management",
        "target_ids": [signed_up["waba_id"]],
    }


def test_a_token_knows_its_client(graph: Graph, business_token: str, signed_up: dict[str, str]) -> None:
    me = graph("GET", "me?fields=id,client_business_id", token=business_token).json
    assert me["client_business_id"] == signed_up["business_id"]


def test_a_revoked_token_is_dead(
    graph: Graph, client: FlaskClient, business_token: str, signed_up: dict[str, str]
) -> None:
    client.post("/control/api/tokens/revoke", json={"token": business_token})
    answer = graph("GET", signed_up["waba_id"], token=business_token)
    assert answer.status_code == 401
    assert answer.json["error"]["code"] == 190
    inspected = graph("GET", f"debug_token?input_token={business_token}")
    assert inspected.status_code == 200
    assert not inspected.json["data"]["is_valid"]


def test_an_expired_token_says_so(graph: Graph, world: World, business_token: str, signed_up: dict[str, str]) -> None:
    world.advance(61 * 86400)
    error = graph("GET", signed_up["waba_id"], token=business_token).json["error"]
    assert (error["code"], error["error_subcode"]) == (190, 463)
