import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from simulator import World
from tests.simulator.stand_ins import Graph, Product


@pytest.fixture
def received(
    graph: Graph,
    world: World,
    client: FlaskClient,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    settle: Callable[[], None],
) -> Any:
    """A message of the business that has arrived on the phone."""

    def received(kind: str, content: dict[str, Any]) -> dict[str, str]:
        write(shop)
        client.post("/control/api/flows", json={"phone_number_id": shop["phone_number_id"], "flow_id": "1"})
        wamid = graph.send(shop, "16505551234", type=kind, **{kind: content}).json["messages"][0]["id"]
        settle()
        return {"phone_number_id": shop["phone_number_id"], "from": "16505551234", "wamid": wamid}

    return received


@pytest.mark.parametrize("kind", ["image", "video", "audio", "document", "sticker"])
def test_files_arrive_with_an_id_and_an_address(
    product: Product, shop: dict[str, str], write: Callable[..., dict[str, str]], settle: Callable[[], None], kind: str
) -> None:
    write(shop, type=kind)
    settle()
    message = product.inbound()[0]
    assert message["type"] == kind
    assert {"id", "url", "sha256", "mime_type"} <= set(message[kind])


def test_a_voice_note_is_ogg_and_says_so(
    product: Product, shop: dict[str, str], write: Callable[..., dict[str, str]], settle: Callable[[], None]
) -> None:
    write(shop, type="voice")
    settle()
    audio = product.inbound()[0]["audio"]
    assert (audio["voice"], audio["mime_type"]) == (True, "audio/ogg; codecs=opus")


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("location", {"latitude": 1.5, "longitude": 2, "name": "HQ"}),
        ("contacts", [{"name": {"formatted_name": "Ann", "first_name": "Ann"}}]),
        ("order", {"catalog_id": "1", "text": "", "product_items": []}),
    ],
)
def test_what_is_written_under_its_type_arrives_as_it_is(
    product: Product,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    settle: Callable[[], None],
    kind: str,
    content: Any,
) -> None:
    write(shop, type=kind, **{kind: content})
    settle()
    assert product.inbound()[0][kind] == content


def test_what_businesses_cannot_receive_says_so(
    product: Product, shop: dict[str, str], write: Callable[..., dict[str, str]], settle: Callable[[], None]
) -> None:
    write(shop, type="unsupported", unsupported={"type": "poll"})
    settle()
    message = product.inbound()[0]
    assert (message["errors"][0]["code"], message["unsupported"]) == (131051, {"type": "poll"})


@pytest.mark.parametrize(("times", "mark"), [(1, "forwarded"), (6, "frequently_forwarded")])
def test_forwarded_messages_are_marked(
    product: Product,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    settle: Callable[[], None],
    times: int,
    mark: str,
) -> None:
    write(shop, forwarded=times)
    settle()
    assert product.inbound()[0]["context"] == {mark: True}


def test_an_ad_travels_with_the_first_message_and_makes_answers_free(
    graph: Graph,
    product: Product,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    settle: Callable[[], None],
) -> None:
    write(shop, referral=True)
    graph.send(shop, "16505551234")
    settle()
    assert product.inbound()[0]["referral"]["source_type"] == "ad"
    sent, delivered = product.statuses()[:2]
    assert sent["pricing"]["type"] == "free_entry_point"
    assert sent["conversation"]["origin"] == {"type": "referral_conversion"}
    assert int(sent["conversation"]["expiration_timestamp"]) - int(sent["timestamp"]) in range(
        72 * 3600 - 60, 72 * 3600 + 1
    )
    assert "expiration_timestamp" not in delivered["conversation"]


def test_a_reaction_and_its_removal(
    client: FlaskClient,
    product: Product,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    settle: Callable[[], None],
) -> None:
    wamid = write(shop)["wamid"]
    who = {"phone_number_id": shop["phone_number_id"], "from": "16505551234", "wamid": wamid}
    client.post("/control/api/reactions", json=who | {"emoji": "👍"})
    client.post("/control/api/reactions", json=who)
    settle()
    reactions = [message["reaction"] for message in product.inbound() if message["type"] == "reaction"]
    assert sorted(reactions, key=len) == [{"message_id": wamid}, {"message_id": wamid, "emoji": "👍"}]


