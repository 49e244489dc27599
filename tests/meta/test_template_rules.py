"""Each of Meta's rules for a definition: what it refuses, and what comes close and passes."""

from dataclasses import replace
from typing import Any

import pytest

from app.meta.message_templates import Template
from app.meta.template_problems import WARNINGS, WORDS
from app.meta.template_rules import problems_of
from tests.cpu import SECONDS, Meter

Json = dict[str, Any]
WORDY = "Hello {{1}}, your order has been sent and arrives tomorrow."
SAMPLE = {"header_handle": ["4::aW1hZ2UvcG5n:AR"]}


def body(text: str = WORDY, *examples: str, **named: str) -> Json:
    if named:
        pairs = [{"param_name": name, "example": example} for name, example in named.items()]
        return {"type": "BODY", "text": text, "example": {"body_text_named_params": pairs}}
    count = text.count("{{") if not examples else 0
    counted = [*examples, *(f"value {n}" for n in range(count))]
    return {"type": "BODY", "text": text, **({"example": {"body_text": [counted]}} if counted else {})}


def header(text: str, *examples: str) -> Json:
    example = {"example": {"header_text": list(examples)}} if examples else {}
    return {"type": "HEADER", "format": "TEXT", "text": text, **example}


def media(format: str = "IMAGE", example: Any = None) -> Json:
    return {"type": "HEADER", "format": format, "example": SAMPLE if example is None else example}


def buttons(*given: Json) -> Json:
    return {"type": "BUTTONS", "buttons": list(given)}


def reply(text: str = "Yes") -> Json:
    return {"type": "QUICK_REPLY", "text": text}


def link(url: str = "https://shop.example/t", text: str = "Open", **more: Any) -> Json:
    return {"type": "URL", "text": text, "url": url, **more}


def code(example: str = "SAVE20") -> Json:
    return {"type": "COPY_CODE", "example": example}


def phone(number: str = "+15550051310", text: str = "Call") -> Json:
    return {"type": "PHONE_NUMBER", "text": text, "phone_number": number}


def flow(**more: Any) -> Json:
    return {"type": "FLOW", "text": "Book", "flow_id": "123", "flow_action": "navigate", **more}


def labelled(kind: str) -> Json:
    return {"type": kind, "text": kind.capitalize().replace("_", " ")}


def cards(*given: list[Json], count: int = 2) -> Json:
    return {
        "type": "CAROUSEL",
        "cards": [{"components": list(one)} for one in (given or [[media(), buttons(link())]] * count)],
    }


