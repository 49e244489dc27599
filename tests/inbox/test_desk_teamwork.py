"""Whose a conversation is, notes that stay in the house, and two people at once."""

from __future__ import annotations

import re
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from app.inbox.compose.canned_replies import CannedReply
from app.inbox.conversations import Conversation, Message
from app.inbox.conversations.activities import Activity
from app.inbox.conversations.number_desks import NumberDesk
from app.inbox.desk.jobs import distribute, enqueue_distribution
from app.inbox.desk.notes import Mention, Note
from app.team.models import Team
from app.tenancy import Membership, User, db, now, platform_scope, tenant_scope
from app.tenancy.presence import come_online
from tests.arrivals import arrive
from tests.client import FRAGMENT, Browser
from tests.enqueued import Enqueued
from tests.inbox.conftest import undo
from tests.posts import message
from tests.simulated import Road
from tests.world import World


def again(world: World, talk: Conversation) -> Conversation:
    with tenant_scope(world.bakery.id):
        return Conversation.get_or_404(talk.id)


def assign(browser: Browser, talk: Conversation, assignee: object, **more: Any) -> Any:
    form = {"assignee": str(assignee), **more}
    return browser.post(f"~/inbox/{talk.id}/assignment", form, headers=FRAGMENT)


def test_self_assigning_assigns_and_says_so(ben: Browser, carla: Conversation, world: World) -> None:
    answer = assign(ben, carla, "me", expected="")
    assert "Assigned to you" in answer.text and again(world, carla).assignee_id == world.ben.id
    assert "Ben self-assigned this" in ben.get(f"~/inbox/{carla.id}").text
    assert "Carla" in ben.get("~/inbox/list?view=mine").text


def test_a_name_is_the_first_word_of_its_item(ann: Browser, carla: Conversation) -> None:
    """Letters lead to the item of a menu that begins with them."""
    page = ann.get(f"~/inbox/{carla.id}/assignment", headers=FRAGMENT).text
    items = re.findall(r'<button class="menu-item".*?</button>', page, re.DOTALL)
    assert ["Ben", "Offline"] in [re.sub(r"<[^>]*>", "", item).split() for item in items]


def test_an_assigned_conversation_is_not_reassigned_by_mistake(
    ann: Browser, ben: Browser, carla: Conversation, world: World
) -> None:
    assign(ben, carla, "me", expected="")
    answer = assign(ann, carla, "me", expected="")
    assert answer.status_code == 409 and "Already assigned to Ben" in answer.text
    assert again(world, carla).assignee_id == world.ben.id


def test_an_assigned_conversation_can_be_reassigned_deliberately(
    ann: Browser, ben: Browser, carla: Conversation, world: World
) -> None:
    assign(ben, carla, "me", expected="")
    assert assign(ann, carla, "me", expected=world.ben.id).status_code == 200
    assert again(world, carla).assignee_id == world.ann.id


def test_a_user_of_another_tenant_cannot_be_assigned(ann: Browser, carla: Conversation, world: World) -> None:
    assert assign(ann, carla, world.sue.id).status_code == 404
    assert assign(ann, carla, uuid.uuid4()).status_code == 404
    assert again(world, carla).assignee_id is None


def test_whoever_leaves_leaves_their_conversations_to_the_others(
    ann: Browser, ben: Browser, carla: Conversation, world: World
) -> None:
    assign(ben, carla, "me")
    with tenant_scope(world.bakery.id):
        member = db.session.query(Membership).filter_by(user_id=world.ben.id).one()
    assert ann.confirmed().post(f"~/team/members/{member.id}/removal").status_code == 303
    assert again(world, carla).assignee_id is None
    assert "Carla" in ann.get("~/inbox/list?view=unassigned").text


def test_of_many_who_take_it_at_once_one_has_it(app: Flask, carla: Conversation, world: World) -> None:
    """One reads that it is theirs, all others who has it."""
    browsers = [Browser(app, tenant="bakery").signed_in_as(who) for who in (world.ann, world.ben) * 4]
    start = threading.Barrier(len(browsers))

    def take(browser: Browser) -> int:
        start.wait()
        with app.app_context():
            return int(assign(browser, carla, "me", expected="").status_code)

    with ThreadPoolExecutor(len(browsers)) as pool:
        codes = list(pool.map(take, browsers))
    holder = again(world, carla).assignee_id
    for browser, code, who in zip(browsers, codes, (world.ann, world.ben) * 4, strict=True):
        assert code == (200 if who.id == holder else 409), browser
    with tenant_scope(world.bakery.id):
        assert db.session.query(Activity).filter_by(kind="assigned").count() == 1


