import base64
import hashlib
import io
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from simulator import World, samples
from tests.simulator.stand_ins import Graph, Product

DAY = 86400


@pytest.fixture
def upload(graph: Graph, shop: dict[str, str]) -> Any:
    def upload(data: bytes = samples.png(), mime_type: str = "image/png", name: str = "a.png") -> Any:
        form = {"messaging_product": "whatsapp", "type": mime_type, "file": (io.BytesIO(data), name, mime_type)}
        path = f"{shop['phone_number_id']}/media"
        return graph("POST", path, token=shop["token"], data=form, content_type="multipart/form-data")

    return upload


def fetched(client: FlaskClient, url: str, token: str) -> Any:
    with client.get(url, headers={"Authorization": f"Bearer {token}"}) as answer:
        answer.get_data()
    return answer


def test_an_uploaded_file_can_be_fetched_from_another_host(
    graph: Graph, client: FlaskClient, shop: dict[str, str], upload: Any
) -> None:
    media = graph("GET", upload().json["id"], token=shop["token"]).json
    assert media["url"].startswith("http://localhost:9000/whatsapp_business/attachments/")
    assert media["sha256"] == hashlib.sha256(samples.png()).hexdigest()
    assert fetched(client, media["url"], shop["token"]).data == samples.png()


def test_an_address_works_for_five_minutes(
    graph: Graph, client: FlaskClient, world: World, shop: dict[str, str], upload: Any
) -> None:
    url = graph("GET", upload().json["id"], token=shop["token"]).json["url"]
    world.advance(301)
    assert fetched(client, url, shop["token"]).status_code == 404


def test_a_file_needs_the_token_in_the_header(
    graph: Graph, client: FlaskClient, shop: dict[str, str], upload: Any
) -> None:
    url = graph("GET", upload().json["id"], token=shop["token"]).json["url"]
    assert client.get(url).status_code == 401
    assert client.get(f"{url}&access_token={shop['token']}").status_code == 401


def test_another_client_cannot_see_the_file(
    graph: Graph, client: FlaskClient, shop: dict[str, str], upload: Any, business_token: str
) -> None:
    id = upload().json["id"]
    assert graph("GET", id, token=business_token).json["error"]["error_subcode"] == 33
    url = graph("GET", id, token=shop["token"]).json["url"]
    assert fetched(client, url, business_token).status_code == 404


def test_naming_the_wrong_number_is_refused(graph: Graph, shop: dict[str, str], upload: Any) -> None:
    id = upload().json["id"]
    path = f"{id}?phone_number_id={shop['phone_number_id']}"
    assert graph("GET", path, token=shop["token"]).status_code == 200
    assert graph("GET", f"{id}?phone_number_id=1", token=shop["token"]).json["error"]["code"] == 100


def test_a_deleted_file_is_gone(graph: Graph, shop: dict[str, str], upload: Any) -> None:
    id = upload().json["id"]
    assert graph("DELETE", id, token=shop["token"]).json == {"success": True}
    assert graph("GET", id, token=shop["token"]).status_code == 400


def test_a_type_without_takers_is_refused(upload: Any) -> None:
    error = upload(b"MZ", "application/x-msdownload", "a.exe").json["error"]
    assert (error["code"], "one of the following types" in error["message"]) == (100, True)


def test_what_a_customer_sends_can_be_fetched_for_a_week(
    graph: Graph,
    product: Product,
    world: World,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    settle: Callable[[], None],
) -> None:
    write(shop, type="image", caption="This one")
    settle()
    image = product.inbound()[0]["image"]
    assert base64.b64decode(image["sha256"]) == hashlib.sha256(samples.png()).digest()
    assert image["caption"] == "This one"
    world.advance(6 * DAY)
    assert graph("GET", image["id"], token=shop["token"]).status_code == 200
    world.advance(DAY)
    assert graph("GET", image["id"], token=shop["token"]).status_code == 400


def test_an_uploaded_file_can_be_sent(
    graph: Graph,
    product: Product,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    upload: Any,
    settle: Callable[[], None],
) -> None:
    write(shop)
    graph.send(shop, "16505551234", type="image", image={"id": upload().json["id"], "caption": "Blue"})
    settle()
    assert [status["status"] for status in product.statuses()] == ["sent", "delivered"]


def test_a_file_of_the_wrong_kind_fails_later(
    graph: Graph,
    product: Product,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    upload: Any,
    settle: Callable[[], None],
) -> None:
    write(shop)
    graph.send(shop, "16505551234", type="video", video={"id": upload().json["id"]})
    settle()
    assert product.statuses()[0]["errors"][0]["code"] == 131053


def test_a_link_is_fetched_before_it_is_sent(
    graph: Graph,
    client: FlaskClient,
    product: Product,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    settle: Callable[[], None],
) -> None:
    write(shop)
    graph.send(shop, "16505551234", type="image", image={"link": f"{product.url}/picture.png"})
    settle()
    assert [status["status"] for status in product.statuses()] == ["sent", "delivered"]


def test_a_bad_link_fails_later(
    graph: Graph,
    product: Product,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    settle: Callable[[], None],
) -> None:
    write(shop)
    graph.send(shop, "16505551234", type="image", image={"link": f"{product.url}/missing.png"})
    settle()
    failure = product.statuses()[0]["errors"][0]
    assert (failure["code"], "404" in failure["error_data"]["details"]) == (131053, True)
