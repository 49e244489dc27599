"""Notifications by program: sent, read, managed."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from app.inbox.conversations import Conversation, Message
from app.notifications.jobs import copy_to_sandbox
from app.notifications.models import Notification
from app.sandboxes.jobs import copy_templates
from app.tenancy import db, tenant_scope
from app.wabas.models import PhoneNumber
from tests.api.conftest import UNKNOWN_ID, Caller, MakeCaller
from tests.notifications.notifications import GIVEN, notification
from tests.world import World

GOOD = {
    "title": "Payment received",
    "template": "t_payment_received",
    "language": "en_US",
    "variables": [
        {"name": "name", "example": "Awa", "target": "name"},
        {"name": "amount", "type": "money", "example": "500000 XOF", "target": "amount"},
    ],
}


def to(talk: Conversation, **more: Any) -> dict[str, Any]:
    return {"to": {"contact_id": str(talk.contact_id)}, "variables": GIVEN} | more


def faults(answer: Any) -> dict[str, str]:
    return {fault["pointer"]: fault["code"] for fault in answer.get_json(force=True)["errors"]}


def test_it_is_sent_to_a_contact(shop: Caller, carla: Conversation, number: PhoneNumber) -> None:
    notification(number)
    answer = shop.post("/notifications/payment_received", to(carla, language="fr"))
    assert answer.status_code == 202 and answer.get_json()["conversation_id"] == str(carla.id)
    assert answer.get_json()["text"].startswith("Bonjour Carla, nous avons reçu 500\u202f000")
    assert answer.get_json()["source"] == "notification" and answer.get_json()["by"]["kind"] == "api"


def test_it_opens_a_conversation_with_a_number_without_one(shop: Caller, number: PhoneNumber) -> None:
    notification(number)
    body = {"to": {"phone": "+221 77 123 45 67", "name": "Awa"}, "variables": GIVEN}
    answer = shop.post("/notifications/payment_received", body)
    assert answer.status_code == 202
    with tenant_scope(number.tenant_id):
        talk = Conversation.get_or_404(answer.get_json()["conversation_id"])
        assert talk.contact.name == "Awa" and talk.contact.identity("wa_id") == "221771234567"


def test_the_same_key_is_one_message(shop: Caller, carla: Conversation, number: PhoneNumber) -> None:
    notification(number)
    first, second = (
        shop.post("/notifications/payment_received", to(carla), Idempotency_Key="payment-7") for _ in range(2)
    )
    assert first.get_json()["id"] == second.get_json()["id"]


def test_it_may_wait_for_its_time(shop: Caller, carla: Conversation, number: PhoneNumber) -> None:
    notification(number)
    answer = shop.post("/notifications/payment_received", to(carla, send_at="2090-01-01T09:00:00Z"))
    assert answer.get_json()["state"] == "scheduled"


def test_problems_name_the_variable(shop: Caller, carla: Conversation, number: PhoneNumber) -> None:
    notification(number)
    given = {"name": "a\nb", "amount": "lots", "extra": "x", "long": "x" * 10_000}
    answer = shop.post("/notifications/payment_received", to(carla, variables=given))
    assert answer.status_code == 422
    assert set(faults(answer)) == {f"/variables/{name}" for name in given}
    assert faults(shop.post("/notifications/payment_received", to(carla, variables={}))).keys() == {
        "/variables/name",
        "/variables/amount",
    }


@pytest.mark.parametrize(
    ("change", "code", "status"),
    [
        ({"access": "none"}, "notification_not_allowed", 403),
        ({"access": "chosen"}, "notification_not_allowed", 403),
        ({"paused_at": "now"}, "notification_unavailable", 409),
        ({"template": "gone"}, "notification_unavailable", 409),
    ],
)
def test_why_not_is_a_problem_of_its_own(
    shop: Caller, carla: Conversation, number: PhoneNumber, change: dict[str, Any], code: str, status: int
) -> None:
    made = notification(number)
    with tenant_scope(number.tenant_id):
        for name, value in change.items():
            setattr(made, name, made.created_at if value == "now" else value)
        db.session.add(made)
    answer = shop.post("/notifications/payment_received", to(carla))
    assert (answer.status_code, answer.get_json(force=True)["code"]) == (status, code)


def test_a_chosen_key_may_send_it(shop: Caller, carla: Conversation, number: PhoneNumber) -> None:
    notification(number, access="chosen", api_key_ids=[str(shop.key.id)])
    assert shop.post("/notifications/payment_received", to(carla)).status_code == 202


def test_a_contact_gets_it_once_in_its_pause(shop: Caller, carla: Conversation, number: PhoneNumber) -> None:
    notification(number, pause_minutes=5)
    codes = [shop.post("/notifications/payment_received", to(carla)).status_code for _ in range(2)]
    assert codes == [202, 409]


def test_strangers_and_unknown_names_are_not_found(
    shop: Caller, caller: MakeCaller, carla: Conversation, number: PhoneNumber, world: World
) -> None:
    notification(number)
    assert shop.post("/notifications/other", to(carla)).status_code == 404
    stranger = caller(world.shoes)
    assert stranger.post("/notifications/payment_received", to(carla)).status_code == 404
    unscoped = {"to": {"contact_id": str(UNKNOWN_ID)}, "variables": GIVEN}
    assert faults(shop.post("/notifications/payment_received", unscoped)) == {"/to/contact_id": "not_found"}
    assert shop.post("/notifications/payment_received", {"to": {"phone": "12"}, "variables": GIVEN}).status_code == 422


def test_it_is_read_with_its_schema(shop: Caller, number: PhoneNumber) -> None:
    notification(number)
    one = shop.get("/notifications/payment_received").get_json()
    assert one["languages"] == ["en_US", "fr"] and one["category"] == "UTILITY" and one["obstacles"] == []
    assert one["schema"]["required"] == ["name", "amount"] and one["schema"]["properties"]["amount"]["pattern"]
    assert [each["name"] for each in shop.get("/notifications").get_json()["data"]] == ["payment_received"]


def test_it_is_made_replaced_changed_and_deleted(shop: Caller, number: PhoneNumber) -> None:
    assert shop.put("/notifications/payment", GOOD).status_code == 201
    again = shop.put("/notifications/payment", GOOD | {"pause_minutes": 5})
    assert again.status_code == 200 and again.get_json()["pause_minutes"] == 5
    paused = shop.patch("/notifications/payment", {"is_paused": True})
    assert (
        paused.get_json()["is_paused"]
        and paused.get_json()["pause_minutes"] == 5
        and len(paused.get_json()["variables"]) == 2
    )
    stale = shop.patch("/notifications/payment", {"title": "x"}, If_Match=again.headers["ETag"])
    assert stale.status_code == 412
    assert shop.delete("/notifications/payment").status_code == 204
    assert shop.get("/notifications/payment").status_code == 404


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"variables": [{"name": "Name", "target": "name"}]}, "/variables/0"),
        ({"variables": [{"name": "a", "target": "x"}, {"name": "b", "target": "x"}]}, "/variables/1"),
        ({"variables": [{"name": "a", "required": False, "target": "x"}]}, "/variables/0"),
        ({"variables": [{"name": "a", "type": "date", "example": "soon", "target": "x"}]}, "/variables/0"),
        ({"from": str(uuid.UUID(int=1))}, "/from"),
        ({"language_field_id": str(uuid.UUID(int=1))}, "/language_field_id"),
        ({"api_key_ids": [str(uuid.UUID(int=1))]}, "/api_key_ids/0"),
    ],
)
def test_what_is_wrong_with_one_is_named(shop: Caller, change: dict[str, Any], where: str) -> None:
    answer = shop.put("/notifications/payment", GOOD | change)
    assert answer.status_code == 422 and where in faults(answer)


def test_a_test_key_sends_the_notifications_of_the_business(
    caller: MakeCaller, number: PhoneNumber, world: World
) -> None:
    notification(number)
    test = caller(kind="test")
    test.get("/me")
    copy(world)
    answer = test.post("/notifications/payment_received", {"to": {"phone": "+221771234567"}, "variables": GIVEN})
    assert answer.status_code == 202, answer.text
    with tenant_scope(number.tenant_id):
        assert db.session.query(Message).count() == 0


def test_a_deleted_one_is_gone_from_the_sandbox_too(caller: MakeCaller, number: PhoneNumber, world: World) -> None:
    made, test = notification(number), caller(kind="test")
    test.get("/me")
    copy(world)
    test.put("/notifications/own", GOOD)
    with tenant_scope(number.tenant_id):
        db.session.delete(Notification.get_or_404(made.id))
    copy_to_sandbox(str(world.bakery.id), str(made.id))
    assert [one["name"] for one in test.get("/notifications").get_json()["data"]] == ["own"]


def copy(world: World) -> None:
    copy_templates(str(world.bakery.id))
    copy_to_sandbox(str(world.bakery.id))
