from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient

from simulator import World
from tests.simulator.stand_ins import Graph


def code_of(answer: Any) -> int:
    code: int = answer.json.get("error", {}).get("code", 200)
    return code


def test_a_number_sends_so_many_messages_a_second(
    client: FlaskClient, graph: Graph, world: World, shop: dict[str, str]
) -> None:
    client.post("/control/api/limits", json={"phone_number_id": shop["phone_number_id"], "throughput": 3})
    codes = [code_of(graph.send(shop, f"1650555000{n}")) for n in range(5)]
    assert codes == [200, 200, 200, 130429, 130429]
    world.advance(1)
    assert code_of(graph.send(shop, "16505550009")) == 200


def test_what_customers_write_counts_too(
    client: FlaskClient, graph: Graph, shop: dict[str, str], write: Callable[..., dict[str, str]]
) -> None:
    client.post("/control/api/limits", json={"phone_number_id": shop["phone_number_id"], "throughput": 2})
    write(shop)
    write(shop)
    assert code_of(graph.send(shop, "16505551234")) == 130429


def test_one_person_gets_a_burst_and_then_one_in_six_seconds(graph: Graph, world: World, shop: dict[str, str]) -> None:
    world.knobs["pair_burst"] = 4
    assert [code_of(graph.send(shop, "16505551234")) for _ in range(5)] == [200] * 4 + [131056]
    assert code_of(graph.send(shop, "16505550000")) == 200
    world.advance(6)
    assert [code_of(graph.send(shop, "16505551234")) for _ in range(2)] == [200, 131056]


def test_a_number_that_is_also_in_the_app_is_slow(client: FlaskClient, world: World, shop: dict[str, str]) -> None:
    client.post("/control/api/coexistence", json={"phone_number_id": shop["phone_number_id"]})
    limits = client.post("/control/api/limits", json={"phone_number_id": shop["phone_number_id"]}).json
    assert limits == {"throughput": 20, "messaging_limit": 250}


def test_a_closed_window_may_be_refused_at_once(graph: Graph, world: World, shop: dict[str, str]) -> None:
    world.knobs["refuse_at_once"] = 1
    assert code_of(graph.send(shop, "16505551234")) == 131047
