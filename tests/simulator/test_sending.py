from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from simulator import World
from tests.simulator.stand_ins import Graph, Product


def error_of(answer: Any) -> int:
    code: int = answer.json["error"]["code"]
    return code


def test_an_accepted_message_echoes_the_input_and_names_the_person(graph: Graph, shop: dict[str, str]) -> None:
    answer = graph.send(shop, "+1 (650) 555-1234")
    assert answer.json["contacts"] == [{"input": "+1 (650) 555-1234", "wa_id": "16505551234"}]
    assert answer.json["messages"][0]["id"].startswith("wamid.HBgL")


@pytest.mark.parametrize(
    ("to", "wa_id"),
    [
        ("6505551234", "16505551234"),
        ("+5215512345678", "525512345678"),
        ("+541112345678", "5491112345678"),
        ("+5548991234567", "554891234567"),
        ("5511987654321", "5511987654321"),
    ],
)
def test_numbers_are_spelt_the_way_meta_spells_them(graph: Graph, shop: dict[str, str], to: str, wa_id: str) -> None:
    assert graph.send(shop, to).json["contacts"][0]["wa_id"] == wa_id


def test_a_person_can_be_reached_by_their_id_without_the_number(
    graph: Graph, shop: dict[str, str], write: Callable[..., dict[str, str]]
) -> None:
    user_id = write(shop)["user_id"]
    answer = graph.send(shop, None, recipient=user_id)
    assert answer.json["contacts"] == [{"input": user_id, "user_id": user_id}]


def test_an_id_means_nothing_to_another_portfolio(
    graph: Graph, client: FlaskClient, shop: dict[str, str], write: Callable[..., dict[str, str]]
) -> None:
    user_id = write(shop)["user_id"]
    seed = {"name": "Next door", "display_phone_number": "15550002222"}
    other = client.post("/control/api/seed", json=seed).get_json()
    assert error_of(graph.send(other, None, recipient=user_id)) == 131009


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"messaging_product": None}, 100),
        ({"messaging_product": "signal"}, 100),
        ({"to": None}, 131008),
        ({"to": "not a number"}, 131009),
        ({"to": "15550783881"}, 131021),
        ({"text": None}, 131008),
        ({"text": {}}, 131008),
        ({"text": {"body": "  "}}, 131009),
        ({"text": {"body": "x" * 4097}}, 100),
        ({"type": "telegram"}, 100),
        ({"type": "image"}, 131008),
        ({"type": "pin"}, 131051),
        ({"recipient_type": "group"}, 131041),
        ({"biz_opaque_callback_data": "x" * 513}, 100),
    ],
)
def test_what_is_not_well_formed_is_refused(graph: Graph, shop: dict[str, str], changed: Any, code: int) -> None:
    answer = graph.send(shop, "16505551234", **changed)
    assert answer.status_code == 400
    assert error_of(answer) == code


def test_cloud_api_errors_explain_themselves_in_error_data(graph: Graph, shop: dict[str, str]) -> None:
    error = graph.send(shop, None).json["error"]
    assert error["message"] == "(#131008) Required parameter is missing"
    assert error["error_data"] == {
        "messaging_product": "whatsapp",
        "details": "Required parameter is missing: to",
    }


def test_a_number_that_is_not_registered_cannot_send(
    graph: Graph, signed_up: dict[str, str], business_token: str
) -> None:
    assert error_of(graph.send(signed_up | {"token": business_token}, "16505551234")) == 133010


def test_every_accepted_message_is_on_the_log_once(graph: Graph, client: FlaskClient, shop: dict[str, str]) -> None:
    sent = graph.send(shop, "16505551234", "Über 🌿", biz_opaque_callback_data="outbox-7")
    graph.send(shop, None)
    (logged,) = client.get("/control/accepted").get_json()["accepted"]
    assert logged["wamid"] == sent.json["messages"][0]["id"]
    assert logged["body"] == '{"body": "Über 🌿"}'
    assert (logged["to"], logged["biz_opaque_callback_data"]) == ("16505551234", "outbox-7")


def test_reading_one_message_reads_the_ones_before_it(
    graph: Graph, world: World, shop: dict[str, str], write: Callable[..., dict[str, str]]
) -> None:
    first, second, third = (write(shop, text) for text in ("one", "two", "three"))
    body = {"messaging_product": "whatsapp", "status": "read", "message_id": second["wamid"]}
    answer = graph("POST", f"{shop['phone_number_id']}/messages", token=shop["token"], json=body)
    assert answer.json == {"success": True}
    states = {row["id"]: row["status"] for row in world.store.rows("select id, status from messages")}
    assert [states[message["wamid"]] for message in (first, second, third)] == ["read", "read", "sent"]


def test_reading_an_unknown_message_is_refused(graph: Graph, shop: dict[str, str]) -> None:
    body = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.unknown"}
    assert error_of(graph("POST", f"{shop['phone_number_id']}/messages", token=shop["token"], json=body)) == 131009


def test_the_first_status_may_come_before_the_answer(
    graph: Graph, world: World, product: Product, shop: dict[str, str], write: Callable[..., dict[str, str]]
) -> None:
    write(shop)
    world.knobs["status_before_answer"] = 1
    graph.send(shop, "16505551234")
    assert [status["status"] for status in product.statuses()] == ["sent"]
