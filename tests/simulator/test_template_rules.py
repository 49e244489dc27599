"""What Meta refuses when a template is submitted, rule by rule."""

from typing import Any

import pytest

from simulator.errors import GraphError
from simulator.template_rules import Definition, check
from simulator.template_rules.texts import Wording

Json = dict[str, Any]
BODY = {"type": "BODY", "text": "Your order has been shipped."}
IMAGE = {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["image"]}}
QUICK = {"type": "QUICK_REPLY", "text": "Stop"}
LINK = {"type": "URL", "text": "Track", "url": "https://x.example/t/{{1}}", "example": ["abc"]}
CALL = {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+16505551234"}
CODE = {"type": "COPY_CODE", "example": "SAVE10"}
OTP = {"type": "OTP", "otp_type": "COPY_CODE"}
APP = {"package_name": "com.example.app", "signature_hash": "K8a/AINcGX7"}


class Files:
    def type_of(self, handle: str) -> str | None:
        return {"image": "image/png", "video": "video/mp4", "pdf": "application/pdf"}.get(handle)


class Flows:
    def has(self, flow_id: str, name: str) -> bool:
        return flow_id == "1"


def verdict(
    *components: Json, category: str = "MARKETING", named: bool = False, punctuation_counts: bool = True
) -> Any:
    """None if Meta takes it, else the subcode, or True for a refusal that has none."""
    wording = Wording(named, punctuation_counts)
    try:
        check(Definition(category, list(components), wording, Files(), Flows()))
    except GraphError as error:
        return error.subcode or True
    return None


def body(text: str, *examples: str) -> Json:
    return {"type": "BODY", "text": text} | ({"example": {"body_text": [list(examples)]}} if examples else {})


def header(text: str, *examples: str) -> Json:
    about = {"type": "HEADER", "format": "TEXT", "text": text}
    return about | ({"example": {"header_text": list(examples)}} if examples else {})


def buttons(*given: Json) -> Json:
    return {"type": "BUTTONS", "buttons": list(given)}


def footer(text: str) -> Json:
    return {"type": "FOOTER", "text": text}


TWO = "Hi {{1}}, your order {{2}} is on its way to you."


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (body("a" * 1024), None),
        (body("a" * 1025), 2388040),
        (body(TWO, "Ann", "17"), None),
        (body(TWO, "Ann"), 2388043),
        (body(TWO), 2388043),
        (body(TWO, "Ann", ""), 2388043),
        (body("{{1}}, your order is on its way to you.", "Ann"), 2388299),
        (body("Your order is on its way to {{1}}", "Ann"), 2388299),
        (body("Your order is on its way {{1}}{{2}} to you today.", "a", "b"), 2388072),
        (body("Your order is on its way {{1}} {{2}} to you today.", "a", "b"), 2388072),
        (body("Your order {{3}} is on its way to {{1}} today, friend.", "a", "b"), 2388072),
        (body("Your order {{2}} is on its way, {{1}}, and thanks.", "a", "b"), None),
        (body("Your order {{1} is on its way to you."), 2388072),
        (body("Your order {1} is on its way to you."), 2388072),
        (body("Your order {{a b}} is on its way to you."), 2388072),
        (body("Your order {{number}} is on its way to you."), 2388072),
        (body("Hi {{1}}, welcome.", "Ann"), 2388293),
        (body("Hi {{1}}, {{2}}, {{3}}, thank you very much.", "a", "b", "c"), 2388293),
        (body("您好{{1}}，您的订单已发货。", "安"), None),
        (body("\u202bמזמינים אותך {{1}} לחנות שלנו היום\u202c", "אן"), None),
        (body("One\n\nTwo"), None),
        (body("One\n\n\nTwo"), 2388072),
        (body("Bread " + "🍞" * 10), None),
        (body("Bread " + "🍞" * 11), 2388072),
        (body("   "), 2388043),
    ],
)
def test_a_body(part: Json, expected: Any) -> None:
    assert verdict(part, category="UTILITY") == expected


@pytest.mark.parametrize(("counts", "expected"), [(True, None), (False, 2388299)])
def test_a_full_stop_after_the_last_variable_counts_as_text_or_not(counts: bool, expected: Any) -> None:
    part = body("Thank you, your order number is {{1}}.", "17")
    assert verdict(part, punctuation_counts=counts) == expected