def test_taking_resolving_and_answering_at_once_agree_in_the_end(app: Flask, carla: Conversation, world: World) -> None:
    ann, ben = (Browser(app, tenant="bakery").signed_in_as(who) for who in (world.ann, world.ben))
    doings = [
        lambda: assign(ann, carla, "me", expected=""),
        lambda: assign(ben, carla, "me", expected=""),
        lambda: ann.post(f"~/inbox/{carla.id}/state", {"state": "resolved"}, headers=FRAGMENT),
        lambda: ben.post(f"~/inbox/{carla.id}/state", {"state": "pending"}, headers=FRAGMENT),
        lambda: ann.post(f"~/inbox/{carla.id}/messages", {"body": "From Ann"}, headers=FRAGMENT),
        lambda: ben.post(f"~/inbox/{carla.id}/messages", {"body": "From Ben"}, headers=FRAGMENT),
    ]

    def do(what: Any) -> int:
        with app.app_context():
            return int(what().status_code)

    with ThreadPoolExecutor(len(doings)) as pool:
        codes = list(pool.map(do, doings))
    assert all(code in (200, 409) for code in codes) and codes[:2].count(200) == 1
    it = again(world, carla)
    with tenant_scope(world.bakery.id):
        last = db.session.scalars(
            select(Activity).where(Activity.kind.in_(("resolved", "pending"))).order_by(Activity.id)
        ).all()
        assert db.session.query(Message).filter_by(direction="outbound").count() == 2
    assert it.state in {activity.kind for activity in last} and len(last) == 2
    assert it.waiting_since is None


def test_a_note_is_in_the_thread_and_never_in_the_outbox(ann: Browser, road: Road) -> None:
    talk = road.customer_writes("Hello")
    ann.post(f"~/inbox/{talk.id}/notes", {"body": "He owes us money", "client_id": str(uuid.uuid4())}, headers=FRAGMENT)
    road.deliver()
    road.sweep()
    assert "He owes us money" in ann.get(f"~/inbox/{talk.id}").text
    assert road.meta.accepted() == []
    with tenant_scope(road.world.bakery.id):
        assert db.session.query(Message).filter_by(direction="outbound").count() == 0


def test_the_outbox_knows_nothing_of_notes() -> None:
    assert "notes" not in {table.name for table in Message.metadata.sorted_tables if "wamid" in table.columns}
    assert not {"wamid", "state", "next_attempt_at"} & set(Note.__table__.columns.keys())


def test_a_note_twice_is_one_note(ann: Browser, carla: Conversation, world: World) -> None:
    form = {"body": "Once", "client_id": str(uuid.uuid4())}
    for _ in range(2):
        assert ann.post(f"~/inbox/{carla.id}/notes", form, headers=FRAGMENT).status_code == 200
    assert ann.get(f"~/inbox/{carla.id}").text.count('data-testid="note"') == 1


def test_an_empty_note_is_refused_in_words(ann: Browser, carla: Conversation) -> None:
    answer = ann.post(f"~/inbox/{carla.id}/notes", {"body": "  "}, headers=FRAGMENT)
    assert answer.status_code == 422 and "Enter a note" in answer.text


def test_an_at_tells_a_colleague_until_they_look(ann: Browser, ben: Browser, carla: Conversation, world: World) -> None:
    ann.post(f"~/inbox/{carla.id}/notes", {"body": "@Ben please look. @Sue cannot."}, headers=FRAGMENT)
    with tenant_scope(world.bakery.id):
        assert [mention.user_id for mention in db.session.scalars(select(Mention))] == [world.ben.id]
    assert "Carla" in ben.get("~/inbox/list?view=mentions").text
    assert "Carla" not in ann.get("~/inbox/list?view=mentions").text
    ben.post(f"~/inbox/{carla.id}/reading", headers=FRAGMENT)
    with tenant_scope(world.bakery.id):
        assert db.session.scalars(select(Mention)).one().seen_at


