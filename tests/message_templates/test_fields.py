"""What Meta's pages show as templates can be written in the builder, and comes out as on those pages."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest

from app.message_templates.fields import content_of, fields_of
from app.message_templates.samples import TemplateSample
from app.message_templates.versions import Content, TemplateVersion
from app.tenancy import db, tenant_scope
from tests.client import FRAGMENT, Browser
from tests.message_templates.templates import templates_of
from tests.message_templates.test_submission import PNG
from tests.meta.test_template_examples import DEFINITIONS as EXAMPLES
from tests.world import World

SAMPLE = "0199c0de-0000-7000-8000-000000000001"
IMAGE: dict[str, Any] = {"type": "HEADER", "format": "IMAGE", "example": {"sample": SAMPLE}}
NAMED_BODY: dict[str, Any] = {
    "type": "BODY",
    "text": "Hi {{first_name}}, it has shipped.",
    "example": {"body_text_named_params": [{"param_name": "first_name", "example": "Pablo"}]},
}
BODY: dict[str, Any] = {"type": "BODY", "text": "Thanks for your order. Reply to this message with questions."}
ORDER_UPDATE: list[dict[str, Any]] = [
    {
        "type": "HEADER",
        "format": "TEXT",
        "text": "Order {{order}}",
        "example": {"header_text_named_params": [{"param_name": "order", "example": "860198"}]},
    },
    NAMED_BODY,
    {"type": "FOOTER", "text": "Lucky Shrub"},
    {
        "type": "BUTTONS",
        "buttons": [
            {"type": "URL", "text": "Track", "url": "https://x.example/t/{{1}}", "example": ["abc"]},
            {"type": "QUICK_REPLY", "text": "Stop"},
        ],
    },
]
POSITIONAL: list[dict[str, Any]] = [
    {"type": "HEADER", "format": "TEXT", "text": "Order {{1}}", "example": {"header_text": ["860198"]}},
    {"type": "BODY", "text": "Hi {{1}}, order {{2}} is here.", "example": {"body_text": [["Pablo", "860198"]]}},
]


def with_buttons(*buttons: dict[str, Any]) -> list[dict[str, Any]]:
    return [BODY, {"type": "BUTTONS", "buttons": list(buttons)}]


def card(name: str) -> dict[str, Any]:
    body = {"type": "BODY", "text": f"The {name} for {{{{1}}}} only", "example": {"body_text": [["you"]]}}
    link = {"type": "URL", "text": "Buy", "url": "https://x.example/{{1}}", "example": [name]}
    return {
        "components": [IMAGE, body, {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "More"}, link]}]
    }


OFFER: list[dict[str, Any]] = [
    IMAGE,
    {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Expiring offer!", "has_expiration": True}},
    BODY,
    {
        "type": "BUTTONS",
        "buttons": [
            {"type": "COPY_CODE", "example": "CARIBE25"},
            {"type": "URL", "text": "Book now", "url": "https://x.example/offers?code={{1}}", "example": ["n3mtql"]},
        ],
    },
]


def code(**button: Any) -> list[dict[str, Any]]:
    return [
        {"type": "BODY", "add_security_recommendation": True},
        {"type": "FOOTER", "code_expiration_minutes": 10},
        {"type": "BUTTONS", "buttons": [{"type": "OTP"} | button]},
    ]


APPS = [{"package_name": "com.example.app", "signature_hash": "K8a/AINcGX7"}]
DEFINITIONS: dict[str, tuple[str, bool, list[dict[str, Any]]]] = {
    "named variables, a link and a quick reply": ("UTILITY", True, ORDER_UPDATE),
    "positional variables": ("UTILITY", False, POSITIONAL),
    "image header": ("MARKETING", True, [IMAGE, NAMED_BODY]),
    "video header": ("UTILITY", True, [IMAGE | {"format": "VIDEO"}, NAMED_BODY]),
    "document header": ("UTILITY", True, [IMAGE | {"format": "DOCUMENT"}, NAMED_BODY]),
    "location header": ("UTILITY", True, [{"type": "HEADER", "format": "LOCATION"}, NAMED_BODY]),
    "product header": (
        "MARKETING",
        True,
        [{"type": "HEADER", "format": "PRODUCT"}, *with_buttons({"type": "SPM", "text": "View"})],
    ),
    "phone": (
        "UTILITY",
        True,
        with_buttons({"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+15550051310"}),
    ),
    "copy code": ("MARKETING", True, with_buttons({"type": "COPY_CODE", "example": "250FF"})),
    "flow": (
        "UTILITY",
        True,
        with_buttons(
            {
                "type": "FLOW",
                "text": "Book",
                "flow_id": "1",
                "flow_action": "navigate",
                "navigate_screen": "WELCOME",
                "icon": "REVIEW",
            }
        ),
    ),
    "flow by name": ("UTILITY", True, with_buttons({"type": "FLOW", "text": "Book", "flow_name": "booking"})),
    "flow as JSON": ("UTILITY", True, with_buttons({"type": "FLOW", "text": "Book", "flow_json": '{"version":"7.0"}'})),
    "catalog": ("MARKETING", True, with_buttons({"type": "CATALOG", "text": "View catalog"})),
    "several products": ("MARKETING", True, with_buttons({"type": "MPM", "text": "View items"})),
    "call on WhatsApp": ("UTILITY", True, with_buttons({"type": "VOICE_CALL", "text": "Call now", "ttl_minutes": 60})),
    "contact info": ("UTILITY", True, with_buttons({"type": "REQUEST_CONTACT_INFO"})),
    "call permission": ("UTILITY", True, [BODY, {"type": "CALL_PERMISSION_REQUEST"}]),
    "carousel": ("MARKETING", False, [BODY, {"type": "CAROUSEL", "cards": [card("lemon"), card("lime")]}]),
    "limited-time offer": ("MARKETING", True, OFFER),
    "one-tap": (
        "AUTHENTICATION",
        True,
        code(otp_type="ONE_TAP", text="Copy code", autofill_text="Autofill", supported_apps=APPS),
    ),
    "copied code": ("AUTHENTICATION", True, code(otp_type="COPY_CODE", text="Copy code")),
    "zero-tap": (
        "AUTHENTICATION",
        True,
        code(
            otp_type="ZERO_TAP",
            text="Copy code",
            autofill_text="Autofill",
            supported_apps=APPS,
            zero_tap_terms_accepted=True,
        ),
    ),
}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_a_definition_of_metas_pages_goes_through_the_form_unchanged(name: str) -> None:
    category, is_named, components = DEFINITIONS[name]
    content = Content(category, is_named, components, 600 if category != "MARKETING" else None)
    assert content_of(fields_of(content)) == content


def test_what_the_form_does_not_know_stays_as_it_was() -> None:
    header: dict[str, Any] = {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::aW"]}}
    strange = {"type": "NEW_BUTTON", "text": "?", "more": {"deep": [1]}}
    link = {"type": "URL", "text": "Go", "url": "https://x.example", "app_deep_link": {"android": "x"}}
    components: list[dict[str, Any]] = [
        header,
        BODY,
        {"type": "BUTTONS", "buttons": [strange, link]},
        {"type": "NEW_PART", "a": 1},
    ]
    content = Content("UTILITY", True, components)
    assert content_of(fields_of(content)) == content


def test_an_authentication_template_that_meta_gave_back_can_be_edited() -> None:
    link = "https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}"
    fetched: list[dict[str, Any]] = [
        {"type": "BODY", "text": "*{{1}}* is your code.", "add_security_recommendation": True},
        {"type": "FOOTER", "text": "This code expires in 10 minutes.", "code_expiration_minutes": 10},
        {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Copy code", "url": link, "example": ["x"]}]},
    ]
    made = content_of(fields_of(Content("AUTHENTICATION", True, fetched)))
    assert made.components == code(otp_type="COPY_CODE", text="Copy code")


# A flow given as JSON is one by its nature: here one chooses a flow by its id or name.
TYPED = [name for name in EXAMPLES if name != "flow by JSON"]

# Kinds of buttons come from “Add button”, samples from the field for a file, the headers of cards from the first card.
ELSEWHERE = (".type", ".sample", "cards.1.header.format")


def as_stored(part: dict[str, Any], sample: str) -> dict[str, Any]:
    """With Meta's words in capitals, and our file in the place of a handle."""
    made = part | {"type": part["type"].upper()}
    if "header_handle" in part.get("example", {}):
        made["example"] = {"sample": sample}
    for card in part.get("cards", []):
        components = [as_stored(one, sample) for one in card["components"]]
        made["cards"] = [{"components": components}] * len(part["cards"])
    return made


