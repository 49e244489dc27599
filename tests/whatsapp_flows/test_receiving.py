"""Filled-in forms: a card, a row, the contact's fields, an event; once, whatever arrives again or is odd."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from sqlalchemy import text

from app.contacts.fields import ContactField, ContactFieldValue
from app.inbox.conversations import Conversation
from app.inbox.conversations.flow_tokens import FlowToken
from app.message_templates.models import MessageTemplate
from app.meta.outgoing import with_flow_token
from app.tenancy import Actor, db, tenant_scope
from app.whatsapp_flows.models import WhatsappFlow
from tests.arrivals import arrive, conversation, failures, messages
from tests.client import Browser
from tests.happenings import happenings
from tests.posts import message
from tests.world import World

from .forms import META_ID, begin, hear, receive, reply, responses, rows_of, send

ANSWERS = {"bread": "0", "guests": "2", "full_name": "Carla Mendes", "news": True}
ROWS = [("Full name", "Carla Mendes"), ("Guests", "2"), ("Bread", "Rye"), ("News please", "✓")]


@pytest.fixture
def talk(world: World) -> Conversation:
    world.connect_numbers()
    arrive(message("Hello"))
    return conversation(world)


@pytest.fixture
def sent(world: World, talk: Conversation) -> Any:
    """The form, on the customer's phone."""
    flow = begin(world, talk.phone_number)
    return send(world, talk, flow)


def test_answers_are_shown_with_their_labels_in_the_order_of_the_form(world: World, ann: Browser, sent: Any) -> None:
    receive(world, reply(ANSWERS))
    page = ann.get(f"/t/bakery/inbox/{sent.conversation_id}").get_data(as_text=True)
    places = [page.index(f'<th scope="row" dir="auto">{label}</th>') for label, _ in ROWS]
    assert places == sorted(places)
    assert "<bdi>Order</bdi>" in page and "full_name" not in page


def test_a_response_is_a_row_with_all_that_belongs_to_it(world: World, sent: Any) -> None:
    receive(world, reply(ANSWERS))
    (response,) = responses(world)
    assert rows_of(response) == ROWS and response.answers == ANSWERS
    assert (response.conversation_id, response.sent_message_id) == (sent.conversation_id, sent.id)
    with tenant_scope(world.bakery.id):
        version = db.session.merge(response, load=False).version
        assert version and version.number == 1


def test_a_form_that_is_delivered_twice_is_stored_once(world: World, sent: Any) -> None:
    receive(world, reply(ANSWERS))
    receive(world, reply(ANSWERS))
    with tenant_scope(world.bakery.id):
        db.session.execute(text("delete from happening_cursors where tenant_id = :tenant"), {"tenant": world.bakery.id})
    hear(world)
    assert len(responses(world)) == 1
    assert len(happenings(world.bakery.id, "flow.completed")) == 1


def test_the_token_is_recovered_through_the_message_that_was_answered(world: World, sent: Any) -> None:
    receive(world, reply(ANSWERS))
    (response,) = responses(world)
    token = FlowToken.read(response.token, world.bakery.id)
    assert token == FlowToken(response.contact_id, sent.id)


def test_the_token_finds_the_message_where_whatsapp_names_none(world: World, sent: Any) -> None:
    with tenant_scope(world.bakery.id):
        token = FlowToken(Conversation.get_or_404(sent.conversation_id).contact_id, sent.id).sign(world.bakery.id)
    receive(world, reply(ANSWERS | {"flow_token": token}, to=""))
    (response,) = responses(world)
    assert response.sent_message_id == sent.id and response.flow_id


@pytest.mark.parametrize("token", ["f1.x.y.z", "unused", "", "é", "f1." + "0" * 32 + "." + "1" * 32 + "." + "2" * 32])
def test_a_token_that_is_not_ours_names_nothing(world: World, sent: Any, token: str) -> None:
    receive(world, reply(ANSWERS | {"flow_token": token}, to=""))
    (response,) = responses(world)
    assert response.sent_message_id is None and response.flow_id is None


def test_a_token_of_another_tenant_is_not_ours(world: World) -> None:
    token = FlowToken(uuid.uuid4(), uuid.uuid4())
    assert FlowToken.read(token.sign(world.bakery.id), world.shoes.id) is None
    assert FlowToken.read(token.sign(world.bakery.id), world.bakery.id) == token


def test_what_happened_is_recorded_for_automations_and_webhooks(world: World, sent: Any) -> None:
    receive(world, reply(ANSWERS))
    (one,) = happenings(world.bakery.id, "flow.completed")
    (response,) = responses(world)
    assert one.subject_id == response.id
    assert one.facts["flow_version"] == 1 and one.facts["flow_id"] == str(response.flow_id)
    assert "Carla" not in json.dumps(one.facts)


