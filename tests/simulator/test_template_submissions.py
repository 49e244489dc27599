"""Creating, changing, listing and deleting templates through the Graph API."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from simulator import World
from tests.simulator.stand_ins import Graph, Product

BODY = {"type": "BODY", "text": "Hi {{1}}, it has shipped.", "example": {"body_text": [["Ann"]]}}
SALE = [{"type": "BODY", "text": "Everything is 20% off until Sunday, shop now."}]


@pytest.fixture
def create(graph: Graph, shop: dict[str, str]) -> Any:
    def create(**changed: Any) -> Any:
        about = {"name": "shipped", "language": "en_US", "category": "UTILITY", "components": [BODY]}
        return graph("POST", f"{shop['waba_id']}/message_templates", token=shop["token"], json=about | changed)

    return create


@pytest.fixture
def call(graph: Graph, shop: dict[str, str]) -> Any:
    def call(method: str, path: str, **kwargs: Any) -> Any:
        return graph(method, path.replace("WABA", shop["waba_id"]), token=shop["token"], **kwargs)

    return call


def error_of(answer: Any) -> Any:
    error = answer.json["error"]
    return error.get("error_subcode") or error["code"]


def test_a_template_is_created_and_waits(create: Any) -> None:
    answer = create().json
    assert (answer["status"], answer["category"], answer["id"].isdecimal()) == ("PENDING", "UTILITY", True)


def test_types_may_be_in_small_letters_and_come_back_in_capitals(create: Any, call: Any) -> None:
    button = {"type": "quick_reply", "text": "Thanks"}
    made = create(components=[BODY | {"type": "body"}, {"type": "buttons", "buttons": [button]}]).json
    parts = call("GET", made["id"]).json["components"]
    assert [part["type"] for part in parts] == ["BODY", "BUTTONS"] and parts[1]["buttons"][0]["type"] == "QUICK_REPLY"


REFUSED: list[tuple[Any, int]] = [
    ({"name": "Shipped"}, 2388046),
    ({"name": "a" * 513}, 2388046),
    ({"name": "hello_world"}, 2388155),
    ({"language": "xx"}, 100),
    ({"category": "LOVELY"}, 100),
    ({"parameter_format": "LETTERS"}, 100),
    ({"message_send_ttl_seconds": 29}, 100),
    ({"message_send_ttl_seconds": 43_201}, 100),
    ({"components": [{"type": "BODY", "text": "Hi {{1}}, it has shipped."}]}, 2388043),
    ({"components": "nonsense"}, 100),
    ({"components": [None]}, 100),
    ({"components": [{"type": "BODY", "text": 7}]}, 100),
    ({"components": [BODY, {"type": "BUTTONS", "buttons": ["Stop"]}]}, 100),
    ({"components": [BODY, {"type": "CAROUSEL", "cards": [{"components": 1}]}]}, 100),
]


def test_a_bad_submission_is_refused(create: Any) -> None:
    assert [error_of(create(**changed)) for changed, _ in REFUSED] == [code for _, code in REFUSED]


def test_a_refusal_has_words_for_the_user(create: Any) -> None:
    error = create(name="Shipped").json["error"]
    assert error["error_user_title"] == "Name Format is Incorrect"
    assert "lowercase" in error["error_user_msg"] and error["is_transient"] is False


def test_a_name_is_used_once_per_language_and_for_one_category(create: Any) -> None:
    create()
    assert error_of(create()) == 2388024
    assert create(language="de", components=[BODY | {"text": "Hallo {{1}}, es ist unterwegs."}]).status_code == 200
    assert "MARKETING" in create(language="es", category="MARKETING").json["error"]["error_user_msg"]


def test_what_advertises_is_marketing_whatever_was_asked_for(create: Any) -> None:
    assert create(components=SALE).json["category"] == "MARKETING"


def test_an_account_has_only_so_many_templates(client: FlaskClient, create: Any) -> None:
    client.post("/control/api/knobs", json={"templates_per_account": 1})
    create()
    assert error_of(create(name="other")) == 2388019


def test_a_verified_business_may_have_more(client: FlaskClient, call: Any, shop: dict[str, str]) -> None:
    path = "WABA/message_templates?summary=message_template_limit"
    assert call("GET", path).json["summary"]["message_template_limit"] == 250
    client.post("/control/api/business-verification", json={"phone_number_id": shop["phone_number_id"]})
    assert call("GET", path).json["summary"]["message_template_limit"] == 6000


def test_a_hundred_are_created_an_hour(client: FlaskClient, world: World, create: Any) -> None:
    client.post("/control/api/knobs", json={"creations_per_hour": 1})
    create()
    assert error_of(create(name="other")) == 80007
    world.advance(3601)
    assert create(name="other").status_code == 200


def test_a_deleted_name_is_locked_for_thirty_days(create: Any, call: Any, world: World) -> None:
    create(name="shipped_approved")
    assert call("DELETE", "WABA/message_templates?name=shipped_approved").json == {"success": True}
    refusal = create(name="shipped_approved")
    assert error_of(refusal) == 2388023 and "being deleted" in refusal.json["error"]["error_user_msg"]
    world.advance(30 * 86400 + 1)
    world.settle()
    assert create(name="shipped_approved").status_code == 200


def test_a_name_that_was_never_approved_is_free_at_once(create: Any, call: Any) -> None:
    create()
    call("DELETE", "WABA/message_templates?name=shipped")
    assert create().status_code == 200


def test_one_language_is_deleted_by_its_id(create: Any, call: Any) -> None:
    create()
    german = create(language="de", components=[BODY | {"text": "Hallo {{1}}, es ist unterwegs."}]).json["id"]
    call("DELETE", f"WABA/message_templates?name=shipped&hsm_id={german}")
    assert [one["language"] for one in call("GET", "WABA/message_templates").json["data"]] == ["en_US"]


def test_several_are_deleted_all_or_none(create: Any, call: Any) -> None:
    one, two = create().json["id"], create(name="other").json["id"]
    assert error_of(call("DELETE", f'WABA/message_templates?hsm_ids=["{one}","1"]')) == 2593002
    assert error_of(call("DELETE", f"WABA/message_templates?hsm_ids=[{one}]&name=shipped")) == 100
    assert call("DELETE", f"WABA/message_templates?hsm_ids=[{one},{two}]").json == {"success": True}
    assert call("GET", "WABA/message_templates").json["data"] == []


def test_a_disabled_template_is_neither_changed_nor_deleted(create: Any, call: Any, settle: Callable[[], None]) -> None:
    id = create(name="shipped_disabled").json["id"]
    settle()
    assert error_of(call("POST", id, json={"components": [BODY]})) == 2388003
    assert error_of(call("DELETE", "WABA/message_templates?name=shipped_disabled")) == 100


def test_an_approved_template_is_edited_once_a_day_and_ten_times_a_month(create: Any, call: Any, world: World) -> None:
    id = create(name="shipped_approved").json["id"]
    for _ in range(10):
        assert call("POST", id, json={"message_send_ttl_seconds": 60}).json["success"]
        assert "once in 24 hours" in call("POST", id, json={"components": [BODY]}).json["error"]["error_user_msg"]
        world.advance(86401)
    assert "10 times" in call("POST", id, json={"components": [BODY]}).json["error"]["error_user_msg"]


def test_a_lost_answer_leaves_one_template(client: FlaskClient, create: Any) -> None:
    fault = {"edge": "POST message_templates", "kind": "accept-then-500"}
    client.post("/control/api/faults", json=fault)
    assert create().status_code == 500
    assert error_of(create()) == 2388024


def test_an_edit_is_announced(create: Any, call: Any, product: Product, settle: Callable[[], None]) -> None:
    id = create(name="shipped_approved").json["id"]
    call("POST", id, json={"components": [BODY, {"type": "FOOTER", "text": "Bakery"}]})
    settle()
    (value,) = product.values("message_template_components_update")
    assert (value["message_template_id"], value["message_template_footer"]) == (int(id), "Bakery")


def test_an_edited_template_is_reviewed_again(create: Any, call: Any, settle: Callable[[], None]) -> None:
    id = create(name="shipped_rejected").json["id"]
    settle()
    assert call("GET", f"{id}?fields=status,rejected_reason").json["rejected_reason"] == "INVALID_FORMAT"
    answer = call("POST", id, json={"components": [BODY], "category": "MARKETING"}).json
    assert (answer["success"], answer["category"]) == (True, "MARKETING")
    assert call("GET", f"{id}?fields=status").json["status"] == "PENDING"


def test_the_category_of_an_approved_template_stays(create: Any, call: Any) -> None:
    id = create(name="shipped_approved").json["id"]
    assert error_of(call("POST", id, json={"category": "MARKETING"})) == 100


def test_a_bad_edit_changes_nothing(create: Any, call: Any) -> None:
    id = create(name="shipped_approved").json["id"]
    assert error_of(call("POST", id, json={"components": [BODY | {"text": "{{1}}, it has shipped."}]})) == 2388299
    assert call("GET", f"{id}?fields=status").json["status"] == "APPROVED"


OTP: dict[str, Any] = {
    "category": "AUTHENTICATION",
    "components": [
        {"type": "BODY", "add_security_recommendation": True},
        {"type": "FOOTER", "code_expiration_minutes": 10},
        {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE"}]},
    ],
}


# From Meta's pages, as printed there.
SHIPPING: dict[str, Any] = {
    "category": "UTILITY",
    "parameter_format": "NAMED",
    "message_send_ttl_seconds": 3600,
    "components": [
        {
            "type": "HEADER",
            "format": "TEXT",
            "text": "Order {{order}}",
            "example": {"header_text_named_params": [{"param_name": "order", "example": "860198"}]},
        },
        {
            "type": "BODY",
            "text": "Hi {{first_name}}, it has shipped.",
            "example": {"body_text_named_params": [{"param_name": "first_name", "example": "Pablo"}]},
        },
        {"type": "FOOTER", "text": "Lucky Shrub"},
        {
            "type": "BUTTONS",
            "buttons": [
                {"type": "URL", "text": "Track", "url": "https://x.example/t/{{1}}", "example": ["abc"]},
                {"type": "QUICK_REPLY", "text": "Stop"},
            ],
        },
    ],
}
PROMOTION: dict[str, Any] = {
    "category": "MARKETING",
    "components": [
        {"type": "HEADER", "format": "TEXT", "text": "Our {{1}} is on!", "example": {"header_text": ["Summer Sale"]}},
        {
            "type": "BODY",
            "text": "Shop now through {{1}} and use code {{2}} to get {{3}} off of all merchandise.",
            "example": {"body_text": [["the end of August", "25OFF", "25%"]]},
        },
        {"type": "FOOTER", "text": "Use the buttons below to manage your marketing subscriptions"},
        {
            "type": "BUTTONS",
            "buttons": [
                {"type": "QUICK_REPLY", "text": "Unsubcribe from Promos"},
                {"type": "QUICK_REPLY", "text": "Unsubscribe from All"},
            ],
        },
    ],
}
APP = {"package_name": "com.example.app", "signature_hash": "K8a/AINcGX7"}
TAP = {"type": "OTP", "otp_type": "ONE_TAP", "text": "Copy code", "autofill_text": "Autofill", "supported_apps": [APP]}
ONE_TAP = {
    **OTP,
    "message_send_ttl_seconds": 600,
    "components": [*OTP["components"][:2], {"type": "BUTTONS", "buttons": [TAP]}],
}


def test_the_examples_of_metas_pages_are_taken_and_come_back_as_they_are(create: Any, call: Any) -> None:
    for name, example in {"order_update": SHIPPING, "seasonal_promotion": PROMOTION}.items():
        id = create(**example, name=name).json["id"]
        assert call("GET", id).json["components"] == example["components"]
    assert create(**ONE_TAP, name="otp").json["status"] == "PENDING"


def test_meta_writes_the_text_of_codes_and_makes_the_button_an_address(create: Any, call: Any) -> None:
    parts = call("GET", create(**OTP, name="otp", language="es").json["id"]).json["components"]
    assert parts[0]["text"].startswith("Tu código de verificación") and "10 minutos" in parts[1]["text"]
    (button,) = parts[2]["buttons"]
    assert (button["type"], "code=otp{{1}}" in button["url"]) == ("URL", True)


def test_codes_are_created_in_several_languages_at_once(call: Any) -> None:
    body = {"name": "otp", "languages": ["en_US", "de"], **OTP}
    made = call("POST", "WABA/upsert_message_templates", json=body).json["data"]
    assert [one["language"] for one in made] == ["en_US", "de"]
    again = call("POST", "WABA/upsert_message_templates", json=body | {"languages": ["de", "fr"]}).json["data"]
    assert again[0]["id"] == made[1]["id"]


def test_the_texts_of_codes_can_be_previewed(call: Any) -> None:
    query = "category=AUTHENTICATION&languages=en_US,de&add_security_recommendation=true&code_expiration_minutes=5"
    english, german = call("GET", f"WABA/message_template_previews?{query}&button_types=OTP").json["data"]
    assert english["footer"] == "This code expires in 5 minutes." and german["buttons"][0]["text"] == "Code kopieren"


def test_the_library_is_searched_and_filtered(call: Any) -> None:
    (results,) = call("GET", "message_template_library?search=overdue&language=en_US").json["data"]
    assert (results["name"], results["category"], len(results["body_params"])) == ("payment_overdue_1", "UTILITY", 3)
    assert {one["topic"] for one in call("GET", "message_template_library?topic=PAYMENTS").json["data"]} == {"PAYMENTS"}


def test_a_library_template_needs_no_review(create: Any, call: Any) -> None:
    inputs = "[{'type': 'URL', 'url': {'base_url': 'https://x.example/{{1}}', 'url_suffix_example': 'demo'}}]"
    about = {"library_template_name": "delivery_update_1", "library_template_button_inputs": inputs}
    made = create(components=None, **about).json
    assert (made["status"], made["category"]) == ("APPROVED", "UTILITY")
    fields = call("GET", f"{made['id']}?fields=components,library_template_name").json
    assert fields["components"][-1]["buttons"][0]["url"] == "https://x.example/{{1}}"
    assert fields["library_template_name"] == "delivery_update_1"


def test_the_library_refuses_what_it_cannot_make(create: Any) -> None:
    for about in (
        {"library_template_name": "nothing_like_it"},
        {"library_template_name": "delivery_update_1"},
        {"library_template_name": "order_delay_1", "category": "MARKETING"},
    ):
        assert create(components=None, **about).status_code == 400


def test_templates_of_another_account_are_migrated(client: FlaskClient, create: Any, call: Any, world: World) -> None:
    made = create(name="shipped_approved").json["id"]
    waiting = create(name="other").json["id"]
    (here,) = world.store.rows("select * from wabas")
    world.store.write(
        "insert into wabas (id, business_id, name, country, namespace, created_at, shared_at)"
        " values ('9', ?, 'Second', 'US', 'x', 1, 1)",
        here["business_id"],
    )
    world.store.write("update tokens set waba_ids = ?", f'["{here["id"]}", "9"]')
    answer = call("POST", "9/migrate_message_templates", json={"source_waba_id": here["id"]}).json
    assert len(answer["migrated_templates"]) == 1 and list(answer["failed_templates"]) == [waiting]
    assert made not in answer["migrated_templates"]


def test_archived_templates_are_not_sent_until_they_are_back(create: Any, call: Any) -> None:
    id = create(name="shipped_approved").json["id"]
    answer = call("POST", "WABA/message_templates/archive", json={"hsm_ids": f"{id},1"}).json
    assert answer["archived_templates"] == [id] and list(answer["failed_templates"]) == ["1"]
    assert call("GET", f"{id}?fields=status").json["status"] == "ARCHIVED"
    assert call("POST", "WABA/message_templates/unarchive", json={"hsm_ids": id}).json["unarchived_templates"] == [id]


def test_what_is_not_sent_for_a_year_is_archived_and_then_deleted(create: Any, world: World, product: Product) -> None:
    create(name="shipped_approved")
    for days in (366, 29):
        world.advance(days * 86400)
        world.settle()
    events = [value["event"] for value in product.values("message_template_status_update")]
    assert events == ["ARCHIVED", "DELETED"]
