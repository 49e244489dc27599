"""How texts look in bubbles: quotes, lists and phone numbers, as WhatsApp shows them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from app.contacts.models import Contact
from app.contacts.settings import ContactSettings
from app.inbox.compose.blocks import parse_blocks
from app.inbox.compose.markup import parse_markup
from app.inbox.conversations import Conversation, Message
from app.tenancy import db, tenant_scope
from tests.client import FRAGMENT, Browser
from tests.cpu import Meter
from tests.inbox.conftest import written
from tests.world import World

HOSTILE = ["+49 1511 2345678 ", "1 ", "1234567", "+", "(1)", "- a\n", "```\n", "> ", "1. x\n", "00", "> a\n", "+1-"]


def phones(text: str, country: str = "") -> list[str]:
    return [run.phone for run in parse_markup(text, country) if run.phone]


def kinds(text: str) -> list[tuple[str, list[str]]]:
    return [(block.kind, [part for _, part in block.parts]) for block in parse_blocks(text)]


@pytest.mark.parametrize(
    ("text", "results"),
    [
        ("> You said: closed\n> on Sunday\nSo?", [("quote", ["You said: closed\non Sunday"]), ("text", ["So?"])]),
        ("- rye\n* spelt\n-wheat", [("bullets", ["rye", "spelt"]), ("text", ["-wheat"])]),
        ("1. first\n2. second", [("numbers", ["first", "second"])]),
        ("*bold* - dash\n>no", [("text", ["*bold* - dash\n>no"])]),
        ("```\n- code\n```\n- item", [("text", ["```\n- code\n```"]), ("bullets", ["item"])]),
        ("- \n> \n1. ", [("text", ["- \n> \n1. "])]),
        ("2024. A year", [("text", ["2024. A year"])]),
        ("", [("text", [""])]),
    ],
)
def test_lines_become_quotes_and_lists(text: str, results: list[tuple[str, list[str]]]) -> None:
    assert kinds(text) == results


@pytest.mark.parametrize(
    ("text", "country", "results"),
    [
        ("Call +44 20 7946 0958, please.", "", ["442079460958"]),
        ("0049 30 901820 or (030) 901820", "DE", ["4930901820", "4930901820"]),
        ("030 901820", "", []),
        ("call 650-555-1234", "US", ["16505551234"]),
        ("650 555 1234", "DE", []),
        ("Order 4915112345678 of 2026-11-28 10:30, 1.200.000 in all", "DE", []),
        ("IBAN DE89 3704 0044 0532 0130 00", "DE", []),
        ("https://wa.me/4915112345678 and x@4915112345678", "DE", []),
        ("+1 650 555 12345678901", "", []),
        ("٠٣٠ ٩٠١٨٢٠ +٤٩ ٣٠ ٩٠١٨٢٠", "", ["4930901820"]),
    ],
)
def test_phone_numbers_are_found_and_other_numbers_left_alone(text: str, country: str, results: list[str]) -> None:
    assert phones(text, country) == results


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_is_read_in_little_time(text: str) -> None:
    long, meter = text * (65_000 // len(text)), Meter()

    def parse() -> None:
        for block in parse_blocks(long):
            for _, part in block.parts:
                parse_markup(part, "DE")

    assert meter.seconds(parse) < meter.most


def test_a_bubble_shows_them_and_its_text_is_copied_as_it_was_written(
    world: World, ben: Browser, carla: Conversation
) -> None:
    with tenant_scope(world.bakery.id):
        ContactSettings.save_country("DE")
    written(world, carla, "> *Rye*?\n- two\n3. (030) 901820")
    page = ben.get(f"~/inbox/{carla.id}").text
    assert "<blockquote><strong>Rye</strong>?</blockquote><ul><li>two</li></ul>" in page
    assert '<li value="3"><a href="/t/bakery/inbox/phone?to=%2B4930901820"' in page.replace("\n  ", " ")
    assert 'data-words="&gt; *Rye*?' in page


def test_a_number_can_be_written_to_called_and_saved(world: World, ben: Browser, carla: Conversation) -> None:
    menu = ben.get("~/inbox/phone?to=%2B4930901820", headers=FRAGMENT).text
    assert "/inbox/new?to=%2B4930901820" in menu and "tel:+4930901820" in menu and "/contacts/new?phone=" in menu
    existing = ben.get("~/inbox/phone?to=%2B16505551234").text
    with tenant_scope(world.bakery.id):
        assert f"/contacts/{Contact.with_number('16505551234').id}" in existing  # type: ignore[union-attr]
    assert str(carla.contact_id) in existing
    assert ben.get("~/inbox/phone?to=nothing").status_code == 303


def sent_message(direction: str = "outbound", seconds: float = 0, **more: Any) -> Message:
    at = dt.datetime(2026, 11, 28, 12, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds)
    fields = {"author_kind": "system", "author_name": "away"} | more if direction == "outbound" else more
    return Message(direction=direction, type="text", body="a", state="read", occurred_at=at, **fields)


@pytest.mark.parametrize(
    ("message", "is_grouped"),
    [
        (sent_message(seconds=59), True),
        (sent_message(seconds=60), False),
        (sent_message("inbound", 5), False),
        (sent_message(seconds=5, author_name="survey"), False),
        (sent_message(seconds=5, reply_to_wamid="wamid.x"), False),
    ],
)
def test_texts_of_one_sender_within_a_minute_are_one_group(message: Message, is_grouped: bool) -> None:
    assert message.follows(sent_message()) is is_grouped


def test_a_group_is_marked_in_the_thread(world: World, ben: Browser, carla: Conversation) -> None:
    written(world, carla, "Hello?")
    with tenant_scope(world.bakery.id):
        for second, message in enumerate(db.session.scalars(db.select(Message).order_by(Message.id))):
            message.occurred_at = dt.datetime(2026, 11, 28, 12, 0, second, tzinfo=dt.UTC)
    assert ben.get(f"~/inbox/{carla.id}").text.count("bubble-next") == 1