def test_answers_fill_the_contact_fields_that_the_owner_chose(world: World, sent: Any) -> None:
    with tenant_scope(world.bakery.id):
        bread, guests = ContactField.get_or_make("Bread"), ContactField.get_or_make("Party")
        guests.kind = "number"
        flow = db.session.query(WhatsappFlow).one()
        flow.field_map = {"bread": str(bread.id), "guests": str(guests.id), "gone": str(uuid.uuid4())}
        wanted = {bread.id: "Rye", guests.id: "2"}
    receive(world, reply(ANSWERS))
    with tenant_scope(world.bakery.id):
        values = {row.field_id: row.value for row in db.session.query(ContactFieldValue)}
    assert values == wanted


def test_an_answer_that_a_field_does_not_take_is_left_in_the_response(world: World, sent: Any) -> None:
    with tenant_scope(world.bakery.id):
        field = ContactField.get_or_make("Party")
        field.kind = "number"
        db.session.query(WhatsappFlow).one().field_map = {"guests": str(field.id)}
    receive(world, reply(ANSWERS | {"guests": "many"}))
    with tenant_scope(world.bakery.id):
        assert db.session.query(ContactFieldValue).count() == 0
    assert ("Guests", "many") in rows_of(responses(world)[0])


def test_a_form_of_others_is_shown_by_the_names_that_it_gives(world: World, talk: Conversation) -> None:
    receive(world, reply({"screen_0_First_name_1": "Carla", "pets": [{"kind": "cat", "age": 3}]}, to=""))
    (response,) = responses(world)
    assert rows_of(response) == [("First name", "Carla"), ("pets 1 kind", "cat"), ("pets 1 age", "3")]
    assert response.flow_id is None


@pytest.mark.parametrize(
    "given",
    [
        "not json",
        "[1, 2]",
        "null",
        '{"a": NaN}',
        json.dumps({"a": "\x00<script>", "b": "x" * 100_000}),
        json.dumps({f"key {number}": "v" * 500 for number in range(2_000)}),
        "{" * 500,
        json.dumps({"deep": json.loads("[" * 60 + "]" * 60)}),
        json.dumps({"flow_token": {"a": 1}, "": "", "é" * 1_000: "ü" * 1_000}),
    ],
)
def test_an_odd_answer_is_bounded_and_harms_nothing(world: World, ann: Browser, sent: Any, given: str) -> None:
    receive(world, reply(given), message("And hello", wamid="wamid.next"))
    assert failures() == []
    (response,) = responses(world)
    assert len(json.dumps(response.answers)) < 200_000 and len(response.rows) <= 100
    assert "wamid.next" in [one.wamid for one in messages(world)]
    for address in (f"/t/bakery/inbox/{sent.conversation_id}", "/t/bakery/whatsapp-flows/responses"):
        page = ann.get(address)
        assert page.status_code == 200 and "<script>" not in page.get_data(as_text=True).replace("<script src", "")


def test_the_form_of_a_template_button_is_recognised(world: World, talk: Conversation) -> None:
    flow = begin(world, talk.phone_number)
    with tenant_scope(world.bakery.id):
        button = {"type": "FLOW", "text": "Order", "flow_id": META_ID}
        parts: list[dict[str, Any]] = [{"type": "BODY", "text": "Order now"}, {"type": "BUTTONS", "buttons": [button]}]
        template = MessageTemplate(waba_id=talk.phone_number.waba_id, meta_id="7", name="order", language="en")
        template.category, template.status, template.parameter_format = "UTILITY", "APPROVED", "NAMED"
        template.components = parts
        db.session.add(template)
        db.session.flush()
        again = Conversation.get_or_404(talk.id)
        message = again.send(template.definition.filled({}), by=Actor.agent(world.ann), client_id=uuid.uuid4())
        message.wamid, message.state = "wamid.form", "accepted"
    receive(world, reply(ANSWERS))
    assert responses(world)[0].flow_id == flow.id


def button(action: dict[str, Any]) -> dict[str, Any]:
    parameters = [{"type": "action", "action": action}]
    return {"type": "button", "sub_type": "flow", "index": "1", "parameters": parameters}


@pytest.mark.parametrize("given", [{}, {"flow_token": "unused"}, {"flow_action_data": {"a": 1}}])
def test_the_button_of_a_template_goes_out_with_a_token(given: dict[str, Any]) -> None:
    for parts in ([button(given)], [{"type": "carousel", "cards": [{"components": [button(given)]}]}]):
        content = {"type": "template", "template": {"name": "order", "components": parts}}
        sent = json.dumps(with_flow_token(content, lambda: "f1.token"))
        assert '"flow_token": "f1.token"' in sent and "unused" not in sent


def test_a_token_that_a_program_gave_is_left_as_it_is() -> None:
    content = {"type": "template", "template": {"components": [button({"flow_token": "mine"})]}}
    assert with_flow_token(content, lambda: "f1.token") == content
    parameters = {"flow_id": "1", "flow_token": "mine"}
    flow = {"type": "interactive", "interactive": {"type": "flow", "action": {"parameters": parameters}}}
    assert with_flow_token(flow, lambda: "f1.token") == flow
