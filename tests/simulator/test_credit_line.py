from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from simulator import Settings
from simulator.credit_line import MILLION, CreditLine
from simulator.world import World
from tests.simulator.stand_ins import Graph, Product

AMOUNTS = "balance,max_balance,credit_available"


@pytest.fixture
def line(graph: Graph, settings: Settings) -> Any:
    return lambda: graph("GET", f"{settings.credit_line_id}?fields={AMOUNTS}").json


@pytest.fixture
def conversation(shop: dict[str, str], write: Callable[..., dict[str, str]]) -> Any:
    write(shop)
    return shop


@pytest.fixture
def paid(client: FlaskClient, conversation: Any) -> Any:
    """From the next message on the number's free ones are used up."""
    number = conversation["phone_number_id"]
    client.post("/control/api/free-messages", json={"phone_number_id": number, "used": 1000})
    return conversation


def test_the_line_is_given_in_hundredths_and_currency(line: Any) -> None:
    incoming = line()
    assert incoming["max_balance"]["currency"] == "USD"
    assert (incoming["balance"]["amount"], incoming["credit_available"]["amount_in_hundredths"]) == ("0.00", "1000000")


def test_a_priced_message_takes_its_price_when_it_is_delivered(
    graph: Graph, world: World, paid: Any, settle: Callable[[], None]
) -> None:
    graph.send(paid, "16505551234")
    assert CreditLine.of(world).owed == 0
    settle()
    assert CreditLine.of(world).owed == round(0.0034 * MILLION)


def test_a_free_message_takes_nothing(
    graph: Graph, world: World, conversation: Any, settle: Callable[[], None]
) -> None:
    graph.send(conversation, "16505551234")
    settle()
    assert CreditLine.of(world).owed == 0


def test_a_line_that_is_used_up_stops_everybody(
    graph: Graph, client: FlaskClient, product: Product, conversation: Any, settle: Callable[[], None]
) -> None:
    client.post("/control/api/credit-line", json={"owed": 10_000})
    graph.send(conversation, "16505551234")
    settle()
    assert product.statuses()[-1]["errors"][0]["code"] == 131042
    client.post("/control/api/credit-line", json={"most": 20_000})
    graph.send(conversation, "16505551234")
    settle()
    assert product.statuses()[-1]["status"] == "delivered"


def test_the_panel_sets_the_line(client: FlaskClient, world: World) -> None:
    client.post("/control/credit-line", data={"owed": "12.34", "most": "50", "currency": "EUR"})
    assert CreditLine.of(world).amounts()["credit_available"] == {
        "amount": "37.66",
        "amount_in_hundredths": "3766",
        "currency": "EUR",
        "offsetted_amount": "3766",
    }
    assert "37.66 EUR" in client.get("/control").text


def test_a_client_may_not_look_at_it(graph: Graph, settings: Settings, business_token: str) -> None:
    answer = graph("GET", f"{settings.credit_line_id}?fields=balance", token=business_token)
    assert answer.json["error"]["code"] in (100, 200)
