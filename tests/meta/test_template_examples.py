"""Meta's own examples: each definition passes, and each message is what `filled` builds, member for member."""

from typing import Any

import pytest

from app.meta.message_templates import Template, read
from app.meta.template_calls import definition_of
from app.meta.template_rules import problems_of
from app.meta.template_sending import problems_of_sending, with_samples

Json = dict[str, Any]
HANDLE = "4::aW1hZ2UvcG5n:ARa525X6tIfmZGSxQPzTuZ:e:1700000000:634974688087057:100089620928913:ARa1ZDhwbLZM3EENeeg"


def made(name: str, category: str, *components: Json, language: str = "en_US", **more: Any) -> Json:
    return {"name": name, "language": language, "category": category, "components": list(components), **more}


def body(text: str, *examples: str) -> Json:
    return {"type": "BODY", "text": text, **({"example": {"body_text": [list(examples)]}} if examples else {})}


def media(format: str) -> Json:
    return {"type": "HEADER", "format": format, "example": {"header_handle": [HANDLE]}}


def buttons(*given: Json) -> Json:
    return {"type": "BUTTONS", "buttons": list(given)}


def footer(text: str) -> Json:
    return {"type": "FOOTER", "text": text}


CARD = [
    media("IMAGE"),
    body("Add a touch of elegance to your collection with the {{1}} succulent, rare in the wild.", "Blue Elf"),
    buttons(
        {"type": "QUICK_REPLY", "text": "Send me more like this!"},
        {
            "type": "URL",
            "text": "Shop",
            "url": "https://www.luckyshrub.com/rare-succulents/{{1}}",
            "example": ["BLUE_ELF"],
        },
    ),
]
DEFINITIONS: dict[str, Json] = {
    "named": made(
        "order_update",
        "UTILITY",
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
        footer("Lucky Shrub"),
        buttons(
            {"type": "URL", "text": "Track", "url": "https://x.example/t/{{1}}", "example": ["abc"]},
            {"type": "QUICK_REPLY", "text": "Stop"},
        ),
        parameter_format="NAMED",
        message_send_ttl_seconds=3600,
    ),
    "text header": made(
        "seasonal_promotion_text_only",
        "MARKETING",
        {"type": "HEADER", "format": "TEXT", "text": "Our {{1}} is on!", "example": {"header_text": ["Summer Sale"]}},
        body(
            "Shop now through {{1}} and use code {{2}} to get {{3}} off of all merchandise.",
            "the end of August",
            "25OFF",
            "25%",
        ),
        footer("Use the buttons below to manage your marketing subscriptions"),
        buttons(
            {"type": "QUICK_REPLY", "text": "Unsubcribe from Promos"},
            {"type": "QUICK_REPLY", "text": "Unsubscribe from All"},
        ),
        language="en",
    ),
    "image header": made(
        "limited_time_offer_tuscan_getaway_2023",
        "MARKETING",
        media("IMAGE"),
        body(
            "Hi {{1}}! For a limited time only you can get our {{2}} for as low as {{3}}. Tap the Offer Details button "
            "for more information.",
            "Mark",
            "Tuscan Getaway package",
            "800",
        ),
        footer("Offer valid until May 31, 2023"),
        buttons(
            {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "16467043595"},
            {
                "type": "URL",
                "text": "Shop Now",
                "url": "https://damp-sea-63235.herokuapp.com/shop?promo={{1}}",
                "example": ["summer2023"],
            },
        ),
    ),
    "location header": made(
        "order_delivery_update",
        "UTILITY",
        {"type": "HEADER", "format": "LOCATION"},
        body(
            "Good news {{1}}! Your order #{{2}} is on its way to the location above. Thank you for your order!",
            "Mark",
            "566701",
        ),
        footer("To stop receiving delivery updates, tap the button below."),
        buttons({"type": "QUICK_REPLY", "text": "Stop Delivery Updates"}),
    ),
    "document header": made(
        "order_confirmation",
        "UTILITY",
        media("DOCUMENT"),
        body(
            "Thank you for your order, {{1}}! Your order number is {{2}}. Tap the PDF linked above to view your "
            "receipt. If you have any questions, please use the buttons below to contact support. Thanks again!",
            "Mark",
            "860198-230332",
        ),
        buttons(
            {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "16467043595"},
            {"type": "URL", "text": "Contact Support", "url": "https://www.examplesite.com/support"},
        ),
    ),
    "products": made(
        "abandoned_cart",
        "MARKETING",
        {"type": "HEADER", "format": "TEXT", "text": "Forget something {{1}}?", "example": {"header_text": ["Pablo"]}},
        body(
            "Looks like you left some items in your cart! Use code {{1}} and you can get 10% off of all of them!",
            "10OFF",
        ),
        buttons({"type": "MPM", "text": "View items"}),
    ),
    "catalogue": made(
        "intro_catalog_offer",
        "MARKETING",
        body(
            "Now shop for your favourite products right here on WhatsApp! Get Rs {{1}} off on all orders above "
            "{{2}}Rs! Valid for your first {{3}} orders placed on WhatsApp!",
            "100",
            "400",
            "3",
        ),
        footer("Best grocery deals on WhatsApp!"),
        buttons({"type": "CATALOG", "text": "View catalog"}),
    ),
    "one product": made(
        "abandoned_cart_offer",
        "MARKETING",
        {"type": "HEADER", "format": "PRODUCT"},
        body("Use code {{1}} to get {{2}} off our newest succulent!", "25OFF", "25%"),
        footer("Offer ends September 22, 2024"),
        buttons({"type": "SPM", "text": "View"}),
    ),
    "flow by id": made(
        "flow_by_id",
        "MARKETING",
        {"type": "body", "text": "Check out this new offer"},
        buttons(
            {
                "type": "FLOW",
                "text": "Check out this offer!",
                "flow_id": "1234567890",
                "flow_action": "navigate",
                "navigate_screen": "WELCOME_SCREEN",
            }
        ),
    ),
    "flow by JSON": made(
        "flow_by_json",
        "MARKETING",
        {"type": "body", "text": "Check out this new offer"},
        buttons(
            {
                "type": "FLOW",
                "text": "Check out this offer!",
                "flow_json": '{"version":"5.0","screens":[{"id":"WELCOME_SCREEN"}]}',
                "flow_action": "navigate",
                "navigate_screen": "WELCOME_SCREEN",
            }
        ),
    ),
    "limited-time offer": made(
        "limited_time_offer_caribbean_pkg_2023",
        "MARKETING",
        media("IMAGE"),
        {"type": "limited_time_offer", "limited_time_offer": {"text": "Expiring offer!", "has_expiration": True}},
        body(
            "Good news, {{1}}! Use code {{2}} to get 25% off all Caribbean Destination packages!", "Pablo", "CARIBE25"
        ),
        buttons(
            {"type": "COPY_CODE", "example": "CARIBE25"},
            {
                "type": "URL",
                "text": "Book now!",
                "url": "https://awesomedestinations.com/offers?code={{1}}",
                "example": ["https://awesomedestinations.com/offers?ref=n3mtql"],
            },
        ),
    ),
    "carousel": made(
        "media_card_carousel",
        "MARKETING",
        body("Rare succulents for sale! {{1}}, add these unique plants to your collection.", "Pablo"),
        {"type": "carousel", "cards": [{"components": CARD}, {"components": CARD}]},
    ),
    "code to copy": made(
        "authentication_code_copy_code_button",
        "AUTHENTICATION",
        {"type": "BODY", "add_security_recommendation": True},
        {"type": "FOOTER", "code_expiration_minutes": 10},
        buttons({"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy Code"}),
        message_send_ttl_seconds=600,
    ),
    "one-tap code": made(
        "otp",
        "AUTHENTICATION",
        {"type": "BODY", "add_security_recommendation": True},
        {"type": "FOOTER", "code_expiration_minutes": 10},
        buttons(
            {
                "type": "OTP",
                "otp_type": "ONE_TAP",
                "text": "Copy code",
                "autofill_text": "Autofill",
                "supported_apps": [{"package_name": "com.example.app", "signature_hash": "K8a/AINcGX7"}],
            }
        ),
    ),
    "zero-tap code": made(
        "zero_tap_auth_template",
        "AUTHENTICATION",
        {"type": "BODY", "add_security_recommendation": True},
        {"type": "FOOTER", "code_expiration_minutes": 5},
        buttons(
            {
                "type": "OTP",
                "otp_type": "ZERO_TAP",
                "text": "Copy Code",
                "autofill_text": "Autofill",
                "zero_tap_terms_accepted": True,
                "supported_apps": [{"package_name": "com.example.luckyshrub", "signature_hash": "K8a/AINcGX7"}],
            }
        ),
    ),
    "voice call": made(
        "wa_voice_call",
        "UTILITY",
        body("You can call us on WhatsApp now for faster service!"),
        buttons({"type": "VOICE_CALL", "text": "Call Now"}),
    ),
}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_metas_definition_passes_and_is_submitted_as_it_is(name: str) -> None:
    template = read(DEFINITIONS[name])
    assert [problem for problem in problems_of(template) if not problem.is_warning] == []
    assert definition_of(template) == DEFINITIONS[name]


