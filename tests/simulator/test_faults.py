import threading
from typing import Any

import httpx
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from tests.simulator.stand_ins import Graph


@pytest.fixture
def fail_next(client: FlaskClient) -> Any:
    return lambda **fault: client.post("/control/api/faults", json=fault)


def test_an_ordered_error_happens_as_often_as_ordered(graph: Graph, shop: dict[str, str], fail_next: Any) -> None:
    fail_next(edge="messages", code=130429, details="Too fast", times=2)
    answers = [graph.send(shop, "16505551234") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [400, 400, 200]
    assert answers[0].json["error"]["error_data"]["details"] == "Too fast"


def test_a_fault_can_be_meant_for_one_method(graph: Graph, shop: dict[str, str], fail_next: Any) -> None:
    fail_next(edge="POST subscribed_apps", code=2)
    path = f"{shop['waba_id']}/subscribed_apps"
    assert graph("GET", path, token=shop["token"]).status_code == 200
    assert graph("POST", path, token=shop["token"]).json["error"]["is_transient"]


def test_a_plain_500_is_not_json(graph: Graph, shop: dict[str, str], fail_next: Any) -> None:
    fail_next(edge="messages", kind="http500")
    answer = graph.send(shop, "16505551234")
    assert (answer.status_code, answer.mimetype) == (500, "text/html")


def test_a_dropped_answer_leaves_an_accepted_message(
    app: Flask, client: FlaskClient, shop: dict[str, str], fail_next: Any
) -> None:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    fail_next(edge="messages", kind="drop-after-accept")
    body = {"messaging_product": "whatsapp", "to": "16505551234", "text": {"body": "Did it go?"}}
    url = f"http://127.0.0.1:{server.port}/v25.0/{shop['phone_number_id']}/messages"
    with pytest.raises(httpx.TransportError):
        httpx.post(url, json=body, headers={"Authorization": f"Bearer {shop['token']}"})
    server.shutdown()
    server.server_close()
    assert len(client.get("/control/accepted").get_json()["accepted"]) == 1


def test_a_timeout_does_nothing_but_wait(
    graph: Graph, client: FlaskClient, shop: dict[str, str], fail_next: Any
) -> None:
    fail_next(edge="messages", kind="timeout", seconds=0.05)
    with pytest.raises(ConnectionAbortedError):
        graph.send(shop, "16505551234")
    assert client.get("/control/accepted").get_json()["accepted"] == []


def test_an_unknown_kind_of_fault_is_refused(fail_next: Any) -> None:
    assert fail_next(edge="messages", kind="fire").status_code == 400
