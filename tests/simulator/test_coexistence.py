from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from simulator import World
from tests.simulator.stand_ins import Graph, Product


@pytest.fixture
def both(client: FlaskClient, shop: dict[str, str]) -> dict[str, str]:
    """A number on the Cloud API and on the WhatsApp Business app."""
    client.post("/control/api/coexistence", json={"phone_number_id": shop["phone_number_id"]})
    return dict(shop)


def test_what_is_typed_in_the_app_is_echoed_and_opens_no_window(
    client: FlaskClient, graph: Graph, product: Product, both: dict[str, str], settle: Callable[[], None]
) -> None:
    echo = {"phone_number_id": both["phone_number_id"], "to": "16505551234", "text": "From my phone"}
    wamid = client.post("/control/api/echoes", json=echo).get_json()["wamid"]
    graph.send(both, "16505551234")
    settle()
    (item,) = product.values("smb_message_echoes")[0]["message_echoes"]
    assert (item["id"], item["from"], item["to"]) == (wamid, "15550783881", "16505551234")
    assert item["text"] == {"body": "From my phone"}
    assert product.statuses()[0]["errors"][0]["code"] == 131047


def test_an_echo_can_be_taken_back(
    client: FlaskClient, product: Product, both: dict[str, str], settle: Callable[[], None]
) -> None:
    echo = {"phone_number_id": both["phone_number_id"], "to": "16505551234"}
    wamid = client.post("/control/api/echoes", json=echo | {"text": "Oops"}).get_json()["wamid"]
    client.post("/control/api/echoes", json=echo | {"type": "revoke", "wamid": wamid})
    settle()
    echoes = [item for value in product.values("smb_message_echoes") for item in value["message_echoes"]]
    assert {"original_message_id": wamid} in [item.get("revoke") for item in echoes]


def test_history_comes_in_chunks_with_progress(
    graph: Graph,
    product: Product,
    both: dict[str, str],
    write: Callable[..., dict[str, str]],
    settle: Callable[[], None],
) -> None:
    write(both)
    path = f"{both['phone_number_id']}/smb_app_data"
    requested = {"messaging_product": "whatsapp", "sync_type": "history"}
    assert "request_id" in graph("POST", path, token=both["token"], json=requested).json
    settle()
    chunks = [chunk for value in product.values("history") for chunk in value["history"]]
    assert max(chunk["metadata"]["progress"] for chunk in chunks) == 100
    assert {chunk["metadata"]["phase"] for chunk in chunks} == {0, 1, 2}
    messages = [message for chunk in chunks for thread in chunk["threads"] for message in thread["messages"]]
    assert {message["history_context"]["status"] for message in messages} == {"READ"}
    assert graph("POST", path, token=both["token"], json=requested).json["error"]["code"] == 2593107


def test_history_can_be_declined(
    client: FlaskClient, product: Product, both: dict[str, str], settle: Callable[[], None]
) -> None:
    client.post("/control/api/history", json={"phone_number_id": both["phone_number_id"], "declined": True})
    settle()
    assert product.values("history")[0]["history"][0]["errors"][0]["code"] == 2593109


def test_the_address_book_is_synchronised(
    client: FlaskClient, product: Product, both: dict[str, str], settle: Callable[[], None]
) -> None:
    contact = {"full_name": "Pablo Morales", "first_name": "Pablo", "phone_number": "16505551234"}
    body = {"phone_number_id": both["phone_number_id"], "contacts": [contact]}
    client.post("/control/api/app-contacts", json=body)
    settle()
    synced = product.values("smb_app_state_sync")[0]["state_sync"][0]
    assert (synced["action"], synced["contact"]) == ("add", contact)


def test_synchronising_has_a_day(graph: Graph, world: World, both: dict[str, str]) -> None:
    world.advance(25 * 3600)
    path, requested = f"{both['phone_number_id']}/smb_app_data", {"sync_type": "history"}
    assert graph("POST", path, token=both["token"], json=requested).json["error"]["code"] == 2593108
