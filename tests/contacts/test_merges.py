from __future__ import annotations

import datetime as dt
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select

from app.contacts.models import Contact
from app.contacts.records import ContactNote
from app.inbox.conversations import Conversation, Message
from app.people.merges import ContactMerge, NotLast, NotTwo
from app.tenancy import Actor, db, tenant_scope
from tests.arrivals import arrive, conversations, drain, messages
from tests.client import Browser
from tests.posts import change, message
from tests.world import BAKERY_NUMBER, World


@pytest.fixture
def two(world: World) -> tuple[uuid.UUID, uuid.UUID]:
    """Carla twice: by her number, and later by an id of WhatsApp's alone. Both wrote to the same number."""
    world.connect_numbers()
    arrive(message("Hello", wa_id="16505551234", name="Carla Mendes", at=1_790_000_000))
    arrive(hidden("Me again", at=1_790_000_100))
    with tenant_scope(world.bakery.id):
        one, other = db.session.scalars(select(Contact.id).order_by(Contact.id))
    return one, other


def hidden(body: str, *, bsuid: str = "US.777", username: str = "carla.m", at: float = 1_790_000_200) -> dict[str, Any]:
    """A message from somebody whose number WhatsApp keeps to itself."""
    item = {"from_user_id": bsuid, "id": f"wamid.{uuid.uuid4()}", "timestamp": str(int(at)), "type": "text"}
    contact = {"profile": {"name": "Carla Mendes", "username": username}, "user_id": bsuid}
    return change(BAKERY_NUMBER, contacts=[contact], messages=[item | {"text": {"body": body}}])


def merge(world: World, two: tuple[uuid.UUID, uuid.UUID]) -> uuid.UUID:
    with tenant_scope(world.bakery.id):
        one, other = (Contact.get_or_404(id) for id in two)
        return ContactMerge.merge(one, other, by=Actor.agent(world.ann)).id


def undo(world: World, merge_id: uuid.UUID) -> None:
    with tenant_scope(world.bakery.id):
        ContactMerge.get_or_404(merge_id).undo(by=Actor.agent(world.ann))


WHAT_MOVES = (
    "contacts",
    "contact_identities",
    "contact_tags",
    "contact_field_values",
    "contact_notes",
    "contact_links",
    "consents",
    "contact_terms",
    "conversations",
    "messages",
)


def everything(superuser_url: str) -> dict[str, list[str]]:
    """Every row that a merge may touch, but for the ids of what is written anew."""
    with psycopg.connect(superuser_url) as connection:
        return {
            table: [
                row
                for (row,) in connection.execute(
                    f"select (to_jsonb(t) - case when '{table}' = 'contact_terms' then 'id' else '' end)::text"
                    f' from "{table}" t order by 1'
                )
            ]
            for table in WHAT_MOVES
        }


def test_two_conversations_with_one_number_become_one_thread(world: World, two: tuple[uuid.UUID, uuid.UUID]) -> None:
    merge(world, two)
    (talk,) = conversations(world)
    assert talk.contact_id == two[0] and (talk.unread_count, talk.last_message_preview) == (2, "Me again")
    assert [(each.body, each.conversation_id) for each in messages(world)] == [
        ("Hello", talk.id),
        ("Me again", talk.id),
    ]


def test_undoing_brings_back_every_row(world: World, two: tuple[uuid.UUID, uuid.UUID], superuser_url: str) -> None:
    with tenant_scope(world.bakery.id):
        for number, id in enumerate(two):
            contact = Contact.get_or_404(id)
            contact.tag("Regular", by=Actor.agent(world.ann))
            contact.tag(f"Only {number}", by=Actor.agent(world.ann))
            db.session.add(ContactNote(contact_id=id, body=f"note {number}"))
    before = everything(superuser_url)
    merge_id = merge(world, two)
    assert everything(superuser_url) != before
    undo(world, merge_id)
    assert everything(superuser_url) == before


def test_the_contact_was_last_seen_when_either_was(world: World, two: tuple[uuid.UUID, uuid.UUID]) -> None:
    before = [seen_at(world, id) for id in two]
    merge_id = merge(world, two)
    assert before[0] < before[1] and seen_at(world, two[0]) == before[1]
    undo(world, merge_id)
    assert [seen_at(world, id) for id in two] == before


def test_who_wrote_since_the_merge_stays_seen_then(world: World, two: tuple[uuid.UUID, uuid.UUID]) -> None:
    merge_id = merge(world, two)
    arrive(message("Still there?", wa_id="16505551234", at=1_790_000_500))
    undo(world, merge_id)
    assert int(seen_at(world, two[0]).timestamp()) == 1_790_000_500


def seen_at(world: World, contact_id: uuid.UUID) -> dt.datetime:
    with tenant_scope(world.bakery.id):
        return Contact.get_or_404(contact_id).last_seen_at


def test_undoing_twice_changes_nothing_more(world: World, two: tuple[uuid.UUID, uuid.UUID], superuser_url: str) -> None:
    merge_id = merge(world, two)
    undo(world, merge_id)
    before = everything(superuser_url)
    undo(world, merge_id)
    assert everything(superuser_url) == before


def test_what_is_written_after_a_merge_comes_into_the_one_thread(
    world: World, two: tuple[uuid.UUID, uuid.UUID]
) -> None:
    merge(world, two)
    arrive(hidden("And again"), message("By number", wa_id="16505551234", name="Carla Mendes"))
    assert len(conversations(world)) == 1 and len({each.conversation_id for each in messages(world)}) == 1


