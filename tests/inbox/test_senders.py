"""Who sent what: stored with each message, note and change of state, shown, and found again."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest

from app.inbox.conversations import Conversation, Message
from app.inbox.conversations.activities import Activity
from app.inbox.desk.notes import Note
from app.inbox.desk.search import Search
from app.inbox.outbound.lanes import Lane
from app.tenancy import Actor, db, now, tenant_scope
from tests.arrivals import arrive, messages, of_field
from tests.client import Browser
from tests.posts import message
from tests.simulated import Road
from tests.world import World, conversation

RULE = Actor("automation", uuid.uuid4(), "Welcome")
KEY = Actor("api", uuid.uuid4(), "Website")


@pytest.fixture
def talk(world: World) -> Conversation:
    number, _ = world.connect_numbers()
    return conversation(number)


def send(world: World, talk: Conversation, words: str, by: Actor, **more: Any) -> Message:
    with tenant_scope(world.bakery.id):
        return Conversation.get_or_404(talk.id).reply(words, by=by, client_id=uuid.uuid4(), **more)


def thread(browser: Browser, talk: Conversation) -> str:
    return browser.get(f"~/inbox/{talk.id}").text


@pytest.mark.parametrize(
    ("by", "shown"),
    [
        (RULE, "Automation “Welcome”"),
        (KEY, "API key “Website”"),
        (Actor("assistant"), "Assistant"),
        (Actor("campaign", uuid.uuid4(), "Spring"), "Campaign “Spring”"),
        (Actor.system("away"), "Out-of-office reply"),
        (Actor.system("survey"), "Survey"),
    ],
)
def test_the_thread_says_who_sent_a_message(
    ann: Browser, world: World, talk: Conversation, by: Actor, shown: str
) -> None:
    send(world, talk, "Hello", by)
    assert shown in thread(ann, talk)


def test_an_agents_message_shows_what_the_agent_is_called_now(ann: Browser, world: World, talk: Conversation) -> None:
    sent = send(world, talk, "Hello", Actor.agent(world.ben))
    ben = (sent.author_kind, sent.author_id, sent.author_name, sent.source)
    assert ben == ("agent", world.ben.id, None, "inbox")
    assert 'data-sender="agent"' in thread(ann, talk)


def test_a_message_from_before_kinds_were_stored_is_its_authors(world: World, talk: Conversation) -> None:
    sent = send(world, talk, "Hello", Actor.agent(world.ben))
    with tenant_scope(world.bakery.id):
        db.session.execute(db.update(Message).values(author_kind=None, source=None))
    with tenant_scope(world.bakery.id):
        by = Message.get_or_404(sent.id).sent_by
        assert by == Actor.agent(world.ben)


def test_the_phone_is_who_wrote_on_the_phone(world: World, talk: Conversation) -> None:
    item = {"from": "15550783881", "to": "16505551234", "id": "wamid.e", "timestamp": "1790000000"}
    arrive(of_field("smb_message_echoes", message_echoes=[item | {"type": "text", "text": {"body": "At six"}}]))
    (sent,) = messages(world)
    assert (sent.sent_by, sent.author_kind, sent.source) == (Actor.phone(), "phone", "phone")


def test_what_a_customer_wrote_has_no_sender_of_ours(world: World, talk: Conversation) -> None:
    arrive(message("Hello"))
    assert [(one.sent_by, one.sender_kind) for one in messages(world)] == [(None, "customer")]


@pytest.mark.parametrize(
    ("by", "lane"),
    [
        (RULE, "automation"),
        (KEY, "automation"),
        (Actor.system("survey"), "automation"),
        (Actor("campaign"), "campaigns"),
        (Actor("sequence"), "campaigns"),
    ],
)
def test_the_lane_follows_from_the_sender(world: World, talk: Conversation, by: Actor, lane: str) -> None:
    assert send(world, talk, "Hello", by).lane == lane


def test_a_sender_may_say_what_its_message_comes_from_and_waits_behind(world: World, talk: Conversation) -> None:
    sent = send(world, talk, "Hello", KEY, source="notification", lane="replies")
    assert (sent.source, sent.lane) == ("notification", "replies")


def test_a_reply_goes_before_automation_and_that_before_a_campaign(road: Road) -> None:
    talks = [road.customer_writes(f"Hi {n}", wa_id=f"1650555000{n}", name=f"C{n}") for n in range(3)]
    for talk, by in zip(talks, (Actor("campaign"), RULE, Actor.agent(road.world.ann)), strict=True):
        send(road.world, talk, by.kind, by)
    with tenant_scope(road.world.bakery.id):
        lane = Lane(db.session.merge(road.number))
        lanes = [parcel.lane for _ in range(3) for parcel in lane.claim_due(1)]
    assert lanes == ["replies", "automation", "campaigns"]


def test_automation_does_not_overtake_the_reply_before_it(road: Road) -> None:
    talk = road.customer_writes()
    with tenant_scope(road.world.bakery.id):
        again = Conversation.get_or_404(talk.id)
        held = again.reply("Goodbye", by=Actor.agent(road.world.ann), client_id=uuid.uuid4())
        held.next_attempt_at = now() + dt.timedelta(hours=1)
    send(road.world, talk, "How was it?", Actor.system("survey"))
    road.deliver()
    assert road.meta.accepted() == []


def test_a_note_and_a_change_of_state_say_who(ann: Browser, world: World, talk: Conversation) -> None:
    with tenant_scope(world.bakery.id):
        again = Conversation.get_or_404(talk.id)
        Note.write(again, "Asked for wholesale prices", by=RULE, client_id=uuid.uuid4())
        again.put("resolved", by=KEY)
        assert db.session.scalars(db.select(Activity)).one().done_by == KEY
    page = thread(ann, talk)
    assert "Note by Automation “Welcome”" in page and "API key “Website” resolved this" in page


def results(world: World, sender: str) -> list[str]:
    with tenant_scope(world.bakery.id):
        return sorted(hit.entry.body for hit in Search.from_arguments({"q": "loaves", "sender": sender}).find().hits)


def test_search_finds_by_who_sent(world: World, talk: Conversation) -> None:
    arrive(message("loaves, customer"))
    send(world, talk, "loaves, rule", RULE)
    send(world, talk, "loaves, ann", Actor.agent(world.ann))
    send(world, talk, "loaves, key", KEY)
    with tenant_scope(world.bakery.id):
        Note.write(Conversation.get_or_404(talk.id), "loaves, note", by=Actor.agent(world.ann), client_id=uuid.uuid4())
    assert results(world, "customer") == ["loaves, customer"]
    assert results(world, "people") == ["loaves, ann", "loaves, note"]
    assert (results(world, "automation"), results(world, "api")) == (["loaves, rule"], ["loaves, key"])
    assert len(results(world, "")) == 5


@pytest.mark.parametrize(("by", "sender"), [(RULE, "automation"), (KEY, "api"), (None, "people")])
def test_the_list_shows_whose_message_is_the_last(
    ann: Browser, world: World, talk: Conversation, by: Actor | None, sender: str
) -> None:
    send(world, talk, "Bonjour", by or Actor.agent(world.ben))
    assert "Bonjour" in ann.get(f"~/inbox/list?sender={sender}").text
    assert "Bonjour" not in ann.get("~/inbox/list?sender=campaigns").text


def test_who_gets_the_out_of_office_reply_still_waits(world: World, talk: Conversation) -> None:
    arrive(message("Anybody?"))
    send(world, talk, "We are closed", Actor.system("away"))
    with tenant_scope(world.bakery.id):
        waiting = Conversation.get_or_404(talk.id)
        assert waiting.waiting_since is not None and waiting.last_message_preview == "Anybody?"
