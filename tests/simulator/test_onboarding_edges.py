from collections.abc import Callable
from typing import Any

import pytest

from simulator import Settings
from tests.simulator.stand_ins import Graph, Product


@pytest.fixture
def line(settings: Settings) -> str:
    return settings.credit_line_id


@pytest.fixture
def assigned(graph: Graph, settings: Settings, signed_up: dict[str, str]) -> Any:
    user = {"user": settings.system_user_id, "tasks": "['MANAGE']"}
    return graph("POST", f"{signed_up['waba_id']}/assigned_users", query_string=user)


def test_signing_up_shares_the_waba_with_the_partner(
    product: Product, settings: Settings, signed_up: dict[str, str], settle: Callable[[], None]
) -> None:
    settle()
    assert product.values("account_update") == [
        {
            "event": "PARTNER_ADDED",
            "waba_info": {"waba_id": signed_up["waba_id"], "owner_business_id": signed_up["business_id"]},
        }
    ]
    assert product.events[0]["entry"][0]["id"] == settings.business_id


def test_a_verified_number_waits_to_be_registered(graph: Graph, business_token: str, signed_up: dict[str, str]) -> None:
    fields = "status,code_verification_status,platform_type,display_phone_number"
    answer = graph("GET", f"{signed_up['phone_number_id']}?fields={fields}", token=business_token)
    assert answer.json == {
        "status": "PENDING",
        "code_verification_status": "VERIFIED",
        "platform_type": "NOT_APPLICABLE",
        "display_phone_number": "+1 555-000-1111",
        "id": signed_up["phone_number_id"],
    }


def test_subscribing_twice_is_as_good_as_once(
    graph: Graph, business_token: str, signed_up: dict[str, str], settings: Settings
) -> None:
    path = f"{signed_up['waba_id']}/subscribed_apps"
    assert graph("GET", path, token=business_token).json == {"data": []}
    for _ in range(2):
        assert graph("POST", path, token=business_token).json == {"success": True}
    (app,) = graph("GET", path, token=business_token).json["data"]
    assert app["whatsapp_business_api_data"]["id"] == settings.app_id


def test_an_override_that_does_not_answer_is_refused(
    graph: Graph, business_token: str, signed_up: dict[str, str], product: Product
) -> None:
    path, override = f"{signed_up['waba_id']}/subscribed_apps", {"override_callback_uri": product.url}
    refused = graph("POST", path, token=business_token, json=override | {"verify_token": "wrong"})
    assert "not reachable or invalid" in refused.json["error"]["message"]
    assert graph("POST", path, token=business_token, json=override | {"verify_token": "right"}).json["success"]


def test_subscribing_without_a_body_removes_the_override(
    graph: Graph, business_token: str, signed_up: dict[str, str], product: Product
) -> None:
    path, override = f"{signed_up['waba_id']}/subscribed_apps", {"override_callback_uri": product.url}
    graph("POST", path, token=business_token, json=override | {"verify_token": "right"})
    graph("POST", path, token=business_token)
    assert "override_callback_uri" not in graph("GET", path, token=business_token).json["data"][0]


def test_the_system_user_joins_the_waba(
    graph: Graph, assigned: Any, signed_up: dict[str, str], settings: Settings
) -> None:
    users = graph("GET", f"{signed_up['waba_id']}/assigned_users?business={settings.business_id}").json["data"]
    assert assigned.json == {"success": True}
    assert [(user["id"], user["tasks"]) for user in users] == [(settings.system_user_id, ["MANAGE"])]


def test_a_client_may_not_assign_the_partners_user(
    graph: Graph, business_token: str, signed_up: dict[str, str], settings: Settings
) -> None:
    user = {"user": settings.system_user_id, "tasks": "['MANAGE']"}
    path = f"{signed_up['waba_id']}/assigned_users"
    assert graph("POST", path, token=business_token, query_string=user).json["error"]["code"] == 200


def test_the_credit_line_is_listed(graph: Graph, settings: Settings, line: str) -> None:
    lines = graph("GET", f"{settings.business_id}/extendedcredits?fields=id,legal_entity_name").json["data"]
    assert lines[0]["id"] == line


