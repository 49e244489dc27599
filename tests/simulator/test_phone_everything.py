import io
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from simulator import World, samples
from simulator.customers import Customer
from tests.simulator.stand_ins import Graph, Product


@pytest.fixture
def chat(client: FlaskClient, world: World, shop: dict[str, str]) -> str:
    client.post("/phone", data={"name": "Sheena Nelson", "code": "1", "number": "650 555-1234"})
    sheena = Customer.by_number(world, "16505551234")
    assert sheena
    return f"/phone/{sheena.id}/{shop['phone_number_id']}"


def test_a_photo_is_sent_and_shown(
    client: FlaskClient, product: Product, chat: str, settle: Callable[[], None]
) -> None:
    file = (io.BytesIO(samples.png()), "blue.png", "image/png")
    client.post(f"{chat}/files", data={"file": file, "text": "In blue"}, content_type="multipart/form-data")
    settle()
    assert product.inbound()[0]["image"]["caption"] == "In blue"
    source = client.get(f"{chat}/live").text.split('src="')[1].split('"')[0]
    with client.get(source) as answer:
        assert answer.data == samples.png()


@pytest.mark.parametrize(
    ("path", "form", "kind"),
    [
        ("samples", {"kind": "voice"}, "audio"),
        ("samples", {"kind": "sticker"}, "sticker"),
        ("places", {"place": "Here"}, "location"),
        ("places", {"coordinates": "1.5, 2.5"}, "location"),
        ("cards", {"name": "Ann Li", "number": "+1 650 555 0100"}, "contacts"),
        ("orders", {}, "order"),
        ("unsupported", {"kind": "poll"}, "unsupported"),
    ],
)
def test_everything_else_is_a_tap_away(
    client: FlaskClient, product: Product, chat: str, settle: Callable[[], None], path: str, form: Any, kind: str
) -> None:
    client.post(f"{chat}/{path}", data=form)
    settle()
    assert product.inbound()[0]["type"] == kind
    assert f'data-type="{kind}"' in client.get(f"{chat}/live").text


def test_the_marks_go_with_the_message(
    client: FlaskClient, product: Product, chat: str, settle: Callable[[], None]
) -> None:
    client.post(f"{chat}/messages", data={"text": "Hi", "referral": "on", "forwarded": "6"})
    settle()
    message = product.inbound()[0]
    assert message["context"] == {"frequently_forwarded": True}
    assert message["referral"]["ctwa_clid"].startswith("Aff-")


def test_reactions_of_both_sides_are_chips(
    client: FlaskClient, graph: Graph, world: World, shop: dict[str, str], chat: str, settle: Callable[[], None]
) -> None:
    client.post(f"{chat}/messages", data={"text": "Hi"})
    wamid = world.store.text("select id from messages")
    client.post(f"{chat}/reactions", data={"wamid": wamid, "emoji": "😂"})
    graph.send(shop, "16505551234", type="reaction", reaction={"message_id": wamid, "emoji": "👍"})
    settle()
    assert "😂👍" in client.get(f"{chat}/live").text
    client.post(f"{chat}/reactions", data={"wamid": wamid, "emoji": ""})
    assert "😂👍" not in client.get(f"{chat}/live").text


def test_a_reply_shows_what_it_answers(
    client: FlaskClient, product: Product, world: World, chat: str, settle: Callable[[], None]
) -> None:
    client.post(f"{chat}/messages", data={"text": "The first"})
    wamid = world.store.text("select id from messages")
    assert f'value="{wamid}"' in client.get(f"{chat}?reply={wamid}").text
    client.post(f"{chat}/messages", data={"text": "The second", "context_id": wamid})
    settle()
    assert product.inbound()[-1]["context"] == {"from": "16505551234", "id": wamid}
    assert '<span class="quote" dir="auto">The first</span>' in client.get(f"{chat}/live").text


def test_edited_and_deleted_messages_say_so(client: FlaskClient, world: World, chat: str) -> None:
    client.post(f"{chat}/messages", data={"text": "Helo"})
    wamid = world.store.text("select id from messages")
    client.post(f"{chat}/edits", data={"wamid": wamid, "text": "Hello"})
    assert "edited ·" in client.get(f"{chat}/live").text
    client.post(f"{chat}/deletions", data={"wamid": wamid})
    page = client.get(f"{chat}/live").text
    assert "Deleted" in page
    assert "Hello" not in page


def test_a_received_button_can_be_tapped(
    client: FlaskClient, graph: Graph, product: Product, shop: dict[str, str], chat: str, settle: Callable[[], None]
) -> None:
    client.post(f"{chat}/messages", data={"text": "Hi"})
    reply = {"type": "reply", "reply": {"id": "yes-1", "title": "Yes"}}
    requested = {"type": "button", "body": {"text": "Well?"}, "action": {"buttons": [reply]}}
    wamid = graph.send(shop, "16505551234", type="interactive", interactive=requested).json["messages"][0]["id"]
    settle()
    assert 'data-testid="phone-option"' in client.get(f"{chat}/live").text
    client.post(f"{chat}/answers", data={"wamid": wamid, "option": "0"})
    settle()
    assert product.inbound()[-1]["interactive"]["button_reply"]["id"] == "yes-1"


def test_the_number_can_be_hidden_and_changed(client: FlaskClient, world: World, chat: str) -> None:
    home = chat.rpartition("/")[0]
    client.post(f"{home}/switches", data={"phone_on": "on", "hide_number": "on"})
    client.post(f"{home}/profile", data={"username": "sheena.n", "number": "+1 650 555 9876"})
    sheena = Customer.by_number(world, "16505559876")
    assert sheena
    assert (sheena.username, sheena.has_number_hidden) == ("sheena.n", True)


def test_a_page_of_somewhere_else_is_no_way_back(client: FlaskClient, chat: str) -> None:
    home = chat.rpartition("/")[0]
    answer = client.post(f"{home}/switches", data={"phone_on": "on", "back": "//evil.example/"})
    assert answer.location == home
