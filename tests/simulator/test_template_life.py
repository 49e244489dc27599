"""Reviews, categories, quality, pauses and pacing, each with its webhook."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from simulator import World
from tests.simulator.stand_ins import Graph, Product

HOUR = 3600
TEXT = "Hi {{1}}, it has shipped."


@pytest.fixture
def submit(graph: Graph, shop: dict[str, str]) -> Any:
    def submit(name: str, text: str = TEXT, category: str = "UTILITY", language: str = "en_US") -> Any:
        body: dict[str, Any] = {"type": "BODY", "text": text}
        if "{{1}}" in text:
            body["example"] = {"body_text": [["Ann"]]}
        about = {"name": name, "language": language, "category": category, "components": [body]}
        return graph("POST", f"{shop['waba_id']}/message_templates", token=shop["token"], json=about).json

    return submit


@pytest.fixture
def act(client: FlaskClient, settle: Callable[[], None]) -> Any:
    """Meta does something to the template, by the control panel's API."""

    def act(template_id: str, **body: Any) -> Any:
        answer = client.post(f"/control/api/templates/{template_id}", json=body).get_json()
        settle()
        return answer

    return act


def events(product: Product) -> list[tuple[str, Any]]:
    values = product.values("message_template_status_update")
    return [(value["event"], value.get("other_info", {}).get("title")) for value in values]


def test_a_review_approves_after_a_while(submit: Any, product: Product, settle: Callable[[], None]) -> None:
    id = submit("shipped")["id"]
    assert product.values("message_template_status_update") == []
    settle()
    (value,) = product.values("message_template_status_update")
    assert (value["event"], value["reason"], value["message_template_id"]) == ("APPROVED", "NONE", int(id))
    assert value["message_template_category"] == "UTILITY"


def test_a_review_can_wait_for_a_hand(
    client: FlaskClient, submit: Any, product: Product, settle: Callable[[], None], act: Any
) -> None:
    client.post("/control/api/knobs", json={"review_by_itself": 0})
    id = submit("shipped")["id"]
    settle()
    assert product.values("message_template_status_update") == []
    assert act(id, act="review")["status"] == "APPROVED"


def test_the_verdict_can_arrive_before_the_answer(client: FlaskClient, submit: Any, product: Product) -> None:
    client.post("/control/api/knobs", json={"review_before_answer": 1})
    assert submit("shipped")["status"] == "PENDING"
    assert events(product) == [("APPROVED", None)]


def test_a_name_can_spell_its_rejection(submit: Any, product: Product, settle: Callable[[], None]) -> None:
    for at, ending in enumerate(("", "_promotional", "_tag_content_mismatch")):
        submit(f"a_rejected{ending}", f"Hi {{{{1}}}}, we will call you {at} times.")
    settle()
    values = {value["reason"]: value for value in product.values("message_template_status_update")}
    assert set(values) == {"INVALID_FORMAT", "PROMOTIONAL", "TAG_CONTENT_MISMATCH"}
    assert [reason for reason, value in values.items() if "rejection_info" in value] == ["INVALID_FORMAT"]


def test_a_reviewer_rejects_what_the_rules_forbid(submit: Any, product: Product, settle: Callable[[], None]) -> None:
    letters = {
        "Write to us at https://wa.me/16505551234 any time.": "INVALID_FORMAT",
        "See your order at https://bit.ly/3abcd any time.": "INVALID_FORMAT",
        "Please reply with your card number to continue.": "SCAM",
        "Pay now, or we will take legal action against you.": "ABUSIVE_CONTENT",
    }
    for at, text in enumerate(letters):
        submit(f"letter_{at}", text)
    submit("letter_in_arabic", "Your order has been shipped today.", language="ar")
    settle()
    reported = {
        value["message_template_name"]: value["reason"] for value in product.values("message_template_status_update")
    }
    expected = {f"letter_{at}": reason for at, reason in enumerate(letters.values())}
    assert reported == expected | {"letter_in_arabic": "TAG_CONTENT_MISMATCH"}


