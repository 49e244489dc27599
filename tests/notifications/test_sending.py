"""Sending a notification: language, values, the gate, once."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sqlalchemy import func, select

from app.contacts.consents import Consent
from app.contacts.fields import ContactField
from app.contacts.models import Contact
from app.inbox.conversations import Conversation, Message, Unsubscribed
from app.message_templates.models import MessageTemplate
from app.message_templates.versions import Content, TemplateVersion
from app.notifications.models import Notification, SentNotification
from app.notifications.refusals import Invalid, SentLately, Unavailable
from app.notifications.values import Variable
from app.tenancy import Actor, db, now, tenant_scope
from app.wabas.models import PhoneNumber
from tests.message_templates.templates import approved
from tests.notifications.notifications import BODY, GIVEN, NAME, notification
from tests.world import World, conversation

SYSTEM = Actor.system("tests")


@pytest.fixture
def number(world: World) -> PhoneNumber:
    return world.connect_numbers()[0]


@pytest.fixture
def carla(number: PhoneNumber) -> Conversation:
    return conversation(number)


def send(one: Notification, to: Conversation, given: dict[str, str] | None = None, **more: Any) -> Message:
    with tenant_scope(to.tenant_id):
        one, talk = Notification.get_or_404(one.id), Conversation.get_or_404(to.id)
        client_id = more.pop("client_id", None) or uuid.uuid4()
        return one.send(talk, GIVEN if given is None else given, by=SYSTEM, client_id=client_id, **more)


def test_it_goes_out_as_its_template_with_the_values_in_its_language(carla: Conversation, number: PhoneNumber) -> None:
    message = send(notification(number), carla)
    assert message.type == "template" and message.source == "notification"
    assert message.words == "Hello Carla, we got F\u202fCFA\xa0500,000 from you. Thank you."


def test_a_contact_gets_the_language_that_their_field_says(carla: Conversation, number: PhoneNumber) -> None:
    with tenant_scope(number.tenant_id):
        field = ContactField.get_or_make("Language")
        field.put_on(carla.contact_id, "Français", by=SYSTEM)
    message = send(notification(number, language_field_id=field.id), carla)
    assert message.raw["language"] == {"code": "fr"} and "500\u202f000" in message.words


def test_a_language_that_the_template_lacks_falls_back_to_the_default(carla: Conversation, number: PhoneNumber) -> None:
    assert send(notification(number), carla, language="ar").raw["language"] == {"code": "en_US"}


def test_another_region_of_the_language_will_do(carla: Conversation, number: PhoneNumber) -> None:
    assert send(notification(number), carla, language="fr-SN").raw["language"] == {"code": "fr"}


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"name": "Carla"}, ["amount"]),
        ({**GIVEN, "nmae": "x"}, ["nmae"]),
        ({**GIVEN, "name": "a\nb"}, ["name"]),
        ({**GIVEN, "name": "a\tb"}, ["name"]),
        ({**GIVEN, "name": "a     b"}, ["name"]),
        ({**GIVEN, "name": "x" * 10_000}, ["name"]),
        ({**GIVEN, "name": "   "}, ["name"]),
        ({**GIVEN, "amount": "a lot"}, ["amount"]),
        ({**GIVEN, "amount": "5 XYZ"}, ["amount"]),
        ({"name": "", "amount": "٥٠٠ XOF"}, ["name", "amount"]),
    ],
)
def test_a_mistake_is_named_by_variable(
    carla: Conversation, number: PhoneNumber, given: dict[str, str], wrong: list[str]
) -> None:
    with pytest.raises(Invalid) as raised:
        send(notification(number), carla, given)
    assert sorted(raised.value.names) == sorted(wrong)


@pytest.mark.parametrize("name", ["🎉 Awa", "مرحبا يا سارة", "\u200fسارة", "O'Neil & <b>"])
def test_emoji_and_right_to_left_go_through(carla: Conversation, number: PhoneNumber, name: str) -> None:
    assert name in send(notification(number), carla, {**GIVEN, "name": name}).words


def test_an_optional_variable_has_a_text_of_its_own(carla: Conversation, number: PhoneNumber) -> None:
    name = Variable("name", "text", False, "Awa", "friend", "name")
    made = notification(number, mapping=[name.row, notification(number, "other").mapping[1]])
    assert send(made, carla, {"amount": "12.50 EUR"}).words.startswith("Hello friend, we got €12.50")


def test_the_same_client_id_is_the_same_message(carla: Conversation, number: PhoneNumber) -> None:
    made, id = notification(number), uuid.uuid4()
    assert send(made, carla, client_id=id).id == send(made, carla, client_id=id).id
    with tenant_scope(number.tenant_id):
        assert db.session.scalar(select(func.count()).select_from(SentNotification)) == 1


def test_a_contact_gets_it_once_in_its_pause(carla: Conversation, number: PhoneNumber) -> None:
    made = notification(number, pause_minutes=60)
    first = send(made, carla)
    with pytest.raises(SentLately):
        send(made, carla)
    with tenant_scope(number.tenant_id):
        assert Message.get_or_404(first.id).cancel()
    assert send(made, carla).id != first.id


def test_somebody_who_opted_out_gets_none(carla: Conversation, number: PhoneNumber) -> None:
    with tenant_scope(number.tenant_id):
        Consent.record(carla.contact_id, "utility", is_granted=False, source="message", by=SYSTEM)
    with pytest.raises(Unsubscribed):
        send(notification(number), carla)


def test_a_paused_one_is_not_sent(carla: Conversation, number: PhoneNumber) -> None:
    with pytest.raises(Unavailable, match="paused"):
        send(notification(number, paused_at=now()), carla)


def test_a_template_that_meta_paused_is_named(carla: Conversation, number: PhoneNumber) -> None:
    made = notification(number)
    with tenant_scope(number.tenant_id):
        for one in db.session.scalars(select(MessageTemplate)):
            one.status = "PAUSED"
    with pytest.raises(Unavailable) as raised:
        send(made, carla)
    assert "PAUSED" in raised.value.explain()


def test_a_template_with_a_variable_that_is_not_filled_in_is_refused(carla: Conversation, number: PhoneNumber) -> None:
    with pytest.raises(Unavailable) as raised:
        send(notification(number, mapping=[NAME.row]), carla, {"name": "Carla"})
    assert "amount" in raised.value.explain()


def test_a_language_that_lacks_a_value_falls_back_to_the_default(carla: Conversation, number: PhoneNumber) -> None:
    more = BODY | {"text": "Hola {{name}}, {{amount}} en {{place}}. Gracias."}
    made = notification(number)
    approved(number, "t_payment_received", "es", components=[more])
    assert send(made, carla, language="es").raw["language"] == {"code": "en_US"}


def test_payloads_come_with_the_quick_replies(carla: Conversation, number: PhoneNumber) -> None:
    buttons = {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Confirm"}]}
    made = notification(number)
    with tenant_scope(number.tenant_id):
        for one in db.session.scalars(select(MessageTemplate)):
            one.components = [BODY, buttons]
    sent = send(made, carla, payloads=["confirm:1"])
    assert sent.raw["components"][-1]["parameters"] == [{"type": "payload", "payload": "confirm:1"}]


def test_it_finds_the_conversation_with_the_number_the_contact_wrote_to(world: World, number: PhoneNumber) -> None:
    talk, made = conversation(number), notification(number)
    with tenant_scope(number.tenant_id):
        assert Notification.get_or_404(made.id).conversation_with(Contact.get_or_404(talk.contact_id)).id == talk.id


def test_it_leaves_the_conversation_to_whoever_has_it(carla: Conversation, number: PhoneNumber) -> None:
    made = notification(number)
    with tenant_scope(number.tenant_id):
        talk = Conversation.get_or_404(carla.id)
        talk.waiting_since = now()
        key = Actor("api", uuid.uuid4(), "Shop")
        Notification.get_or_404(made.id).send(talk, GIVEN, by=key, client_id=uuid.uuid4())
        assert talk.waiting_since and talk.handled_by != "person"


def test_a_new_text_with_another_variable_breaks_it(number: PhoneNumber) -> None:
    made = notification(number)
    with tenant_scope(number.tenant_id):
        template = next(one for one in made.variants() if one.language == "en_US")
        more = {"type": "BODY", "text": "Hello {{name}}, we got {{amount}} for {{reason}}. Thank you."}
        version = TemplateVersion.begin(template.id, Content("UTILITY", True, [more]), by=SYSTEM)
        assert [use.name for use in template.broken_by(template.newest)] == ["payment_received"]
        less = {"type": "BODY", "text": "Hello {{name}}, we got your payment. Thank you."}
        version.save(Content("UTILITY", True, [less]), revision=version.revision, by=SYSTEM)
        assert template.broken_by(template.newest) == []
