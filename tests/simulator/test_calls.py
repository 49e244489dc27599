from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.simulator.stand_ins import Graph, Product

CUSTOMER = "16505551234"


@pytest.fixture
def place_call(client: FlaskClient, shop: dict[str, str]) -> Any:
    def place_call(*acts: str, **more: Any) -> None:
        body = {"phone_number_id": shop["phone_number_id"], "from": CUSTOMER} | more
        call = client.post("/control/api/calls", json=body).get_json()
        for act in acts:
            client.post(f"/control/api/calls/{call['id']}", json={"act": act})

    return place_call


def events(product: Product) -> list[dict[str, Any]]:
    return [call for value in product.values("calls") for call in value.get("calls", [])]


def test_a_missed_call_connects_and_fails(product: Product, place_call: Any, settle: Callable[[], None]) -> None:
    place_call("terminate")
    settle()
    connect, terminate = events(product)
    assert (connect["event"], connect["from"], connect["direction"]) == ("connect", CUSTOMER, "USER_INITIATED")
    assert (terminate["event"], terminate["status"], terminate["id"]) == ("terminate", "FAILED", connect["id"])
    assert "duration" not in terminate


def test_an_accepted_call_has_a_duration(product: Product, place_call: Any, settle: Callable[[], None]) -> None:
    place_call("accept", "terminate")
    settle()
    assert (events(product)[-1]["status"], events(product)[-1]["duration"]) == ("COMPLETED", 0)


def test_a_call_of_the_business_has_statuses(product: Product, place_call: Any, settle: Callable[[], None]) -> None:
    place_call("reject", direction="BUSINESS_INITIATED")
    settle()
    statuses = [status for value in product.values("calls") for status in value.get("statuses", [])]
    assert [status["status"] for status in statuses] == ["RINGING", "REJECTED"]
    assert (events(product)[-1]["to"], events(product)[-1]["status"]) == (CUSTOMER, "FAILED")


@pytest.mark.parametrize(
    ("acts", "direction", "opened"),
    [
        ((), "USER_INITIATED", True),
        (("reject",), "BUSINESS_INITIATED", False),
        (("accept",), "BUSINESS_INITIATED", True),
    ],
)
def test_a_call_opens_the_window(
    graph: Graph,
    product: Product,
    shop: dict[str, str],
    place_call: Any,
    settle: Callable[[], None],
    acts: Any,
    direction: Any,
    opened: Any,
) -> None:
    place_call(*acts, direction=direction)
    graph.send(shop, CUSTOMER)
    settle()
    assert ("failed" not in [status["status"] for status in product.statuses()]) is opened
