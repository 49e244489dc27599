import hashlib
import hmac
from collections.abc import Callable

from flask.testing import FlaskClient

from simulator import Settings, World, create_app
from simulator.webhooks.delivery import signature
from tests.simulator.stand_ins import Graph, Product


def test_signatures_match_the_published_vectors() -> None:
    body = b'{"object":"whatsapp_business_account","entry":[]}'
    assert signature("test_app_secret", body) == "dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756"
    escaped = b'{"text":"caf\\u00e9 \\ud83d\\ude00"}'
    assert signature("s3cr3t", escaped) == "0a2a5ed493fe5c4ecbb694f2d49af310908405d260f664eeb8a96cc4b05f93c8"


def test_the_exact_bytes_are_signed_and_escaped(
    product: Product,
    settings: Settings,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    settle: Callable[[], None],
) -> None:
    write(shop, "café 😀 https://x.example")
    settle()
    body = product.bodies[-1]
    assert rb"caf\u00e9 \ud83d\ude00 https:\/\/x.example" in body
    expected = hmac.new(settings.app_secret[0].encode(), body, hashlib.sha256).hexdigest()
    assert product.signatures[-1] == f"sha256={expected}"


def test_an_inbound_text_looks_like_metas(
    product: Product, shop: dict[str, str], write: Callable[..., dict[str, str]], settle: Callable[[], None]
) -> None:
    written = write(shop, "Hello")
    settle()
    value, message = product.values()[-1], product.inbound()[-1]
    assert value["contacts"] == [{"profile": {"name": "Sheena"}, "wa_id": "16505551234", "user_id": written["user_id"]}]
    assert message["timestamp"].isdigit()
    assert {name: message[name] for name in ("from", "from_user_id", "id", "type", "text")} == {
        "from": "16505551234",
        "from_user_id": written["user_id"],
        "id": written["wamid"],
        "type": "text",
        "text": {"body": "Hello"},
    }


def test_a_quoted_message_travels_as_context(
    product: Product, shop: dict[str, str], write: Callable[..., dict[str, str]], settle: Callable[[], None]
) -> None:
    write(shop, "That one", context_id="wamid.quoted")
    settle()
    assert product.inbound()[0]["context"] == {"from": "15550783881", "id": "wamid.quoted"}


def test_an_unsubscribed_waba_is_silent(
    client: FlaskClient, product: Product, write: Callable[..., dict[str, str]], settle: Callable[[], None]
) -> None:
    seed = {"name": "Silent", "display_phone_number": "15550004444", "subscribed": False}
    silent = client.post("/control/api/seed", json=seed).json
    write(silent)
    settle()
    assert product.inbound() == []


def test_anything_but_200_is_tried_again(
    product: Product, shop: dict[str, str], write: Callable[..., dict[str, str]], settle: Callable[[], None]
) -> None:
    settle()
    product.answers = [500, 202, 404]
    write(shop)
    settle()
    assert len(product.inbound()) == 4
    assert len(set(product.bodies[1:])) == 1


def test_a_number_override_beats_the_apps_callback(
    graph: Graph,
    product: Product,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    settle: Callable[[], None],
    world: World,
) -> None:
    override = {"webhook_configuration": {"override_callback_uri": f"{product.url}?mine", "verify_token": "right"}}
    graph("POST", shop["phone_number_id"], token=shop["token"], json=override)
    write(shop)
    assert world.store.value("select url from deliveries where field = 'messages'") == f"{product.url}?mine"
    settle()
    assert len(product.inbound()) == 1


def test_duplicates_are_the_same_bytes_twice(
    product: Product,
    world: World,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    settle: Callable[[], None],
) -> None:
    settle()
    world.knobs["duplicates"] = 1
    write(shop)
    settle()
    assert product.bodies[1] == product.bodies[2]


def test_what_was_not_delivered_survives_a_restart(
    settings: Settings,
    client: FlaskClient,
    product: Product,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
) -> None:
    write(shop, "Before the restart")
    again = create_app(settings).extensions["simulator"]
    again.settle()
    assert [message["text"]["body"] for message in product.inbound()] == ["Before the restart"]
    again.stop()


def test_in_the_background_everything_happens_by_itself(
    graph: Graph,
    product: Product,
    world: World,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    until: Callable[[Callable[[], bool]], None],
) -> None:
    world.start()
    write(shop)
    graph.send(shop, "16505551234")
    until(lambda: len(product.statuses()) == 2)
    assert len(product.inbound()) == 1


def test_a_busy_sender_sends_everything_once(
    product: Product,
    world: World,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    until: Callable[[Callable[[], bool]], None],
) -> None:
    world.start()
    for number in range(60):
        write(shop, f"Message {number}")
    until(lambda: not world.store.row("select 1 from deliveries where state = 'waiting'"))
    assert sorted(message["text"]["body"] for message in product.inbound()) == sorted(
        f"Message {number}" for number in range(60)
    )