def test_what_came_since_a_merge_stays_when_it_is_undone(world: World, two: tuple[uuid.UUID, uuid.UUID]) -> None:
    merge_id = merge(world, two)
    arrive(hidden("And again", at=1_790_000_300))
    undo(world, merge_id)
    shown = {talk.contact_id: (talk.last_message_preview, talk.unread_count) for talk in conversations(world)}
    assert shown == {two[0]: ("And again", 2), two[1]: ("Me again", 1)}


def test_conversations_with_different_numbers_both_stay(world: World, two: tuple[uuid.UUID, uuid.UUID]) -> None:
    with tenant_scope(world.bakery.id):
        number = db.session.scalars(select(Conversation.phone_number_id)).first()
        third = Contact(id=uuid.uuid4(), name="Third")
        db.session.add(third)
        db.session.flush()
    merge_id = merge(world, (two[0], third.id))
    assert number and len(conversations(world)) == 2
    undo(world, merge_id)
    assert len(conversations(world)) == 2


def test_an_old_address_leads_to_where_the_conversation_went(
    ann: Browser, world: World, two: tuple[uuid.UUID, uuid.UUID]
) -> None:
    with tenant_scope(world.bakery.id):
        gone = db.session.scalars(select(Conversation.id).where(Conversation.contact_id == two[1])).one()
    merge(world, two)
    assert "Me again" in ann.get(f"~/inbox/{gone}").text and "Hello" in ann.get(f"~/inbox/{gone}").text
    assert "16505551234"[-4:] in ann.get(f"~/contacts/{two[1]}").text


def test_an_earlier_merge_is_not_undone_before_a_later_one(world: World, two: tuple[uuid.UUID, uuid.UUID]) -> None:
    first = merge(world, two)
    arrive(message("I am new", wa_id="16505559999", name="Carla M."))
    with tenant_scope(world.bakery.id):
        third = db.session.scalars(select(Contact.id).where(Contact.name == "Carla M.")).one()
    second = merge(world, (two[0], third))
    with pytest.raises(NotLast):
        undo(world, first)
    undo(world, second)
    undo(world, first)
    assert len(conversations(world)) == 3


def test_a_contact_is_not_merged_with_itself_or_twice(world: World, two: tuple[uuid.UUID, uuid.UUID]) -> None:
    with pytest.raises(NotTwo):
        merge(world, (two[0], two[0]))
    merge(world, two)
    with pytest.raises(NotTwo):
        merge(world, two)


def race(app: Flask, *calls: Callable[[], object]) -> None:
    """Calls all of them at once, each in a thread of its own."""
    start, failures = threading.Barrier(len(calls)), []

    def run(call: Callable[[], object]) -> None:
        with app.app_context():
            start.wait()
            try:
                call()
            except Exception as failure:  # noqa: BLE001  compared below
                failures.append(failure)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.parametrize("round", range(3))
def test_messages_that_arrive_during_a_merge_are_neither_lost_nor_doubled(
    app: Flask, world: World, two: tuple[uuid.UUID, uuid.UUID], round: int
) -> None:
    def write() -> None:
        for n in range(10):
            arrive(hidden(f"hidden {n}"), message(f"open {n}", wa_id="16505551234", name="Carla Mendes"))

    race(app, write, lambda: merge(world, two), write)
    # What came while the merge held the tenant.
    drain()
    incoming = [each.body for each in messages(world)]
    assert len(incoming) == 2 + 2 * 20
    assert len({each.conversation_id for each in messages(world)}) == 1 and len(conversations(world)) == 1


@pytest.mark.parametrize("round", range(3))
def test_answers_during_a_merge_end_in_the_thread_that_stays(
    app: Flask, world: World, two: tuple[uuid.UUID, uuid.UUID], round: int
) -> None:
    arrive(hidden("now", at=time.time()))
    with tenant_scope(world.bakery.id):
        gone = db.session.scalars(select(Conversation.id).where(Conversation.contact_id == two[1])).one()

    def answer() -> None:
        for n in range(10):
            with tenant_scope(world.bakery.id):
                talk = Conversation.get_or_404(gone)
                talk.reply(f"answer {n}", by=Actor.agent(world.ann), client_id=uuid.uuid4())

    race(app, answer, lambda: merge(world, two), answer)
    (talk,) = conversations(world)
    with tenant_scope(world.bakery.id):
        sent = db.session.scalars(select(Message.conversation_id).where(Message.direction == "outbound")).all()
    assert len(sent) == 20 and set(sent) == {talk.id}


def test_merge_and_undo_from_the_page(ann: Browser, world: World, two: tuple[uuid.UUID, uuid.UUID]) -> None:
    answer = ann.post(f"~/contacts/{two[0]}/merges", {"other_id": str(two[1])})
    assert answer.status_code == 303 and len(conversations(world)) == 1
    with tenant_scope(world.bakery.id):
        merge_id = db.session.scalars(select(ContactMerge.id)).one()
    assert "Undo merge" in ann.get(f"~/contacts/{two[0]}/timeline").text
    ann.post(f"~/contacts/{two[0]}/merges/{merge_id}/undoing")
    assert len(conversations(world)) == 2
