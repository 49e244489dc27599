from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from simulator import World
from tests.simulator.stand_ins import Graph, Product


@pytest.fixture
def hidden(client: FlaskClient, world: World, shop: dict[str, str]) -> dict[str, str]:
    """Somebody of whom businesses only know the id."""
    customer = client.post("/control/api/customers", json={"name": "Noor", "username": "noor.h"}).get_json()
    path = f"/control/api/customers/{customer['wa_id']}/ids?phone_number_id={shop['phone_number_id']}"
    existing: dict[str, str] = customer | {"user_id": client.get(path).get_json()["user_id"]}
    return existing


def test_a_hidden_number_is_missing_not_empty(
    product: Product,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    hidden: Any,
    settle: Callable[[], None],
) -> None:
    written = write(shop, user_id=hidden["user_id"])
    settle()
    value, message = product.values()[-1], product.inbound()[-1]
    assert "from" not in message
    assert value["contacts"] == [{"profile": {"name": "Noor", "username": "noor.h"}, "user_id": hidden["user_id"]}]
    assert hidden["wa_id"] not in product.bodies[-1].decode()
    assert written["wamid"] == message["id"]


def test_who_is_only_an_id_can_be_answered(
    graph: Graph,
    product: Product,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    hidden: Any,
    settle: Callable[[], None],
) -> None:
    write(shop, user_id=hidden["user_id"])
    graph.send(shop, None, recipient=hidden["user_id"])
    settle()
    assert [status["status"] for status in product.statuses()] == ["sent", "delivered"]
    assert all("recipient_id" not in status for status in product.statuses())
    assert product.statuses()[0]["recipient_user_id"] == hidden["user_id"]


def test_whoever_writes_to_the_number_is_shown_it(
    graph: Graph,
    product: Product,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    hidden: Any,
    settle: Callable[[], None],
) -> None:
    graph.send(shop, hidden["wa_id"])
    write(shop, user_id=hidden["user_id"])
    settle()
    assert product.inbound()[-1]["from"] == hidden["wa_id"]


def test_a_new_number_is_announced_by_the_old_one(
    client: FlaskClient,
    product: Product,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    settle: Callable[[], None],
) -> None:
    before = write(shop)["user_id"]
    client.post("/control/api/customers/16505551234/number", json={"number": "+16505559876"})
    settle()
    value = next(value for value in product.values() if value.get("messages", [{}])[0].get("type") == "system")
    (message,) = value["messages"]
    assert "contacts" not in value
    assert message["from"] == "16505551234"
    assert message["system"]["type"] == "user_changed_number"
    assert (message["system"]["wa_id"], message["system"]["previous_user_id"]) == ("16505559876", before)
    assert message["system"]["user_id"] != before


def test_a_hidden_persons_new_number_is_only_a_new_id(
    client: FlaskClient,
    product: Product,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    hidden: Any,
    settle: Callable[[], None],
) -> None:
    write(shop, user_id=hidden["user_id"])
    client.post(f"/control/api/customers/{hidden['wa_id']}/number", json={"number": "+16505559876"})
    settle()
    message = next(message for message in product.inbound() if message["type"] == "system")
    assert "from" not in message
    assert message["system"]["type"] == "user_changed_user_id"
    assert "wa_id" not in message["system"]


def test_linked_portfolios_share_a_parent_id(
    client: FlaskClient,
    world: World,
    product: Product,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    settle: Callable[[], None],
) -> None:
    world.knobs["parent_user_ids"] = 1
    write(shop)
    settle()
    parent = product.values()[-1]["contacts"][0]["parent_user_id"]
    assert parent.startswith("US.ENT.")
    assert product.inbound()[-1]["from_parent_user_id"] == parent


def test_a_blocked_customer_is_neither_heard_nor_reached(
    graph: Graph,
    product: Product,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    settle: Callable[[], None],
) -> None:
    write(shop)
    settle()
    block = {"messaging_product": "whatsapp", "block_users": [{"user": "+16505551234"}]}
    path = f"{shop['phone_number_id']}/block_users"
    graph("POST", path, token=shop["token"], json=block)
    write(shop, "Hello?")
    settle()
    assert len(product.inbound()) == 1
    assert graph.send(shop, "16505551234").json["error"]["code"] == 130403
    graph("DELETE", path, token=shop["token"], json=block)
    assert graph.send(shop, "16505551234").status_code == 200