def test_sharing_and_attaching_needs_an_assigned_user(graph: Graph, line: str, signed_up: dict[str, str]) -> None:
    requested = {"waba_currency": "USD", "waba_id": signed_up["waba_id"]}
    answer = graph("POST", f"{line}/whatsapp_credit_sharing_and_attach", query_string=requested)
    assert (answer.status_code, answer.json["error"]["code"]) == (403, 200)


def test_both_ends_of_a_shared_line_name_the_same_credential(
    graph: Graph, line: str, assigned: Any, signed_up: dict[str, str], business_token: str
) -> None:
    requested = {"waba_currency": "USD", "waba_id": signed_up["waba_id"]}
    shared = graph("POST", f"{line}/whatsapp_credit_sharing_and_attach", query_string=requested).json
    credential = graph("GET", f"{shared['allocation_config_id']}?fields=receiving_credential{{id}}").json
    waba = graph("GET", f"{signed_up['waba_id']}?fields=primary_funding_id", token=business_token).json
    assert credential["receiving_credential"]["id"] == waba["primary_funding_id"]


def test_sharing_again_gives_the_same_allocation_and_currency(
    graph: Graph, line: str, assigned: Any, signed_up: dict[str, str]
) -> None:
    requested = {"waba_currency": "USD", "waba_id": signed_up["waba_id"]}
    path = f"{line}/whatsapp_credit_sharing_and_attach"
    first, second = (graph("POST", path, query_string=requested).json for _ in range(2))
    assert first == second
    euros = graph("POST", path, query_string=requested | {"waba_currency": "EUR"})
    assert euros.json["error"]["message"] == "(#100) WABA already has a credit line attached"


def test_the_other_way_shares_first_and_lets_the_client_attach(
    graph: Graph, line: str, signed_up: dict[str, str], business_token: str
) -> None:
    client = {"receiving_business_id": signed_up["business_id"]}
    shared = graph("POST", f"{line}/whatsapp_credit_sharing", query_string=client).json
    requested = {"waba_currency": "EUR", "waba_id": signed_up["waba_id"]}
    attached = graph("POST", f"{line}/whatsapp_credit_attach", token=business_token, query_string=requested).json
    assert attached["allocation_config_id"] == shared["allocation_config_id"]
    waba = graph("GET", f"{signed_up['waba_id']}?fields=currency", token=business_token).json
    assert waba["currency"] == "EUR"


def test_a_share_can_be_looked_up_and_revoked(graph: Graph, line: str, signed_up: dict[str, str]) -> None:
    client = {"receiving_business_id": signed_up["business_id"]}
    shared = graph("POST", f"{line}/whatsapp_credit_sharing", query_string=client).json["allocation_config_id"]
    path = f"{line}/owning_credit_allocation_configs"
    assert graph("GET", path, query_string=client).json["data"][0]["id"] == shared
    graph("DELETE", shared)
    assert graph("GET", f"{shared}?fields=request_status").json["request_status"] == "DELETED"
    assert graph("GET", path, query_string=client).json["data"] == []


def test_health_names_what_is_missing(
    graph: Graph, shop: dict[str, str], business_token: str, signed_up: dict[str, str]
) -> None:
    path = "?fields=health_status"
    healthy = graph("GET", shop["phone_number_id"] + path, token=shop["token"]).json["health_status"]
    blocked = graph("GET", signed_up["phone_number_id"] + path, token=business_token).json["health_status"]
    assert healthy["can_send_message"] == "AVAILABLE"
    assert blocked["can_send_message"] == "BLOCKED"
    assert [entity["entity_type"] for entity in blocked["entities"] if "errors" in entity] == [
        "PHONE_NUMBER",
        "WABA",
    ]


def test_the_app_callback_is_verified_before_it_is_believed(graph: Graph, product: Product, settings: Settings) -> None:
    token = f"{settings.app_id}|{settings.app_secret[0]}"
    requested = {"object": "whatsapp_business_account", "callback_url": product.url, "fields": "messages"}
    path = f"{settings.app_id}/subscriptions"
    assert graph("POST", path, token=token, json=requested | {"verify_token": "wrong"}).status_code == 400
    assert graph("POST", path, token=token, json=requested | {"verify_token": "right"}).json == {"success": True}