def texts(*values: str) -> list[Json]:
    return [{"type": "text", "text": value} for value in values]


def button(kind: str, index: int, *parameters: Json) -> Json:
    return {"type": "button", "sub_type": kind, "index": str(index), "parameters": list(parameters)}


SECTIONS = (
    '[{"title":"Popular Bundles","product_items":[{"product_retailer_id":"2lc20305pt"},{"product_retailer_id":"n1"}]}]'
)
PLACE = {
    "latitude": "37.44211676562361",
    "longitude": "-122.16155960083124",
    "name": "Philz Coffee",
    "address": "101 Forest Ave, Palo Alto, CA 94301",
}


def sent_card(index: int, image: str, plant: str, payload: str, suffix: str) -> Json:
    return {
        "card_index": index,
        "components": [
            {"type": "header", "parameters": [{"type": "image", "image": {"id": image}}]},
            {"type": "body", "parameters": texts(plant)},
            button("quick_reply", 0, {"type": "payload", "payload": payload}),
            button("url", 1, *texts(suffix)),
        ],
    }


SENT: dict[str, tuple[dict[str, str], list[str], list[str], list[Json]]] = {
    "named": (
        {"header-0-order": "860198", "body-0-first_name": "Pablo", "url-0-1": "abc123"},
        ["STOP"],
        [],
        [
            {"type": "header", "parameters": [{"type": "text", "text": "860198", "parameter_name": "order"}]},
            {"type": "body", "parameters": [{"type": "text", "text": "Pablo", "parameter_name": "first_name"}]},
            button("url", 0, *texts("abc123")),
            button("quick_reply", 1, {"type": "payload", "payload": "STOP"}),
        ],
    ),
    "image header": (
        {"body-0-1": "Pablo", "body-0-2": "package", "body-0-3": "860198", "url-1-1": "abc123"},
        [],
        ["123"],
        [
            {"type": "header", "parameters": [{"type": "image", "image": {"id": "123"}}]},
            {"type": "body", "parameters": texts("Pablo", "package", "860198")},
            button("url", 1, *texts("abc123")),
        ],
    ),
    "document header": (
        {"body-0-1": "Mark", "body-0-2": "860198", "filename-0-filename": "receipt.pdf"},
        [],
        ["77"],
        [
            {
                "type": "header",
                "parameters": [{"type": "document", "document": {"id": "77", "filename": "receipt.pdf"}}],
            },
            {"type": "body", "parameters": texts("Mark", "860198")},
        ],
    ),
    "location header": (
        {"body-0-1": "Mark", "body-0-2": "566701", **{f"location-0-{name}": value for name, value in PLACE.items()}},
        [],
        [],
        [
            {"type": "header", "parameters": [{"type": "location", "location": PLACE}]},
            {"type": "body", "parameters": texts("Mark", "566701")},
        ],
    ),
    "products": (
        {
            "header-0-1": "Pablo",
            "body-0-1": "10OFF",
            "sections-0-sections": SECTIONS,
            "thumbnail-0-thumbnail": "2lc20305pt",
        },
        [],
        [],
        [
            {"type": "header", "parameters": texts("Pablo")},
            {"type": "body", "parameters": texts("10OFF")},
            button(
                "mpm",
                0,
                {
                    "type": "action",
                    "action": {
                        "thumbnail_product_retailer_id": "2lc20305pt",
                        "sections": [
                            {
                                "title": "Popular Bundles",
                                "product_items": [{"product_retailer_id": "2lc20305pt"}, {"product_retailer_id": "n1"}],
                            }
                        ],
                    },
                },
            ),
        ],
    ),
    "catalogue": (
        {"body-0-1": "100", "body-0-2": "400", "body-0-3": "3", "thumbnail-0-thumbnail": "2lc20305pt"},
        [],
        [],
        [
            {"type": "body", "parameters": texts("100", "400", "3")},
            button("catalog", 0, {"type": "action", "action": {"thumbnail_product_retailer_id": "2lc20305pt"}}),
        ],
    ),
    "one product": (
        {
            "product-0-product_retailer_id": "nqryix03ez",
            "product-0-catalog_id": "194836987003835",
            "body-0-1": "25OFF",
            "body-0-2": "25%",
        },
        [],
        [],
        [
            {
                "type": "header",
                "parameters": [
                    {
                        "type": "product",
                        "product": {"product_retailer_id": "nqryix03ez", "catalog_id": "194836987003835"},
                    }
                ],
            },
            {"type": "body", "parameters": texts("25OFF", "25%")},
        ],
    ),
    "flow by id": (
        {"flow_token-0-flow_token": "unused", "flow_data-0-flow_data": '{"custom": "value"}'},
        [],
        [],
        [
            button(
                "flow",
                0,
                {"type": "action", "action": {"flow_token": "unused", "flow_action_data": {"custom": "value"}}},
            )
        ],
    ),
    # Its token is added when the message goes out.
    "flow by JSON": ({}, [], [], [button("flow", 0, {"type": "action", "action": {}})]),
    "limited-time offer": (
        {
            "body-0-1": "Pablo",
            "body-0-2": "CARIBE25",
            "expiration-0-expiration": "1791234567000",
            "code-0-code": "CARIBE25",
            "url-1-1": "n3mtql",
        },
        [],
        ["1602186516975000"],
        [
            {"type": "header", "parameters": [{"type": "image", "image": {"id": "1602186516975000"}}]},
            {"type": "body", "parameters": texts("Pablo", "CARIBE25")},
            {
                "type": "limited_time_offer",
                "parameters": [
                    {"type": "limited_time_offer", "limited_time_offer": {"expiration_time_ms": 1791234567000}}
                ],
            },
            button("copy_code", 0, {"type": "coupon_code", "coupon_code": "CARIBE25"}),
            button("url", 1, *texts("n3mtql")),
        ],
    ),
    "carousel": (
        {
            "body-0-1": "Pablo",
            "card-0-body-0-1": "Blue Elf",
            "card-0-url-1-1": "BLUE_ELF",
            "card-1-body-0-1": "Buddhas Temple",
            "card-1-url-1-1": "BUDDHA",
        },
        ["more-aloes", "more-crassulas"],
        ["24230790383178626", "1558081531584829"],
        [
            {"type": "body", "parameters": texts("Pablo")},
            {
                "type": "carousel",
                "cards": [
                    sent_card(0, "24230790383178626", "Blue Elf", "more-aloes", "BLUE_ELF"),
                    sent_card(1, "1558081531584829", "Buddhas Temple", "more-crassulas", "BUDDHA"),
                ],
            },
        ],
    ),
    **dict.fromkeys(
        ("code to copy", "one-tap code", "zero-tap code"),
        (
            {"body-0-1": "J$FpnYnP"},
            [],
            [],
            [{"type": "body", "parameters": texts("J$FpnYnP")}, button("url", 0, *texts("J$FpnYnP"))],
        ),
    ),
    "voice call": (
        {"ttl_minutes-0-ttl_minutes": "100"},
        [],
        [],
        [button("voice_call", 0, {"type": "ttl_minutes", "ttl_minutes": 100})],
    ),
}


