"""What comes in that is more than a message from one person: products, groups, calls, errors, asides, missing parts."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest

from app.inbox.conversations import Conversation, GroupIsReadOnly
from app.meta.outgoing import text as words
from app.tenancy import Actor, tenant_scope
from tests.arrivals import arrive, conversation, conversations, failures, messages, of_field
from tests.client import Browser
from tests.inbox.test_types import edit, reaction, revoke, shown
from tests.posts import change, message
from tests.world import BAKERY_NUMBER, World

NOW = time.time()


@pytest.fixture(autouse=True)
def numbers(world: World) -> None:
    world.connect_numbers()


def test_with_one_contact_that_is_the_sender(world: World) -> None:
    item = {"id": "wamid.1", "timestamp": str(int(NOW)), "type": "text", "text": {"body": "Hi"}}
    arrive(change(BAKERY_NUMBER, contacts=[{"profile": {"name": "A"}, "user_id": "US.1"}], messages=[item]))
    assert failures() == []
    assert [incoming.body for incoming in messages(world)] == ["Hi"]


def test_a_question_about_a_product_names_it(ann: Browser, world: World) -> None:
    about = {"from": "1", "id": "wamid.x", "referred_product": {"catalog_id": "77", "product_retailer_id": "SKU-77"}}
    arrive(message(type="text", text={"body": "is it red?"}, context=about))
    page = shown(ann, world)
    assert "About the product SKU-77" in page and "catalog 77" in page
    assert "Reply to" not in page


@pytest.mark.parametrize(
    "aside",
    [
        reaction("👍", to="wamid.gone"),
        reaction("", to="wamid.gone"),
        edit("Three loaves", of="wamid.gone"),
        revoke(of="wamid.gone"),
        message(type="system", system={"type": "customer_identity_changed", "body": "A new phone"}),
        message(type="REACTION", reaction={"message_id": "wamid.gone", "emoji": "👍"}),
        message(type="reaction", reaction={"emoji": "👍"}),
        message(type="edit", edit={"message": {"type": "text", "text": {"body": "Three"}}}),
    ],
)
def test_an_aside_about_an_unknown_message_reopens_nothing(world: World, aside: dict[str, Any]) -> None:
    arrive(message("Two loaves", at=NOW - 60))
    with tenant_scope(world.bakery.id):
        talk = Conversation.get_or_404(conversation(world).id)
        talk.put("resolved", by=Actor.agent(world.ann))
        talk.mark_read()
    arrive(aside)
    talk = conversation(world)
    assert (talk.state, talk.unread_count) == ("resolved", 0)


def test_an_edit_of_the_unknown_is_marked_as_one(ann: Browser, world: World) -> None:
    arrive(edit("Three loaves", of="wamid.gone"))
    page = shown(ann, world)
    assert "Edit of a message that is not here" in page and "Three loaves" in page


ERROR = {"code": 131052, "title": "Media download error", "error_data": {"details": "It could not be loaded"}}
CONTENTS = [
    {"type": "text", "text": {"body": "x"}},
    {"type": "image", "image": {"id": "1"}},
    {"type": "location", "location": {"latitude": 1, "longitude": 2}},
    {"type": "order", "order": {}},
    {"type": "interactive"},
    {"type": "system", "system": {"body": "?", "type": "user_changed_number", "wa_id": "16505551235"}},
    {"type": "hologram"},
]


@pytest.mark.parametrize("content", CONTENTS)
def test_errors_are_shown_on_every_kind_of_bubble(ann: Browser, world: World, content: dict[str, Any]) -> None:
    arrive(message(**content, errors=[ERROR]))
    page = shown(ann, world)
    assert "It could not be loaded" in page and "131052" in page


def test_an_error_beside_a_message_is_shown_with_it(ann: Browser, world: World) -> None:
    facts = message("Hi")
    facts["value"]["errors"] = [ERROR]
    arrive(facts)
    assert "It could not be loaded" in shown(ann, world)


def test_content_without_a_type_names_it(ann: Browser, world: World) -> None:
    arrive(message(location={"latitude": 1.5, "longitude": -2, "name": "Mill"}))
    assert messages(world)[0].type == "location"
    assert "Mill" in shown(ann, world)


def test_an_unknown_choice_names_its_kind_and_shows_its_facts(ann: Browser, world: World) -> None:
    paid = {"type": "payment_method", "payment_method": {"reference_id": "R-9", "amount": {"value": 12}}}
    arrive(message(type="interactive", interactive=paid))
    page = shown(ann, world)
    for part in ("payment method", "reference id", "R-9", "amount value", "12"):
        assert part in page, part


CARD = {
    "name": {"formatted_name": "Rosa Ruiz"},
    "org": {"company": "Mill", "department": "Flour", "title": "Miller"},
    "addresses": [{"street": "1 Rd", "city": "Breda", "zip": "4811", "country": "Netherlands", "country_code": "nl"}],
    "birthday": "1990-02-01",
}


def test_a_shared_contact_is_shown_whole(ann: Browser, world: World) -> None:
    arrive(message(type="contacts", contacts=[CARD]))
    page = shown(ann, world)
    for part in ("Rosa Ruiz", "Miller, Flour, Mill", "1 Rd, 4811 Breda, Netherlands", "1990-02-01"):
        assert part in page, part


@pytest.mark.parametrize("answer", ["plainly yes", '["plainly", "yes"]'])
def test_a_forms_answers_that_are_no_questions_are_shown(ann: Browser, world: World, answer: str) -> None:
    form = {"type": "nfm_reply", "nfm_reply": {"name": "flow", "body": "Sent", "response_json": answer}}
    arrive(message(type="interactive", interactive=form))
    page = shown(ann, world)
    assert "plainly" in page and "without answers" not in page


def call(event: str, **more: Any) -> dict[str, Any]:
    item = {"id": "wacid.A", "from": "16505551234", "to": "15550783881", "event": event, "timestamp": str(int(NOW))}
    return of_field("calls", calls=[item | {"direction": "USER_INITIATED"} | more])


BEGAN, ENDED = call("connect"), call("terminate", status="FAILED")


@pytest.mark.parametrize(
    "parts",
    [[[BEGAN], [ENDED]], [[BEGAN, ENDED]], [[ENDED]], [[BEGAN, BEGAN], [ENDED], [ENDED]], [[ENDED], [BEGAN]]],
    ids=["apart", "at once", "its end alone", "each twice", "its end first"],
)
def test_a_missed_call_is_a_line_and_waits(ann: Browser, world: World, parts: list[list[dict[str, Any]]]) -> None:
    for part in parts:
        arrive(*part)
    talk = conversation(world)
    assert (talk.unread_count, talk.last_line, bool(talk.waiting_since)) == (1, "Missed call", True)
    assert talk.window_is_open and talk.news_at
    assert "Missed call" in shown(ann, world)


@pytest.mark.parametrize(
    "facts", [{"status": "COMPLETED", "duration": 65}, {"duration": "65"}, {"status": ["Completed"], "duration": 65}]
)
def test_a_call_that_was_answered_elsewhere_is_not_waiting(ann: Browser, world: World, facts: dict[str, Any]) -> None:
    arrive(call("terminate", **facts))
    talk = conversation(world)
    assert (talk.unread_count, talk.waiting_since) == (0, None)
    assert "1:05" in shown(ann, world)


def test_a_call_from_here_is_ours(world: World) -> None:
    ours = {"from": "15550783881", "to": "16505551234", "direction": "BUSINESS_INITIATED"}
    arrive(call("terminate", status="COMPLETED", duration=5, **ours))
    (line,) = messages(world)
    assert (line.direction, conversation(world).unread_count) == ("outbound", 0)


def in_group(body: str = "Hello all", **more: Any) -> dict[str, Any]:
    facts = message(body, **more)
    facts["value"]["messages"][0]["group_id"] = "Y2Fw"
    return facts


def test_a_group_is_a_conversation_of_its_own(ann: Browser, world: World) -> None:
    arrive(message("privately"), in_group(), in_group("Me too", wa_id="16505550000", name="Dora"))
    group, person = sorted(conversations(world), key=lambda talk: not talk.is_group)
    assert (group.is_group, person.is_group) == (True, False)
    assert (group.unread_count, group.window_is_open, group.waiting_since) == (2, False, None)
    page = ann.get(f"~/inbox/{group.id}").text
    assert "Dora" in page and "not reply" in page and 'id="body"' not in page
    assert "privately" not in page


def test_what_happens_to_a_groups_message_stays_in_the_group(world: World) -> None:
    asides = [reaction("👍", to="wamid.g"), edit("Hello everybody", of="wamid.g"), revoke(of="wamid.g")]
    for aside in asides:
        aside["value"]["messages"][0]["group_id"] = "Y2Fw"
    arrive(message("privately", wamid="wamid.p"), in_group(wamid="wamid.g"), *asides)
    group, person = sorted(conversations(world), key=lambda talk: not talk.is_group)
    assert (group.unread_count, person.unread_count, failures()) == (1, 1, [])
    assert [bool(one.chips) for one in messages(world)] == [False, True]


@pytest.mark.parametrize("contacts", [[], [{"user_id": "US.9", "profile": {"name": "Dora"}}]])
def test_a_groups_message_of_somebody_without_a_number_is_in_the_group(
    world: World, contacts: list[dict[str, Any]]
) -> None:
    facts = in_group()
    facts["value"]["messages"][0] |= {"from": None, "from_user_id": "US.9"}
    facts["value"]["contacts"] = contacts
    arrive(facts)
    assert (conversation(world).is_group, failures()) == (True, [])


def test_nothing_can_be_sent_to_a_group(world: World) -> None:
    arrive(in_group())
    group = conversation(world)
    with tenant_scope(world.bakery.id), pytest.raises(GroupIsReadOnly):
        Conversation.get_or_404(group.id).send(words("Hi"), by=Actor.agent(world.ann), client_id=uuid.uuid4())


def test_a_group_is_called_as_whatsapp_calls_it(ann: Browser, world: World) -> None:
    arrive(in_group())
    created = {"timestamp": str(int(NOW)), "group_id": "Y2Fw", "type": "group_create", "subject": "Bakers"}
    arrive(of_field("group_lifecycle_update", groups=[created]))
    assert conversation(world).contact.name == "Bakers"
    assert "Bakers" in ann.get("~/inbox/").text