def offer(text: str = "Expiring offer", has_expiration: bool = True) -> Json:
    return {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": text, "has_expiration": has_expiration}}


def otp(kind: str = "COPY_CODE", **more: Any) -> Json:
    return buttons({"type": "OTP", "otp_type": kind, **more})


APP = {"package_name": "com.example.app", "signature_hash": "K8a/AINcGX7"}


def template(
    *parts: Json, category: str = "MARKETING", name: str = "order_update", language: str = "en", **more: Any
) -> Template:
    named = more.pop("named", False)
    return Template(name, language, category, "", named, list(parts), **more)


def kinds(one: Template) -> set[tuple[str, str]]:
    return {(problem.path, problem.kind) for problem in problems_of(one)}


def refusals(one: Template) -> list[str]:
    return [f"{problem.path}: {problem.kind}" for problem in problems_of(one) if not problem.is_warning]


REFUSED: dict[str, tuple[Template, str, str]] = {
    "no name": (template(body(), name=""), "name", "name_missing"),
    "capitals in the name": (template(body(), name="Order"), "name", "name_form"),
    "a hyphen in the name": (template(body(), name="order-1"), "name", "name_form"),
    "a line break at the name's end": (template(body(), name="order\n"), "name", "name_form"),
    "513 characters": (template(body(), name="a" * 513), "name", "too_long"),
    "a language that is none": (template(body(), language="xx"), "language", "language_unknown"),
    "a language with a hyphen": (template(body(), language="en-US"), "language", "language_unknown"),
    "no such category": (template(body(), category="TRANSACTIONAL"), "category", "category_unknown"),
    "utility for 13 hours": (template(body(), category="UTILITY", ttl=46_800), "ttl", "ttl_range"),
    "utility for 29 seconds": (template(body(), category="UTILITY", ttl=29), "ttl", "ttl_range"),
    "marketing for 11 hours": (template(body(), ttl=39_600), "ttl", "ttl_range"),
    "marketing for 30 days by default": (template(body(), ttl=-1), "ttl", "ttl_range"),
    "a part of no name": (template(body(), {"type": "SIDEBAR"}), "sidebar", "part_unknown"),
    "two bodies": (template(body(), body()), "body", "part_twice"),
    # Header
    "an empty header": (template(header(" "), body()), "header.text", "text_missing"),
    "a header of 61": (template(header("a" * 61), body()), "header.text", "too_long"),
    "a line break in the header": (template(header("One\ntwo"), body()), "header.text", "line_breaks"),
    "an emoji in the header": (template(header("Sale 🎉"), body()), "header.text", "emoji"),
    "asterisks in the header": (template(header("A *big* thing"), body()), "header.text", "formatting"),
    "struck out in the header": (template(header("Now ~10~ 9"), body()), "header.text", "formatting"),
    "italics in the header": (template(header("A _new_ cake"), body()), "header.text", "formatting"),
    "two variables in the header": (
        template(header("{{1}} and {{2}}", "a", "b"), body()),
        "header.text",
        "variables_many",
    ),
    "no example for the header": (template(header("Order {{1}}"), body()), "header.example", "example_missing"),
    "an image without a sample": (template(media(example={}), body()), "header.example", "sample_missing"),
    "an image with an empty sample": (
        template(media(example={"header_handle": [""]}), body()),
        "header.example",
        "sample_missing",
    ),
    "a header that is a GIF": (template(media("GIF"), body()), "header", "header_gif"),
    "a header that is a song": (template(media("AUDIO"), body()), "header", "header_format"),
    # Body
    "no body": (template(header("Hello")), "body", "text_missing"),
    "a blank body": (template(body(" \n")), "body", "text_missing"),
    "only marks of direction": (template(body("\u200f\u200e")), "body", "text_missing"),
    "a body of 1,025": (template(body("a" * 1025)), "body", "too_long"),
    "three line breaks": (template(body("One.\n\n\nTwo.")), "body", "blank_lines"),
    "a variable at the start": (template(body("{{1}}, your order has been sent.")), "body", "variable_at_start"),
    "after a space at the start": (template(body(" {{1}}, your order has been sent.")), "body", "variable_at_start"),
    "after a mark at the start": (
        template(body("\u200f{{1}}, your order has been sent.")),
        "body",
        "variable_at_start",
    ),
    "a variable at the end": (template(body("Your order has been sent to {{1}}")), "body", "variable_at_end"),
    "a mark after the end": (template(body("Your order has been sent to {{1}}\u200f\n")), "body", "variable_at_end"),
    "two side by side": (
        template(body("Hello {{1}}{{2}}, your order has been sent today.")),
        "body",
        "variables_adjacent",
    ),
    "a mark between two": (
        template(body("Hello {{1}}\u200f{{2}}, your order has been sent today.")),
        "body",
        "variables_adjacent",
    ),
    "more variables than words": (template(body("Hi {{1}} and {{2}}.")), "body", "variables_dense"),
    "a gap in the numbers": (template(body("Hello {{1}}, your order {{3}} has been sent.")), "body", "variable_order"),
    "numbers from zero": (template(body("Hello {{0}}, your order has been sent.")), "body", "variable_form"),
    "one bracket": (template(body("Hello {1}, your order has been sent.")), "body", "braces"),
    "a bracket too few": (template(body("Hello {{1}, your order has been sent.")), "body", "braces"),
    "a bracket too many": (template(body("Hello {{{1}}, your order has been sent.")), "body", "braces"),
    "nothing in the brackets": (template(body("Hello {{}}, your order has been sent.")), "body", "variable_form"),
    "a space in the brackets": (template(body("Hello {{ 1 }}, your order has been sent.")), "body", "variable_form"),
    "a mark in the brackets": (
        template(body("Hello {{\u200e1}}, your order has been sent.")),
        "body",
        "variable_marks",
    ),
    "a dollar in the name": (
        template(body("Hello {{na$me}}, your order has been sent."), named=True),
        "body",
        "variable_form",
    ),
    "capitals in the variable": (
        template(body("Hello {{Name}}, your order has been sent."), named=True),
        "body",
        "variable_form",
    ),
    "a name among numbers": (
        template(body("Hello {{1}}, your order {{order}} has been sent now.")),
        "body",
        "variable_mixed",
    ),
    "a number among names": (
        template(body("Hello {{name}}, your order {{1}} has been sent.", name="Ann"), named=True),
        "body",
        "variable_mixed",
    ),
    "no example": (template({"type": "BODY", "text": WORDY}), "body.examples.1", "example_missing"),
    "a blank example": (template(body(WORDY, " ")), "body.examples.1", "example_missing"),
    "the second example is missing": (
        template(body("Hello {{1}}, your order {{2}} has been sent.", "Ann")),
        "body.examples.2",
        "example_missing",
    ),
    "the example of another name": (
        template(body("Hello {{name}}, your order has been sent.", other="Ann"), named=True),
        "body.examples.name",
        "example_missing",
    ),
    "an example too many": (template(body(WORDY, "Ann", "Bob")), "body.examples", "examples_surplus"),
    "a link to WhatsApp": (template(body("Write to https://wa.me/15550051310 at any time.")), "body", "whatsapp_link"),
    "a bare link to WhatsApp": (template(body("Write to WA.me/15550051310 at any time.")), "body", "whatsapp_link"),
    # Footer
    "an empty footer": (template(body(), {"type": "FOOTER", "text": ""}), "footer", "text_missing"),
    "a footer of 61": (template(body(), {"type": "FOOTER", "text": "a" * 61}), "footer", "too_long"),
    "a variable in the footer": (
        template(body(), {"type": "FOOTER", "text": "By {{1}}"}),
        "footer",
        "variable_not_here",
    ),
    "a line break in the footer": (template(body(), {"type": "FOOTER", "text": "a\nb"}), "footer", "line_breaks"),
    "an emoji in the footer": (template(body(), {"type": "FOOTER", "text": "Bye 👋"}), "footer", "emoji"),
    "a bold footer": (template(body(), {"type": "FOOTER", "text": "*Bye*"}), "footer", "formatting"),
    "eleven emoji": (template(body("🎉 a " * 11)), "body", "emoji_many"),
    "eleven emoji in a row": (template(body("Hello " + "🎉" * 11)), "body", "emoji_many"),
    # Buttons
    "buttons that are none": (template(body(), buttons()), "buttons", "buttons_missing"),
    "eleven buttons": (template(body(), buttons(*(reply(f"No {n}") for n in range(11)))), "buttons", "buttons_many"),
    "a label of 26": (template(body(), buttons(reply("a" * 26))), "buttons.0.text", "too_long"),
    "no label": (template(body(), buttons(reply(""))), "buttons.0.text", "text_missing"),
    "a variable in a label": (template(body(), buttons(reply("Hi {{1}}"))), "buttons.0.text", "variable_not_here"),
    "an emoji in a label": (template(body(), buttons(reply("Yes ✅"))), "buttons.0.text", "emoji"),
    "a line break in a label": (template(body(), buttons(reply("Yes\nNo"))), "buttons.0.text", "line_breaks"),
    "a bold label": (template(body(), buttons(reply("*Yes*"))), "buttons.0.text", "formatting"),
    "two labels alike": (template(body(), buttons(reply("Yes"), reply("yes "))), "buttons.1.text", "label_twice"),
    "a reply between links": (
        template(body(), buttons(reply(), link(), reply("No"))),
        "buttons",
        "buttons_order",
    ),
    "a link between replies": (
        template(body(), buttons(link(), reply(), link(text="Two"))),
        "buttons",
        "buttons_order",
    ),
    "three links": (
        template(body(), buttons(*(link(text=f"Open {n}") for n in range(3)))),
        "buttons.2",
        "buttons_of_kind",
    ),
    "two phone numbers": (template(body(), buttons(phone(), phone(text="Two"))), "buttons.1", "buttons_of_kind"),
    "two codes": (template(body(), buttons(code(), code())), "buttons.1", "buttons_of_kind"),
    "a button of no kind": (template(body(), buttons({"type": "DANCE"})), "buttons.0", "button_unknown"),
    "a code button in marketing": (template(body(), otp()), "buttons.0", "button_not_here"),
    "no address": (template(body(), buttons(link(""))), "buttons.0.url", "link_missing"),
    "an address without a scheme": (template(body(), buttons(link("shop.example"))), "buttons.0.url", "link_form"),
    "an address with a space": (
        template(body(), buttons(link("https://shop.example/a b"))),
        "buttons.0.url",
        "link_form",
    ),
    "an address of scripts": (template(body(), buttons(link("javascript:alert(1)"))), "buttons.0.url", "link_form"),
    "an address of 2,001": (
        template(body(), buttons(link("https://shop.example/" + "a" * 1980))),
        "buttons.0.url",
        "too_long",
    ),
    "a variable in the middle": (
        template(body(), buttons(link("https://shop.example/{{1}}/x", example=["a"]))),
        "buttons.0.url",
        "link_variables",
    ),
    "two variables in a link": (
        template(body(), buttons(link("https://shop.example/{{1}}{{2}}", example=["a"]))),
        "buttons.0.url",
        "link_variables",
    ),
    "half a variable in a link": (
        template(body(), buttons(link("https://shop.example/{{1}", example=["a"]))),
        "buttons.0.url",
        "link_variables",
    ),
    "a link that is all variable": (
        template(body(), buttons(link("https://{{1}}", example=["a"]))),
        "buttons.0.url",
        "link_form",
    ),
    "a variable in the host": (
        template(body(), buttons(link("https://shop.example{{1}}", example=["a"]))),
        "buttons.0.url",
        "link_variable_in_host",
    ),
    "no example for a link": (
        template(body(), buttons(link("https://shop.example/{{1}}"))),
        "buttons.0.example",
        "example_missing",
    ),
    "a button that opens WhatsApp": (
        template(body(), buttons(link("https://wa.me/15550051310"))),
        "buttons.0.url",
        "whatsapp_link",
    ),
    "no number": (template(body(), buttons(phone(""))), "buttons.0.phone_number", "phone_missing"),
    "a number of letters": (template(body(), buttons(phone("call me"))), "buttons.0.phone_number", "phone_form"),
    "a number of 21": (template(body(), buttons(phone("+" + "1" * 20))), "buttons.0.phone_number", "phone_form"),
    "no code": (template(body(), buttons(code(""))), "buttons.0.example", "code_missing"),
    "a code of 16": (template(body(), buttons(code("A" * 16))), "buttons.0.example", "too_long"),
    "no flow": (template(body(), buttons(flow(flow_id=""))), "buttons.0.flow_id", "flow_missing"),
    "two flows": (template(body(), buttons(flow(flow_name="x"))), "buttons.0.flow_id", "flow_twice"),
    "a flow that jumps": (template(body(), buttons(flow(flow_action="jump"))), "buttons.0.flow_action", "flow_action"),
    "a screen for an endpoint": (
        template(body(), buttons(flow(flow_action="data_exchange", navigate_screen="A"))),
        "buttons.0.navigate_screen",
        "flow_screen",
    ),
    "an icon of a cat": (template(body(), buttons(flow(icon="CAT"))), "buttons.0.icon", "flow_icon"),
    "a call for ever": (
        template(body(), buttons({**labelled("VOICE_CALL"), "ttl_minutes": 43_201})),
        "buttons.0.ttl_minutes",
        "call_validity",
    ),
    "a label for sharing a number": (
        template(body(), buttons({"type": "REQUEST_CONTACT_INFO", "text": "Give me your number"})),
        "buttons.0.text",
        "label_fixed",
    ),
    "a catalogue and a reply": (template(body(), buttons(labelled("CATALOG"), reply())), "buttons", "button_alone"),
    "a catalogue with a header": (
        template(header("Hi"), body(), buttons(labelled("CATALOG"))),
        "header",
        "part_not_here",
    ),
    "products below an image": (template(media(), body(), buttons(labelled("MPM"))), "header", "part_not_here"),
    "a product without its header": (template(body(), buttons(labelled("SPM"))), "header", "product_header"),
    "a product header alone": (template({"type": "HEADER", "format": "PRODUCT"}, body()), "buttons", "product_header"),
    "a catalogue in utility": (
        template(body(), buttons(labelled("CATALOG")), category="UTILITY"),
        "buttons.0",
        "needs_marketing",
    ),
    # Carousel
    "one card": (template(body(), cards(count=1)), "cards", "cards_count"),
    "eleven cards": (template(body(), cards(count=11)), "cards", "cards_count"),
    "a carousel in utility": (template(body(), cards(), category="UTILITY"), "cards", "needs_marketing"),
    "a header above cards": (template(header("Hi"), body(), cards()), "header", "part_not_here"),
    "a footer below cards": (template(body(), cards(), {"type": "FOOTER", "text": "x"}), "footer", "part_not_here"),
    "buttons beside cards": (template(body(), cards(), buttons(reply())), "buttons", "part_not_here"),
    "a card with another button": (
        template(body(), cards([media(), buttons(link())], [media(), buttons(reply())])),
        "cards.1",
        "card_shape",
    ),
    "a card with a video among images": (
        template(body(), cards([media(), buttons(link())], [media("VIDEO"), buttons(link())])),
        "cards.1",
        "card_shape",
    ),
    "a card with a text of its own": (
        template(body(), cards([media(), buttons(link())], [media(), body("New."), buttons(link())])),
        "cards.1",
        "card_shape",
    ),
    "a card without a picture": (template(body(), cards([body("A")], [body("B")])), "cards.0.header", "card_header"),
    "a card with a document": (
        template(body(), cards([media("DOCUMENT")], [media("DOCUMENT")])),
        "cards.0.header",
        "card_header",
    ),
    "a card without a sample": (
        template(body(), cards(*[[media(example={}), buttons(link())]] * 2)),
        "cards.1.header.example",
        "sample_missing",
    ),
    "161 characters on a card": (
        template(body(), cards(*[[media(), body("a" * 161), buttons(link())]] * 2)),
        "cards.1.body",
        "too_long",
    ),
    "no example on a card": (
        template(body(), cards(*[[media(), {"type": "BODY", "text": "Cake {{1}} is new here."}]] * 2)),
        "cards.1.body.examples.1",
        "example_missing",
    ),
    "three buttons on a card": (
        template(body(), cards(*[[media(), buttons(reply("A"), reply("B"), reply("C"))]] * 2)),
        "cards.0.buttons",
        "buttons_of_card",
    ),
    "a flow on a card": (
        template(body(), cards(*[[media(), buttons(flow())]] * 2)),
        "cards.0.buttons.0",
        "button_not_here",
    ),
    "a footer on a card": (
        template(body(), cards(*[[media(), {"type": "FOOTER", "text": "x"}]] * 2)),
        "cards.0.footer",
        "part_not_here",
    ),
    "three cards of products": (
        template(body(), cards(*[[{"type": "HEADER", "format": "PRODUCT"}, buttons(labelled("SPM"))]] * 3)),
        "cards",
        "product_cards_count",
    ),
    # Offer
    "an offer of 17": (
        template(offer("a" * 17), body(), buttons(code(), link())),
        "limited_time_offer.text",
        "too_long",
    ),
    "an offer without words": (
        template(offer(""), body(), buttons(code(), link())),
        "limited_time_offer.text",
        "text_missing",
    ),
    "an offer with a footer": (
        template(offer(), body(), {"type": "FOOTER", "text": "x"}, buttons(code(), link())),
        "footer",
        "part_not_here",
    ),
    "an offer below a document": (
        template(media("DOCUMENT"), offer(), body(), buttons(code(), link())),
        "header",
        "offer_header",
    ),
    "an offer of 601": (template(offer(), body("a" * 601), buttons(code(), link())), "body", "too_long"),
    "an offer without its code": (template(offer(), body(), buttons(link())), "buttons", "offer_needs_code"),
    "an offer without a link": (template(offer(), body(), buttons(code())), "buttons", "offer_needs_link"),
    "an offer's code behind": (template(offer(), body(), buttons(link(), code())), "buttons", "offer_code_first"),
    "an offer with a reply": (
        template(offer(), body(), buttons(code(), link(), reply())),
        "buttons.2",
        "button_not_here",
    ),
    "an offer in utility": (
        template(offer(), body(), buttons(code(), link()), category="UTILITY"),
        "limited_time_offer",
        "needs_marketing",
    ),
}


def authentication(*parts: Json, **more: Any) -> Template:
    return template(*parts, category="AUTHENTICATION", **more)


PLAIN = {"type": "BODY"}
REFUSED |= {
    "a code for 16 minutes": (authentication(PLAIN, otp(), ttl=901), "ttl", "ttl_range"),
    "words of its own": (authentication(body("Your code."), otp()), "body", "otp_text"),
    "a footer of its own": (authentication(PLAIN, {"type": "FOOTER", "text": "x"}, otp()), "footer", "otp_text"),
    "a header above a code": (authentication(header("Hi"), PLAIN, otp()), "header", "part_not_here"),
    "advice that is a word": (
        authentication({"type": "BODY", "add_security_recommendation": "yes"}, otp()),
        "body.add_security_recommendation",
        "otp_flag",
    ),
    "91 minutes": (
        authentication(PLAIN, {"type": "FOOTER", "code_expiration_minutes": 91}, otp()),
        "footer.code_expiration_minutes",
        "otp_minutes",
    ),
    "0 minutes": (
        authentication(PLAIN, {"type": "FOOTER", "code_expiration_minutes": 0}, otp()),
        "footer.code_expiration_minutes",
        "otp_minutes",
    ),
    "no button for the code": (authentication(PLAIN), "buttons", "otp_button"),
    "a reply for the code": (authentication(PLAIN, buttons(reply())), "buttons", "otp_button"),
    "no body for the code": (authentication(otp()), "body", "text_missing"),
    "no way to take the code": (authentication(PLAIN, otp("FAX")), "buttons.0.otp_type", "otp_type"),
    "one-tap without an app": (authentication(PLAIN, otp("ONE_TAP")), "buttons.0.supported_apps", "otp_apps_missing"),
    "copying with an app": (
        authentication(PLAIN, otp(supported_apps=[APP])),
        "buttons.0.supported_apps",
        "otp_apps_not_here",
    ),
    "six apps": (
        authentication(PLAIN, otp("ONE_TAP", supported_apps=[APP] * 6)),
        "buttons.0.supported_apps",
        "otp_apps_many",
    ),
    "a package of one word": (
        authentication(PLAIN, otp("ONE_TAP", supported_apps=[APP | {"package_name": "app"}])),
        "buttons.0.supported_apps.0.package_name",
        "otp_package",
    ),
    "a hash of ten": (
        authentication(PLAIN, otp("ONE_TAP", supported_apps=[APP | {"signature_hash": "K8a/AINcGX"}])),
        "buttons.0.supported_apps.0.signature_hash",
        "otp_hash",
    ),
    "zero-tap without the terms": (
        authentication(PLAIN, otp("ZERO_TAP", supported_apps=[APP])),
        "buttons.0.zero_tap_terms_accepted",
        "otp_terms",
    ),
    "a label of 26 on the code": (authentication(PLAIN, otp(text="a" * 26)), "buttons.0.text", "too_long"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_meta_refuses_is_refused_at_its_field(case: str) -> None:
    one, path, kind = REFUSED[case]
    assert (path, kind) in kinds(one)
    assert kind not in WARNINGS


ACCEPTED: dict[str, Template] = {
    "a text": template(body()),
    "512 characters": template(body(), name="a" * 512),
    "digits first": template(body(), name="2023_april_promo"),
    "lower case category": template(body(), category="marketing"),
    "utility for 12 hours": template(body(), category="UTILITY", ttl=43_200),
    "utility for 30 days": template(body(), category="UTILITY", ttl=-1),
    "a header of 60": template(header("a" * 60), body()),
    "a header that ends with a variable": template(header("Order {{1}}", "860198"), body()),
    "a name with underscores in the header": template(
        {
            "type": "HEADER",
            "format": "TEXT",
            "text": "From {{sale_start_date}} on",
            "example": {"header_text_named_params": [{"param_name": "sale_start_date", "example": "May 1"}]},
        },
        body("Hello {{name}}, your order has been sent.", name="Ann"),
        named=True,
    ),
    "about ten minutes": template(header("Here in ~10 minutes"), body()),
    "an underscore within a word": template(header("Order no_1 of 2"), body()),
    "an image": template(media(), body()),
    "a video": template(media("VIDEO"), body()),
    "a document": template(media("DOCUMENT"), body(), category="UTILITY"),
    "a place": template({"type": "HEADER", "format": "LOCATION"}, body(), category="UTILITY"),
    "lower case parts": template({"type": "body", "text": "Check out this new offer"}, buttons(flow())),
    "1,024 characters": template(body("a" * 1024)),
    "a blank line": template(body("One.\n\nTwo.")),
    "bold text and emoji": template(body("*Hello* 🎉 your order has been sent.")),
    "a full stop after the variable": template(body("Your order has been sent to {{1}}.")),
    "the bold variable at the start": template(body("*{{1}}*, your order has been sent.")),
    "numbers in any order": template(body("Your parcel {{2}} is on its way to you, {{1}}.")),
    "one variable twice": template(
        {
            "type": "BODY",
            "text": "Hello {{1}}, we wrote to you that {{1}} is your name.",
            "example": {"body_text": [["Ann"]]},
        }
    ),
    "just words enough": template(body("Hello {{1}}, it came.")),
    "characters as words": template(body("您好{{1}}，您的订单{{2}}已发货。"), language="zh_CN"),
    "the last digits of a number": template(body("Please enter the last 4 digits of your card number.")),
    "advice about passwords": template(body("Do not share your password with anybody.")),
    "right to left": template(body("\u200fمرحبا {{1}}، تم إرسال طلبك رقم {{2}} اليوم.\u200f"), language="ar"),
    "examples in a flat list": template({"type": "BODY", "text": WORDY, "example": {"body_text": ["Ann"]}}),
    "names": template(body("Hello {{first_name}}, your order has been sent.", first_name="Ann"), named=True),
    "a word that holds wa.me": template(body("Visit https://stowa.me.example/menu for our menu.")),
    "a footer of 60": template(body(), {"type": "FOOTER", "text": "a" * 60}),
    "ten replies": template(body(), buttons(*(reply(f"No {n}") for n in range(10)))),
    "a label of 25": template(body(), buttons(reply("a" * 25))),
    "replies first": template(body(), buttons(reply(), reply("No"), link())),
    "replies last": template(body(), buttons(link(), phone(), reply(), reply("Stop promotions"))),
    "two links": template(body(), buttons(link(), link(text="Two"))),
    "a link with a variable": template(body(), buttons(link("https://shop.example/t/{{1}}", example=["abc"]))),
    "a link with an example as text": template(body(), buttons(link("https://shop.example/t?x={{1}}", example="abc"))),
    "a link in another script": template(body(), buttons(link("https://münchen.example/straße"))),
    "a number without a plus": template(body(), buttons(phone("16467043595"))),
    "a number with spaces": template(body(), buttons(phone("+1 (555) 005-1310"))),
    "a code": template(body(), buttons(code("A" * 15))),
    "a flow of its own": template(body(), buttons(flow(flow_id="", flow_json="{}"))),
    "a flow of an endpoint": template(body(), buttons(flow(flow_action="DATA_EXCHANGE", icon="REVIEW"))),
    "a call": template(body(), buttons({**labelled("VOICE_CALL"), "ttl_minutes": 100})),
    "a request for the number": template(body(), buttons({"type": "REQUEST_CONTACT_INFO"}), category="UTILITY"),
    "a request to call": template(body(), {"type": "call_permission_request"}, category="UTILITY"),
    "a catalogue": template(body(), {"type": "FOOTER", "text": "x"}, buttons(labelled("CATALOG"))),
    "products": template(header("Forget something {{1}}?", "Pablo"), body(), buttons(labelled("MPM"))),
    "one product": template({"type": "HEADER", "format": "PRODUCT"}, body(), buttons(labelled("SPM"))),
    "two cards": template(body(), cards()),
    "ten cards with texts": template(
        body(), cards(*[[media("VIDEO"), body("a" * 160), buttons(reply(), link())]] * 10)
    ),
    "two cards of products": template(
        body(), cards(*[[{"type": "HEADER", "format": "PRODUCT"}, buttons(labelled("SPM"))]] * 2)
    ),
    "an offer": template(media(), offer("a" * 16), body("a" * 600), buttons(code(), link())),
    "an offer without an end": template(offer(has_expiration=False), body(), buttons(link())),
    "a code to copy": authentication(
        {"type": "BODY", "add_security_recommendation": True}, otp(text="Copy code"), ttl=30
    ),
    "90 minutes": authentication(PLAIN, {"type": "FOOTER", "code_expiration_minutes": 90}, otp()),
    "one-tap": authentication(PLAIN, otp("ONE_TAP", supported_apps=[APP] * 5, autofill_text="Autofill")),
    "one-tap as it used to be": authentication(PLAIN, otp("ONE_TAP", **APP | {"signature_hash": "K8a%2FAINcGX7"})),
    "zero-tap": authentication(PLAIN, otp("ZERO_TAP", supported_apps=[APP], zero_tap_terms_accepted=True)),
    "a code template as Meta gives it back": authentication(
        body("*{{1}}* is your verification code.", "123456"),
        {"type": "FOOTER", "text": "This code expires in 10 minutes.", "code_expiration_minutes": 10},
        buttons(
            link("https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}", "Copy code", example=["x"])
        ),
    ),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_what_comes_close_is_accepted(case: str) -> None:
    assert refusals(ACCEPTED[case]) == []


WARNED: dict[str, tuple[Template, str, str]] = {
    "a space between two": (
        template(body("Hello {{1}} {{2}}, your order has been sent today.")),
        "body",
        "variables_close",
    ),
    "a header of nothing else": (template(header("{{1}}", "x"), body()), "header.text", "header_only_variable"),
    "a validity for marketing": (template(body(), ttl=43_200), "ttl", "ttl_marketing"),
    "another language": (template(body("您好{{1}}，您的订单{{2}}已发货。")), "body", "language_mismatch"),
    "a password": (template(body("Please enter your password to go on.")), "body", "asks_for_secret"),
    "a password in Spanish": (template(body("Responda con su contraseña, por favor.")), "body", "asks_for_secret"),
    "a password in German": (template(body("Bitte senden Sie uns Ihr Passwort.")), "body", "asks_for_secret"),
    "a threat in German": (template(body("Sonst folgen rechtliche Schritte gegen Sie.")), "body", "threatening"),
    "a threat": (template(body("Pay today, or else we come back.")), "body", "threatening"),
    "a short link": (template(body("Look at https://bit.ly/3xYz for more of it.")), "body", "short_link"),
    "a button that opens a short link": (
        template(body(), buttons(link("https://tinyurl.com/abc"))),
        "buttons.0.url",
        "short_link",
    ),
    "a code with a hyphen": (template(body(), buttons(code("SAVE-20"))), "buttons.0.example", "code_form"),
    "advertising in utility": (
        template(body("Your order is here. Get 20% off your next one."), category="UTILITY"),
        "body",
        "promotional",
    ),
    "advertising on a button": (
        template(body(), buttons(reply("Shop now")), category="UTILITY"),
        "buttons.0.text",
        "promotional",
    ),
}


@pytest.mark.parametrize("case", WARNED)
def test_what_meta_often_refuses_is_a_warning(case: str) -> None:
    one, path, kind = WARNED[case]
    assert (path, kind) in kinds(one)
    assert refusals(one) == []


@pytest.mark.parametrize(
    "words",
    [
        "N’envoyez jamais votre mot de passe.",
        "Senden Sie uns nie Ihr Passwort.",
        "Bitte nennen Sie die letzten vier Ziffern Ihrer Kartennummer.",
    ],
)
def test_advice_against_sending_a_secret_and_a_part_of_one_are_no_request(words: str) -> None:
    assert [kind for _path, kind in kinds(template(body(words))) if kind == "asks_for_secret"] == []


def test_advertising_is_welcome_in_marketing() -> None:
    assert not kinds(template(body("Get 20% off your next order.")))


def test_every_problem_says_what_to_change() -> None:
    ours = [template(body()), *(one for one, _path, _kind in (*REFUSED.values(), *WARNED.values()))]
    for problem in (problem for one in ours for problem in problems_of(one)):
        words = problem.explain()
        assert words[0].isupper() or words[0] in "“{"
        assert words.endswith(".") and len(words.split()) > 2


def test_words_are_translated_before_they_are_filled_in() -> None:
    (problem,) = problems_of(template(body("a" * 1025)))
    assert problem.explain(
        lambda words: words.upper().replace("{OVER}", "{over}").replace("{MOST}", "{most}")
    ).startswith("SHORTEN THIS BY 1")


@pytest.mark.parametrize("kind", WORDS)
def test_every_kind_of_problem_is_one_or_two_sentences(kind: str) -> None:
    assert 1 <= WORDS[kind].replace("https://example.com", "").count(". ") + 1 <= 3


# 50 ms, where a request may take 300.
SHARE = 0.05 / SECONDS


@pytest.fixture(scope="module")
def meter() -> Meter:
    return Meter()


HOSTILE = {
    "opening brackets": "{" * 65_000,
    "brackets": "{}" * 32_500,
    "variables": "{{1}}" * 13_000,
    "open variables": "{{a" * 21_000,
    "names": " ".join(f"{{{{a{n}}}}}" for n in range(7_000)),
    "spaces": " " * 65_000,
    "spaces and a letter": " " * 64_000 + "a",
    "line breaks": "a\n\t" * 21_000,
    "dots": "." * 65_000,
    "hosts": "a." * 32_000,
    "links": "https://" * 8_000,
    "percents": "100% " * 13_000,
    "emoji": "🎉" * 65_000,
    "marks": "\u200f" * 65_000,
    "underscores": "_a_" * 21_000,
}


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.parametrize("length", [65_000, 8_000, 2_000])
@pytest.mark.parametrize("category", ["UTILITY", "AUTHENTICATION"])
def test_hostile_texts_are_judged_in_50_ms(meter: Meter, case: str, length: int, category: str) -> None:
    words = HOSTILE[case][:length]
    parts = [
        header(words, words),
        body(words, words),
        {"type": "FOOTER", "text": words},
        buttons(reply(words), link(words)),
    ]
    one = template(*parts, category=category, name=words, language="es")
    assert refusals(one)
    assert meter.seconds(lambda: refusals(one)) < meter.most * SHARE


@pytest.mark.parametrize(
    "components",
    [
        [{}],
        [{"type": None}],
        [{"type": "BODY", "text": {"a": 1}}],
        [{"type": "BUTTONS", "buttons": "x"}],
        [{"type": "BUTTONS", "buttons": [1, None, {"type": "URL", "url": 7}]}],
        [{"type": "CAROUSEL", "cards": [1, {"components": 2}]}],
        [{"type": "LIMITED_TIME_OFFER", "limited_time_offer": []}],
        [{"type": "HEADER", "format": 5, "example": "x"}],
        [{"type": "BODY", "text": "Hi {{1}}", "example": {"body_text": [[{"a": 1}]]}}],
        [{"type": "BUTTONS", "buttons": [{"type": "URL", "text": "a", "url": "https://[::1"}]}],
    ],
)
def test_a_definition_of_any_shape_is_judged(components: Any) -> None:
    for category in ("MARKETING", "UTILITY", "AUTHENTICATION", "OTHER"):
        assert problems_of(replace(template(), components=components, category=category))


def test_many_buttons_and_cards_take_no_longer(meter: Meter) -> None:
    many = template(body(), buttons(*[reply("x" * 50)] * 5_000), cards(count=1_000), category="UTILITY")
    assert problems_of(many)
    assert meter.seconds(lambda: problems_of(many)) < meter.most * SHARE
