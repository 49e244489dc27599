import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from simulator import World
from tests.simulator.stand_ins import Graph, Product

COMPONENTS = [
    {"type": "HEADER", "format": "IMAGE"},
    {"type": "BODY", "text": "Hi {{1}}, order {{2}} has shipped."},
    {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Track", "url": "https://x.example/{{1}}"}]},
]


@pytest.fixture
def template(client: FlaskClient, shop: dict[str, str]) -> Any:
    def template(**changed: Any) -> Any:
        body = {"phone_number_id": shop["phone_number_id"], "name": "shipped", "category": "UTILITY"}
        plain = {"components": [{"type": "BODY", "text": "Hi {{1}}, it has shipped."}]}
        return client.post("/control/api/templates", json=body | plain | changed).json

    return template


@pytest.fixture
def send(graph: Graph, shop: dict[str, str]) -> Any:
    def send(*parameters: str, components: Any = None, language: str = "en_US", to: str = "16505551234") -> Any:
        texts = [{"type": "text", "text": text} for text in parameters]
        given = components or [{"type": "body", "parameters": texts}]
        content = {"name": "shipped", "language": {"code": language}, "components": given}
        return graph.send(shop, to, type="template", template=content)

    return send


def code_of(answer: Any) -> tuple[int, int]:
    return answer.status_code, answer.json["error"]["code"]


def test_a_template_goes_outside_the_window_and_is_paid_for(
    product: Product, template: Any, send: Any, settle: Callable[[], None]
) -> None:
    template()
    assert send("Pablo").json["messages"][0]["message_status"] == "accepted"
    settle()
    assert [status["status"] for status in product.statuses()] == ["sent", "delivered"]
    price = product.statuses()[0]["pricing"]
    assert (price["category"], price["type"], price["billable"]) == ("utility", "regular", True)


@pytest.mark.parametrize(("day", "kind"), [("2026-09-30", "free_customer_service"), ("2026-10-01", "regular")])
def test_a_utility_template_inside_the_window_was_free_until_october(
    product: Product,
    world: World,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    template: Any,
    send: Any,
    settle: Callable[[], None],
    day: str,
    kind: str,
) -> None:
    world.advance(datetime.fromisoformat(f"{day}T12:00:00+00:00").timestamp() - world.clock.now())
    write(shop)
    template()
    send("Pablo")
    settle()
    assert product.statuses()[0]["pricing"]["type"] == kind


@pytest.mark.parametrize("category", ["MARKETING", "AUTHENTICATION"])
def test_the_window_makes_no_other_template_free(
    product: Product,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    template: Any,
    send: Any,
    settle: Callable[[], None],
    category: str,
) -> None:
    write(shop)
    template(category=category)
    send("Pablo")
    settle()
    assert {status["pricing"]["type"] for status in product.statuses()} == {"regular"}


def test_an_ad_makes_even_offers_free_and_tells_until_when(
    product: Product,
    world: World,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    template: Any,
    send: Any,
    settle: Callable[[], None],
) -> None:
    write(shop, referral=True)
    template(category="MARKETING")
    send("Pablo")
    settle()
    sent, delivered = product.statuses()
    assert (sent["pricing"]["type"], sent["pricing"]["category"]) == ("free_entry_point", "marketing")
    assert sent["conversation"]["origin"] == {"type": "referral_conversion"}
    assert 71 * 3600 < int(sent["conversation"]["expiration_timestamp"]) - world.clock.now() <= 72 * 3600
    assert "expiration_timestamp" not in delivered["conversation"]


def test_parameters_are_counted(template: Any, send: Any) -> None:
    template()
    assert code_of(send()) == (400, 132000)
    assert code_of(send("Pablo", "again")) == (400, 132000)


def test_a_language_must_match_exactly(template: Any, send: Any) -> None:
    template()
    assert code_of(send("Pablo", language="en")) == (404, 132001)


@pytest.mark.parametrize(
    ("status", "code"), [("PENDING", 132001), ("REJECTED", 132001), ("PAUSED", 132015), ("DISABLED", 132016)]
)
def test_only_approved_templates_go(template: Any, send: Any, status: str, code: int) -> None:
    template(status=status)
    assert code_of(send("Pablo"))[1] == code


def test_a_picture_header_needs_a_picture(template: Any, send: Any) -> None:
    template(components=COMPONENTS)
    body = {"type": "body", "parameters": [{"type": "text", "text": "Pablo"}, {"type": "text", "text": "7"}]}
    wrong = {"type": "header", "parameters": [{"type": "text", "text": "Hi"}]}
    assert code_of(send(components=[wrong, body])) == (400, 132012)


def test_named_parameters_must_be_named(template: Any, send: Any) -> None:
    named = [{"type": "BODY", "text": "Hi {{first_name}}, it has shipped."}]
    template(parameter_format="NAMED", components=named)
    assert code_of(send("Pablo")) == (400, 132012)
    parameter = {"type": "text", "text": "Pablo", "parameter_name": "first_name"}
    assert send(components=[{"type": "body", "parameters": [parameter]}]).status_code == 200


def body_shown(client: FlaskClient, answer: Any) -> str:
    (wamid,) = [message["id"] for message in answer.json["messages"]]
    sent = next(one for one in client.get("/control/api/messages").get_json()["messages"] if one["id"] == wamid)
    body: str = json.loads(sent["shown"])["body"]
    return body


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Your parcel {{2}} is on its way, {{1}}.", "Your parcel PARCEL9 is on its way, ALICE."),
        ("{{ 2 }}, {{1}}, {{2}}", "PARCEL9, ALICE, PARCEL9"),
        ("Hi {{1}}: {{2}}", "Hi ALICE: PARCEL9"),
    ],
)
def test_a_numbered_variable_is_filled_with_the_parameter_of_that_number(
    client: FlaskClient, template: Any, send: Any, text: str, shown: str
) -> None:
    template(components=[{"type": "BODY", "text": text}])
    assert body_shown(client, send("ALICE", "PARCEL9")) == shown


