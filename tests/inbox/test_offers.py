"""In a closed window the composer is a template, filled in, with its price: one click sends it."""

from __future__ import annotations

import datetime as dt
import re
import uuid

import pytest

from app.contacts.fields import ContactField, ContactFieldValue
from app.inbox.compose.offers import best_offer
from app.inbox.conversations import Conversation, Message
from app.message_templates.models import MessageTemplate
from app.tenancy import Actor, db, now, tenant_scope
from tests.client import FRAGMENT, Browser
from tests.world import World


@pytest.fixture
def closed(world: World, carla: Conversation) -> Conversation:
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(carla.id).last_inbound_at = now() - dt.timedelta(days=2)
    return carla


def template(world: World, talk: Conversation, name: str, body: str, *, named: bool = True, **facts: str) -> uuid.UUID:
    facts = {"language": "en", "category": "UTILITY", "status": "APPROVED"} | facts
    with tenant_scope(world.bakery.id):
        waba_id = Conversation.get_or_404(talk.id).phone_number.waba_id
        shape = "NAMED" if named else "POSITIONAL"
        parts = [{"type": "BODY", "text": body}]
        one = MessageTemplate(
            waba_id=waba_id, meta_id=name, name=name, parameter_format=shape, components=parts, **facts
        )
        db.session.add(one)
        db.session.flush()
        return one.id


def offered(world: World, talk: Conversation) -> tuple[str, str]:
    with tenant_scope(world.bakery.id):
        results = best_offer(Conversation.get_or_404(talk.id), by=Actor.agent(world.ann), tenant=world.bakery)
        assert results
        return results.template.name, results.shown["body"]


def test_what_can_be_filled_in_comes_before_what_cannot(world: World, closed: Conversation) -> None:
    template(world, closed, "a_parcel", "Parcel {{parcel}} is here")
    template(world, closed, "hello", "Hello {{customer_name}}, are you still there?")
    assert offered(world, closed) == ("hello", "Hello Carla, are you still there?")


def test_a_gap_after_a_greeting_is_the_customers_first_name(world: World, closed: Conversation) -> None:
    template(world, closed, "hi", "Hi {{1}}, we are open again.", named=False)
    assert offered(world, closed)[1] == "Hi Carla, we are open again."


def test_a_field_of_the_customer_fills_the_gap_that_is_called_like_it(world: World, closed: Conversation) -> None:
    template(world, closed, "order", "Order {{order_number}} is ready")
    with tenant_scope(world.bakery.id):
        field = ContactField(name="Order number", kind="text")
        db.session.add(field)
        db.session.flush()
        db.session.add(ContactFieldValue(contact_id=closed.contact_id, field_id=field.id, value="A-17"))
    assert offered(world, closed) == ("order", "Order A-17 is ready")


def test_what_was_sent_last_is_offered_first_and_never_a_code(world: World, closed: Conversation, ann: Browser) -> None:
    for name in ("first", "second"):
        sent = template(world, closed, name, name)
    template(world, closed, "a_code", "123456", category="AUTHENTICATION")
    assert offered(world, closed)[0] == "first"
    ann.post(f"~/inbox/{closed.id}/templates/{sent}", {"client_id": str(uuid.uuid4())}, headers=FRAGMENT)
    assert offered(world, closed)[0] == "second"


def test_the_composer_sends_it_as_it_is_shown(world: World, closed: Conversation, ann: Browser) -> None:
    template(world, closed, "hello", "Hello {{first_name}}!")
    page = ann.get(f"~/inbox/{closed.id}").text
    composer = page[page.index('id="composer"') :]
    assert "Hello Carla!" in composer and 'data-testid="price"' in composer
    form = dict(
        re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', composer[: composer.index("</form>")])
    )
    address = re.findall(r'formaction="([^"]+)"', composer)[0]
    assert ann.post(address, form).status_code == 303
    with tenant_scope(world.bakery.id):
        assert db.session.query(Message).filter_by(type="template").one().body == "Hello Carla!"
    assert "A template was sent." in ann.get(f"~/inbox/{closed.id}/offer", headers=FRAGMENT).text


def test_without_templates_it_links_to_them_and_another_tenant_sees_nothing(
    ann: Browser, sue: Browser, closed: Conversation
) -> None:
    page = ann.get(f"~/inbox/{closed.id}/offer", headers=FRAGMENT).text
    assert "Choose a template" in page and "Send this template" not in page
    assert sue.get(f"~/inbox/{closed.id}/offer").status_code == 404


@pytest.mark.parametrize(
    ("name", "greeting"),
    [
        ("+994 50 123 45 67", "Hi {{1}}, we are open."),
        ("🌸 Anna Lind", "Hi Anna, we are open."),
        ("007", "Hi {{1}}, we are open."),
        ("王小明", "Hi 王小明, we are open."),
    ],
)
def test_no_one_is_greeted_by_a_number(world: World, closed: Conversation, name: str, greeting: str) -> None:
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(closed.id).contact.name = name
    template(world, closed, "hi", "Hi {{1}}, we are open.", named=False)
    assert offered(world, closed)[1] == greeting
