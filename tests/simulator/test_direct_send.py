"""Utility messages without a template."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.simulator.stand_ins import Graph, Product

TO = "16505551234"


@pytest.fixture
def allow(client: FlaskClient, shop: dict[str, str]) -> Any:
    def allow(state: str = "on", **more: Any) -> None:
        client.post("/control/api/direct-send", json={"waba_id": shop["waba_id"], "state": state} | more)

    return allow


@pytest.fixture
def send(graph: Graph, shop: dict[str, str]) -> Any:
    def send(text: str = "Hi Ann, your order 17 has been shipped.", /, **more: Any) -> Any:
        return graph.send(shop, TO, text, **({"category": "utility"} | more))

    return send


@pytest.fixture
def generated(graph: Graph, shop: dict[str, str]) -> Callable[[], list[Any]]:
    def generated() -> list[Any]:
        path = f"{shop['waba_id']}/message_templates?source=AUTO_GENERATED"
        listed: list[Any] = graph("GET", path, token=shop["token"]).json["data"]
        return listed

    return generated


def test_an_account_without_it_reads_so(send: Any) -> None:
    error = send().json["error"]
    assert error["code"] == 100 and "isn't enabled for this account" in error["error_data"]["details"]


def test_an_account_that_gets_it_has_a_fallback_template(allow: Any, generated: Any) -> None:
    assert generated() == []
    allow()
    (fallback,) = generated()
    assert fallback["components"][0]["text"] == "{{1}}"


def test_the_panel_gives_direct_send(client: FlaskClient, send: Any, shop: dict[str, str]) -> None:
    client.post(f"/control/wabas/{shop['waba_id']}", data={"direct_send": "on", "direct_send_media": "on"})
    assert send().status_code == 200


def test_a_blocked_account_is_refused(allow: Any, send: Any) -> None:
    allow("blocked")
    assert send().json["error"]["code"] == 139200


def test_a_utility_message_goes_outside_the_window_and_names_its_template(
    allow: Any, send: Any, product: Product, settle: Callable[[], None], generated: Any
) -> None:
    allow()
    send()
    settle()
    assert [status["status"] for status in product.statuses()] == ["sent", "delivered"]
    status = product.statuses()[0]
    assert (status["pricing"]["category"], status["pricing"]["type"]) == ("utility", "regular")
    assert status["template_id"] in {one["id"] for one in generated()}


def test_a_template_is_generated_and_used_by_what_matches(
    allow: Any, send: Any, product: Product, settle: Callable[[], None], generated: Any
) -> None:
    allow()
    send()
    settle()
    (made,) = [one for one in generated() if one["name"].startswith("auto_generated_text")]
    assert made["components"][0]["text"] == "Hi {{1}}, your order {{2}} has been shipped."
    assert (made["source"], made["correct_category"]) == ("AUTO_GENERATED", "UTILITY")
    send("Hi Ben, your order 18 has been shipped.")
    settle()
    assert product.statuses()[-1]["template_id"] == made["id"]


def test_generated_templates_are_neither_changed_deleted_nor_sent(
    allow: Any, send: Any, graph: Graph, shop: dict[str, str], generated: Any
) -> None:
    allow()
    send()
    made = generated()[-1]
    parts = [{"type": "BODY", "text": "It has shipped."}]
    change = graph("POST", made["id"], token=shop["token"], json={"components": parts})
    delete = graph("DELETE", f"{shop['waba_id']}/message_templates?name={made['name']}", token=shop["token"])
    assert [one.json["error"]["error_subcode"] for one in (change, delete)] == [2388318, 2388330]
    content = {"name": made["name"], "language": {"code": "en_US"}}
    assert graph.send(shop, TO, type="template", template=content).json["error"]["code"] == 132018


def test_a_business_can_name_the_template(
    client: FlaskClient, allow: Any, send: Any, shop: dict[str, str], product: Product, settle: Callable[[], None]
) -> None:
    allow()
    about = {"waba_id": shop["waba_id"], "name": "taken", "components": [{"type": "BODY", "text": "Hi."}]}
    client.post("/control/api/templates", json=about)
    assert send(direct_send_config={"template_name": "Order"}).json["error"]["code"] == 100
    send(direct_send_config={"template_name": "order_delivery"})
    settle()
    names = {one["id"]: one["name"] for one in client.get("/control/api/templates").get_json()["templates"]}
    assert names[product.statuses()[0]["template_id"]] == "order_delivery"
    send(direct_send_config={"template_name": "taken"})
    settle()
    assert product.statuses()[-1]["errors"][0]["code"] == 132021


def code_of(answer: Any) -> int:
    code: int = answer.json.get("error", {}).get("code", answer.status_code)
    return code


def test_what_direct_send_does_not_take_is_refused(allow: Any, send: Any) -> None:
    allow()
    place: dict[str, Any] = {"type": "location", "location": {"latitude": 1, "longitude": 1}}
    refused: list[dict[str, Any]] = [{"category": name} for name in ("marketing", "authentication")]
    refused += [{"ttl_seconds": seconds} for seconds in (29, 43_201)]
    assert {code_of(send(**more)) for more in (*refused, {"text": {"body": "a" * 1025}}, place)} == {100}
    assert code_of(send(ttl_seconds=600)) == 200


def test_a_time_to_live_needs_a_category(graph: Graph, shop: dict[str, str]) -> None:
    assert graph.send(shop, TO, "Hello", ttl_seconds=60).json["error"]["code"] == 100


LINK = {"type": "cta_url", "cta_url": {"display_text": "Track", "url": "https://x.example/17"}}
REPLY = {"type": "reply", "reply": {"id": "yes", "title": "Got it"}}


def test_addresses_and_replies_may_be_mixed(allow: Any, send: Any) -> None:
    allow()

    def code_with(*buttons: Any) -> int:
        content = {"type": "button", "body": {"text": "It is on its way."}, "action": {"buttons": list(buttons)}}
        return code_of(send(type="interactive", interactive=content))

    assert [code_with(LINK, REPLY), code_with(LINK, LINK, *[REPLY] * 8)] == [200, 200]
    assert [code_with(REPLY, LINK), code_with(*[LINK] * 3), code_with(*[REPLY] * 11)] == [131009] * 3


def test_codes_need_their_own_permission(allow: Any, send: Any) -> None:
    allow("authentication")
    assert send("Your code is 123456.", category="authentication").status_code == 200


def test_advertising_is_reported_and_the_third_time_blocked(
    allow: Any, send: Any, product: Product, settle: Callable[[], None]
) -> None:
    allow()
    for what in ("shoes", "hats", "coats"):
        send(f"All {what} 20% off, buy now.")
    settle()
    first = product.values("template_correct_category_detection")[0]
    assert (first["category"], first["correct_category"]) == ("UTILITY", "MARKETING")
    kinds = [
        value.get("restriction_info", [{}])[0].get("restriction_type") for value in product.values("account_update")
    ]
    assert "RESTRICTED_DIRECT_SEND_UTILITY_TEMPLATES" in kinds
    assert send().json["error"]["code"] == 139200


def test_a_sample_is_categorised(graph: Graph, shop: dict[str, str]) -> None:
    path = f"{shop['waba_id']}/message_samples"
    texts = ("Your order has been shipped.", "All shoes 20% off, buy now.")
    answers = [graph("POST", path, token=shop["token"], json={"type": "text", "text": {"body": one}}) for one in texts]
    assert [one.json["category"] for one in answers] == ["UTILITY", "MARKETING"]
