import pytest
from flask.testing import FlaskClient

from simulator import World
from simulator.phone_numbers import PhoneNumber
from simulator.wabas import Waba
from tests.simulator.stand_ins import Graph


def test_a_call_without_a_token_gets_an_error_that_says_so(client: FlaskClient, shop: dict[str, str]) -> None:
    answer = client.get(f"/v25.0/{shop['waba_id']}")
    assert answer.status_code == 400
    assert answer.get_json()["error"]["code"] == 2500


@pytest.mark.parametrize("path", ["v20.0/me", "v27.0/me", "v25.0/nonsense/too/deep", "nonsense/too/deep"])
def test_unknown_paths_and_versions_are_code_2500(client: FlaskClient, path: str) -> None:
    error = client.get(f"/{path}").get_json()["error"]
    assert error["code"] == 2500
    assert error["message"] == f"Unknown path components: /{path}"


@pytest.mark.parametrize("prefix", ["", "v21.0/", "v26.0/"])
def test_the_version_is_optional(client: FlaskClient, shop: dict[str, str], prefix: str) -> None:
    answer = client.get(f"/{prefix}{shop['waba_id']}?access_token={shop['token']}")
    assert answer.get_json()["name"] == "Lucky Shrub"
    assert answer.headers["facebook-api-version"].startswith("v2")


def test_a_garbled_token_is_code_190(graph: Graph, shop: dict[str, str]) -> None:
    answer = graph("GET", shop["waba_id"], token="EAAnonsense")
    assert answer.status_code == 401
    assert answer.json["error"]["code"] == 190
    assert "invalid_token" in answer.headers["WWW-Authenticate"]


def test_what_is_not_there_and_what_is_not_yours_look_the_same(
    graph: Graph, shop: dict[str, str], business_token: str
) -> None:
    for node_id in ("999999999999999", shop["waba_id"], shop["phone_number_id"]):
        answer = graph("GET", node_id, token=business_token)
        error = answer.json["error"]
        assert (answer.status_code, error["code"], error["error_subcode"]) == (400, 100, 33)
        assert f"Object with ID '{node_id}' does not exist" in error["message"]


def test_fields_narrow_an_answer_down(graph: Graph, shop: dict[str, str]) -> None:
    answer = graph("GET", f"{shop['waba_id']}?fields=owner_business_info{{name}},currency", token=shop["token"])
    owner = {"id": shop["business_id"], "name": "Lucky Shrub"}
    assert answer.json == {"owner_business_info": owner, "currency": "USD", "id": shop["waba_id"]}


def test_an_unknown_field_is_refused(graph: Graph, shop: dict[str, str]) -> None:
    error = graph("GET", f"{shop['waba_id']}?fields=colour", token=shop["token"]).json["error"]
    assert error["code"] == 100
    assert "nonexisting field (colour)" in error["message"]


def test_numbers_come_in_pages(graph: Graph, world: World, shop: dict[str, str]) -> None:
    waba = Waba.find(world, shop["waba_id"])
    assert waba
    PhoneNumber.add(waba, "15550009999", "Second")
    first = graph("GET", f"{shop['waba_id']}/phone_numbers?limit=1", token=shop["token"]).json
    after = first["paging"]["cursors"]["after"]
    second = graph("GET", f"{shop['waba_id']}/phone_numbers?limit=1&after={after}", token=shop["token"]).json
    assert "next" in first["paging"]
    assert "next" not in second["paging"]
    assert second["data"][0]["verified_name"] == "Second"


def test_errors_carry_a_trace_id(graph: Graph) -> None:
    assert graph("GET", "123456").json["error"]["fbtrace_id"].startswith("A")
