"""Two short texts that still wait become one message."""

from __future__ import annotations

import datetime as dt
import json
import uuid

import pytest
from sqlalchemy import select, update

from app.inbox.conversations import Conversation, Message
from app.tenancy import db, now, tenant_scope
from tests.client import FRAGMENT, Browser
from tests.simulated import Road
from tests.world import World

BUTTON = "Merge with previous"
BOTH = "Hello Carla,\nyour bread is ready."


def write(browser: Browser, talk: Conversation, *bodies: str) -> str:
    """The bubble of the last one."""
    path = f"~/inbox/{talk.id}/messages"
    return [browser.post(path, {"body": body}, headers=FRAGMENT).text for body in bodies][-1]


def ours(world: World) -> list[Message]:
    with tenant_scope(world.bakery.id):
        return list(db.session.scalars(select(Message).where(Message.direction == "outbound").order_by(Message.id)))


def merge(browser: Browser, message: Message) -> str:
    return browser.post(f"~/inbox/{message.conversation_id}/messages/{message.id}/merge", headers=FRAGMENT).text


def bodies(world: World) -> list[tuple[str, str]]:
    return [(one.body, one.state) for one in ours(world)]


def test_the_second_of_two_texts_can_be_merged(ann: Browser, carla: Conversation) -> None:
    assert BUTTON not in write(ann, carla, "Hello Carla,")
    assert BUTTON in write(ann, carla, "your bread is ready.")


def test_merged_texts_are_one_bubble(ann: Browser, carla: Conversation, world: World) -> None:
    write(ann, carla, "Hello Carla,", "your bread is ready.")
    assert BOTH in merge(ann, ours(world)[1])
    assert bodies(world) == [("Hello Carla,", "cancelled"), (BOTH, "queued")]
    assert ann.get(f"~/inbox/{carla.id}").text.count("Hello Carla,</") == 0


def test_three_texts_are_merged_one_by_one(ann: Browser, carla: Conversation, world: World) -> None:
    write(ann, carla, "one", "two", "three")
    assert BUTTON in merge(ann, ours(world)[2])
    assert BUTTON not in merge(ann, ours(world)[2])
    assert bodies(world)[2] == ("one\ntwo\nthree", "queued")


def test_one_message_reaches_the_customer(road: Road, ann: Browser, world: World) -> None:
    write(ann, road.customer_writes(), "Hello Carla,", "your bread is ready.")
    merge(ann, ours(world)[1])
    with tenant_scope(world.bakery.id):
        Message.get_or_404(ours(world)[1].id).next_attempt_at = now()
    road.deliver()
    assert [json.loads(each["body"])["body"] for each in road.meta.accepted()] == [BOTH]


def test_what_is_being_sent_is_not_merged(ann: Browser, carla: Conversation, world: World) -> None:
    write(ann, carla, "Hello Carla,", "your bread is ready.")
    with tenant_scope(world.bakery.id):
        Message.get_or_404(ours(world)[0].id).state = "dispatching"
    merge(ann, ours(world)[1])
    assert [state for _, state in bodies(world)] == ["dispatching", "queued"]


def test_texts_of_two_agents_stay_apart(ann: Browser, ben: Browser, carla: Conversation, world: World) -> None:
    write(ann, carla, "Hello Carla,")
    assert BUTTON not in write(ben, carla, "your bread is ready.")
    merge(ben, ours(world)[1])
    assert [state for _, state in bodies(world)] == ["queued", "queued"]


def test_what_does_not_fit_into_one_message_stays_apart(ann: Browser, carla: Conversation, world: World) -> None:
    assert BUTTON not in write(ann, carla, "x" * 4_000, "y" * 96)
    assert BUTTON in write(ann, carla, "z")


def test_the_story_of_the_first_says_where_it_went(ann: Browser, carla: Conversation, world: World) -> None:
    write(ann, carla, "Hello Carla,", "your bread is ready.")
    merge(ann, ours(world)[1])
    story = ann.get(f"~/stories/{ours(world)[0].id}")
    assert "merged into the next one" in story.text


def test_two_merges_at_once_make_no_text_that_is_too_long(
    ann: Browser, carla: Conversation, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(ann, carla, "a" * 2_000, "b" * 2_000)

    def grown(self: Message) -> Message:
        earlier = db.session.scalars(select(Message).where(Message.body.startswith("a"))).one()
        db.session.execute(update(Message).where(Message.id == earlier.id).values(body="a" * 4_000))
        return earlier

    monkeypatch.setattr(Message, "merges_with", property(grown))
    merge(ann, ours(world)[1])
    assert [len(body) for body, _state in bodies(world)] == [4_000, 2_000]


def test_merged_texts_are_found_once(ann: Browser, carla: Conversation, world: World) -> None:
    write(ann, carla, "Hello Carla,", "your bread is ready.")
    merge(ann, ours(world)[1])
    page = ann.get("~/inbox/search?q=Hello").text
    assert f"at={ours(world)[1].id}" in page and f"at={ours(world)[0].id}" not in page


def test_two_texts_are_held_until_both_can_be_merged(ann: Browser, carla: Conversation, world: World) -> None:
    write(ann, carla, "Hello Carla,", "your bread is ready.")
    first, second = ours(world)
    assert first.next_attempt_at == second.next_attempt_at


@pytest.fixture
def merging(ann: Browser) -> Browser:
    ann.post("~/inbox/shortcuts", {"undo_for": "20", "enter": "sends", "first_view": "all"})
    return ann


def test_short_texts_in_a_row_become_one_message_for_those_who_chose_it(
    merging: Browser, carla: Conversation, world: World
) -> None:
    assert BOTH in write(merging, carla, "Hello Carla,", "your bread is ready.")
    assert bodies(world) == [("Hello Carla,", "cancelled"), (BOTH, "queued")]
    wait = ours(world)[1].next_attempt_at
    assert wait and wait > now() + dt.timedelta(seconds=10)


def test_the_sixth_text_in_a_row_begins_the_next_message(merging: Browser, carla: Conversation, world: World) -> None:
    write(merging, carla, *"abcdef")
    assert [body for body, state in bodies(world) if state == "queued"] == ["a\nb\nc\nd\ne", "f"]


def test_a_long_text_neither_waits_for_more_nor_keeps_what_is_before_it(
    merging: Browser, carla: Conversation, world: World
) -> None:
    write(merging, carla, "Hello Carla,", "x" * 201)
    waits = [one.next_attempt_at for one in ours(world)]
    assert [state for _, state in bodies(world)] == ["queued", "queued"] and waits[0] == waits[1]
    assert waits[0] and waits[0] < now() + dt.timedelta(seconds=6)


def test_a_text_that_is_posted_again_after_it_was_merged_is_the_same_message(
    merging: Browser, carla: Conversation, world: World
) -> None:
    texts = [{"body": body, "client_id": str(uuid.uuid4())} for body in ("Hello Carla,", "your bread is ready.")]
    answers = [merging.post(f"~/inbox/{carla.id}/messages", text, headers=FRAGMENT) for text in texts + texts]
    assert {answer.status_code for answer in answers} == {200} and len(bodies(world)) == 2