def test_a_mention_is_highlighted_with_its_whole_name(ann: Browser, carla: Conversation, world: World) -> None:
    with platform_scope("tests"):
        db.session.execute(update(User).where(User.id == world.ben.id).values(name="Ben Ó Néill"))
    page = ann.post(f"~/inbox/{carla.id}/notes", {"body": "@Ben Ó Néill, or @ben. @Sue cannot."}, headers=FRAGMENT).text
    assert re.findall(r">(@[^<]+)</strong>", page) == ["@Ben Ó Néill", "@ben"]


def test_scripts_in_notes_are_text(ann: Browser, carla: Conversation) -> None:
    ann.post(f"~/inbox/{carla.id}/notes", {"body": "<script>alert(1)</script> @Ben<b>"}, headers=FRAGMENT)
    assert "<script>" not in ann.get(f"~/inbox/{carla.id}").text


def team_of(world: World, name: str, *people: Any, **more: Any) -> Team:
    with tenant_scope(world.bakery.id):
        team = Team(name=name, **more)
        db.session.add(team)
        db.session.flush()
        team.set_members({person.id for person in people})
    return team


def test_a_team_has_a_view_of_its_own(ann: Browser, carla: Conversation, world: World) -> None:
    team = team_of(world, "Cakes", world.ben)
    ann.post(f"~/inbox/{carla.id}/assignment", {"team": str(team.id)}, headers=FRAGMENT)
    assert "Carla" in ann.get(f"~/inbox/list?view=all&team={team.id}").text
    assert "Ann assigned this to the team Cakes" in ann.get(f"~/inbox/{carla.id}").text


def test_a_conversation_of_a_teams_number_is_in_its_queue(ann: Browser, world: World) -> None:
    number, _ = world.connect_numbers()
    team = team_of(world, "Cakes", world.ben)
    ann.post(f"~/inbox/numbers/{number.id}", {"team": str(team.id), "read_receipts": "never"})
    arrive(message("Hello"))
    with tenant_scope(world.bakery.id):
        assert db.session.scalars(select(Conversation)).one().team_id == team.id


@pytest.mark.parametrize("how", ["round_robin", "least_busy"])
def test_a_queue_is_shared_out_evenly_among_who_is_here(world: World, how: str) -> None:
    number, _ = world.connect_numbers()
    team = team_of(world, "Cakes", world.ann, world.ben, distribution=how, capacity=3)
    come_online(world.bakery.id, world.ann.id)
    come_online(world.bakery.id, world.ben.id)
    with tenant_scope(world.bakery.id):
        NumberDesk.change(number.id, team=team, read_receipts="always")
    arrive(*(message("Hi", wa_id=f"4915100000{n:03}", name=f"P{n}") for n in range(9)))
    enqueue_distribution()
    distribute(world.bakery.id, team.id)
    with tenant_scope(world.bakery.id):
        rows = db.session.execute(select(Conversation.assignee_id, func.count()).group_by(Conversation.assignee_id))
        assert {row[0]: row[1] for row in rows} == {world.ann.id: 3, world.ben.id: 3, None: 3}


def test_a_member_who_is_away_is_assigned_nothing(ben: Browser, world: World) -> None:
    number, _ = world.connect_numbers()
    team = team_of(world, "Cakes", world.ben, distribution="round_robin")
    come_online(world.bakery.id, world.ben.id)
    ben.post("~/account/presence", {"away": "1"})
    with tenant_scope(world.bakery.id):
        NumberDesk.change(number.id, team=team, read_receipts="always")
    arrive(message("Hi"))
    distribute(world.bakery.id, team.id)
    with tenant_scope(world.bakery.id):
        assert db.session.scalars(select(Conversation)).one().assignee_id is None


def test_an_agent_may_not_make_teams(ben: Browser) -> None:
    assert ben.get("~/team/teams").status_code == 403
    assert ben.post("~/team/teams", {"name": "Mine"}).status_code == 403


def test_a_team_is_made_changed_and_removed(ann: Browser, world: World) -> None:
    ann.post(
        "~/team/teams", {"name": "Cakes", "member": str(world.ben.id), "distribution": "least_busy", "capacity": "4"}
    )
    assert "A team with this name already exists" in ann.post("~/team/teams", {"name": "Cakes"}).text
    with tenant_scope(world.bakery.id):
        team = db.session.scalars(select(Team)).one()
        assert (team.user_ids, team.distribution, team.capacity) == ([world.ben.id], "least_busy", 4)
    ann.post(f"~/team/teams/{team.id}/removal")
    assert "Cakes" not in ann.get("~/team/teams").text.replace("Team “Cakes” deleted.", "")


