"""Sample templates."""

from typing import Any

from simulator.context import Context
from simulator.message_templates import MessageTemplate
from simulator.wabas import Waba

SAMPLES: list[dict[str, Any]] = [
    {
        "name": "hello_world",
        "language": "en_US",
        "category": "UTILITY",
        "components": [
            {"type": "HEADER", "format": "TEXT", "text": "Hello World"},
            {"type": "BODY", "text": "Welcome and congratulations!! This message shows that you can send."},
            {"type": "FOOTER", "text": "WhatsApp Business Platform sample message"},
        ],
    },
    {
        "name": "order_update",
        "language": "en_US",
        "category": "UTILITY",
        "components": [
            {
                "type": "BODY",
                "text": "Hi {{1}}, your order {{2}} is on its way.",
                "example": {"body_text": [["Carla", "860198"]]},
            },
            {
                "type": "BUTTONS",
                "buttons": [
                    {
                        "type": "URL",
                        "text": "Track it",
                        "url": "https://shop.example/track/{{1}}",
                        "example": ["860198"],
                    },
                    {"type": "QUICK_REPLY", "text": "Thank you"},
                ],
            },
        ],
    },
    {
        "name": "summer_offer",
        "language": "en_US",
        "category": "MARKETING",
        "parameter_format": "NAMED",
        "components": [
            {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::aW1hZ2UvcG5n"]}},
            {
                "type": "BODY",
                "text": "Hi {{first_name}}, everything blue is 20 % off until Sunday. See you soon!",
                "example": {"body_text_named_params": [{"param_name": "first_name", "example": "Carla"}]},
            },
            {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Stop offers"}]},
        ],
    },
]


def add_samples(world: Context) -> None:
    for waba in Waba.where(world):
        for sample in SAMPLES:
            columns = {"status": "APPROVED", "parameter_format": "POSITIONAL"} | sample
            MessageTemplate.save(world, waba, **columns)
