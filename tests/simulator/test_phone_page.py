from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from simulator import World
from simulator.customers import Customer
from simulator.phone_numbers import PhoneNumber
from tests.simulator.stand_ins import Graph, Product


@pytest.fixture
def sheena(client: FlaskClient) -> str:
    client.post("/phone", data={"name": "Sheena Nelson", "code": "1", "number": "650 555-1234"})
    customer = Customer.by_number(client.application.extensions["simulator"], "16505551234")
    assert customer
    return customer.id


@pytest.fixture
def chat(sheena: str, shop: dict[str, str]) -> str:
    return f"/phone/{sheena}/{shop['phone_number_id']}"


def test_the_phone_opens_on_somebody(client: FlaskClient) -> None:
    page = client.get("/phone", follow_redirects=True)
    assert 'data-testid="phone-customer-name"' in page.text
    assert "unsafe" not in page.headers["Content-Security-Policy"]


def test_a_new_customer_finds_the_shop(client: FlaskClient, sheena: str, shop: dict[str, str]) -> None:
    page = client.get(f"/phone/{sheena}").text
    assert "Sheena Nelson" in page
    assert "Lucky Shrub" in page


def test_what_is_typed_reaches_the_business(
    client: FlaskClient, product: Product, chat: str, settle: Callable[[], None]
) -> None:
    client.post(f"{chat}/messages", data={"text": "مرحبا 👋"})
    settle()
    assert product.inbound()[0]["text"]["body"] == "مرحبا 👋"
    assert 'data-status="delivered"' in client.get(f"{chat}/live").text


def test_a_reply_appears_when_it_is_delivered(
    client: FlaskClient, graph: Graph, shop: dict[str, str], chat: str, settle: Callable[[], None]
) -> None:
    client.post(f"{chat}/messages", data={"text": "Hi"})
    graph.send(shop, "16505551234", "How can we help?")
    assert "How can we help?" not in client.get(f"{chat}/live").text
    settle()
    assert "How can we help?" in client.get(f"{chat}/live").text


def test_looking_at_the_chat_reads_it(
    client: FlaskClient, graph: Graph, product: Product, shop: dict[str, str], chat: str, settle: Callable[[], None]
) -> None:
    client.post(f"{chat}/messages", data={"text": "Hi"})
    graph.send(shop, "16505551234")
    settle()
    client.post(f"{chat}/read")
    settle()
    assert [status["status"] for status in product.statuses()] == ["sent", "delivered", "read"]


def test_own_messages_turn_blue_and_the_business_is_seen_typing(
    client: FlaskClient, graph: Graph, product: Product, shop: dict[str, str], chat: str, settle: Callable[[], None]
) -> None:
    client.post(f"{chat}/messages", data={"text": "Hi"})
    settle()
    body = {"messaging_product": "whatsapp", "status": "read", "message_id": product.inbound()[0]["id"]}
    typing = body | {"typing_indicator": {"type": "text"}}
    graph("POST", f"{shop['phone_number_id']}/messages", token=shop["token"], json=typing)
    page = client.get(f"{chat}/live").text
    assert 'data-status="read"' in page
    assert "typing…" in page


def test_a_phone_that_is_off_cannot_write(
    client: FlaskClient, product: Product, sheena: str, chat: str, settle: Callable[[], None]
) -> None:
    client.post(f"/phone/{sheena}/switches", data={"read_receipts": "on"})
    client.post(f"{chat}/messages", data={"text": "Hi"})
    settle()
    assert product.inbound() == []


def test_open_pages_hear_of_changes(client: FlaskClient, world: World, sheena: str, chat: str) -> None:
    seen = world.hub.version(sheena)
    client.post(f"{chat}/messages", data={"text": "Hi"})
    assert world.hub.wait(sheena, seen, timeout=0) > seen


def test_a_page_hears_of_what_changed_before_it_listened(client: FlaskClient, sheena: str, chat: str) -> None:
    address = client.get(chat).text.split('data-events="')[1].split('"')[0]
    client.post(f"{chat}/messages", data={"text": "Hi"})
    heard = client.get(address, buffered=False).iter_encoded()
    assert [next(heard), next(heard).split()[0]] == [b"retry: 500\n\n", b"id:"]


def test_a_link_opens_the_chat_with_the_text_ready(client: FlaskClient, sheena: str, shop: dict[str, str]) -> None:
    world = client.application.extensions["simulator"]
    number = PhoneNumber.find(world, shop["phone_number_id"])
    assert number
    page = client.get(f"/wa.me/{number.digits}", query_string={"text": "Bonjour <b> (ref 7KQ-M2F)"}).text
    assert "Chat with Lucky Shrub" in page and "Bonjour &lt;b&gt;" in page
    address = f"/phone/{sheena}/{number.id}?text=Bonjour+%3Cb%3E+(ref+7KQ-M2F)"
    assert f'href="{address}"' in page
    assert "Bonjour &lt;b&gt; (ref 7KQ-M2F)</textarea>" in client.get(address).text


def test_a_link_to_a_number_without_a_business_opens_no_chat(client: FlaskClient) -> None:
    assert client.get("/wa.me/15550000000?text=Hi").status_code == 404
