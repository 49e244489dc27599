"""A message of every type."""

from __future__ import annotations

from typing import Any

REPLY = {"type": "reply", "reply": {"id": "yes", "title": "Yes"}}
ROWS = [{"id": "a", "title": "A", "description": "The first"}, {"id": "b", "title": "B"}]
BOOK = {"flow_message_version": "3", "flow_id": "1", "flow_cta": "Book", "flow_token": "t"}
OFFERS = [{"title": "Today", "product_items": [{"product_retailer_id": "bread"}, {"product_retailer_id": "cake"}]}]
PERSON = {
    "name": {"formatted_name": "Ann Li", "first_name": "Ann", "last_name": "Li"},
    "phones": [{"phone": "+16505550100", "type": "WORK"}],
    "emails": [{"email": "ann@example.com", "type": "WORK"}],
    "org": {"company": "Bakery", "title": "Baker"},
    "addresses": [{"street": "1 High Street", "city": "London", "country": "United Kingdom", "type": "WORK"}],
    "urls": [{"url": "https://bakery.example", "type": "WORK"}],
    "birthday": "1990-02-28",
}


def interactive(image: str) -> list[dict[str, Any]]:
    """An interactive message of every type."""
    body = {"text": "Well?"}
    return [
        {
            "type": "button",
            "header": {"type": "image", "image": {"id": image}},
            "body": body,
            "footer": {"text": "Until noon"},
            "action": {"buttons": [REPLY]},
        },
        {
            "type": "list",
            "header": {"type": "text", "text": "Bread"},
            "body": body,
            "action": {"button": "Choose", "sections": [{"title": "Today", "rows": ROWS}]},
        },
        {
            "type": "cta_url",
            "body": body,
            "action": {"name": "cta_url", "parameters": {"display_text": "Open", "url": "https://bakery.example"}},
        },
        {"type": "location_request_message", "body": body, "action": {"name": "send_location"}},
        {"type": "flow", "body": body, "action": {"name": "flow", "parameters": BOOK}},
        {"type": "product", "body": body, "action": {"catalog_id": "1", "product_retailer_id": "bread"}},
        {
            "type": "product_list",
            "header": {"type": "text", "text": "Bread"},
            "body": body,
            "action": {"catalog_id": "1", "sections": OFFERS},
        },
        {
            "type": "catalog_message",
            "body": body,
            "action": {"name": "catalog_message", "parameters": {"thumbnail_product_retailer_id": "bread"}},
        },
        {"type": "call_permission_request", "body": body, "action": {"name": "call_permission_request"}},
        {
            "type": "voice_call",
            "body": body,
            "action": {"name": "voice_call", "parameters": {"display_text": "Call us", "ttl_minutes": 100}},
        },
        {"type": "request_contact_info", "body": body, "action": {"name": "request_contact_info"}},
        {
            "type": "address_message",
            "body": body,
            "action": {"name": "address_message", "parameters": {"country": "IN", "values": {"name": "Carla"}}},
        },
        {"type": "carousel", "body": body, "action": {"cards": [_card(0, image), _card(1, image)]}},
    ]


def _card(index: int, image: str) -> dict[str, Any]:
    link = {"display_text": "Buy", "url": "https://bakery.example"}
    return {
        "card_index": index,
        "type": "cta_url",
        "header": {"type": "image", "image": {"id": image}},
        "body": {"text": "Fresh"},
        "action": {"name": "cta_url", "parameters": link},
    }


def of_every_type(files: dict[str, str], wamid: str) -> list[dict[str, Any]]:
    """`files` holds a media id for each type of file; `wamid` is of a message to react to."""
    contents: list[tuple[str, Any]] = [
        ("text", {"body": "Hello https://bakery.example", "preview_url": True}),
        ("image", {"id": files["image"], "caption": "Bread"}),
        ("video", {"id": files["video"], "caption": "Baking"}),
        ("audio", {"id": files["audio"], "voice": True}),
        ("document", {"id": files["document"], "caption": "Prices", "filename": "prices.pdf"}),
        ("sticker", {"id": files["sticker"]}),
        ("image", {"link": "https://bakery.example/bread.png"}),
        ("location", {"latitude": 51.5, "longitude": -0.12, "name": "Bakery", "address": "London"}),
        ("contacts", [PERSON]),
        ("reaction", {"message_id": wamid, "emoji": "👍"}),
        *(("interactive", content) for content in interactive(files["image"])),
        ("template", {"name": "hello_world", "language": {"code": "en_US"}}),
        ("template", ORDER_UPDATE),
        ("template", SUMMER_OFFER | {"components": _offer(files["image"])}),
    ]
    return [{"type": kind, kind: content} for kind, content in contents]


SUMMER_OFFER = {"name": "summer_offer", "language": {"code": "en_US"}}
ORDER_UPDATE = {
    "name": "order_update",
    "language": {"policy": "deterministic", "code": "en_US"},
    "components": [
        {"type": "body", "parameters": [{"type": "text", "text": "Carla"}, {"type": "text", "text": "17"}]},
        {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "17"}]},
        {
            "type": "button",
            "sub_type": "quick_reply",
            "index": "1",
            "parameters": [{"type": "payload", "payload": "t"}],
        },
    ],
}


def _offer(image: str) -> list[dict[str, Any]]:
    return [
        {"type": "header", "parameters": [{"type": "image", "image": {"id": image}}]},
        {"type": "body", "parameters": [{"type": "text", "parameter_name": "first_name", "text": "Carla"}]},
    ]


TEMPLATES: list[dict[str, Any]] = [
    {
        "name": "hello_world",
        "components": [
            {"type": "HEADER", "format": "TEXT", "text": "Hello World"},
            {"type": "BODY", "text": "Welcome."},
            {"type": "FOOTER", "text": "Bakery"},
        ],
    },
    {
        "name": "order_update",
        "components": [
            {
                "type": "BODY",
                "text": "Hi {{1}}, your order {{2}} is on its way.",
                "example": {"body_text": [["Carla", "17"]]},
            },
            {
                "type": "BUTTONS",
                "buttons": [
                    {"type": "URL", "text": "Track it", "url": "https://bakery.example/track/{{1}}", "example": ["17"]},
                    {"type": "QUICK_REPLY", "text": "Thank you"},
                ],
            },
        ],
    },
    {
        "name": "summer_offer",
        "category": "MARKETING",
        "parameter_format": "NAMED",
        "components": [
            {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::aW1hZ2UvcG5n"]}},
            {
                "type": "BODY",
                "text": "Hi {{first_name}}, everything blue is 20 % off until Sunday.",
                "example": {"body_text_named_params": [{"param_name": "first_name", "example": "Carla"}]},
            },
        ],
    },
]