@pytest.mark.parametrize("name", TYPED)
def test_every_example_of_metas_pages_is_typed_into_fields_of_the_page(ann: Browser, world: World, name: str) -> None:
    example, waba_id = EXAMPLES[name], world.connect_numbers()[0].waba_id
    with tenant_scope(world.bakery.id):
        sample = str(TemplateSample.store("IMAGE", io.BytesIO(PNG), "shop.png").id)
    wanted = [as_stored(part, sample) for part in example["components"]]
    is_named, ttl = example.get("parameter_format") == "NAMED", example.get("message_send_ttl_seconds")
    fields = fields_of(Content(example["category"], is_named, wanted, ttl))
    # Names or numbers: that follows from the text.
    del fields["parameter_format"]
    typed = fields | {"name": example["name"], "language": example["language"], "waba_id": str(waba_id)}
    page = ann.post("~/templates/new", typed, headers=FRAGMENT).get_data(as_text=True)
    shown = set(re.findall(r'<(?:select|textarea|input(?![^>]*type="hidden"))[^>]*name="([^"]+)"', page))
    assert {path for path, value in fields.items() if value != "plain" and not path.endswith(ELSEWHERE)} <= shown
    ann.post("~/templates/", typed)
    (template,) = templates_of(world.bakery)
    with tenant_scope(world.bakery.id):
        version = db.session.scalars(TemplateVersion.of(template.id)).one()
    assert (version.components, version.ttl_seconds, version.category) == (wanted, ttl, example["category"])
