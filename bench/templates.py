"""Building and validating what is sent with templates: 10,000 payloads of each kind on one core."""

from __future__ import annotations

import time
from typing import Any

from app.meta.message_templates import Template
from app.meta.template_rules import problems_of
from app.meta.template_sending import problems_of_sending, with_samples
from bench.report import table
from dev.stack import Stack

PAYLOADS, TARGET = 10_000, 20_000
BODY = "Hello {{1}}, your order {{2}} of {{3}} arrives on {{4}}. Reply to this message if the time does not suit you."
EXAMPLES = {"body_text": [["Ann", "860198", "two cakes", "Monday at nine"]]}
BUTTONS = [
    {"type": "QUICK_REPLY", "text": "Another time"},
    {"type": "URL", "text": "Track", "url": "https://shop.example/track/{{1}}", "example": ["860198"]},
]
SAMPLE = {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::aW1hZ2UvcG5n:AR"]}}


def run(_stack: Stack) -> None:
    rows = []
    for name, template in TEMPLATES.items():
        rates = sorted(rate(template) for _ in range(3))
        rows.append([name, f"{rates[1]:,.0f}", f"{1e6 / rates[1]:.0f}", f"{rates[1] / TARGET:.1f} ×"])
    table("Payloads built and validated on one core", ["", "per second", "µs each", f"of {TARGET:,}"], rows)
    hostile = {"braces": "{" * 65_000, "variables": "{{1}}" * 13_000, "open": "{{a" * 21_000, "spaces": " " * 65_000}
    times = {name: milliseconds(words) for name, words in hostile.items()}
    rows = [[name, f"{spent:.1f}"] for name, spent in times.items()]
    table("Checking a definition of 65,000 characters", ["", "ms"], rows)


def rate(template: Template) -> float:
    """Payloads per second, each with its own values."""
    keys = [(one.key, one.place, one.example) for one in template.variables]
    values = [{key: value_of(place, n) for key, place, _ in keys} for n in range(PAYLOADS)]
    payloads, files = ["later"] * 10, ["ours"] * len(template.files)
    started = time.process_time()
    for given in values:
        raw = with_samples(template.filled(given, payloads, files).raw, {"ours": "1"})
        assert not problems_of_sending(template, raw)
    return PAYLOADS / (time.process_time() - started)


def value_of(place: str, n: int) -> str:
    return f"{1_900_000_000_000 + n}" if place == "expiration" else f"value {n}"


def milliseconds(words: str) -> float:
    part = {"type": "BODY", "text": words, "example": EXAMPLES}
    template = Template("bench", "en", "UTILITY", "", False, [part])
    started = time.process_time()
    problems_of(template)
    return (time.process_time() - started) * 1000


def with_parts(category: str, *parts: dict[str, Any]) -> Template:
    return Template("bench", "en", category, "APPROVED", False, list(parts))


def card(n: int) -> dict[str, Any]:
    body = {"type": "BODY", "text": "Cake {{1}} for you.", "example": {"body_text": [[f"number {n}"]]}}
    return {"components": [SAMPLE, body, {"type": "BUTTONS", "buttons": BUTTONS}]}


TEXT = {"type": "BODY", "text": BODY, "example": EXAMPLES}
TEMPLATES = {
    "four variables, link and quick reply": with_parts("UTILITY", TEXT, {"type": "BUTTONS", "buttons": BUTTONS}),
    "image, header of a file": with_parts("UTILITY", SAMPLE, TEXT),
    "one-time code": with_parts(
        "AUTHENTICATION",
        {"type": "BODY", "add_security_recommendation": True},
        {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE"}]},
    ),
    "carousel of three cards": with_parts(
        "MARKETING", TEXT, {"type": "CAROUSEL", "cards": [card(n) for n in range(3)]}
    ),
}
