"""What Meta would refuse to send (132000, 132001, 132005, 132012, 132018) is refused here first."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.meta.message_templates import Template
from app.meta.outgoing import Refused
from app.meta.template_sending import problems_of_sending, samples_in, with_samples

Json = dict[str, Any]
HANDLE = {"header_handle": ["4::a"]}


def approved(*components: Json, category: str = "MARKETING", **more: Any) -> Template:
    is_named = more.pop("is_named", False)
    return Template("news", "en_US", category, "APPROVED", is_named, list(components), **more)


def body(text: str = "Hello {{1}}, your order {{2}} has been sent.") -> Json:
    return {"type": "BODY", "text": text}


def header(text: str) -> Json:
    return {"type": "HEADER", "format": "TEXT", "text": text}


def media(kind: str = "IMAGE") -> Json:
    return {"type": "HEADER", "format": kind, "example": HANDLE}


def buttons(*given: Json) -> Json:
    return {"type": "BUTTONS", "buttons": list(given)}


LINK = {"type": "URL", "text": "Open", "url": "https://shop.example/{{1}}"}
STATIC = {"type": "URL", "text": "Shop", "url": "https://shop.example/"}
REPLY = {"type": "QUICK_REPLY", "text": "Yes"}
CODE = {"type": "COPY_CODE", "example": "SAVE20"}
PHONE = {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+15550051310"}
FLOW = {"type": "FLOW", "text": "Book", "flow_id": "1"}
CALL = {"type": "VOICE_CALL", "text": "Call us"}
OTP = {"type": "OTP", "otp_type": "COPY_CODE"}
OFFER = {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Soon over", "has_expiration": True}}
CARDS = {"type": "CAROUSEL", "cards": [{"components": [media(), body("Cake {{1}} is new."), buttons(REPLY)]}] * 2}


def text(value: Any) -> Json:
    return {"type": "text", "text": value}


def button(index: Any, kind: str, *parameters: Json) -> Json:
    return {"type": "button", "sub_type": kind, "index": index, "parameters": list(parameters)}


def sent(*components: Json, name: str = "news", code: str = "en_US") -> Json:
    return {"name": name, "language": {"code": code}, "components": list(components)}


def in_body(*parameters: Json) -> Json:
    return {"type": "body", "parameters": list(parameters)}


def in_header(*parameters: Json) -> Json:
    return {"type": "header", "parameters": list(parameters)}


def card(index: Any, *components: Json) -> Json:
    return {"card_index": index, "components": list(components)}


IMAGE = {"type": "image", "image": {"id": "1"}}
BOTH = in_body(text("Ann"), text("860198"))
PLAIN = approved(body())
NAMED = approved(body("Hello {{name}}, your order {{order}} has been sent."), is_named=True)
PLACE = {"latitude": "1.5", "longitude": 2, "name": "Shop", "address": "Street 1"}
AT = {"type": "limited_time_offer", "limited_time_offer": {"expiration_time_ms": 1791234567000}}


def named(name: str | None, value: str) -> Json:
    return {**text(value), **({"parameter_name": name} if name else {})}


def with_buttons(*given: Json) -> Template:
    return approved(body("Hello there."), buttons(*given))


REFUSED: dict[str, tuple[Template, Json, str, str]] = {
    # 132001
    "another name": (PLAIN, sent(BOTH, name="other"), "name", "name_differs"),
    "another language": (PLAIN, sent(BOTH, code="en"), "language", "language_differs"),
    "a language with a hyphen": (PLAIN, sent(BOTH, code="en-US"), "language", "language_differs"),
    "no language": (PLAIN, {**sent(BOTH), "language": "en_US"}, "language", "language_differs"),
    "a paused template": (replace(PLAIN, status="PAUSED"), sent(BOTH), "name", "not_sendable"),
    "a rejected template": (replace(PLAIN, status="REJECTED"), sent(BOTH), "name", "not_sendable"),
    # 132000
    "no value": (PLAIN, sent(), "body", "value_count"),
    "one value of two": (PLAIN, sent(in_body(text("Ann"))), "body", "value_count"),
    "three values of two": (PLAIN, sent(in_body(*[text("Ann")] * 3)), "body", "value_count"),
    "a value for a text without": (approved(body("Hello.")), sent(in_body(text("x"))), "body", "value_count"),
    "a header's value missing": (approved(header("Order {{1}}"), body("Hi.")), sent(), "header", "value_count"),
    "a value for a plain header": (
        approved(header("Hi"), body("Hi.")),
        sent(in_header(text("x"))),
        "header",
        "header_surplus",
    ),
    "a header for none": (approved(body("Hi.")), sent(in_header(IMAGE)), "header", "header_surplus"),
    "an unknown name": (NAMED, sent(in_body(named("name", "a"), named("date", "b"))), "body", "value_name"),
    "a name twice": (NAMED, sent(in_body(named("name", "a"), named("name", "b"))), "body", "value_twice"),
    "too few cards": (approved(body("Hi."), CARDS), sent(), "cards", "cards_differ"),
    # 132012
    "values without names": (NAMED, sent(BOTH), "body", "value_unnamed"),
    "a number as a value": (PLAIN, sent(in_body(text(7), text("x"))), "body", "value_type"),
    "a picture as a value": (PLAIN, sent(in_body(IMAGE, text("x"))), "body", "value_type"),
    "money without words": (
        PLAIN,
        sent(in_body({"type": "currency", "currency": {}}, text("x"))),
        "body",
        "value_type",
    ),
    "no file": (approved(media(), body("Hi.")), sent(), "header", "header_missing"),
    "text for a file": (approved(media(), body("Hi.")), sent(in_header(text("x"))), "header", "header_type"),
    "a video for an image": (
        approved(media(), body("Hi.")),
        sent(in_header({"type": "video", "video": {"id": "1"}})),
        "header",
        "header_type",
    ),
    "two images": (approved(media(), body("Hi.")), sent(in_header(IMAGE, IMAGE)), "header", "header_type"),
    "an empty image": (
        approved(media(), body("Hi.")),
        sent(in_header({"type": "image", "image": {}})),
        "header",
        "file_missing",
    ),
    "an id and a link": (
        approved(media(), body("Hi.")),
        sent(in_header({"type": "image", "image": {"id": "1", "link": "https://x.example/a"}})),
        "header",
        "file_form",
    ),
    "a link that is none": (
        approved(media(), body("Hi.")),
        sent(in_header({"type": "image", "image": {"link": "file:///etc/passwd"}})),
        "header",
        "file_form",
    ),
    "no place": (approved(media("LOCATION"), body("Hi.")), sent(), "header", "header_missing"),
    "a place without a name": (
        approved(media("LOCATION"), body("Hi.")),
        sent(in_header({"type": "location", "location": {**PLACE, "name": ""}})),
        "header.name",
        "location_missing",
    ),
    "a place off the earth": (
        approved(media("LOCATION"), body("Hi.")),
        sent(in_header({"type": "location", "location": {**PLACE, "latitude": "91"}})),
        "header.latitude",
        "latitude",
    ),
    "a place of no number": (
        approved(media("LOCATION"), body("Hi.")),
        sent(in_header({"type": "location", "location": {**PLACE, "longitude": "nan"}})),
        "header.longitude",
        "longitude",
    ),
    # 132018
    "an empty value": (PLAIN, sent(in_body(text(""), text("x"))), "body", "value_missing"),
    "a blank value": (PLAIN, sent(in_body(text(" \u00a0"), text("x"))), "body", "value_missing"),
    "a line break": (PLAIN, sent(in_body(text("a\nb"), text("x"))), "body", "value_spaces"),
    "a tab": (PLAIN, sent(in_body(text("a\tb"), text("x"))), "body", "value_spaces"),
    "five spaces": (PLAIN, sent(in_body(text("a     b"), text("x"))), "body", "value_spaces"),
    "money with a line break": (
        PLAIN,
        sent(in_body({"type": "currency", "currency": {"fallback_value": "1\n2"}}, text("x"))),
        "body",
        "value_spaces",
    ),
    # 132005
    "a text of 1,025": (PLAIN, sent(in_body(text("a" * 990), text("x"))), "body", "body_too_long"),
    "a header of 61": (
        approved(header("Order {{1}}"), body("Hi.")),
        sent(in_header(text("a" * 55))),
        "header",
        "header_too_long",
    ),
    "a card of 161": (
        approved(body("Hi."), CARDS),
        sent({"type": "carousel", "cards": [card(n, in_header(IMAGE), in_body(text("a" * 150))) for n in (0, 1)]}),
        "cards.0.body",
        "body_too_long",
    ),
    # Buttons
    "a button too many": (with_buttons(REPLY), sent(button(1, "quick_reply")), "buttons.1", "button_index"),
    "a button of no number": (with_buttons(REPLY), sent(button("x", "quick_reply")), "buttons", "button_index"),
    "a negative button": (with_buttons(REPLY), sent(button(-1, "quick_reply")), "buttons", "button_index"),
    "a button twice": (
        with_buttons(REPLY),
        sent(*[button(0, "quick_reply", {"type": "payload", "payload": "x"})] * 2),
        "buttons.0",
        "button_twice",
    ),
    "a link for a reply": (with_buttons(REPLY), sent(button(0, "url", text("x"))), "buttons.0", "button_type"),
    "a reply for a link": (
        with_buttons(LINK),
        sent(button(0, "quick_reply", {"type": "payload", "payload": "x"})),
        "buttons.0",
        "button_type",
    ),
    "no end for a link": (with_buttons(LINK), sent(), "buttons.0", "button_missing"),
    "an empty end for a link": (with_buttons(LINK), sent(button(0, "url", text(" "))), "buttons.0", "button_missing"),
    "a link without parameters": (with_buttons(LINK), sent(button(0, "url")), "buttons.0", "button_missing"),
    "an end for a whole link": (with_buttons(STATIC), sent(button(0, "url", text("x"))), "buttons.0", "button_surplus"),
    "two ends for a link": (
        with_buttons(LINK),
        sent(button(0, "url", text("x"), text("y"))),
        "buttons.0",
        "button_surplus",
    ),
    "a space in a link": (with_buttons(LINK), sent(button(0, "url", text("a b"))), "buttons.0.url", "link_not_encoded"),
    "an umlaut in a link": (with_buttons(LINK), sent(button(0, "url", text("ä"))), "buttons.0.url", "link_not_encoded"),
    "half a byte in a link": (
        with_buttons(LINK),
        sent(button(0, "url", text("%4"))),
        "buttons.0.url",
        "link_not_encoded",
    ),
    "a link of 2,001": (with_buttons(LINK), sent(button(0, "url", text("a" * 1980))), "buttons.0.url", "link_too_long"),
    "something for a phone": (
        with_buttons(PHONE),
        sent(button(0, "phone_number", text("x"))),
        "buttons.0",
        "button_surplus",
    ),
    "a payload of 129": (
        with_buttons(REPLY),
        sent(button(0, "quick_reply", {"type": "payload", "payload": "x" * 129})),
        "buttons.0",
        "payload_too_long",
    ),
    "text for a payload": (with_buttons(REPLY), sent(button(0, "quick_reply", text("x"))), "buttons.0", "button_type"),
    "no code": (with_buttons(CODE), sent(), "buttons.0", "button_missing"),
    "a code of 16": (
        with_buttons(CODE),
        sent(button(0, "copy_code", {"type": "coupon_code", "coupon_code": "A" * 16})),
        "buttons.0",
        "code_too_long",
    ),
    "data of a flow as text": (
        with_buttons(FLOW),
        sent(button(0, "flow", {"type": "action", "action": {"flow_action_data": "{}"}})),
        "buttons.0",
        "json_form",
    ),
    "a call for no minute": (
        with_buttons(CALL),
        sent(button(0, "voice_call", {"type": "ttl_minutes", "ttl_minutes": 0})),
        "buttons.0",
        "minutes_form",
    ),
    "products without products": (
        with_buttons({"type": "MPM", "text": "View"}),
        sent(button(0, "mpm", {"type": "action", "action": {"sections": []}})),
        "buttons.0",
        "sections_missing",
    ),
    "31 products": (
        with_buttons({"type": "MPM", "text": "View"}),
        sent(
            button(
                0,
                "mpm",
                {
                    "type": "action",
                    "action": {"sections": [{"title": "All", "product_items": [{"product_retailer_id": "1"}] * 31}]},
                },
            )
        ),
        "buttons.0",
        "sections_form",
    ),
    # Offers, cards, codes
    "no end of the offer": (approved(OFFER, body("Hi.")), sent(), "limited_time_offer", "expiration_missing"),
    "the end in seconds": (
        approved(OFFER, body("Hi.")),
        sent(
            {
                "type": "limited_time_offer",
                "parameters": [
                    {"type": "limited_time_offer", "limited_time_offer": {"expiration_time_ms": 1791234567}}
                ],
            }
        ),
        "limited_time_offer",
        "expiration_form",
    ),
    "one card twice": (
        approved(body("Hi."), CARDS),
        sent({"type": "carousel", "cards": [card(0, in_header(IMAGE), in_body(text("a")))] * 2}),
        "cards",
        "card_index",
    ),
    "a card without its picture": (
        approved(body("Hi."), CARDS),
        sent({"type": "carousel", "cards": [card(n, in_body(text("a"))) for n in (0, 1)]}),
        "cards.1.header",
        "header_missing",
    ),
    "cards for none": (PLAIN, sent(BOTH, {"type": "carousel", "cards": []}), "cards", "part_not_here"),
    "two codes": (
        approved({"type": "BODY"}, buttons(OTP), category="AUTHENTICATION"),
        sent(in_body(text("123456")), button(0, "url", text("654321"))),
        "buttons.0",
        "codes_differ",
    ),
    "a code only in the text": (
        approved({"type": "BODY"}, buttons(OTP), category="AUTHENTICATION"),
        sent(in_body(text("123456"))),
        "buttons.0",
        "button_missing",
    ),
    "a code of 16 in the text": (
        approved({"type": "BODY"}, buttons(OTP), category="AUTHENTICATION"),
        sent(in_body(text("1" * 16)), button(0, "url", text("1" * 16))),
        "body",
        "code_too_long",
    ),
    # Shape
    "two bodies": (PLAIN, sent(BOTH, BOTH), "body", "part_twice"),
    "a part of no name": (PLAIN, sent(BOTH, {"type": "sidebar"}), "body", "payload_form"),
    "components that are none": (PLAIN, {**sent(), "components": "x"}, "body", "payload_form"),
    "a component that is none": (PLAIN, sent(BOTH, 7), "body", "payload_form"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_meta_would_refuse_does_not_reach_it(case: str) -> None:
    template, raw, path, kind = REFUSED[case]
    problems = problems_of_sending(template, raw)
    assert (path, kind) in {(problem.path, problem.kind) for problem in problems}
    assert all(problem.explain() for problem in problems)


ACCEPTED: dict[str, tuple[Template, Json]] = {
    "text": (PLAIN, sent(BOTH)),
    "names in another order": (NAMED, sent(in_body(named("order", "a"), named("name", "b")))),
    "money and a date": (
        PLAIN,
        sent(
            in_body(
                {"type": "currency", "currency": {"fallback_value": "$1", "code": "USD", "amount_1000": 1000}},
                {"type": "date_time", "date_time": {"fallback_value": "May 1"}},
            )
        ),
    ),
    "parts in capitals": (PLAIN, sent({**BOTH, "type": "BODY"})),
    "a policy of languages": (PLAIN, {**sent(BOTH), "language": {"code": "en_US", "policy": "deterministic"}}),
    "no components": (approved(body("Hi.")), {"name": "news", "language": {"code": "en_US"}}),
    "1,024 characters": (PLAIN, sent(in_body(text("a" * 989), text("x")))),
    "four spaces": (PLAIN, sent(in_body(text("a    b"), text("x")))),
    "a link to an image": (
        approved(media(), body("Hi.")),
        sent(in_header({"type": "image", "image": {"link": "https://x.example/a.png"}})),
    ),
    "a place": (
        approved(media("LOCATION"), body("Hi.")),
        sent(in_header({"type": "location", "location": PLACE})),
    ),
    "a reply without payload": (with_buttons(REPLY, STATIC, PHONE), sent()),
    "an index as text": (
        with_buttons(REPLY, LINK),
        sent(
            button("1", "URL", text("a%20b?x=1&y=2")),
            button("0", "quick_reply", {"type": "payload", "payload": "x" * 128}),
        ),
    ),
    "a flow without a token": (with_buttons(FLOW), sent(button(0, "flow"))),
    "a call with both": (
        with_buttons(CALL),
        sent(button(0, "voice_call", {"type": "ttl_minutes", "ttl_minutes": 5}, {"type": "payload", "payload": "x"})),
    ),
    "an offer": (approved(OFFER, body("Hi.")), sent({"type": "limited_time_offer", "parameters": [AT]})),
    "cards in any order": (
        approved(body("Hi."), CARDS),
        sent({"type": "carousel", "cards": [card(n, in_header(IMAGE), in_body(text("a"))) for n in (1, 0)]}),
    ),
    "ten products from two cards": (
        approved(body("Hi."), {"type": "CAROUSEL", "cards": [{"components": [media("PRODUCT")]}] * 2}),
        sent(
            {
                "type": "carousel",
                "cards": [
                    card(
                        n,
                        in_header({"type": "product", "product": {"product_retailer_id": str(n), "catalog_id": "1"}}),
                    )
                    for n in range(10)
                ],
            }
        ),
    ),
    "a target to tap": (
        with_buttons(STATIC),
        sent({"type": "tap_target_configuration", "parameters": [{"type": "tap_target_configuration"}]}),
    ),
    "a draft that Meta has not seen": (replace(PLAIN, status=""), sent(BOTH)),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_what_meta_takes_is_accepted(case: str) -> None:
    assert problems_of_sending(*ACCEPTED[case]) == []


EVERYTHING = [
    PLAIN,
    NAMED,
    approved(media("DOCUMENT"), body(), buttons(REPLY, REPLY | {"text": "No"}, LINK, PHONE)),
    approved(header("Order {{1}}"), OFFER, body(), buttons(CODE, LINK)),
    approved(media("LOCATION"), body("Hi."), buttons(CALL)),
    approved(body(), CARDS),
    approved(body("Hi {{1}} there."), buttons({"type": "MPM", "text": "View"})),
    approved({"type": "BODY", "add_security_recommendation": True}, buttons(OTP), category="AUTHENTICATION"),
    approved(body(), buttons(FLOW)),
]
VALUE = st.one_of(
    st.text(max_size=30),
    st.text(alphabet="ab \n\t%/ä", max_size=40),
    st.integers(0, 2000).map("x".__mul__),
    st.sampled_from(["1791234567000", "2030-01-01T00:00:00Z", "12.5", "nan", "{}", '{"a": 1}', "[]", "5", "{{1}}"]),
    st.just(json.dumps([{"title": "All", "product_items": [{"product_retailer_id": "1"}]}])),
)


@given(template=st.sampled_from(EVERYTHING), data=st.data())
def test_filling_never_builds_what_would_be_refused(template: Template, data: Any) -> None:
    keys = [one.key for one in (*template.variables, *template.optional_variables)]
    values = {key: data.draw(VALUE) for key in keys}
    payloads, files = data.draw(st.lists(st.text(max_size=140), max_size=4)), ["ours"] * len(template.files)
    try:
        raw = template.filled(values, payloads, files).raw
    except Refused:
        return
    assert samples_in(raw) == [(file.kind, "ours") for file in template.files]
    assert problems_of_sending(template, with_samples(raw, {"ours": "1"})) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "parameters",
                    "text",
                    "index",
                    "sub_type",
                    "cards",
                    "components",
                    "card_index",
                    "image",
                    "location",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    template=st.sampled_from(EVERYTHING), raw=st.dictionaries(st.sampled_from(["name", "language", "components"]), JSON)
)
def test_a_payload_of_any_shape_is_judged(template: Template, raw: Json) -> None:
    for problem in problems_of_sending(template, raw):
        assert problem.explain()


@pytest.mark.parametrize("template", EVERYTHING, ids=range(len(EVERYTHING)))
def test_each_part_left_out_is_noticed(template: Template) -> None:
    values = {one.key: right(one.place, one.name) for one in template.variables}
    raw = with_samples(template.filled(values, ["a", "b"], ["ours"] * len(template.files)).raw, {"ours": "1"})
    assert problems_of_sending(template, raw) == []
    for without in shorter(raw):
        assert problems_of_sending(template, without)


def right(place: str, name: str) -> str:
    sections = [{"title": "All", "product_items": [{"product_retailer_id": "1"}]}]
    special = {"expiration": "1791234567000", "sections": json.dumps(sections)}
    return special.get(place) or {"latitude": "1", "longitude": "2"}.get(name, "value")


def shorter(raw: Json) -> list[Json]:
    """The payload without one component that it needs, one after the other."""
    needed = [part for part in raw["components"] if part.get("sub_type") not in ("quick_reply", "flow", "voice_call")]
    return [{**raw, "components": [one for one in raw["components"] if one is not part]} for part in needed]


def test_a_file_of_ours_gets_metas_id_on_the_way() -> None:
    template = approved(media("DOCUMENT"), body("Hi."), CARDS)
    values = {"card-0-body-0-1": "a", "card-1-body-0-1": "b", "filename-0-filename": "menu.pdf"}
    raw = template.filled(values, (), ["x", "y", "x"]).raw
    before = copy.deepcopy(raw)
    assert [(problem.path, problem.kind) for problem in problems_of_sending(template, raw)] == [
        (f"{place}header", "file_missing") for place in ("", "cards.0.", "cards.1.")
    ]
    filled = with_samples(raw, {"x": "1", "y": "2"})
    assert problems_of_sending(template, filled) == [] and samples_in(filled) == [] and raw == before
    assert filled["components"][0]["parameters"][0]["document"] == {"id": "1", "filename": "menu.pdf"}
    assert [(file.kind, file.card) for file in template.files] == [("document", None), ("image", 0), ("image", 1)]


def test_only_the_header_of_the_whole_may_get_its_file_later() -> None:
    template = approved(media(), body("Hi."), CARDS)
    raw = template.filled({"card-0-body-0-1": "a", "card-1-body-0-1": "b"}).raw
    problems = problems_of_sending(template, raw, files_follow=True)
    assert [(problem.path, problem.kind) for problem in problems] == [
        ("cards.0.header", "file_missing"),
        ("cards.1.header", "file_missing"),
    ]


@pytest.mark.parametrize(
    ("written", "sent_as"),
    [
        ("a b", "a%20b"),
        ("ä/ö?q=1&r=2", "%C3%A4/%C3%B6?q=1&r=2"),
        ("a%20b", "a%20b"),
        ("100%", "100%25"),
        ("%zz", "%25zz"),
        ("مرحبا", "%D9%85%D8%B1%D8%AD%D8%A8%D8%A7"),
        ('"<>"', "%22%3C%3E%22"),
        ("\ud800", "?"),
    ],
)
def test_the_end_of_a_link_is_encoded_once(written: str, sent_as: str) -> None:
    (component,) = with_buttons(LINK).filled({"url-0-1": written}).raw["components"]
    assert component["parameters"] == [text(sent_as)]


@pytest.mark.parametrize("written", ["1791234567000", "2026-10-05T21:09:27+00:00", "2026-10-05T23:09:27+02:00"])
def test_the_end_of_an_offer_is_a_moment(written: str) -> None:
    (component,) = approved(OFFER, body("Hi.")).filled({"expiration-0-expiration": written}).raw["components"]
    assert component["parameters"] == [AT]


REFUSALS: dict[str, Callable[[], object]] = {
    "an expiry without a zone": lambda: approved(OFFER, body("Hi.")).filled(
        {"expiration-0-expiration": "2026-10-05T14:29"}
    ),
    "an expiry in seconds": lambda: approved(OFFER, body("Hi.")).filled({"expiration-0-expiration": "1791234567"}),
    "a long header": lambda: approved(header("Order {{1}}"), body("Hi.")).filled({"header-0-1": "a" * 55}),
    "a long code": lambda: EVERYTHING[7].filled({"body-0-1": "1" * 16}),
    "a long payload": lambda: with_buttons(REPLY).filled({}, ["x" * 129]),
    "a long filename": lambda: approved(media("DOCUMENT"), body("Hi.")).filled({"filename-0-filename": "a" * 241}),
    "a paused template": lambda: replace(approved(body("Hi.")), status="PAUSED").filled({}),
    "a part of no name": lambda: approved(body("Hi."), {"type": "SIDEBAR"}).filled({}),
    "a GIF": lambda: approved(media("GIF"), body("Hi.")).filled({}),
    "a card of no known button": lambda: approved(
        body("Hi."), {"type": "CAROUSEL", "cards": [{"components": [buttons({"type": "DANCE"})]}]}
    ).filled({}),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_filling_refuses_in_words(case: str) -> None:
    with pytest.raises(Refused) as caught:
        REFUSALS[case]()
    assert caught.value.explain().endswith(".")


def test_a_refused_value_names_its_field() -> None:
    with pytest.raises(Refused) as caught:
        approved(body("Hi."), CARDS).filled({"card-0-body-0-1": "a", "card-1-body-0-1": "b\nc"})
    assert caught.value.facts["key"] == "card-1-body-0-1"


def test_a_value_that_looks_like_a_variable_is_left_alone() -> None:
    outgoing = PLAIN.filled({"body-0-1": "{{2}}", "body-0-2": "x"})
    assert outgoing.words == "Hello {{2}}, your order x has been sent."