def test_a_user_of_another_tenant_in_a_team_is_ignored(ann: Browser, world: World) -> None:
    ann.post("~/team/teams", {"name": "Cakes", "member": str(world.sue.id)})
    with tenant_scope(world.bakery.id):
        assert db.session.scalars(select(Team)).one().user_ids == []


def test_colleagues_see_who_is_here_and_who_types(ann: Browser, ben: Browser, carla: Conversation) -> None:
    assert "Ben" not in ann.get(f"~/inbox/{carla.id}/company").text
    ben.post(f"~/inbox/{carla.id}/company", {"doing": "looks"})
    assert "Ben is viewing" in ann.get(f"~/inbox/{carla.id}/company").text
    ben.post(f"~/inbox/{carla.id}/company", {"doing": "types"})
    assert "Ben is typing" in ann.get(f"~/inbox/{carla.id}/company").text
    assert "Ben" not in ben.get(f"~/inbox/{carla.id}/company").text
    ben.post(f"~/inbox/{carla.id}/company", {"doing": "left"})
    assert "Ben" not in ann.get(f"~/inbox/{carla.id}/company").text


@pytest.mark.parametrize("typed", ["zoe", "ZOË", "Zoe\u0308", "muller", "Ｚｏｅ"])
def test_a_colleague_is_found_in_other_letters_for_the_same_name(ann: Browser, world: World, typed: str) -> None:
    with platform_scope("tests"):
        db.session.execute(update(User).where(User.id == world.ben.id).values(name="Zoë Müller"))
    assert "Zoë Müller" in ann.get("~/inbox/colleagues", query_string={"q": typed}).text


def test_a_canned_reply_is_offered_with_its_variables_filled_in(
    ann: Browser, ben: Browser, carla: Conversation
) -> None:
    form = {
        "shortcut": "/hello",
        "body": "Hello {{first_name}}, {{agent}} of {{business}} here.",
        "shared": "1",
    }
    assert ann.post("~/inbox/canned-replies", form).status_code == 303
    offered = ben.get(f"~/inbox/{carla.id}/canned-replies?q=hel").text
    assert "Hello Carla, Ben of Bakery here." in offered
    assert ben.get(f"~/inbox/{carla.id}/canned-replies?q=zzz").text.strip() == ""


@pytest.mark.parametrize(
    ("page", "form"),
    [
        ("canned-replies", {"shortcut": "hi", "body": "Hi {{frist_name}}"}),
        ("macros", {"name": "Hi", "reply": "{{frist_name}}"}),
    ],
)
def test_a_variable_that_is_none_is_refused(ann: Browser, page: str, form: dict[str, str]) -> None:
    answer = ann.post(f"~/inbox/{page}", form)
    assert answer.status_code == 422 and "Did you mean {{first_name}}?" in answer.text


def test_my_own_canned_reply_is_mine_alone(ann: Browser, ben: Browser, carla: Conversation, world: World) -> None:
    ben.post("~/inbox/canned-replies", {"shortcut": "mine", "body": "Secret"})
    assert "Secret" not in ann.get(f"~/inbox/{carla.id}/canned-replies?q=").text
    with tenant_scope(world.bakery.id):
        reply = db.session.scalars(select(CannedReply)).one()
    assert ann.get(f"~/inbox/canned-replies/{reply.id}").status_code == 404
    assert ann.post(f"~/inbox/canned-replies/{reply.id}/removal").status_code == 404
    assert ben.post(f"~/inbox/canned-replies/{reply.id}/removal").status_code == 303


@pytest.mark.parametrize("form", [{"shortcut": "two words", "body": "x"}, {"shortcut": "ok", "body": " "}])
def test_a_canned_reply_that_cannot_be_is_refused_with_what_was_typed(ann: Browser, form: dict[str, str]) -> None:
    answer = ann.post("~/inbox/canned-replies", form)
    assert answer.status_code == 422 and form["shortcut"] in answer.text