def test_the_same_words_under_another_name_are_rejected(
    submit: Any, product: Product, settle: Callable[[], None]
) -> None:
    submit("shipped")
    settle()
    submit("shipped_again", TEXT.upper().replace("{{1}}", "{{1}}"))
    settle()
    assert "shipped" in product.values("message_template_status_update")[1]["rejection_info"]["reason"]


def test_a_name_can_spell_what_follows(submit: Any, product: Product, settle: Callable[[], None]) -> None:
    expected = {
        "_limit": {"LIMIT_EXCEEDED"},
        "_flagged": {"APPROVED", "FLAGGED"},
        "_paused": {"APPROVED", "PAUSED"},
        "_disabled": {"APPROVED", "DISABLED"},
        "_slow": set(),
    }
    for ending in expected:
        submit(f"shipped{ending}", f"It has been shipped to your{ending.replace('_', ' ')} address.")
    settle()
    values = product.values("message_template_status_update")
    reported = {
        ending: {value["event"] for value in values if value["message_template_name"].endswith(ending)}
        for ending in expected
    }
    assert reported == expected


def test_a_review_can_change_the_category(submit: Any, product: Product, settle: Callable[[], None]) -> None:
    submit("shipped_marketing")
    settle()
    (change,) = product.values("template_category_update")
    assert (change["previous_category"], change["new_category"]) == ("UTILITY", "MARKETING")
    assert product.values("message_template_status_update")[0]["message_template_category"] == "MARKETING"


def test_a_category_changes_a_day_after_its_notice(
    submit: Any, product: Product, world: World, settle: Callable[[], None]
) -> None:
    submit("shipped_recategorised")
    settle()
    assert product.values("template_category_update")[0]["correct_category"] == "MARKETING"
    world.advance(24 * HOUR)
    settle()
    assert product.values("template_category_update")[1]["previous_category"] == "UTILITY"


def test_pauses_last_three_and_six_hours_and_the_third_disables(
    submit: Any, product: Product, world: World, settle: Callable[[], None], act: Any
) -> None:
    id = submit("shipped_approved")["id"]
    for hours in (3, 6):
        act(id, act="pause")
        world.advance(hours * HOUR - 10)
        world.settle()
        assert events(product)[-1][0] == "PAUSED"
        world.advance(10)
        world.settle()
    act(id, act="pause")
    pauses = [("PAUSED", "FIRST_PAUSE"), ("APPROVED", "UNPAUSE"), ("PAUSED", "SECOND_PAUSE"), ("APPROVED", "UNPAUSE")]
    assert events(product) == [*pauses, ("DISABLED", "DISABLED")]


def test_bad_feedback_lowers_the_quality_until_the_template_is_paused(submit: Any, product: Product, act: Any) -> None:
    id = submit("shipped_approved")["id"]
    act(id, act="bad_feedback")
    assert act(id, act="bad_feedback")["status"] == "PAUSED"
    scores = [value["new_quality_score"] for value in product.values("message_template_quality_update")]
    assert scores == ["YELLOW", "RED"]


def test_an_appeal_reinstates(submit: Any, product: Product, act: Any) -> None:
    id = submit("shipped_approved")["id"]
    for name in ("appeal", "reinstate"):
        act(id, act=name)
    assert [event for event, _ in events(product)] == ["IN_APPEAL", "REINSTATED"]


@pytest.fixture
def send(graph: Graph, shop: dict[str, str]) -> Any:
    def send(name: str, to: str) -> Any:
        content = {"name": name, "language": {"code": "en_US"}, "components": []}
        answer = graph.send(shop, to, type="template", template=content).json
        return answer.get("messages", [answer.get("error")])[0]

    return send


