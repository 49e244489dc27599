"""Another app at Meta has a conversation, such as its Business Agent: copies are stored, nothing automatic is sent."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest

from app.inbox.conversations import Conversation, Message, WithOtherApp
from app.inbox.conversations.activities import Activity
from app.people.erasure import erase
from app.tenancy import Actor, db, tenant_scope
from app.tenancy.happenings import Happening
from tests.arrivals import arrive, conversation, failures, messages, of_field
from tests.client import Browser
from tests.posts import message
from tests.simulated import Road
from tests.world import BAKERY_NUMBER, World

CARLA = "16505551234"


@pytest.fixture(autouse=True)
def numbers(request: pytest.FixtureRequest) -> None:
    if "road" not in request.fixturenames:
        request.getfixturevalue("world").connect_numbers()


def copy(body: str = "Hi", *, at: float | None = None) -> dict[str, Any]:
    stamp = str(int(at or time.time()))
    item = {"from": CARLA, "id": f"wamid.{body}", "timestamp": stamp, "type": "text", "text": {"body": body}}
    return of_field(
        "standby", standby={"contacts": [{"wa_id": CARLA, "profile": {"name": "Carla"}}], "messages": [item]}
    )


def answered(body: str = "I am an assistant") -> dict[str, Any]:
    sent = {"messaging_product": "whatsapp", "to": CARLA, "type": "text", "text": {"body": body}}
    item = {"id": f"wamid.{body}", "timestamp": str(int(time.time())), "message": sent}
    return of_field("standby", standby={"message_echoes": [item]})


def handed(kind: str, role: str, *, at: float | None = None) -> dict[str, Any]:
    change = {"new_owner_role": role, "conversation_context": {"summary": {"text": "Wants a refund"}}}
    stamp = str(int(at or time.time()))
    more = {"sender": {"phone_number": CARLA}, "type": kind, "timestamp": stamp, kind: change}
    return of_field("messaging_handovers", recipient={"phone_number_id": BAKERY_NUMBER}, **more)


def handler(world: World) -> str | None:
    return conversation(world).handled_by


def change(world: World, act: Any) -> None:
    with tenant_scope(world.bakery.id):
        act(Conversation.get_or_404(conversation(world).id))


def test_copies_are_stored_and_no_server_is_called(world: World) -> None:
    arrive(copy(), answered())
    assert {(one.direction, one.body) for one in messages(world)} == {
        ("inbound", "Hi"),
        ("outbound", "I am an assistant"),
    }
    talk = conversation(world)
    assert (talk.handled_by, talk.unread_count, talk.waiting_since) == ("other_app", 0, None)
    assert talk.window_closes_at and failures() == []


def test_a_copy_begins_no_automation(world: World) -> None:
    arrive(copy())
    with tenant_scope(world.bakery.id):
        kinds = [one.kind for one in db.session.query(Happening)]
        assert "message.received" not in kinds
        talk = Conversation.get_or_404(conversation(world).id)
        with pytest.raises(WithOtherApp):
            talk.reply("Hello", by=Actor("automation", name="Greeting"), client_id=uuid.uuid4())


def test_what_the_other_app_wrote_is_shown_as_its_own(world: World, ann: Browser) -> None:
    arrive(copy(), answered())
    page = ann.get(f"~/inbox/{conversation(world).id}").text
    assert "Meta&#39;s agent or another app" in page and 'data-sender="system"' in page
    assert "Sent from the phone" not in page


def test_an_agent_takes_over_on_request(world: World, ann: Browser) -> None:
    arrive(copy())
    id = conversation(world).id
    assert "Take over" in ann.get(f"~/inbox/{id}").text
    ann.post(f"~/inbox/{id}/handling")
    assert handler(world) == "person" and "Take over" not in ann.get(f"~/inbox/{id}").text


def test_a_later_copy_takes_nothing_from_a_person(world: World) -> None:
    arrive(copy())
    change(world, lambda talk: talk.take(by=Actor.agent(world.ann)))
    arrive(copy("And again"))
    assert handler(world) == "person"


def test_an_app_that_took_it_has_it(world: World) -> None:
    arrive(copy())
    change(world, lambda talk: talk.take(by=Actor.agent(world.ann)))
    arrive(handed("control_taken", "ai_agent", at=time.time() + 5))
    assert (handler(world), conversation(world).handler_name) == ("other_app", "ai_agent")


def test_an_older_take_changes_nothing(world: World) -> None:
    arrive(copy())
    change(world, lambda talk: talk.take(by=Actor.agent(world.ann)))
    arrive(handed("control_taken", "ai_agent", at=time.time() - 60))
    assert handler(world) == "person"


def test_a_hand_over_calls_people_with_a_summary(world: World, ann: Browser) -> None:
    arrive(copy(), handed("control_passed", "escalation"))
    talk = conversation(world)
    assert talk.is_with_person and talk.waiting_since and talk.handler is None
    page = ann.get(f"~/inbox/{talk.id}").text
    assert "handed this to the team" in page and "Wants a refund" in page


def test_the_same_hand_over_again_reopens_nothing(world: World) -> None:
    arrive(handed("control_passed", "escalation"))
    change(world, lambda talk: talk.put("resolved", by=Actor.agent(world.ann)))
    arrive(handed("control_passed", "escalation", at=time.time() - 1))
    assert conversation(world).state == "resolved"


def test_a_message_to_us_ends_the_other_apps_time(world: World) -> None:
    arrive(copy())
    arrive(message("Now to you"))
    talk = conversation(world)
    assert (talk.handled_by, talk.unread_count) == (None, 1)


def test_an_erased_customer_is_gone_from_the_summary(world: World) -> None:
    arrive(handed("control_passed", "escalation"))
    change(world, lambda talk: erase(talk.contact, by=Actor.agent(world.ann)))
    with tenant_scope(world.bakery.id):
        assert [one.facts for one in db.session.query(Activity).filter_by(kind="handed_over")] == [None]


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"type": "control_lost", "sender": {"phone_number": CARLA}},
        {"type": "control_passed"},
        {"type": "control_passed", "sender": {"phone_number": CARLA}, "control_passed": "x"},
        {"type": ["control_passed"], "sender": 5},
    ],
)
def test_odd_changes_stop_no_neighbour(world: World, value: dict[str, Any]) -> None:
    arrive(of_field("messaging_handovers", **value), of_field("standby", standby=[5]), message("Hello"))
    assert [one.body for one in messages(world)] == ["Hello"]


def test_the_neighbours_threads_are_theirs(world: World, sue: Browser) -> None:
    arrive(copy())
    assert sue.post(f"~/inbox/{conversation(world).id}/handling").status_code == 404


def test_metas_agent_answers_until_somebody_writes(road: Road) -> None:
    """Against the other reading of Meta's pages."""
    number = road.number.meta_id
    road.meta.post("business-agent", phone_number_id=number)
    talk = road.customer_writes("Are you open?")
    road.until(lambda: len(all_of(road)) == 2)
    assert [one.author_name for one in all_of(road) if one.is_outbound] == ["other_app"]
    with tenant_scope(road.world.bakery.id):
        assert Conversation.get_or_404(talk.id).handled_by == "other_app"
    road.reply(talk, "A person here")
    road.deliver()
    road.customer_writes("Great")
    with tenant_scope(road.world.bakery.id):
        again = Conversation.get_or_404(talk.id)
        assert again.is_with_person and again.unread_count == 1


def test_metas_agent_passes_on_who_asks_for_a_person(road: Road) -> None:
    road.meta.post("business-agent", phone_number_id=road.number.meta_id)
    talk = road.customer_writes("I want a person")

    def is_ours() -> bool:
        with tenant_scope(road.world.bakery.id):
            return Conversation.get_or_404(talk.id).is_with_person

    road.until(is_ours)
    road.meta.post("business-agent", phone_number_id=road.number.meta_id, **{"from": "16505551234"})
    road.until(lambda: not is_ours())


def all_of(road: Road) -> list[Message]:
    with tenant_scope(road.world.bakery.id):
        return list(db.session.query(Message).order_by(Message.occurred_at, Message.id))