def test_a_macro_does_all_of_it(ann: Browser, ben: Browser, carla: Conversation, world: World) -> None:
    form = {
        "name": "Done",
        "reply": "Bye {{first_name}}",
        "note": "Said goodbye",
        "assignment": "me",
        "ending": "resolved",
    }
    ann.post("~/inbox/macros", form | {"shared": "1"})
    results = re.search(rf"/inbox/{carla.id}/macros/([0-9a-f-]+)/runs", ben.get(f"~/inbox/{carla.id}/macros").text)
    assert results
    run = {"run_id": str(uuid.uuid4())}
    for _ in range(2):
        assert ben.post(f"~/inbox/{carla.id}/macros/{results[1]}/runs", run, headers=FRAGMENT).status_code == 200
    it, page = again(world, carla), ben.get(f"~/inbox/{carla.id}").text
    assert (it.state, it.assignee_id) == ("resolved", world.ben.id)
    assert page.count("Bye Carla") == 1 + page.count("row-preview") * 0 or "Bye Carla" in page
    with tenant_scope(world.bakery.id):
        assert db.session.query(Message).filter_by(direction="outbound").count() == 1
        assert db.session.query(Note).count() == 1


def test_a_macro_whose_reply_cannot_be_sent_does_nothing(ann: Browser, carla: Conversation, world: World) -> None:
    ann.post("~/inbox/macros", {"name": "Done", "reply": "Bye", "ending": "resolved"})
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(carla.id).last_inbound_at = now().replace(year=2020)
    results = re.search(rf"/inbox/{carla.id}/macros/([0-9a-f-]+)/runs", ann.get(f"~/inbox/{carla.id}/macros").text)
    assert results
    answer = ann.post(f"~/inbox/{carla.id}/macros/{results[1]}/runs", headers=FRAGMENT)
    assert answer.status_code == 409 and "Add a template to the macro" in answer.text
    assert again(world, carla).state == "open"


def test_many_conversations_are_resolved_at_once_and_restored(ann: Browser, carla: Conversation, world: World) -> None:
    arrive(message("Me too", wa_id="4915100000001", name="Dora"))
    with tenant_scope(world.bakery.id):
        ids = [str(id) for id in db.session.scalars(select(Conversation.id))]
    answer = ann.post("~/inbox/bulk", {"id": ids, "state": "resolved"}, headers=FRAGMENT).text
    assert "2 conversations changed" in answer
    assert again(world, carla).state == "resolved"
    assert "Undone" in undo(ann, answer).text
    assert again(world, carla).state == "open"


def test_conversations_of_another_tenant_cannot_be_selected(
    sue: Browser, ann: Browser, carla: Conversation, world: World
) -> None:
    shoes = Browser(sue.app, tenant="shoes").signed_in_as(world.sue)
    answer = shoes.post("~/inbox/bulk", {"id": [str(carla.id)], "state": "resolved"}, headers=FRAGMENT)
    assert "Nothing to change" in answer.text and again(world, carla).state == "open"


@pytest.mark.parametrize(("policy", "opened", "answered"), [("always", 1, 0), ("on_reply", 0, 1), ("never", 0, 0)])
def test_blue_ticks_follow_the_numbers_policy(
    ann: Browser, road: Road, policy: str, opened: int, answered: int, enqueued: Enqueued
) -> None:
    talk = road.customer_writes("Hello")
    ann.post(f"~/inbox/numbers/{road.number.id}", {"read_receipts": policy})
    ann.get(f"~/inbox/{talk.id}")
    assert "outbound.mark_read" not in enqueued.names
    ann.post(f"~/inbox/{talk.id}/reading", headers=FRAGMENT)
    assert enqueued.names.count("outbound.mark_read") == opened
    enqueued.clear()
    ann.post(f"~/inbox/{talk.id}/messages", {"body": "Hi"}, headers=FRAGMENT)
    assert enqueued.names.count("outbound.mark_read") == answered


def test_keys_are_changed_and_one_key_does_one_thing(ann: Browser) -> None:
    page = ann.get("~/inbox/shortcuts").text
    keys = dict(re.findall(r'id="key-[\w-]+"[^>]*? name="([\w-]+)"[^>]*? value="([^"]+)"', page))
    assert ann.post("~/inbox/shortcuts", keys | {"resolve": "j"}).status_code == 422
    ann.post("~/inbox/shortcuts", keys | {"resolve": "d", "first_view": "unassigned"})
    assert '<kbd data-key-of="resolve">d</kbd>' in ann.get("~/inbox/").text
    heading = ann.get("~/inbox/").text.split('id="view-name"')[1].partition("</h1>")[0]
    assert heading.endswith("Unassigned")