NAMED = {"type": "BODY", "text": "Hi {{first_name}}, it has shipped."}


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (NAMED | {"example": {"body_text_named_params": [{"param_name": "first_name", "example": "Ann"}]}}, None),
        (NAMED | {"example": {"body_text_named_params": [{"param_name": "name", "example": "Ann"}]}}, 2388043),
        (NAMED | {"example": {"body_text": [["Ann"]]}}, 2388043),
        (body("Hi {{First_Name}}, it has shipped."), 2388072),
        (body("Hi {{1}}, it has shipped."), 2388072),
    ],
)
def test_a_body_with_named_variables(part: Json, expected: Any) -> None:
    assert verdict(part, named=True) == expected


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (header("Our {{1}} is on!", "Summer Sale"), None),
        (header("Our {{1}} is on!"), 2388043),
        (header("a" * 61), 2388040),
        (header("From {{1}} to {{2}}", "a", "b"), 2388047),
        (header("Two\nlines"), 2388047),
        (header("Bread 🍞"), 2388047),
        (header("*Bread*"), 2388047),
        (header(""), 2388043),
        (IMAGE, None),
        (IMAGE | {"example": {"header_handle": ["expired"]}}, True),
        (IMAGE | {"example": {"header_handle": ["pdf"]}}, 2388084),
        ({"type": "HEADER", "format": "VIDEO", "example": {"header_handle": ["video"]}}, None),
        ({"type": "HEADER", "format": "DOCUMENT", "example": {"header_handle": ["pdf"]}}, None),
        ({"type": "HEADER", "format": "DOCUMENT"}, 2388043),
        ({"type": "HEADER", "format": "LOCATION"}, None),
        ({"type": "HEADER", "format": "AUDIO"}, True),
    ],
)
def test_a_header(part: Json, expected: Any) -> None:
    assert verdict(part, BODY) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Lucky Shrub", None), ("a" * 61, 2388040), ("For {{1}}", 2388073), ("Bread 🍞", 2388073), ("a\nb", 2388073)],
)
def test_a_footer(text: str, expected: Any) -> None:
    assert verdict(BODY, footer(text)) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([QUICK | {"text": f"Stop {n}"} for n in range(10)], None),
        ([QUICK | {"text": f"Stop {n}"} for n in range(11)], True),
        ([QUICK, QUICK | {"text": "Start"}, LINK, CALL], None),
        ([LINK, CALL, QUICK], None),
        ([QUICK, LINK, QUICK], True),
        ([LINK, LINK | {"text": "Return"}], None),
        ([LINK, LINK | {"text": "Return"}, LINK | {"text": "Pay"}], True),
        ([QUICK, QUICK | {"text": "stop "}], 2388060),
        ([CALL, CALL], True),
        ([CODE, CODE], True),
        ([QUICK | {"text": "a" * 26}], 2388040),
        ([QUICK | {"text": "Stop 🛑"}], 2388060),
        ([QUICK | {"text": "Stop {{1}}"}], 2388060),
        ([QUICK | {"text": ""}], 2388043),
        ([LINK | {"example": None}], 2388043),
        ([LINK | {"url": "https://x.example/{{1}}/t"}], 2388060),
        ([LINK | {"url": "https://{{1}}"}], 2388060),
        ([LINK | {"url": "https://x.example/{{1}}{{2}}"}], 2388060),
        ([LINK | {"url": "x.example"}], 2388060),
        ([LINK | {"url": "https://wa.me/16505551234"}], 2388060),
        ([LINK | {"url": "https://x.example/" + "a" * 2000}], 2388040),
        ([CALL | {"phone_number": "call us"}], 2388060),
        ([CALL | {"phone_number": "+" + "1" * 20}], 2388040),
        ([CODE], None),
        ([CODE | {"example": "a" * 16}], 2388040),
        ([{"type": "FLOW", "text": "Book", "flow_id": "1", "navigate_screen": "A"}], None),
        ([{"type": "FLOW", "text": "Book", "flow_id": "2"}], True),
        ([{"type": "FLOW", "text": "Book"}], 2388043),
        ([{"type": "CATALOG", "text": "View catalog"}], None),
        ([{"type": "CATALOG", "text": "View catalog"}, QUICK], True),
        ([{"type": "VOICE_CALL", "text": "Call now"}], None),
        ([OTP], True),
        ([], 2388043),
    ],
)
def test_buttons(given: list[Json], expected: Any) -> None:
    assert verdict(BODY, buttons(*given)) == expected


def test_a_utility_template_opens_no_catalogue() -> None:
    assert verdict(BODY, buttons({"type": "CATALOG", "text": "View"}), category="UTILITY") is True


