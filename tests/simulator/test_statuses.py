from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from simulator import World
from tests.simulator.stand_ins import Graph, Product


@pytest.fixture
def conversation(shop: dict[str, str], write: Callable[..., dict[str, str]]) -> Any:
    """A shop that has just been written to."""
    write(shop)
    return shop


def names(product: Product) -> list[str]:
    return [status["status"] for status in product.statuses()]


def test_a_status_names_everybody_and_gives_the_callback_data_back(
    graph: Graph, product: Product, conversation: Any, settle: Callable[[], None]
) -> None:
    graph.send(conversation, "16505551234", biz_opaque_callback_data="outbox-7")
    settle()
    status, value = product.statuses()[0], product.values()[-1]
    assert (status["recipient_id"], status["biz_opaque_callback_data"]) == ("16505551234", "outbox-7")
    assert status["recipient_user_id"] == value["contacts"][0]["user_id"]
    assert status["recipient_user_id"].startswith("US.")
    assert value["metadata"]["display_phone_number"] == "15550783881"


def test_prices_come_with_sent_and_with_the_first_arrival(
    graph: Graph, client: FlaskClient, product: Product, conversation: Any, settle: Callable[[], None]
) -> None:
    graph.send(conversation, "16505551234")
    settle()
    client.post("/control/api/reads", json={"phone_number_id": conversation["phone_number_id"], "from": "16505551234"})
    settle()
    priced = {status["status"]: "pricing" in status for status in product.statuses()}
    assert priced == {"sent": True, "delivered": True, "read": False}


def test_the_price_moves_to_read_when_delivered_is_lost(
    graph: Graph, client: FlaskClient, product: Product, world: World, conversation: Any, settle: Callable[[], None]
) -> None:
    world.knobs["drop_delivered"] = 1
    graph.send(conversation, "16505551234")
    settle()
    client.post("/control/api/reads", json={"phone_number_id": conversation["phone_number_id"], "from": "16505551234"})
    settle()
    assert names(product) == ["sent", "read"]
    assert product.statuses()[1]["pricing"]["type"] == "free_customer_service"


def test_a_status_reported_twice_says_the_same_price_twice(
    graph: Graph,
    product: Product,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    settle: Callable[[], None],
) -> None:
    write(shop, sender="15558000014")
    graph.send(shop, "15558000014")
    settle()
    facts = [(status["status"], "pricing" in status) for status in product.statuses()]
    assert facts == [("sent", True), ("sent", True), ("delivered", True), ("delivered", True)]


def test_outside_an_ads_days_nothing_is_reported_of_a_conversation(
    graph: Graph, product: Product, conversation: Any, settle: Callable[[], None]
) -> None:
    graph.send(conversation, "16505551234")
    settle()
    assert all("conversation" not in status for status in product.statuses())


def test_a_reaction_is_free_and_uses_up_nothing(
    graph: Graph,
    client: FlaskClient,
    product: Product,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    settle: Callable[[], None],
) -> None:
    wamid, number = write(shop)["wamid"], shop["phone_number_id"]
    client.post("/control/api/free-messages", json={"phone_number_id": number, "used": 1000})
    graph.send(shop, "16505551234", type="reaction", reaction={"message_id": wamid, "emoji": "👍"})
    settle()
    (status,) = product.statuses()
    assert (status["status"], status["pricing"]["type"]) == ("sent", "free_customer_service")


def test_after_a_thousand_free_messages_a_number_pays(
    graph: Graph, client: FlaskClient, product: Product, conversation: Any, settle: Callable[[], None]
) -> None:
    number = conversation["phone_number_id"]
    client.post("/control/api/free-messages", json={"phone_number_id": number, "used": 999})
    for _ in range(2):
        graph.send(conversation, "16505551234")
        settle()
    delivered = [status["pricing"] for status in product.statuses() if status["status"] == "delivered"]
    assert [(price["type"], price["billable"]) for price in delivered] == [
        ("free_customer_service", False),
        ("regular", True),
    ]


def test_a_closed_window_fails_later_without_contacts_or_price(
    graph: Graph, product: Product, shop: dict[str, str], settle: Callable[[], None]
) -> None:
    assert graph.send(shop, "16505551234").status_code == 200
    settle()
    (value,) = product.values()
    (status,) = value["statuses"]
    assert "contacts" not in value
    assert "pricing" not in status
    assert "recipient_user_id" not in status
    assert (status["status"], status["errors"][0]["code"]) == ("failed", 131047)


def test_the_window_closes_after_a_day(
    graph: Graph, product: Product, world: World, conversation: Any, settle: Callable[[], None]
) -> None:
    world.advance(24 * 3600 + 1)
    graph.send(conversation, "16505551234")
    settle()
    assert names(product) == ["failed"]


def test_without_a_credit_line_messages_fail(
    graph: Graph,
    client: FlaskClient,
    product: Product,
    write: Callable[..., dict[str, str]],
    settle: Callable[[], None],
) -> None:
    seed = {"name": "Broke", "display_phone_number": "15550003333", "credit": False}
    broke = client.post("/control/api/seed", json=seed).get_json()
    write(broke)
    graph.send(broke, "16505551234")
    settle()
    assert product.statuses()[0]["errors"][0]["code"] == 131042


def test_a_phone_that_is_off_receives_when_it_is_on_again(
    graph: Graph, client: FlaskClient, product: Product, conversation: Any, settle: Callable[[], None]
) -> None:
    client.patch("/control/api/customers/16505551234", json={"phone_on": False})
    graph.send(conversation, "16505551234")
    settle()
    assert names(product) == ["sent"]
    client.patch("/control/api/customers/16505551234", json={"phone_on": True})
    settle()
    assert names(product) == ["sent", "delivered"]


def test_without_read_receipts_reading_is_not_reported(
    graph: Graph, client: FlaskClient, product: Product, conversation: Any, settle: Callable[[], None]
) -> None:
    client.patch("/control/api/customers/16505551234", json={"read_receipts": False})
    graph.send(conversation, "16505551234")
    settle()
    client.post("/control/api/reads", json={"phone_number_id": conversation["phone_number_id"], "from": "16505551234"})
    settle()
    assert "read" not in names(product)
