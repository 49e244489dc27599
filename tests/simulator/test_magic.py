from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from simulator import World, magic
from tests.simulator.stand_ins import Graph, Product


@pytest.mark.parametrize(
    ("digits", "http", "code"), [("15559130429", 400, 130429), ("15559131031", 403, 131031), ("15559000002", 503, 2)]
)
def test_a_number_can_spell_the_error_of_the_call(
    graph: Graph, shop: dict[str, str], digits: str, http: int, code: int
) -> None:
    answer = graph.send(shop, digits)
    assert (answer.status_code, answer.json["error"]["code"]) == (http, code)


def test_a_number_can_spell_the_error_of_the_status(
    graph: Graph,
    product: Product,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    settle: Callable[[], None],
) -> None:
    write(shop, sender="15559131026")
    assert graph.send(shop, "15559131026").status_code == 200
    settle()
    assert product.statuses()[0]["errors"][0]["code"] == 131026


@pytest.mark.parametrize(
    ("digits", "http", "accepted"),
    [("15558000004", 500, 1), ("15558000005", 502, 1), ("15558000006", 429, 0), ("15558000007", 500, 0)],
)
def test_a_number_can_spell_a_bad_answer(
    client: FlaskClient, graph: Graph, shop: dict[str, str], digits: str, http: Any, accepted: Any
) -> None:
    assert graph.send(shop, digits).status_code == http
    assert len(client.get("/control/api/accepted").get_json()["accepted"]) == accepted


@pytest.mark.parametrize(("digits", "accepted"), [("15558000001", 0), ("15558000003", 1)])
def test_a_number_can_break_the_line(
    client: FlaskClient, graph: Graph, shop: dict[str, str], digits: str, accepted: int
) -> None:
    with pytest.raises(ConnectionAbortedError):
        graph.send(shop, digits)
    assert len(client.get("/control/api/accepted").get_json()["accepted"]) == accepted


def test_a_stalled_call_is_accepted_in_the_end(
    client: FlaskClient, graph: Graph, shop: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(magic, "STALL", 0.05)
    assert graph.send(shop, "15558000002").status_code == 200


@pytest.mark.parametrize(
    ("digits", "statuses"),
    [
        ("15558000011", ["sent"]),
        ("15558000012", ["sent", "read"]),
        ("15558000013", ["delivered", "sent"]),
        ("15558000014", ["sent", "sent", "delivered", "delivered"]),
        ("15558000015", []),
        ("15558000016", ["sent", "failed"]),
        ("15558000017", ["sent", "failed", "delivered"]),
    ],
)
def test_a_number_can_spell_odd_statuses(
    graph: Graph,
    product: Product,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    settle: Callable[[], None],
    digits: str,
    statuses: list[str],
) -> None:
    write(shop, sender=digits)
    graph.send(shop, digits)
    settle()
    assert [status["status"] for status in product.statuses()] == statuses


def test_the_list_of_magic_numbers_can_be_asked_for(client: FlaskClient) -> None:
    listed = client.get("/control/api/magic").get_json()
    assert listed["errors"]["15559131047"] == "Re-engagement message"


def test_a_chance_with_a_seed_gives_the_same_failures(
    client: FlaskClient, graph: Graph, world: World, shop: dict[str, str]
) -> None:
    client.post("/control/api/faults", json={"edge": "messages", "kind": "http500", "chance": 0.5, "times": -1})
    runs = []
    for _ in range(2):
        client.post("/control/api/random", json={"seed": 7})
        world.limits.forget()
        runs.append([graph.send(shop, "16505551234").status_code for _ in range(3)][:1])
    assert runs[0] == runs[1]


def test_a_fault_can_wait_for_one_recipient(client: FlaskClient, graph: Graph, shop: dict[str, str]) -> None:
    client.post("/control/api/faults", json={"edge": "messages", "kind": "429", "to": "+16505550002"})
    answers = [graph.send(shop, to) for to in ("16505550001", "16505550002")]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].headers["Retry-After"] == "1"