def card(*given: Json, **changed: Any) -> Json:
    return {"components": [IMAGE | changed, body("Rare succulents."), buttons(*(given or (QUICK, LINK)))]}


@pytest.mark.parametrize(
    ("cards", "expected"),
    [
        ([card()] * 2, None),
        ([card()] * 10, None),
        ([card()], True),
        ([card()] * 11, True),
        ([card(), card(LINK, QUICK)], True),
        ([card(), card(format="VIDEO", example={"header_handle": ["video"]})], True),
        ([card(), {"components": [IMAGE, buttons(QUICK, LINK)]}], True),
        ([{"components": [IMAGE, body("a" * 161), buttons(QUICK)]}] * 2, 2388040),
        ([{"components": [body("No picture"), buttons(QUICK)]}] * 2, 2388043),
        (
            [{"components": [{"type": "HEADER", "format": "PRODUCT"}, buttons({"type": "SPM", "text": "View"})]}] * 3,
            True,
        ),
    ],
)
def test_a_carousel(cards: list[Json], expected: Any) -> None:
    assert verdict(BODY, {"type": "CAROUSEL", "cards": cards}) == expected


def test_a_carousel_has_no_footer() -> None:
    assert verdict(BODY, footer("Bakery"), {"type": "CAROUSEL", "cards": [card()] * 2}) is True


OFFER = {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Expiring offer!", "has_expiration": True}}


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([IMAGE, OFFER, BODY, buttons(CODE, LINK)], None),
        ([IMAGE, OFFER, BODY, buttons(LINK, CODE)], True),
        ([IMAGE, OFFER, BODY, buttons(LINK)], True),
        ([OFFER, BODY, footer("Bakery"), buttons(CODE, LINK)], True),
        ([header("Bread"), OFFER, BODY, buttons(CODE, LINK)], True),
        ([OFFER, body("a" * 601), buttons(CODE, LINK)], 2388040),
        ([{**OFFER, "limited_time_offer": {"text": "a" * 17}}, BODY, buttons(CODE, LINK)], 2388040),
    ],
)
def test_a_limited_time_offer(parts: list[Json], expected: Any) -> None:
    assert verdict(*parts) == expected


def test_an_offer_is_marketing() -> None:
    assert verdict(IMAGE, OFFER, BODY, buttons(CODE, LINK), category="UTILITY") is True


SECURE = {"type": "BODY", "add_security_recommendation": True}
ONE_TAP = OTP | {"otp_type": "ONE_TAP", "supported_apps": [APP]}


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([SECURE, {"type": "FOOTER", "code_expiration_minutes": 10}, buttons(OTP)], None),
        ([SECURE, {"type": "FOOTER", "code_expiration_minutes": 91}, buttons(OTP)], True),
        ([SECURE, {"type": "FOOTER", "text": "Bakery"}, buttons(OTP)], True),
        ([BODY, buttons(OTP)], True),
        ([SECURE], True),
        ([buttons(OTP)], True),
        ([SECURE, buttons(QUICK)], True),
        ([header("Code"), SECURE, buttons(OTP)], True),
        ([SECURE, buttons(ONE_TAP)], None),
        ([SECURE, buttons(ONE_TAP | {"supported_apps": [APP] * 6})], True),
        ([SECURE, buttons(ONE_TAP | {"supported_apps": [APP | {"signature_hash": "short"}]})], True),
        ([SECURE, buttons(ONE_TAP | {"supported_apps": [APP | {"package_name": "app"}]})], True),
        ([SECURE, buttons(OTP | {"otp_type": "ONE_TAP"})], 2388043),
        ([SECURE, buttons(ONE_TAP | {"otp_type": "ZERO_TAP"})], True),
        ([SECURE, buttons(ONE_TAP | {"otp_type": "ZERO_TAP", "zero_tap_terms_accepted": True})], None),
    ],
)
def test_an_authentication_template(parts: list[Json], expected: Any) -> None:
    assert verdict(*parts, category="AUTHENTICATION") == expected


def test_every_refusal_has_a_title_and_a_sentence() -> None:
    with pytest.raises(GraphError) as refusal:
        check(Definition("MARKETING", [body("a" * 1025)], Wording(False), Files(), Flows()))
    assert refusal.value.code == 100 and refusal.value.for_user and all(refusal.value.for_user)


@pytest.mark.parametrize("parts", [[BODY, BODY], [footer("Bakery")], [BODY, {"type": "SIDEBAR"}]])
def test_each_component_once_and_a_body(parts: list[Json]) -> None:
    assert verdict(*parts)