def test_an_edit_names_the_original(
    client: FlaskClient,
    product: Product,
    world: World,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    settle: Callable[[], None],
) -> None:
    wamid = write(shop)["wamid"]
    change = {"phone_number_id": shop["phone_number_id"], "from": "16505551234", "wamid": wamid, "text": "Hello"}
    client.post("/control/api/edits", json=change)
    settle()
    edit = next(message["edit"] for message in product.inbound() if message["type"] == "edit")
    assert edit["original_message_id"] == wamid
    assert edit["message"] == {"context": {"id": "M0"}, "type": "text", "text": {"body": "Hello"}}
    world.advance(16 * 60)
    assert client.post("/control/api/edits", json=change).status_code == 409


def test_a_deletion_names_the_original(
    client: FlaskClient,
    product: Product,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    settle: Callable[[], None],
) -> None:
    wamid = write(shop)["wamid"]
    change = {"phone_number_id": shop["phone_number_id"], "from": "16505551234", "wamid": wamid}
    client.post("/control/api/deletions", json=change)
    settle()
    assert {"original_message_id": wamid} in [message.get("revoke") for message in product.inbound()]


def test_tapping_a_button_answers_with_its_id(
    client: FlaskClient, product: Product, received: Any, settle: Callable[[], None]
) -> None:
    reply = {"type": "reply", "reply": {"id": "yes-1", "title": "Yes"}}
    tap = received("interactive", {"type": "button", "body": {"text": "Well?"}, "action": {"buttons": [reply]}})
    client.post("/control/api/answers", json=tap | {"option": 0})
    settle()
    answer = product.inbound()[-1]
    assert answer["interactive"] == {"type": "button_reply", "button_reply": {"id": "yes-1", "title": "Yes"}}
    assert answer["context"] == {"from": "15550783881", "id": tap["wamid"]}


def test_a_flow_comes_back_as_text_of_json(
    client: FlaskClient, product: Product, received: Any, settle: Callable[[], None]
) -> None:
    parameters = {"flow_message_version": "3", "flow_id": "1", "flow_cta": "Book", "flow_token": "tok"}
    flow = {"type": "flow", "body": {"text": "Book"}, "action": {"name": "flow", "parameters": parameters}}
    client.post("/control/api/answers", json=received("interactive", flow) | {"typed": {"guests": 2}})
    settle()
    incoming = product.inbound()[-1]["interactive"]["nfm_reply"]
    assert json.loads(incoming["response_json"]) == {"flow_token": "tok", "guests": 2}


def test_a_voice_note_can_be_played(
    client: FlaskClient,
    graph: Graph,
    product: Product,
    world: World,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    settle: Callable[[], None],
) -> None:
    from simulator import samples
    from simulator.media import Media
    from simulator.phone_numbers import PhoneNumber

    write(shop)
    number = PhoneNumber.find(world, shop["phone_number_id"])
    assert number
    note = Media.save(world, number, "upload", "audio/ogg", samples.voice())
    sent = graph.send(shop, "16505551234", type="audio", audio={"id": note.id, "voice": True}).json
    settle()
    client.post("/control/api/plays", json={"wamid": sent["messages"][0]["id"]})
    settle()
    assert product.statuses()[-1]["status"] == "played"


def test_any_webhook_at_all_can_be_sent(
    client: FlaskClient, product: Product, shop: dict[str, str], settle: Callable[[], None]
) -> None:
    value = {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}}
    client.post("/control/api/webhooks", json={"waba_id": shop["waba_id"], "field": "account_update", "value": value})
    settle()
    assert value in product.values("account_update")


def test_an_unsupported_message_may_leave_out_its_type(
    product: Product, shop: dict[str, str], write: Callable[..., dict[str, str]], settle: Callable[[], None]
) -> None:
    write(shop, type="unsupported", unsupported={})
    settle()
    (message,) = product.inbound()
    assert message["errors"][0]["code"] == 131051 and "unsupported" not in message


@pytest.mark.parametrize(
    "body",
    [
        {"type": "reaction", "reaction": {}},
        {"type": "reaction", "reaction": "👍"},
        {"type": "edit", "edit": {"original_message_id": "wamid.1", "message": {}}},
        {"type": "revoke", "revoke": []},
        {"type": "system", "system": {}},
        {"type": "location", "location": 3},
        {"type": "image", "file_base64": "a"},
        {"type": "text", "item": "x"},
        {"type": "text", "forwarded": "often"},
    ],
    ids=str,
)
def test_what_cannot_be_written_is_refused_with_words(
    client: FlaskClient, shop: dict[str, str], body: dict[str, object]
) -> None:
    whole = {"phone_number_id": shop["phone_number_id"], "from": "16505551234", "text": "Hi"} | body
    answer = client.post("/control/api/inbound", json=whole)
    assert answer.status_code == 400 and answer.get_json()["error"]
