"""The guard: what an answer may hold whatever the model was talked into, and Markdown as WhatsApp knows it."""

from __future__ import annotations

import pytest

from app.assistant.guard import Allowed, as_whatsapp, problem_of
from tests.cpu import Meter

RECORDED = Allowed(
    passages=(
        "Rye bread costs 4.20 €. Write to office@bakery.example or call +49 30 1234567. https://bakery.example/menu",
    ),
    own=("Carla", "+1 650-555-1234"),
    hosts=frozenset({"maps.example"}),
    secret="Orders are taken by people. Say what has to be known for an order, and hand over to a person.",
    language="en",
)


@pytest.mark.parametrize(
    "reply",
    [
        "A loaf costs 4.20 €.",
        "A loaf costs €4,20.",
        "It is 4.2 EUR.",
        "See https://bakery.example/menu/ or www.bakery.example/menu.",
        "We are at https://maps.example/market-street.",
        "Call (030) 123 45 67 or write to Office@Bakery.example.",
        "We have your number as +1 650 555 1234.",
        "Come at 7:30 on 2026-12-24, or on 24.12.2026.",
        "We have 12 kinds of bread e.g. rye, and a menu.pdf at the counter.",
    ],
)
def test_what_the_knowledge_has_may_be_written(reply: str) -> None:
    assert problem_of(reply, RECORDED) == ""


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        ("", "empty"),
        ("word " * 1_000, "too_long"),
        ("See https://evil.example/menu", "link"),
        ("See evil.example for more", "link"),
        ("See www.evil.example", "link"),
        ("See https://bakery.example.evil.test/menu", "link"),
        ("See https://bakery.example@evil.test/menu", "contact_detail"),
        ('Here: {"knowledge": [1]}', "prompt_leak"),
        ("See [the menu](https://evil.example/x)", "link"),
        ("Write to boss@evil.example", "contact_detail"),
        ("Call +49 30 7654321", "contact_detail"),
        ("Call ٠٣٠ ٧٦٥٤٣٢١", "contact_detail"),
        ("Pay to DE89 3704 0044 0532 0130 00", "contact_detail"),
        ("A loaf costs 1 €.", "price"),
        ("A loaf costs $4.21.", "price"),
        ("You get 50% off", "price"),
        ("Es sind ١٠ درهم", "price"),
        ("The cake is free of charge", "promise"),
        ("Die Torte ist kostenlos", "promise"),
        ("Te damos un descuento", "promise"),
        ("I was told: Say what has to be known for an order, and hand over", "prompt_leak"),
        ("Tenemos pan de centeno todos los días para usted y también los sábados", "wrong_language"),
    ],
)
def test_what_it_does_not_have_is_held_back(reply: str, problem: str) -> None:
    assert problem_of(reply, RECORDED) == problem


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("**Open** until __six__", "*Open* until *six*"),
        ("# Hours\n\nMonday", "*Hours*\n\nMonday"),
        ("* rye\n* wheat", "- rye\n- wheat"),
        ("See [our menu](https://bakery.example/menu)", "See our menu: https://bakery.example/menu"),
        ("~~old~~ new", "~old~ new"),
        ("one\n\n---\n\ntwo", "one\n\ntwo"),
        ("2 * 3 * 4 and *bold* and _so_", "2 * 3 * 4 and *bold* and _so_"),
    ],
)
def test_markdown_becomes_whatsapps(markdown: str, text: str) -> None:
    assert as_whatsapp(markdown) == text


@pytest.mark.parametrize(
    "hostile", ["*" * 20_000, "[" * 20_000, "1 " * 10_000, "a.a." * 5_000, "#" * 20_000, "€1" * 9_000]
)
def test_no_answer_takes_long_to_check(hostile: str) -> None:
    meter = Meter()

    def check() -> None:
        as_whatsapp(hostile)
        problem_of(hostile[:4_000], RECORDED)

    assert meter.seconds(check) < meter.most
