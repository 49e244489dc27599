"""A template's parameters, checked against its approved version by the simulator's own reading."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from simulator.errors import GraphError
from simulator.filling import Filling
from tests.simulator.stand_ins import Graph

PLAIN = {"type": "BODY", "text": "Your order has been shipped."}
TO = "16505551234"


def filled(parts: list[Any], *given: Any, category: str = "MARKETING") -> int:
    """The code with which Meta refuses a send with these components, or 200."""
    filling = Filling(parts, list(given), named=False)
    try:
        filling.preview(now=1_800_000_000)
        if category == "AUTHENTICATION":
            filling.check_code()
    except GraphError as error:
        return error.code
    return 200


@pytest.fixture
def sends(client: FlaskClient, graph: Graph, shop: dict[str, str]) -> Any:
    """Seeds a template and sends it with these components; the code of the refusal, or 200."""

    def sends(parts: list[Any], *given: Any, **about: Any) -> int:
        body = {"phone_number_id": shop["phone_number_id"], "name": "one", "category": "MARKETING"}
        client.post("/control/api/templates", json=body | {"components": parts} | about)
        content = {"name": "one", "language": {"code": "en_US"}, "components": list(given)}
        answer = graph.send(shop, TO, type="template", template=content)
        code: int = answer.json.get("error", {}).get("code", answer.status_code)
        return code

    return sends


def text(value: Any, **more: Any) -> Any:
    return {"type": "text", "text": value} | more


def body(*values: Any) -> Any:
    return {"type": "body", "parameters": [text(value) for value in values]}


def button(sub_type: str, *parameters: Any, index: Any = "0") -> Any:
    return {"type": "button", "sub_type": sub_type, "index": index, "parameters": list(parameters)}


TWO = [{"type": "BODY", "text": "Hi {{1}}, your order {{2}} is on its way."}]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ([body("Ann", "17")], 200),
        ([], 132000),
        ([body("Ann")], 132000),
        ([body("Ann", "17", "x")], 132000),
        ([body("Ann", "a\nb")], 132018),
        ([body("Ann", "a     b")], 132018),
        ([body("Ann", "a    b")], 200),
        ([body("Ann", "")], 131008),
        ([body("Ann", 17)], 132012),
        ([body("Ann", "a" * 1024)], 132005),
        ([body("Ann", "17"), body("Ann", "17")], 131009),
        ([body("Ann", "17"), {"type": "header", "parameters": [text("x")]}], 132000),
        ([{"type": "body", "parameters": [text("Ann"), {"type": "image", "image": {"link": "x"}}]}], 132012),
        ([{"type": "body", "parameters": [text("Ann"), {"type": "date_time", "date_time": {}}]}], 132012),
    ],
)
def test_the_parameters_of_a_body(given: Any, code: int) -> None:
    assert filled(TWO, *given) == code


PLACE = {"latitude": 51.5, "longitude": -0.1, "name": "Bakery", "address": "London"}


@pytest.mark.parametrize(
    ("format", "parameter", "code"),
    [
        ("IMAGE", {"type": "image", "image": {"link": "https://x.example/a.png"}}, 200),
        ("IMAGE", {"type": "video", "video": {"link": "https://x.example/a.mp4"}}, 132012),
        ("IMAGE", {"type": "image", "image": {}}, 132012),
        ("IMAGE", None, 132012),
        ("LOCATION", {"type": "location", "location": PLACE}, 200),
        ("LOCATION", {"type": "location", "location": PLACE | {"name": ""}}, 132012),
        ("TEXT", text("a" * 60), 132005),
    ],
)
def test_the_parameter_of_a_header(format: str, parameter: Any, code: int) -> None:
    header = {"type": "HEADER", "format": format} | ({"text": "For {{1}}"} if format == "TEXT" else {})
    given = [{"type": "header", "parameters": [parameter]}] if parameter else []
    assert filled([header, PLAIN], *given) == code


LINK = {"type": "URL", "text": "Track", "url": "https://x.example/{{1}}"}
QUICK = {"type": "QUICK_REPLY", "text": "Thanks"}
CODE = {"type": "COPY_CODE", "example": "SAVE10"}
CALL = {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+16505551234"}


@pytest.mark.parametrize(
    ("defined", "given", "code"),
    [
        ([LINK], [button("url", text("abc"))], 200),
        ([LINK], [button("url", text("abc"), index=0)], 200),
        ([LINK], [], 131008),
        ([LINK], [button("quick_reply", {"type": "payload", "payload": "x"})], 132012),
        ([LINK], [button("url", text("abc")), button("url", text("abc"))], 131009),
        ([LINK], [button("url", text("abc"), index="1")], 132000),
        ([LINK], [button("url", text("abc"), index="first")], 131009),
        ([QUICK], [], 200),
        ([QUICK], [button("quick_reply", {"type": "payload", "payload": "x" * 129})], 131009),
        ([QUICK], [button("quick_reply", text("x"))], 132012),
        ([CODE], [button("copy_code", {"type": "coupon_code", "coupon_code": "SAVE10"})], 200),
        ([CODE], [button("copy_code", {"type": "coupon_code", "coupon_code": "x" * 16})], 131009),
        ([CODE], [], 131008),
        ([CALL], [button("phone_number", text("x"))], 132000),
    ],
)
def test_the_parameters_of_buttons(defined: Any, given: Any, code: int) -> None:
    assert filled([PLAIN, {"type": "BUTTONS", "buttons": defined}], *given) == code


OTP = {"type": "URL", "text": "Copy code", "url": "https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}"}
SECRET = [{"type": "BODY", "text": "*{{1}}* is your code."}, {"type": "BUTTONS", "buttons": [OTP]}]


@pytest.mark.parametrize(
    ("in_body", "in_button", "code"),
    [("123456", "123456", 200), ("123456", "654321", 132018), ("x" * 16, "x" * 16, 132018)],
)
def test_a_code_is_short_and_the_same_twice(in_body: str, in_button: str, code: int) -> None:
    given = [body(in_body), button("url", text(in_button))]
    assert filled(SECRET, *given, category="AUTHENTICATION") == code


OFFER = {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Expiring!", "has_expiration": True}}


def test_a_send_is_refused_over_http(sends: Any) -> None:
    assert [sends(TWO, body("Ann")), sends(TWO, body("Ann", "17"))] == [132000, 200]


def test_a_send_of_a_wrong_shape_is_refused_like_any_other(sends: Any) -> None:
    place = {"type": "header", "parameters": [{"type": "location", "location": "here"}]}
    assert sends([{"type": "HEADER", "format": "LOCATION"}, PLAIN], place) == 100
    assert sends([PLAIN], {"type": "carousel", "cards": [None]}) == 131008


@pytest.mark.parametrize(("ends", "code"), [(4_000_000_000_000, 200), (1_000, 131009), (None, 131008)])
def test_an_offer_ends_in_the_future(ends: Any, code: int) -> None:
    parameter = {"type": "limited_time_offer", "limited_time_offer": {"expiration_time_ms": ends} if ends else {}}
    assert filled([OFFER, PLAIN], {"type": "limited_time_offer", "parameters": [parameter]}) == code


def card(at: Any) -> Any:
    picture = {"type": "image", "image": {"link": "https://x.example/a.png"}}
    return {"card_index": at, "components": [{"type": "header", "parameters": [picture]}]}


@pytest.mark.parametrize(
    ("cards", "code"), [([card(0), card(1)], 200), ([card(0)], 132000), ([card(1), card(0)], 132012)]
)
def test_the_cards_of_a_carousel(cards: Any, code: int) -> None:
    defined = [{"components": [{"type": "HEADER", "format": "IMAGE"}]}] * 2
    assert filled([PLAIN, {"type": "CAROUSEL", "cards": defined}], {"type": "carousel", "cards": cards}) == code


def test_the_flow_of_a_button_must_work(client: FlaskClient, sends: Any, shop: dict[str, str]) -> None:
    flow = {"type": "FLOW", "text": "Book", "flow_id": "9"}
    for status, code in (("BLOCKED", 132068), ("THROTTLED", 132069), ("PUBLISHED", 200)):
        client.post("/control/api/flows", json={"waba_id": shop["waba_id"], "flow_id": "9", "status": status})
        assert sends([PLAIN, {"type": "BUTTONS", "buttons": [flow]}]) == code


def test_a_library_template_checks_the_types_of_its_values(graph: Graph, shop: dict[str, str]) -> None:
    about = {"name": "late", "language": "en_US", "category": "UTILITY", "library_template_name": "order_delay_1"}
    graph("POST", f"{shop['waba_id']}/message_templates", token=shop["token"], json=about)
    codes = []
    for date in ("Jan 1, 2024", "some day"):
        content = {"name": "late", "language": {"code": "en_US"}, "components": [body("Jim", "#1", date)]}
        answer = graph.send(shop, TO, type="template", template=content).json
        codes.append(answer.get("error", {}).get("code", 200))
    assert codes == [200, 132018]


def test_codes_need_a_phone_number_and_coupons_do_not(client: FlaskClient, graph: Graph, shop: dict[str, str]) -> None:
    number = {"phone_number_id": shop["phone_number_id"]}
    client.post("/control/api/customers", json={"name": "Ann", "number": TO})
    user_id = client.get(f"/control/api/customers/{TO}/ids", query_string=number).get_json()["user_id"]
    codes = []
    for category in ("AUTHENTICATION", "MARKETING"):
        parts = [PLAIN, {"type": "BUTTONS", "buttons": [CODE]}]
        about = {"name": category.lower(), "category": category, "components": parts}
        client.post("/control/api/templates", json=number | about)
        coupon = button("copy_code", {"type": "coupon_code", "coupon_code": "SAVE10"})
        content = {"name": category.lower(), "language": {"code": "en_US"}, "components": [coupon]}
        answer = graph.send(shop, None, type="template", template=content, recipient=user_id).json
        codes.append(answer.get("error", {}).get("code", 200))
    assert codes == [131062, 200]


def test_marketing_can_be_off_on_the_cloud_api(graph: Graph, sends: Any, shop: dict[str, str]) -> None:
    setting = {"disable_marketing_messages_on_cloud_api": True}
    assert graph("POST", shop["waba_id"], token=shop["token"], json=setting).json == {"success": True}
    assert sends([PLAIN]) == 131063