def test_paced_messages_are_held_and_then_sent(
    submit: Any, send: Any, product: Product, world: World, settle: Callable[[], None]
) -> None:
    submit("news_paced", "Our spring catalogue is here.", "MARKETING")
    settle()
    held = [send("news_paced", f"1650555000{at}") for at in range(3)]
    assert [one["message_status"] for one in held] == ["accepted", *["held_for_quality_assessment"] * 2]
    settle()
    assert {status["id"] for status in product.statuses()} == {held[0]["id"]}
    world.advance(HOUR)
    settle()
    assert {status["id"] for status in product.statuses()} == {one["id"] for one in held}
    assert send("news_paced", "16505550009")["message_status"] == "accepted"


def test_paced_messages_that_annoy_fail_and_pause_the_template(
    graph: Graph,
    shop: dict[str, str],
    submit: Any,
    send: Any,
    product: Product,
    world: World,
    settle: Callable[[], None],
) -> None:
    id = submit("news_paced_badly", "Our spring catalogue is here.", "MARKETING")["id"]
    settle()
    held = [send("news_paced_badly", f"1650555000{at}") for at in range(2)][1]
    world.advance(HOUR)
    settle()
    assert next(one for one in product.statuses() if one["id"] == held["id"])["errors"][0]["code"] == 132015
    assert ("PAUSED", "RATE_LIMITING_PAUSE") in events(product)
    assert graph("POST", f"{id}/unpause", token=shop["token"]).json["success"] is False
    world.advance(300)
    assert graph("POST", f"{id}/unpause", token=shop["token"]).json["success"] is True
    assert send("news_paced_badly", "16505550005")["message_status"] == "accepted"


def test_what_cannot_be_delivered_in_time_is_dropped_silently(
    client: FlaskClient,
    graph: Graph,
    shop: dict[str, str],
    submit: Any,
    send: Any,
    product: Product,
    world: World,
    settle: Callable[[], None],
) -> None:
    id = submit("shipped_approved", "Your order has been shipped.")["id"]
    graph("POST", id, token=shop["token"], json={"message_send_ttl_seconds": 60})
    send("shipped_approved", "16505550001")
    client.patch("/control/api/customers/16505550001", json={"phone_on": False})
    settle()
    world.advance(60)
    client.patch("/control/api/customers/16505550001", json={"phone_on": True})
    settle()
    assert [status["status"] for status in product.statuses()] == ["sent"]


def test_a_name_can_spell_the_error_of_every_send(submit: Any, send: Any, settle: Callable[[], None]) -> None:
    submit("a_policy", "Your order has been shipped.")
    submit("a_misused", "Your parcel has been shipped.")
    settle()
    assert [send(name, "16505550001")["code"] for name in ("a_policy", "a_misused")] == [132007, 131064]


def test_an_account_that_misuses_utility_templates_may_neither_send_nor_make_them(
    client: FlaskClient, shop: dict[str, str], submit: Any, send: Any, product: Product, settle: Callable[[], None]
) -> None:
    submit("shipped_approved", "Your order has been shipped.")
    client.post("/control/api/utility-restrictions", json={"waba_id": shop["waba_id"], "days": 7})
    assert send("shipped_approved", "16505550001")["code"] == 131064
    assert submit("another", "Your parcel has been shipped.")["error"]["code"] == 100
    settle()
    (info,) = product.values("account_update")[-1]["restriction_info"]
    assert info["restriction_type"] == "RESTRICTED_UTILITY_TEMPLATES"


def test_the_panel_decides_about_a_template(client: FlaskClient, submit: Any) -> None:
    id = submit("shipped_slow")["id"]
    client.post(f"/control/templates/{id}", data={"status": "REJECTED", "reason": "SCAM", "quality": "YELLOW"})
    (template,) = client.get("/control/api/templates").get_json()["templates"]
    assert (template["status"], template["rejected_reason"], template["quality"]) == ("REJECTED", "SCAM", "YELLOW")
    assert "_rejected" in client.get("/control").text