def test_names_are_filled_by_name_in_whatever_order(client: FlaskClient, template: Any, send: Any) -> None:
    template(components=[{"type": "BODY", "text": "{{first_name}}: {{parcel}} again {{first_name}}"}])
    parcel = {"type": "text", "parameter_name": "parcel", "text": "PARCEL9"}
    name = {"type": "text", "parameter_name": "first_name", "text": "ALICE"}
    answer = send(components=[{"type": "body", "parameters": [parcel, name]}])
    assert body_shown(client, answer) == "ALICE: PARCEL9 again ALICE"
    assert code_of(send(components=[{"type": "body", "parameters": [name, name]}])) == (400, 132000)


def test_a_cards_variables_are_numbered_too(client: FlaskClient, template: Any, send: Any) -> None:
    card = {"components": [{"type": "BODY", "text": "{{2}} for {{1}}"}]}
    template(components=[{"type": "BODY", "text": "Look"}, {"type": "CAROUSEL", "cards": [card]}])
    texts = [{"type": "text", "text": "ALICE"}, {"type": "text", "text": "Bread"}]
    given = {"type": "carousel", "cards": [{"card_index": 0, "components": [{"type": "body", "parameters": texts}]}]}
    send(components=[given])
    (sent,) = client.get("/control/api/messages").get_json()["messages"]
    assert json.loads(sent["shown"])["cards"] == [{"header": None, "body": "Bread for ALICE"}]


@pytest.mark.parametrize(("url", "parameters", "code"), [("{{1}}", 1, 200), ("{{1}}", 2, 132000), ("", 1, 132000)])
def test_an_address_takes_the_one_parameter_it_has_a_variable_for(
    template: Any, send: Any, url: str, parameters: int, code: int
) -> None:
    button = {"type": "URL", "text": "Track", "url": f"https://x.example/{url}"}
    template(components=[{"type": "BODY", "text": "Sent."}, {"type": "BUTTONS", "buttons": [button]}])
    texts = [{"type": "text", "text": "7"}] * parameters
    answer = send(components=[{"type": "button", "sub_type": "url", "index": "0", "parameters": texts}])
    assert answer.json.get("error", {}).get("code", 200) == code


def test_whoever_stopped_offers_gets_none(
    client: FlaskClient,
    product: Product,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    template: Any,
    send: Any,
    settle: Callable[[], None],
) -> None:
    write(shop)
    template(category="MARKETING")
    client.post("/control/api/offers", json={"phone_number_id": shop["phone_number_id"], "from": "16505551234"})
    send("Pablo")
    settle()
    assert product.values("user_preferences")[0]["user_preferences"][0]["value"] == "stop"
    assert product.statuses()[0]["errors"][0]["code"] == 131050


def test_whoever_had_enough_of_everybody_gets_no_offers(
    client: FlaskClient,
    product: Product,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    template: Any,
    send: Any,
    settle: Callable[[], None],
) -> None:
    write(shop)
    template(category="MARKETING")
    client.patch("/control/api/customers/16505551234", json={"marketing_capped": 1})
    send("Pablo")
    settle()
    assert product.statuses()[0]["errors"][0]["code"] == 131049


def test_a_portfolio_reaches_only_so_many_people_a_day(
    client: FlaskClient,
    product: Product,
    world: World,
    shop: dict[str, str],
    template: Any,
    send: Any,
    settle: Callable[[], None],
) -> None:
    template()
    client.post("/control/api/limits", json={"phone_number_id": shop["phone_number_id"], "messaging_limit": 2})
    for digits in ("16505550001", "16505550002", "16505550001", "16505550003"):
        send("Pablo", to=digits)
    settle()
    failed = [status["recipient_id"] for status in product.statuses() if status["status"] == "failed"]
    assert failed == ["16505550003"]


def test_templates_are_listed_on_the_waba(graph: Graph, shop: dict[str, str], template: Any) -> None:
    template()
    template(language="de", status="PAUSED")
    path = f"{shop['waba_id']}/message_templates"
    assert len(graph("GET", path, token=shop["token"]).json["data"]) == 2
    (approved,) = graph("GET", f"{path}?status=APPROVED", token=shop["token"]).json["data"]
    assert (approved["name"], approved["language"], approved["parameter_format"]) == ("shipped", "en_US", "POSITIONAL")
