"""Many messages at once pass the same gate, once each, and cost few statements."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import event, select

from app.contacts.consents import Consent
from app.inbox.conversations import Conversation, Message, Refusal, Sending, WindowClosed, send_all
from app.meta.outgoing import Outgoing
from app.tenancy import Actor, db, tenant_scope
from tests.happenings import happenings
from tests.world import World, conversation

BY = Actor.system("reminders")


@pytest.fixture
def talks(world: World) -> list[Conversation]:
    number, _ = world.connect_numbers()
    return [conversation(number, wa_id=f"1650555{place:04}", name=f"Customer {place}") for place in range(6)]


def sendings(talks: list[Conversation], words: str = "See you tomorrow") -> list[Sending]:
    return [Sending(talk.id, Outgoing("text", words), uuid.uuid5(talk.id, "tomorrow"), "reminder") for talk in talks]


def test_each_conversation_gets_its_message_and_shows_it(world: World, talks: list[Conversation]) -> None:
    with tenant_scope(world.bakery.id):
        send_all(sendings(talks), by=BY)
    with tenant_scope(world.bakery.id):
        queued = {one.conversation_id: one for one in db.session.scalars(select(Message))}
        assert {(one.body, one.state, one.source, one.author_name) for one in queued.values()} == {
            ("See you tomorrow", "queued", "reminder", "reminders")
        }
        assert all(Conversation.get_or_404(talk.id).last_message_id == queued[talk.id].id for talk in talks)


def test_the_same_batch_again_sends_nothing_more(world: World, talks: list[Conversation]) -> None:
    for _ in range(2):
        with tenant_scope(world.bakery.id):
            sent = send_all(sendings(talks), by=BY)
    with tenant_scope(world.bakery.id):
        assert {one.id for one in sent.values() if isinstance(one, Message)} == set(
            db.session.scalars(select(Message.id))
        )
    assert len(happenings(world.bakery.id, "message.queued")) == 6


def test_what_the_gate_refuses_says_why_and_the_others_go(world: World, talks: list[Conversation]) -> None:
    closed, *others = talks
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(closed.id).last_inbound_at = None
    with tenant_scope(world.bakery.id):
        sent = send_all(sendings(talks), by=BY)
    assert isinstance(sent[uuid.uuid5(closed.id, "tomorrow")], WindowClosed)
    assert sum(isinstance(one, Message) for one in sent.values()) == len(others)


def test_each_customers_own_consent_counts(world: World, talks: list[Conversation]) -> None:
    news = Outgoing("text", "News", category="utility")
    with tenant_scope(world.bakery.id):
        Consent.record(talks[0].contact_id, "utility", is_granted=False, source="phone")
        for talk in talks[:2]:
            Conversation.get_or_404(talk.id).last_inbound_at = None
    with tenant_scope(world.bakery.id):
        sent = send_all([Sending(talk.id, news, talk.id) for talk in talks[:2]], by=BY)
    assert [one.kind for one in sent.values() if isinstance(one, Refusal)] == ["unsubscribed", "no_direct_send"]


def test_a_merged_conversation_passes_it_on(world: World, talks: list[Conversation]) -> None:
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(talks[0].id).merged_into_id = talks[1].id
    with tenant_scope(world.bakery.id):
        sent = send_all(sendings(talks[:1]), by=BY)
    assert [one.conversation_id for one in sent.values() if isinstance(one, Message)] == [talks[1].id]


def test_more_messages_cost_no_more_statements(world: World, talks: list[Conversation]) -> None:
    counts = []
    for some in (talks[:2], talks[2:]):
        statements: list[str] = []
        with tenant_scope(world.bakery.id):
            engine = db.session.get_bind()
            event.listen(engine, "before_cursor_execute", note := lambda *call, seen=statements: seen.append(call[2]))
            send_all(sendings(some), by=BY)
            db.session.flush()
            event.remove(engine, "before_cursor_execute", note)
        counts.append(len(statements))
    assert counts[0] == counts[1]
