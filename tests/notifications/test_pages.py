"""The pages of notifications."""

from __future__ import annotations

import re
import uuid

import pytest
from flask import Flask
from sqlalchemy import select

from app.inbox.conversations import Message
from app.message_templates.models import MessageTemplate
from app.notifications.models import Notification
from app.tenancy import db, tenant_scope
from app.wabas.models import PhoneNumber
from tests.client import Browser
from tests.notifications.notifications import AMOUNT, NAME, notification
from tests.world import World, conversation


@pytest.fixture
def number(world: World) -> PhoneNumber:
    return world.connect_numbers()[0]


@pytest.fixture
def ann(app: Flask, world: World) -> Browser:
    return Browser(app, "bakery").signed_in_as(world.ann)


def form(**more: str) -> dict[str, str]:
    values = {"title": "Paid", "name": "paid", "language": "en_US", "access": "any", "pause_minutes": "0"}
    rows = {"0-target": "name", "0-name": "customer", "0-type": "text", "0-example": "Awa", "0-default": ""}
    rows |= {"1-target": "amount", "1-name": "amount", "1-type": "money", "1-example": "5 EUR", "1-default": ""}
    return values | {f"variables-{key}": value for key, value in rows.items()} | more


def test_the_template_proposes_the_variables(ann: Browser, number: PhoneNumber) -> None:
    notification(number)
    page = ann.get("~/notifications/new?template=t_payment_received").text
    assert 'value="500000 XOF"' in page and 'name="variables-1-target"' in page
    assert "T payment received" in ann.get("~/notifications/new").text


def test_one_is_made_and_changed(ann: Browser, number: PhoneNumber) -> None:
    notification(number)
    answer = ann.post("~/notifications/new?template=t_payment_received", form())
    assert answer.status_code == 303
    ann.post(f"{answer.location}/edit", form(title="Payment", pause_minutes="5"))
    with tenant_scope(number.tenant_id):
        made = Notification.named("paid")
        assert made and (made.title, made.pause_minutes) == ("Payment", 5)
        assert [(row.name, row.target) for row in made.variables] == [("customer", "name"), ("amount", "amount")]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": "Paid!"}, "Use small letters"),
        ({"name": "payment_received"}, "Another notification has this name"),
        ({"title": " "}, "Enter a title"),
        ({"variables-1-example": "much"}, "Give an amount and its currency"),
        ({"variables-1-name": "Amount"}, "Use small letters"),
        ({"pause_minutes": "-1"}, "Enter 0 to"),
        ({"language": "xx"}, "Choose one of the options"),
    ],
)
def test_a_mistake_is_shown_at_its_field(ann: Browser, number: PhoneNumber, wrong: dict[str, str], words: str) -> None:
    notification(number)
    answer = ann.post("~/notifications/new?template=t_payment_received", form(**wrong))
    assert answer.status_code == 422 and words in answer.text


def test_its_page_shows_what_the_customer_sees_and_how_to_call_it(ann: Browser, number: PhoneNumber) -> None:
    made = notification(number)
    page = ann.get(f"~/notifications/{made.id}").text
    assert "Hello Awa" in page and "Bonjour Awa" in page
    assert "/api/v1/notifications/payment_received" in page and "Nothing has sent it" in page
    assert "en_US, fr" in ann.get("~/notifications/").text


def test_its_page_says_what_prevents_sending(ann: Browser, number: PhoneNumber) -> None:
    made = notification(number)
    with tenant_scope(number.tenant_id):
        for one in db.session.scalars(select(MessageTemplate)):
            one.status = "PAUSED"
    page = ann.get(f"~/notifications/{made.id}").text
    assert "be sent now. The reasons are below" in page and "(en_US) be sent now" in page
    assert "be sent<" in ann.get("~/notifications/").text


def test_a_test_is_a_real_message(ann: Browser, number: PhoneNumber) -> None:
    made, talk = notification(number), conversation(number)
    sent = {"phone": "+1 650 555 1234", "language": "fr", "client_id": str(uuid.uuid4())}
    answers = [ann.post(f"~/notifications/{made.id}/tests", sent) for _ in range(2)]
    assert all(answer.location.endswith(str(talk.id)) for answer in answers)
    with tenant_scope(number.tenant_id):
        assert db.session.scalars(select(Message.body)).all() == [
            "Bonjour Awa, nous avons reçu 500\u202f000\xa0F\u202fCFA. Merci."
        ]
    assert re.search(r"Sent</dt><dd>1", ann.get(f"~/notifications/{made.id}").text)
    assert ann.post(f"~/notifications/{made.id}/tests", sent | {"phone": "12"}).status_code == 422


def test_it_is_paused_resumed_and_deleted(ann: Browser, number: PhoneNumber) -> None:
    made = notification(number)
    ann.post(f"~/notifications/{made.id}/pause")
    assert "Paused" in ann.get("~/notifications/").text
    ann.post(f"~/notifications/{made.id}/pause/removal")
    assert "Paused" not in ann.get("~/notifications/").text
    ann.post(f"~/notifications/{made.id}/removal")
    assert ann.get(f"~/notifications/{made.id}").status_code == 404


def test_agents_look_and_owners_change(app: Flask, world: World, number: PhoneNumber) -> None:
    made, ben = notification(number), Browser(app, "bakery").signed_in_as(world.ben)
    assert ben.get(f"~/notifications/{made.id}").status_code == 200
    assert ben.get(f"~/notifications/{made.id}/edit").status_code == 403


def test_a_wrong_text_for_nothing_is_named_at_its_own_field(ann: Browser, number: PhoneNumber) -> None:
    notification(number)
    rows = {"variables-1-example": "5 EUR", "variables-1-default": "there"}
    answer = ann.post("~/notifications/new?template=t_payment_received", form(**rows))
    assert answer.status_code == 422
    tags = re.findall(r"<input[^>]*>", answer.text)
    wrong = [
        name for name in ("example", "default") for tag in tags if f"variables-1-{name}" in tag and "invalid" in tag
    ]
    assert wrong == ["default"]


def test_a_required_variable_shows_no_text_for_nothing(ann: Browser, number: PhoneNumber) -> None:
    made = notification(number, mapping=[NAME.row, AMOUNT.row | {"default": "there"}])
    page = ann.get(f"~/notifications/{made.id}/edit").text
    assert 'value="500000 XOF"' in page and 'value="there"' not in page
