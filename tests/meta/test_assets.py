"""WABAs, phone numbers, their health, and system users."""

from typing import Any

import pytest

from app.meta import health, phone_numbers, system_users, wabas
from app.meta.errors import GraphError, NoAnswer
from app.meta.graph import GraphClient

from .conftest import TOKEN, Wire


def test_a_waba_names_its_owner(graph: GraphClient, wire: Wire) -> None:
    wire.answers({"id": "102", "name": "Lucky", "currency": "USD", "owner_business_info": {"id": "5", "name": "L"}})
    waba = wabas.fetch(graph, TOKEN, "102")
    assert (waba.name, waba.currency, waba.owner_business_id) == ("Lucky", "USD", "5")


def test_an_unshared_waba_no_longer_names_its_owner(graph: GraphClient, wire: Wire) -> None:
    wire.answers({"id": "102"})
    assert wabas.fetch(graph, TOKEN, "102").owner_business_id is None


@pytest.mark.parametrize(("app_id", "subscribed"), [("634974688087057", True), ("1", False)])
def test_only_our_own_subscription_counts(graph: GraphClient, wire: Wire, app_id: str, subscribed: Any) -> None:
    wire.answers({"data": [{"whatsapp_business_api_data": {"id": app_id, "name": "App"}}, "odd"]})
    assert wabas.is_subscribed(graph, TOKEN, "102") is subscribed


def test_subscribing_and_unsubscribing_send_no_body(graph: GraphClient, wire: Wire) -> None:
    wire.answers({"success": True}, {"success": True})
    wabas.subscribe(graph, TOKEN, "102")
    wabas.unsubscribe(graph, TOKEN, "102")
    assert [request.method for request in wire.requests] == ["POST", "DELETE"]
    assert not any(request.content for request in wire.requests)


def test_numbers_are_listed_over_pages(graph: GraphClient, wire: Wire) -> None:
    first = {"data": [{"id": "1"}], "paging": {"cursors": {"after": "c"}, "next": "https://graph.test"}}
    wire.answers(first, {"data": [{"id": "2", "throughput": {"level": "HIGH"}}, {}]})
    numbers = phone_numbers.of_waba(graph, TOKEN, "102")
    assert [(number.id, number.throughput_level) for number in numbers] == [("1", None), ("2", "HIGH")]


@pytest.mark.parametrize(
    ("status", "platform_type", "registered"),
    [("CONNECTED", "CLOUD_API", True), ("CONNECTED", "ON_PREMISE", False), ("PENDING", "CLOUD_API", False)],
)
def test_a_number_is_registered_when_connected_on_the_cloud(
    graph: GraphClient, wire: Wire, status: Any, platform_type: Any, registered: Any
) -> None:
    wire.answers({"id": "1065", "status": status, "platform_type": platform_type})
    assert phone_numbers.fetch(graph, TOKEN, "1065").is_registered is registered


def test_registering_sends_the_pin_and_the_region(graph: GraphClient, wire: Wire) -> None:
    wire.answers({"success": True})
    phone_numbers.register(graph, TOKEN, "1065", "212834", "CH")
    expected = {"messaging_product": "whatsapp", "pin": "212834", "data_localization_region": "CH"}
    assert (wire.request.url.path, wire.json) == ("/v25.0/1065/register", expected)


def test_a_number_can_be_deregistered_and_given_a_pin(graph: GraphClient, wire: Wire) -> None:
    wire.answers({"success": True}, {"success": True})
    phone_numbers.deregister(graph, TOKEN, "1065")
    assert wire.request.url.path == "/v25.0/1065/deregister"
    phone_numbers.set_pin(graph, TOKEN, "1065", "150954")
    assert (wire.request.url.path, wire.json) == ("/v25.0/1065", {"pin": "150954"})


def test_health_names_what_prevents_sending(graph: GraphClient, wire: Wire) -> None:
    error = {"error_code": 141002, "error_description": "Not approved", "possible_solution": "Wait"}
    entities = [
        {"entity_type": "WABA", "id": "102", "can_send_message": "BLOCKED", "errors": [error]},
        {"entity_type": "PHONE_NUMBER", "id": "1065", "additional_info": ["Your display name…"]},
        "odd",
    ]
    wire.answers({"health_status": {"can_send_message": "BLOCKED", "entities": entities}})
    results = health.fetch(graph, TOKEN, "1065")
    assert results.is_blocked
    assert [(problem.code, problem.description) for problem in results.problems] == [
        (141002, "Not approved"),
        (None, "Your display name…"),
    ]


def test_no_health_in_the_answer_is_no_answer(graph: GraphClient, wire: Wire) -> None:
    wire.answers({"id": "1065"})
    with pytest.raises(NoAnswer):
        health.fetch(graph, TOKEN, "1065")


def test_system_users_are_listed(graph: GraphClient, wire: Wire) -> None:
    wire.answers({"data": [{"id": "7", "name": "Bot", "role": "ADMIN"}]})
    assert system_users.of_business(graph, TOKEN, "506") == [system_users.SystemUser("7", "Bot", "ADMIN", ())]


def test_the_users_of_a_waba_are_asked_for_by_business(graph: GraphClient, wire: Wire) -> None:
    wire.answers({"data": [{"id": "7", "name": "Bot", "tasks": ["MANAGE", 1]}]})
    (user,) = system_users.assigned(graph, TOKEN, "102", "506")
    assert user.tasks == ("MANAGE",)
    assert wire.params == {"business": "506"}


def test_a_user_assigned_already_is_assigned(graph: GraphClient, wire: Wire) -> None:
    wire.refuses(code=100, message="User is already assigned to this WhatsApp Business Account")
    system_users.assign(graph, TOKEN, "102", "7")
    assert wire.params == {"user": "7", "tasks": '["MANAGE"]'}


def test_any_other_refusal_to_assign_is_raised(graph: GraphClient, wire: Wire) -> None:
    wire.refuses(403, code=200, message="Not an admin")
    with pytest.raises(GraphError):
        system_users.assign(graph, TOKEN, "102", "7")