@pytest.mark.parametrize("name", SENT)
def test_metas_message_is_built_member_for_member(name: str) -> None:
    template, (values, payloads, files, components) = approved(name), SENT[name]
    ours = [f"file-{n}" for n in range(len(files))]
    raw = with_samples(template.filled(values, payloads, ours).raw, dict(zip(ours, files, strict=True)))
    assert raw == {"name": template.name, "language": {"code": template.language}, "components": components}
    assert problems_of_sending(template, raw) == []


@pytest.mark.parametrize("name", SENT)
def test_what_must_be_filled_in_is_what_the_example_fills_in(name: str) -> None:
    template, (values, _payloads, files, _components) = approved(name), SENT[name]
    needed, optional = ({one.key for one in some} for some in (template.variables, template.optional_variables))
    assert needed <= set(values) <= needed | optional
    assert len(template.files) == len(files)


def approved(name: str) -> Template:
    return read({**DEFINITIONS[name], "status": "APPROVED"})


def test_a_code_is_shown_in_metas_words() -> None:
    shown = approved("code to copy").shown({"body-0-1": "123456"})
    assert shown["body"].startswith("*123456* is your verification code. For your security")
    assert shown["footer"] == "This code expires in 10 minutes."


def test_cards_places_and_offers_are_shown() -> None:
    values, _payloads, _files, _components = SENT["carousel"]
    cards = approved("carousel").shown(values)["cards"]
    assert [(card["kind"], card["buttons"][1]["url"][-8:]) for card in cards] == [
        ("image", "BLUE_ELF"),
        ("image", "s/BUDDHA"),
    ]
    assert approved("location header").shown({"location-0-name": "Philz"})["location"]["name"] == "Philz"
    values, _payloads, _files, _components = SENT["limited-time offer"]
    assert approved("limited-time offer").shown(values)["offer"] == {
        "text": "Expiring offer!",
        "expires": 1791234567000,
    }
