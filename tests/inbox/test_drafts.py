"""What an agent has typed and not sent: kept, theirs alone, gone once it is sent."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from flask import Flask

from app.inbox.compose.drafts import LONGEST, Draft
from app.inbox.compose.jobs import forget_old_drafts
from app.inbox.conversations import Conversation
from app.people.erasure import erase
from app.people.merges import ContactMerge
from app.tenancy import Actor, Membership, db, now, tenant_scope
from tests import world as people
from tests.client import FRAGMENT, Browser
from tests.world import World

WORDS = "We bake it at"


def save(browser: Browser, talk: Conversation, body: str, *, what: str = "reply", age: int = 0) -> Any:
    return browser.put(f"~/inbox/{talk.id}/drafts/{what}", data={"body": body, "age": str(age)})


def drafts(world: World) -> list[Draft]:
    with tenant_scope(world.bakery.id):
        return list(db.session.scalars(db.select(Draft).order_by(Draft.typed_at)))


def shown(browser: Browser, talk: Conversation) -> str:
    return str(browser.get(f"~/inbox/{talk.id}", headers=FRAGMENT).text)


def test_a_draft_is_restored_and_marked_in_the_list(ben: Browser, carla: Conversation) -> None:
    assert save(ben, carla, WORDS).status_code == 204
    assert WORDS in shown(ben, carla)
    listed = ben.get("~/inbox/list").text
    assert WORDS in listed and "Draft:" in listed


def test_a_colleague_does_not_see_it(ann: Browser, ben: Browser, carla: Conversation) -> None:
    save(ben, carla, WORDS)
    save(ben, carla, "Ask the baker", what="note")
    for page in (shown(ann, carla), ann.get("~/inbox/list").text, ann.get(f"~/inbox/{carla.id}/later").text):
        assert WORDS not in page and "Ask the baker" not in page


def test_a_member_of_another_tenant_saves_and_sees_nothing(sue: Browser, world: World, carla: Conversation) -> None:
    assert save(sue, carla, WORDS).status_code == 404
    assert drafts(world) == []


def test_reply_and_note_have_separate_drafts(ben: Browser, world: World, carla: Conversation) -> None:
    save(ben, carla, WORDS)
    save(ben, carla, "Ask the baker", what="note")
    assert [(one.kind, one.body) for one in drafts(world)] == [("reply", WORDS), ("note", "Ask the baker")]
    assert "Draft note:" in ben.get("~/inbox/list").text


def test_there_is_no_third_kind(ben: Browser, carla: Conversation) -> None:
    assert save(ben, carla, WORDS, what="letter").status_code == 404


def test_the_newest_wins_whatever_comes_last(ben: Browser, world: World, carla: Conversation) -> None:
    save(ben, carla, WORDS)
    save(ben, carla, "older, from the train", age=60_000)
    assert [one.body for one in drafts(world)] == [WORDS]


def test_a_sent_reply_leaves_no_draft(ben: Browser, world: World, carla: Conversation) -> None:
    save(ben, carla, WORDS)
    ben.post(f"~/inbox/{carla.id}/messages", data={"body": f"{WORDS} six", "client_id": str(uuid.uuid4())})
    assert "Draft:" not in ben.get("~/inbox/list").text and f"{WORDS}</textarea>" not in shown(ben, carla)


def test_what_is_typed_while_a_reply_is_on_its_way_stays(ben: Browser, carla: Conversation) -> None:
    save(ben, carla, "The next thing")
    sent = {"body": WORDS, "client_id": str(uuid.uuid4()), "age": "60000"}
    ben.post(f"~/inbox/{carla.id}/messages", data=sent)
    assert "The next thing" in shown(ben, carla)


def test_a_file_alone_leaves_the_words_where_they_are(ben: Browser, carla: Conversation) -> None:
    save(ben, carla, WORDS)
    ben.post(f"~/inbox/{carla.id}/messages", data={"body": "", "client_id": str(uuid.uuid4())})
    assert WORDS in shown(ben, carla)


def test_another_browsers_old_copy_does_not_come_back(ben: Browser, world: World, carla: Conversation) -> None:
    save(ben, carla, WORDS)
    ben.post(f"~/inbox/{carla.id}/messages", data={"body": WORDS, "client_id": str(uuid.uuid4())})
    save(ben, carla, WORDS, age=60_000)
    assert [one.body for one in drafts(world)] == [""]


def test_a_saved_note_leaves_no_draft(ben: Browser, world: World, carla: Conversation) -> None:
    save(ben, carla, "Ask the baker", what="note")
    ben.post(f"~/inbox/{carla.id}/notes", data={"body": "Ask the baker", "client_id": str(uuid.uuid4())})
    assert [one.body for one in drafts(world)] == [""]


def test_what_was_typed_before_the_window_closed_can_be_parked(ben: Browser, world: World, carla: Conversation) -> None:
    save(ben, carla, WORDS)
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(carla.id).last_inbound_at = now() - dt.timedelta(days=2)
    assert WORDS in ben.get(f"~/inbox/{carla.id}/later?parks=1").text


def test_a_draft_that_is_too_long_leaves_the_saved_one(ben: Browser, world: World, carla: Conversation) -> None:
    save(ben, carla, WORDS)
    save(ben, carla, "x" * (LONGEST + 5))
    assert drafts(world)[0].body == WORDS


def test_old_drafts_are_deleted(ben: Browser, world: World, carla: Conversation) -> None:
    save(ben, carla, WORDS)
    with tenant_scope(world.bakery.id):
        db.session.execute(db.update(Draft).values(typed_at=now() - dt.timedelta(days=31)))
    forget_old_drafts()
    assert drafts(world) == []


def test_who_leaves_takes_their_drafts_along(ann: Browser, ben: Browser, world: World, carla: Conversation) -> None:
    save(ben, carla, WORDS)
    with tenant_scope(world.bakery.id):
        seat, owner = (db.session.query(Membership).filter_by(user_id=who.id).one() for who in (world.ben, world.ann))
        seat.remove(by=owner)
    assert drafts(world) == []


def test_with_the_person_the_drafts_are_erased(ben: Browser, world: World, carla: Conversation) -> None:
    save(ben, carla, WORDS)
    save(ben, carla, "Ask the baker", what="note")
    with tenant_scope(world.bakery.id):
        erase(Conversation.get_or_404(carla.id).contact, by=Actor.agent(world.ann))
    assert drafts(world) == []
    assert 'data-draft-age="0"' in shown(ben, carla)


def test_two_people_who_are_one_have_all_that_was_typed(ben: Browser, world: World, carla: Conversation) -> None:
    with tenant_scope(world.bakery.id):
        number = Conversation.get_or_404(carla.id).phone_number
    other = people.conversation(number, wa_id="16505559999", name="Karla")
    save(ben, carla, WORDS, age=1000)
    save(ben, other, "And the rolls")
    with tenant_scope(world.bakery.id):
        one, two = (Conversation.get_or_404(talk.id).contact for talk in (carla, other))
        ContactMerge.merge(one, two, by=Actor.agent(world.ann))
    (saved,) = drafts(world)
    assert saved.conversation_id == carla.id and saved.body == f"{WORDS}\nAnd the rolls"


def test_a_draft_costs_the_list_one_query(app: Flask, ben: Browser, world: World, carla: Conversation) -> None:
    requested: list[str] = []
    with app.app_context():
        engine = db.engines[None]
    listen = lambda *args: requested.append(args[2])  # noqa: E731
    db.event.listen(engine, "before_cursor_execute", listen)
    ben.get("~/inbox/list")
    db.event.remove(engine, "before_cursor_execute", listen)
    assert len([words for words in requested if "from drafts" in words.lower()]) == 1


def test_the_next_words_take_the_place_of_the_first(ben: Browser, world: World, carla: Conversation) -> None:
    save(ben, carla, WORDS, age=5000)
    save(ben, carla, "Until six", age=900)
    assert [one.body for one in drafts(world)] == ["Until six"]
