"""Changes of many conversations are undone on the server, and never over what a colleague has changed since."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest

from app.contacts.tags import Tag
from app.hours.models import ServicePolicy
from app.inbox.conversations import Conversation
from app.inbox.desk.blocks import Block
from app.inbox.desk.bulk_changes import MOST, BulkChange
from app.inbox.desk.jobs import forget_old_bulk_changes
from app.team.models import Team
from app.tenancy import db, now, tenant_scope
from tests import world as people
from tests.client import FRAGMENT, Browser
from tests.cpu import Meter
from tests.happenings import deliver_to_subscriber
from tests.inbox.conftest import undo
from tests.world import World


def bulk(browser: Browser, *ids: object, **change: Any) -> Any:
    return browser.post("~/inbox/bulk", {"id": [str(id) for id in ids], **change}, headers=FRAGMENT)


def again(world: World, talk: Conversation) -> Conversation:
    with tenant_scope(world.bakery.id):
        return Conversation.get_or_404(talk.id)


def put(browser: Browser, talk: Conversation, state: str, **more: str) -> None:
    browser.post(f"~/inbox/{talk.id}/state", {"state": state, **more}, headers=FRAGMENT)


@pytest.fixture
def dora(world: World, carla: Conversation) -> Conversation:
    with tenant_scope(world.bakery.id):
        number = Conversation.get_or_404(carla.id).phone_number
    return people.conversation(number, wa_id="16505550199", name="Dora")


@pytest.fixture
def tag(world: World) -> uuid.UUID:
    with tenant_scope(world.bakery.id):
        return Tag.get_or_make("regular").id


@pytest.fixture
def team(world: World) -> Team:
    with tenant_scope(world.bakery.id):
        db.session.add(team := Team(id=uuid.uuid4(), name="Ovens"))
    return team


def test_each_conversation_goes_back_to_what_it_was(
    ann: Browser, world: World, carla: Conversation, dora: Conversation
) -> None:
    put(ann, dora, "pending")
    answer = bulk(ann, carla.id, dora.id, state="resolved")
    assert "2 conversations changed" in answer.text
    assert ">Undone<" in undo(ann, answer.text).text
    assert (again(world, carla).state, again(world, dora).state) == ("open", "pending")


def test_undo_leaves_what_a_colleague_has_changed_since(
    ann: Browser, ben: Browser, world: World, carla: Conversation, dora: Conversation
) -> None:
    answer = bulk(ann, carla.id, dora.id, state="resolved")
    put(ben, dora, "archived")
    assert "except for 1 conversation that has changed since" in undo(ann, answer.text).text
    assert (again(world, carla).state, again(world, dora).state) == ("open", "archived")


def test_undo_leaves_what_a_colleague_changed_there_and_back(
    ann: Browser, ben: Browser, world: World, carla: Conversation
) -> None:
    answer = bulk(ann, carla.id, assignee="me")
    for assignee in (str(world.ben.id), str(world.ann.id)):
        ben.post(f"~/inbox/{carla.id}/assignment", {"assignee": assignee}, headers=FRAGMENT)
    undo(ann, answer.text)
    assert again(world, carla).assignee_id == world.ann.id


def test_an_assignment_and_a_team_are_undone(ann: Browser, world: World, carla: Conversation, team: Team) -> None:
    for change in ({"assignee": "me"}, {"team": str(team.id)}):
        answer = bulk(ann, carla.id, **change)
        assert again(world, carla).assignee_id == world.ann.id or again(world, carla).team_id == team.id
        undo(ann, answer.text)
        assert (again(world, carla).assignee_id, again(world, carla).team_id) == (None, None)


def test_a_tag_that_a_colleague_added_again_stays(
    ann: Browser, ben: Browser, world: World, carla: Conversation, tag: uuid.UUID
) -> None:
    answer = bulk(ann, carla.id, add_tag=tag)
    bulk(ben, carla.id, remove_tag=tag)
    bulk(ben, carla.id, add_tag=tag)
    undo(ann, answer.text)
    with tenant_scope(world.bakery.id):
        assert [one.name for one in Conversation.get_or_404(carla.id).contact.tags] == ["regular"]


def test_what_a_change_did_not_change_is_not_undone(
    ann: Browser, world: World, carla: Conversation, dora: Conversation
) -> None:
    put(ann, dora, "resolved")
    answer = bulk(ann, carla.id, dora.id, state="resolved")
    assert "1 conversation changed" in answer.text
    undo(ann, answer.text)
    assert (again(world, carla).state, again(world, dora).state) == ("open", "resolved")


def test_a_change_of_nothing_offers_no_undo(ann: Browser, carla: Conversation) -> None:
    answer = bulk(ann, carla.id, state="open")
    assert answer.status_code == 200 and "Nothing to change" in answer.text and "undoing" not in answer.text


def test_a_second_undo_changes_nothing(ann: Browser, world: World, carla: Conversation) -> None:
    answer = bulk(ann, carla.id, state="resolved")
    undo(ann, answer.text)
    put(ann, carla, "archived")
    assert "already undone" in undo(ann, answer.text).text
    assert again(world, carla).state == "archived"


def test_no_one_undoes_what_a_colleague_changed(ann: Browser, ben: Browser, world: World, carla: Conversation) -> None:
    answer = bulk(ann, carla.id, state="resolved")
    assert undo(ben, answer.text).status_code == 404
    assert again(world, carla).state == "resolved"


def test_resolving_somebody_who_is_blocked_unblocks_them(ann: Browser, world: World, carla: Conversation) -> None:
    ann.post(f"~/inbox/{carla.id}/block", {"reason": "spam"}, headers=FRAGMENT)
    bulk(ann, carla.id, state="resolved")
    with tenant_scope(world.bakery.id):
        assert db.session.query(Block).one().state == "unblocking"


@pytest.mark.parametrize(
    "change",
    [
        {"state": "nonsense"},
        {"state": "merged"},
        {"state": "blocked"},
        {"state": "snoozed", "until": "tomorrow-ish"},
        {"state": "snoozed", "until": "0001-01-01T00:00+14:00"},
        {},
    ],
)
def test_a_wrong_change_is_refused_in_words(
    ann: Browser, world: World, carla: Conversation, change: dict[str, str]
) -> None:
    assert bulk(ann, carla.id, **change).status_code == 422
    assert again(world, carla).state == "open"


@pytest.mark.parametrize("change", [{"assignee": "1\x00"}, {"team": "nobody's"}, {"add_tag": "1"}])
def test_an_id_of_nothing_is_not_found(ann: Browser, carla: Conversation, change: dict[str, str]) -> None:
    assert bulk(ann, carla.id, **change).status_code == 404


def test_an_id_may_be_spelt_in_capitals(ann: Browser, world: World, carla: Conversation) -> None:
    answer = bulk(ann, str(carla.id).upper(), "nonsense", state="resolved")
    assert "1 conversation changed" in answer.text
    undo(ann, answer.text)
    assert again(world, carla).state == "open"


def test_too_many_are_refused_and_not_cut(ann: Browser, world: World, carla: Conversation) -> None:
    answer = bulk(ann, carla.id, *(uuid.uuid4() for _ in range(MOST)), state="resolved")
    assert answer.status_code == 422 and f"at most {MOST} conversations" in answer.text
    assert again(world, carla).state == "open"


def test_a_conversation_that_went_into_another_is_left_alone(ann: Browser, world: World, carla: Conversation) -> None:
    with tenant_scope(world.bakery.id):
        talk = Conversation.get_or_404(carla.id)
        talk.state, talk.merged_into_id = "merged", talk.id
    assert "Nothing to change" in bulk(ann, carla.id, state="resolved").text


def test_old_changes_are_forgotten(ann: Browser, world: World, carla: Conversation) -> None:
    bulk(ann, carla.id, state="resolved")
    with tenant_scope(world.bakery.id):
        db.session.query(BulkChange).one().created_at = now() - dt.timedelta(days=31)
    forget_old_bulk_changes()
    with tenant_scope(world.bakery.id):
        assert db.session.query(BulkChange).count() == 0


@pytest.mark.parametrize("change", [{"state": "resolved"}, {"assignee": "me"}, {"add_tag": "regular"}])
def test_two_hundred_conversations_are_changed_within_a_requests_time(
    ann: Browser, world: World, carla: Conversation, tag: uuid.UUID, change: dict[str, str]
) -> None:
    with tenant_scope(world.bakery.id):
        number = Conversation.get_or_404(carla.id).phone_number
    ids = [people.conversation(number, wa_id=f"1650556{n:04}", name="Eve").id for n in range(MOST)]
    change = {name: str(tag) if name == "add_tag" else value for name, value in change.items()}
    meter, changed = Meter(), []
    spent = meter.seconds(lambda: changed.append(bulk(ann, *ids, **change).text))
    assert f"{MOST} conversation" in changed[0]
    assert spent < meter.most


def test_who_was_resolved_with_others_is_asked_afterwards(
    ann: Browser, world: World, carla: Conversation, dora: Conversation
) -> None:
    with tenant_scope(world.bakery.id):
        db.session.add(ServicePolicy(survey_question="How did it go?"))
    bulk(ann, carla.id, dora.id, state="resolved")
    deliver_to_subscriber("surveys", world.bakery.id)
    for talk in (carla, dora):
        assert "How did it go?" in again(world, talk).last_line
