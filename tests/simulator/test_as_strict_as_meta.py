"""What Meta refuses, and what it takes though it looks odd."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from simulator import Settings, World
from tests.simulator.stand_ins import Graph, Product

CUSTOMER = "16505551234"
BODY = {"text": "Look"}
CATALOGUE = {"type": "catalog_message", "body": BODY, "action": {"name": "catalog_message"}}
PRODUCT = {"type": "product", "action": {"catalog_id": "77", "product_retailer_id": "bread"}}
FLOW_PARAMETERS = {"flow_message_version": "3", "flow_id": "9", "flow_cta": "Book"}
FLOW = {"type": "flow", "body": BODY, "action": {"name": "flow", "parameters": FLOW_PARAMETERS}}
ROW = {"id": "a", "title": "A", "description": ""}
SECTIONS = [{"title": "", "rows": [ROW]}]
LIST_ACTION = {"button": "Choose", "sections": SECTIONS}
LIST = {"type": "list", "body": BODY, "action": LIST_ACTION}


def code_of(answer: Any) -> int:
    return answer.json["error"]["code"] if answer.status_code != 200 else 200


def blocking(graph: Graph, shop: dict[str, str], *users: dict[str, str], method: str = "POST") -> Any:
    body = {"messaging_product": "whatsapp", "block_users": list(users)}
    return graph(method, f"{shop['phone_number_id']}/block_users", token=shop["token"], json=body)


def test_only_somebody_who_wrote_today_can_be_blocked(
    graph: Graph, world: World, shop: dict[str, str], write: Callable[..., dict[str, str]]
) -> None:
    write(shop)
    assert blocking(graph, shop, {"user": f"+{CUSTOMER}"}).status_code == 200
    blocking(graph, shop, {"user": f"+{CUSTOMER}"}, method="DELETE")
    world.advance(24 * 3600 + 1)
    answer = blocking(graph, shop, {"user": f"+{CUSTOMER}"})
    assert (answer.status_code, answer.json["error"]["code"]) == (400, 139100)
    assert answer.json["block_users"]["failed_users"][0]["errors"][0]["code"] == 131047


def test_of_several_people_those_are_blocked_who_can_be(
    graph: Graph, shop: dict[str, str], write: Callable[..., dict[str, str]]
) -> None:
    write(shop)
    answer = blocking(graph, shop, {"user": CUSTOMER}, {"user": "16505559999"})
    users = answer.json["block_users"]
    assert answer.status_code == 400
    assert users["added_users"] == [{"input": CUSTOMER, "wa_id": CUSTOMER}]
    assert [user["input"] for user in users["failed_users"]] == ["16505559999"]
    assert code_of(graph.send(shop, CUSTOMER)) == 130403


def test_unblocking_has_no_time_limit(
    graph: Graph, world: World, shop: dict[str, str], write: Callable[..., dict[str, str]]
) -> None:
    write(shop)
    blocking(graph, shop, {"user": CUSTOMER})
    world.advance(3 * 86400)
    answer = blocking(graph, shop, {"user": CUSTOMER}, method="DELETE")
    assert answer.json["block_users"] == {"removed_users": [{"input": CUSTOMER, "wa_id": CUSTOMER}]}


def test_blocked_people_come_in_pages(graph: Graph, shop: dict[str, str], write: Callable[..., dict[str, str]]) -> None:
    numbers = [f"1650555000{n}" for n in range(3)]
    for number in numbers:
        write(shop, sender=number)
    blocking(graph, shop, *[{"user": number} for number in numbers])
    path = f"{shop['phone_number_id']}/block_users?limit=2"
    first = graph("GET", path, token=shop["token"]).json
    second = graph("GET", f"{path}&after={first['paging']['cursors']['after']}", token=shop["token"]).json
    assert [one["wa_id"] for one in first["data"] + second["data"]] == numbers
    assert "next" in first["paging"]
    assert "next" not in second["paging"]


@pytest.mark.parametrize("path", ["nonsense", "nonsense/messages", "wamid.HBgL", "12"])
def test_an_id_that_is_no_number_is_a_node_that_does_not_exist(graph: Graph, shop: dict[str, str], path: str) -> None:
    error = graph("GET", path, token=shop["token"]).json["error"]
    assert (error["code"], error["error_subcode"]) == (100, 33)


def test_a_number_is_deregistered_once(graph: Graph, shop: dict[str, str]) -> None:
    path = f"{shop['phone_number_id']}/deregister"
    assert graph("POST", path, token=shop["token"]).json == {"success": True}
    assert code_of(graph("POST", path, token=shop["token"])) == 133010


@pytest.mark.parametrize("how", ["event", "fault"])
def test_an_incomplete_deregistration_is_completed_by_another(
    client: FlaskClient, graph: Graph, shop: dict[str, str], how: str
) -> None:
    body = {"messaging_product": "whatsapp", "pin": "000000"}
    if how == "event":
        happens(client, shop, "deregistration_incomplete")
    else:
        client.post("/control/api/faults", json={"edge": "register", "code": 133000})
    codes = [
        code_of(graph("POST", f"{shop['phone_number_id']}/{edge}", token=shop["token"], json=body))
        for edge in ("register", "deregister", "register")
    ]
    assert codes == [133000, 200, 200]


def test_a_number_that_is_also_on_the_app_cannot_be_deregistered(
    client: FlaskClient, graph: Graph, shop: dict[str, str]
) -> None:
    client.post("/control/api/coexistence", json={"phone_number_id": shop["phone_number_id"]})
    assert code_of(graph("POST", f"{shop['phone_number_id']}/deregister", token=shop["token"])) == 100


@pytest.mark.parametrize(
    ("kind", "content"),
    [("image", {"link": "http://plain.example/a.png"}), ("interactive", LIST), ("interactive", json.dumps(LIST))],
)
def test_meta_takes_it(
    graph: Graph, shop: dict[str, str], write: Callable[..., dict[str, str]], kind: str, content: Any
) -> None:
    write(shop)
    assert code_of(graph.send(shop, CUSTOMER, type=kind, **{kind: content})) == 200


def test_lists_may_be_texts_of_json_inside_json(
    graph: Graph, shop: dict[str, str], write: Callable[..., dict[str, str]]
) -> None:
    write(shop)
    texted = LIST | {"action": LIST_ACTION | {"sections": json.dumps(SECTIONS)}}
    assert code_of(graph.send(shop, CUSTOMER, type="interactive", interactive=texted)) == 200
    body = {"messaging_product": "whatsapp", "block_users": json.dumps([{"user": CUSTOMER}])}
    path = f"{shop['phone_number_id']}/block_users"
    assert graph("POST", path, token=shop["token"], json=body).status_code == 200


def test_a_text_that_looks_like_json_stays_a_text(
    graph: Graph, client: FlaskClient, shop: dict[str, str], write: Callable[..., dict[str, str]]
) -> None:
    write(shop)
    graph.send(shop, CUSTOMER, '["not", "a list"]')
    newest = client.get("/control/api/accepted").get_json()["accepted"][-1]
    assert json.loads(newest["body"])["body"] == '["not", "a list"]'


@pytest.mark.parametrize("path", ["{waba_id}/", "{waba_id}/phone_numbers/", "me/"])
def test_a_slash_at_the_end_does_not_matter(graph: Graph, shop: dict[str, str], path: str) -> None:
    assert graph("GET", path.format(**shop), token=shop["token"]).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "{phone_number_id}"),
        ("PATCH", "{phone_number_id}/messages"),
        ("POST", "{phone_number_id}/message_qrdls/ABCDEFGHIJKLMN"),
        ("POST", "debug_token"),
        ("PUT", "oauth/access_token"),
        ("GET", "a/b/c/d"),
    ],
)
def test_what_is_not_offered_is_refused_in_json(graph: Graph, shop: dict[str, str], method: str, path: str) -> None:
    answer = graph(method, path.format(**shop), token=shop["token"])
    assert answer.mimetype == "application/json"
    assert answer.json["error"]["code"] in (100, 2500)


@pytest.mark.parametrize(
    ("node", "fields"),
    [
        (
            "phone_number_id",
            (
                "certificate,new_certificate,quality_score,official_business_account,search_visibility,messaging_limit_tier,"
                "is_preverified_number,country_dial_code,throughput,host_platform,account_mode,username"
            ),
        ),
        (
            "waba_id",
            (
                "analytics,conversation_analytics,pricing_analytics,linked_commerce_account,primary_business_location,"
                "purchase_order_number,marketing_messages_lite_api_status,is_enabled_for_insights,status"
            ),
        ),
        ("waba_id", "analytics.start(1).end(2).granularity(DAY).phone_numbers([1,2]),name"),
    ],
)
def test_what_clients_ask_for_by_default_exists(graph: Graph, shop: dict[str, str], node: str, fields: str) -> None:
    answer = graph("GET", shop[node], token=shop["token"], query_string={"fields": fields})
    assert answer.status_code == 200
    assert answer.json["id"] == shop[node]


def test_a_template_has_all_fields_that_clients_ask_for(
    client: FlaskClient, graph: Graph, shop: dict[str, str]
) -> None:
    template(client, shop)
    fields = (
        "name,quality_score,sub_category,library_template_name,previous_category,correct_category,rejected_reason,"
        "cta_url_link_tracking_opted_out,message_send_ttl_seconds,health_status,degrees_of_freedom_spec"
    )
    answer = graph("GET", f"{shop['waba_id']}/message_templates?fields={fields}", token=shop["token"])
    assert answer.json["data"][0]["quality_score"]["score"] == "UNKNOWN"


def template(client: FlaskClient, shop: dict[str, str], name: str = "shipped", text: str = "It has shipped.") -> Any:
    body = {"phone_number_id": shop["phone_number_id"], "name": name, "components": [{"type": "BODY", "text": text}]}
    return client.post("/control/api/templates", json=body).get_json()


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("name_or_content=SHIP", ["shipped", "late"]),
        ("name_or_content=late", ["late"]),
        ("content=soon", ["late"]),
        ("name=ship", ["shipped"]),
        ("language=en_us,de", ["shipped", "late"]),
        ("quality_score=GREEN", []),
    ],
)
def test_templates_are_filtered_by_name_or_content(
    client: FlaskClient, graph: Graph, shop: dict[str, str], query: str, names: Any
) -> None:
    template(client, shop)
    template(client, shop, "late", "Your shipment comes soon.")
    answer = graph("GET", f"{shop['waba_id']}/message_templates?{query}", token=shop["token"]).json
    assert [one["name"] for one in answer["data"]] == names


@pytest.mark.parametrize("content", [CATALOGUE, PRODUCT, FLOW])
def test_a_message_about_a_catalogue_or_flow_needs_one(
    client: FlaskClient, graph: Graph, shop: dict[str, str], write: Callable[..., dict[str, str]], content: Any
) -> None:
    write(shop)
    assert code_of(graph.send(shop, CUSTOMER, type="interactive", interactive=content)) == 131009
    number = {"phone_number_id": shop["phone_number_id"]}
    client.post("/control/api/catalogs", json=number | {"catalog_id": "77", "products": ["bread"]})
    client.post("/control/api/flows", json=number | {"flow_id": "9"})
    assert code_of(graph.send(shop, CUSTOMER, type="interactive", interactive=content)) == 200


def test_a_product_must_be_in_the_catalogue(
    client: FlaskClient, graph: Graph, shop: dict[str, str], write: Callable[..., dict[str, str]]
) -> None:
    write(shop)
    catalogue = {"phone_number_id": shop["phone_number_id"], "catalog_id": "77", "products": ["cake"]}
    client.post("/control/api/catalogs", json=catalogue)
    assert code_of(graph.send(shop, CUSTOMER, type="interactive", interactive=PRODUCT)) == 131009


@pytest.mark.parametrize(("status", "code"), [("DRAFT", 131009), ("BLOCKED", 132068), ("THROTTLED", 132069)])
def test_a_flow_must_be_published(
    client: FlaskClient,
    graph: Graph,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    status: str,
    code: int,
) -> None:
    write(shop)
    flow = {"phone_number_id": shop["phone_number_id"], "flow_id": "9", "status": status}
    client.post("/control/api/flows", json=flow)
    assert code_of(graph.send(shop, CUSTOMER, type="interactive", interactive=FLOW)) == code


def test_a_disabled_account_shows_so_in_its_health_and_sends_nothing(
    client: FlaskClient, graph: Graph, shop: dict[str, str], write: Callable[..., dict[str, str]]
) -> None:
    write(shop)
    happens(client, shop, "disabled")
    for node in ("waba_id", "phone_number_id"):
        health = graph("GET", f"{shop[node]}?fields=health_status", token=shop["token"]).json["health_status"]
        (waba,) = [entity for entity in health["entities"] if entity["entity_type"] == "WABA"]
        assert (health["can_send_message"], waba["can_send_message"]) == ("BLOCKED", "BLOCKED")
    assert code_of(graph.send(shop, CUSTOMER)) == 131031
    happens(client, shop, "reinstated")
    assert code_of(graph.send(shop, CUSTOMER)) == 200


def happens(client: FlaskClient, shop: dict[str, str], event: str) -> None:
    body = {"phone_number_id": shop["phone_number_id"], "event": event}
    assert client.post("/control/api/account-events", json=body).status_code == 200


@pytest.mark.parametrize("level", ["phone_number", "whatsapp_business_account"])
def test_another_servers_override_takes_the_messages_away(
    client: FlaskClient,
    graph: Graph,
    world: World,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    level: str,
) -> None:
    url = "https://other.example/hook"
    number = {"phone_number_id": shop["phone_number_id"]}
    client.post("/control/api/overrides", json=number | {"level": level, "override_callback_uri": url})
    write(shop)
    client.post("/control/api/offers", json=number | {"from": CUSTOMER})
    rows = world.store.rows("select field, url from deliveries where field in ('messages', 'user_preferences')")
    urls = {row["field"]: row["url"] for row in rows}
    assert urls == {"messages": url, "user_preferences": world.settings.callback_url}
    answer = graph("GET", f"{shop['phone_number_id']}?fields=webhook_configuration", token=shop["token"]).json
    assert answer["webhook_configuration"][level] == url


def test_the_ids_may_be_under_another_scope(client: FlaskClient, settings: Settings) -> None:
    body = {
        "name": "Books",
        "display_phone_number": "15550002222",
        "id_scopes": ["whatsapp_business_manage_events"],
    }
    signed_up = client.post("/control/api/signups", json=body).get_json()
    query = {"client_id": settings.app_id, "client_secret": settings.app_secret[0], "code": signed_up["code"]}
    token = client.get("/v25.0/oauth/access_token", query_string=query).get_json()["access_token"]
    inspected = client.get(f"/v25.0/debug_token?input_token={token}&access_token={token}").get_json()["data"]
    ids = {entry["scope"]: entry.get("target_ids") for entry in inspected["granular_scopes"]}
    assert ids == {
        "whatsapp_business_management": None,
        "whatsapp_business_messaging": None,
        "whatsapp_business_manage_events": [signed_up["waba_id"]],
    }
    numbers = client.get(f"/v25.0/{signed_up['waba_id']}/phone_numbers?access_token={token}").get_json()["data"]
    assert [number["id"] for number in numbers] == [signed_up["phone_number_id"]]


def test_a_locked_pin_says_how_long_and_opens_again(
    client: FlaskClient, graph: Graph, world: World, shop: dict[str, str]
) -> None:
    lock = {"phone_number_id": shop["phone_number_id"], "pin": "111111", "locked_for": 3600}
    client.post("/control/api/pins", json=lock)
    body = {"messaging_product": "whatsapp", "pin": "111111"}
    refused = graph("POST", f"{shop['phone_number_id']}/register", token=shop["token"], json=body).json["error"]
    assert (refused["code"], "60 minutes" in refused["error_data"]["details"]) == (133008, True)
    world.advance(3601)
    answer = graph("POST", f"{shop['phone_number_id']}/register", token=shop["token"], json=body)
    assert answer.json == {"success": True}


def test_a_number_verified_meanwhile_says_so(client: FlaskClient, graph: Graph, shop: dict[str, str]) -> None:
    body = {"cc": "1", "phone_number": "5550007777", "verified_name": "Bakery"}
    number = graph("POST", f"{shop['waba_id']}/phone_numbers", token=shop["token"], json=body).json["id"]
    happens(client, {"phone_number_id": number}, "verified")
    ask = graph("POST", f"{number}/request_code?code_method=SMS&language=en_US", token=shop["token"])
    enter = graph("POST", f"{number}/verify_code?code=123456", token=shop["token"])
    assert (code_of(ask), code_of(enter)) == (136024, 136024)


def test_a_portfolio_has_only_so_many_numbers(client: FlaskClient, graph: Graph, shop: dict[str, str]) -> None:
    client.post("/control/api/limits", json={"phone_number_id": shop["phone_number_id"], "most_numbers": 1})
    body = {"cc": "1", "phone_number": "5550007777", "verified_name": "Bakery"}
    error = graph("POST", f"{shop['waba_id']}/phone_numbers", token=shop["token"], json=body).json["error"]
    assert "maximum of phone numbers" in error["message"]


def test_a_message_in_a_group_opens_no_window(
    product: Product,
    client: FlaskClient,
    graph: Graph,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    settle: Callable[[], None],
) -> None:
    write(shop, group_id="Y2FwaV9ncm91cA")
    graph.send(shop, CUSTOMER)
    settle()
    assert product.inbound()[0]["group_id"] == "Y2FwaV9ncm91cA"
    assert product.statuses()[0]["errors"][0]["code"] == 131047


def test_a_message_can_come_with_an_error_and_without_its_file(
    graph: Graph,
    product: Product,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    settle: Callable[[], None],
) -> None:
    write(shop, type="image", error=131052)
    settle()
    (message,) = product.inbound()
    assert message["errors"][0]["code"] == 131052
    assert code_of(graph("GET", message["image"]["id"], token=shop["token"])) == 100


def test_a_question_about_a_product_names_it(
    product: Product, shop: dict[str, str], write: Callable[..., dict[str, str]], settle: Callable[[], None]
) -> None:
    requested = {"catalog_id": "77", "product_retailer_id": "SKU-77"}
    write(shop, referred_product=requested)
    settle()
    assert product.inbound()[0]["context"]["referred_product"] == requested


def test_a_webhook_can_differ_from_the_usual_in_any_member(
    product: Product, shop: dict[str, str], write: Callable[..., dict[str, str]], settle: Callable[[], None]
) -> None:
    write(shop, sender_only_in_contacts=True, item={"type": None}, value={"errors": [{"code": 131000}]})
    settle()
    (value,) = product.values()
    assert set(value["messages"][0]) == {"id", "timestamp", "text"}
    assert value["contacts"][0]["wa_id"] == CUSTOMER
    assert value["errors"] == [{"code": 131000}]


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("reaction", {"message_id": "wamid.unknown", "emoji": "👍"}),
        ("edit", {"original_message_id": "wamid.unknown", "message": {"type": "text", "text": {"body": "New"}}}),
        ("revoke", {"original_message_id": "wamid.unknown"}),
    ],
)
def test_changes_of_unknown_messages_can_come(
    product: Product,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    settle: Callable[[], None],
    kind: str,
    content: Any,
) -> None:
    write(shop, type=kind, **{kind: content})
    settle()
    arrived = product.inbound()[0][kind]
    assert arrived.get("message_id") == content.get("message_id")
    assert arrived.get("original_message_id") == content.get("original_message_id")


def test_a_new_phone_is_announced_by_the_system(
    client: FlaskClient,
    product: Product,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    settle: Callable[[], None],
) -> None:
    write(shop)
    key = client.post(f"/control/api/customers/{CUSTOMER}/identity", json={}).get_json()["identity_key_hash"]
    settle()
    message = next(one for one in product.inbound() if one["type"] == "system")
    assert (message["system"]["type"], message["identity"]["hash"]) == ("customer_identity_changed", key)
