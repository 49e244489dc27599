"""Conversations by program."""

from __future__ import annotations

import datetime as dt
import uuid
from itertools import chain

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import postgresql

from app.api import pages
from app.api.pages import after
from app.contacts.tags import Tag
from app.inbox.api.conversations import ConversationsQuery
from app.inbox.conversations import Conversation
from app.team.models import Team
from app.tenancy import db, now, tenant_scope
from app.wabas.models import PhoneNumber
from tests.api.conftest import Caller, MakeCaller
from tests.world import World, conversation

DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


def test_the_list_has_the_newest_first_and_its_filters(shop: Caller, number: PhoneNumber, world: World) -> None:
    first, second = (conversation(number, wa_id=f"1650555000{place}", name=f"No. {place}") for place in (1, 2))
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(first.id).state = "resolved"
        Tag.get_or_make("VIP").put_on(second.contact_id)
        vip = Tag.get_or_make("VIP").id

    def ids(query: str = "") -> list[str]:
        return [one["id"] for one in shop.get(f"/conversations?{query}").json["data"]]  # type: ignore[index]

    assert ids() == [str(second.id), str(first.id)]
    assert ids("sort=last_message_at") == [str(first.id), str(second.id)]
    assert ids("filter[state]=open&filter[state]=pending") == [str(second.id)]
    assert ids(f"filter[tag_id]={vip}") == [str(second.id)]
    assert ids("filter[unassigned]=false") == []
    assert ids("limit=1") == [str(second.id)]


def test_related_things_come_along_when_asked_for(shop: Caller, carla: Conversation) -> None:
    plain = shop.get(f"/conversations/{carla.id}").json
    rich = shop.get(f"/conversations/{carla.id}?include=contact&include=phone_number").json
    assert plain and rich and plain["contact"] is None
    assert rich["contact"]["phone"] == "+16505551234"
    assert rich["phone_number"]["display_number"] == "+1 555 078 3881"
    assert shop.get(f"/conversations/{carla.id}?include=contact,phone_number").json == rich


def test_it_is_assigned_and_taken_away(shop: Caller, carla: Conversation, world: World) -> None:
    with tenant_scope(world.bakery.id):
        team = Team(name="Bread")
        db.session.add(team)
    path = f"/conversations/{carla.id}/assignment"
    given = shop.put(path, {"assignee_id": str(world.ben.id), "team_id": str(team.id)}).json
    assert given and (given["assignee_id"], given["team_id"]) == (str(world.ben.id), str(team.id))
    freed = shop.put(path, {"assignee_id": None}).json
    assert freed and (freed["assignee_id"], freed["team_id"]) == (None, str(team.id))


@pytest.mark.parametrize("body", [{}, {"assignee_id": "x"}, {"team_id": str(uuid.uuid4())}])
def test_it_is_not_assigned_to_nonsense(shop: Caller, carla: Conversation, body: dict[str, str]) -> None:
    assert shop.put(f"/conversations/{carla.id}/assignment", body).status_code == 422


def test_not_to_somebody_of_another_business(shop: Caller, carla: Conversation, world: World) -> None:
    answer = shop.put(f"/conversations/{carla.id}/assignment", {"assignee_id": str(world.sue.id)})
    assert answer.status_code == 422


def test_its_state_changes_and_the_thread_says_who_did_it(shop: Caller, carla: Conversation, world: World) -> None:
    later = (now() + dt.timedelta(days=1)).isoformat()
    for body in ({"state": "snoozed", "until": later}, {"state": "resolved"}, {"state": "open"}):
        answer = shop.put(f"/conversations/{carla.id}/state", body)
        assert answer.status_code == 200 and answer.json and answer.json["state"] == body["state"]
    wrong = shop.put(f"/conversations/{carla.id}/state", {"state": "open", "until": later})
    assert wrong.status_code == 422


def test_two_who_change_it_at_once_notice(shop: Caller, carla: Conversation) -> None:
    read = shop.get(f"/conversations/{carla.id}")
    path, tag = f"/conversations/{carla.id}/state", read.headers["ETag"]
    assert shop.put(path, {"state": "pending"}, If_Match=tag).status_code == 200
    late = shop.put(path, {"state": "resolved"}, If_Match=tag)
    assert (late.status_code, late.get_json(force=True)["code"]) == (412, "changed_meanwhile")
    assert shop.get(f"/conversations/{carla.id}", If_None_Match=read.headers["ETag"]).status_code == 200


@pytest.mark.parametrize("include", ["contact", "phone_number", "contact,phone_number"])
def test_what_was_read_with_its_contact_may_be_changed(shop: Caller, carla: Conversation, include: str) -> None:
    tag = shop.get(f"/conversations/{carla.id}?include={include}").headers["ETag"]
    path = f"/conversations/{carla.id}/state"
    assert shop.put(path, {"state": "pending"}, If_Match=tag).status_code == 200
    assert shop.put(path, {"state": "open"}, If_Match=tag).status_code == 412


def test_what_has_not_changed_is_not_sent_again(shop: Caller, carla: Conversation) -> None:
    tag = shop.get(f"/conversations/{carla.id}").headers["ETag"]
    assert shop.get(f"/conversations/{carla.id}", If_None_Match=tag).status_code == 304


def test_a_note_is_added_once(shop: Caller, carla: Conversation) -> None:
    path = f"/conversations/{carla.id}/notes"
    added = [shop.post(path, {"body": "Paid."}, Idempotency_Key="paid-7") for _ in range(2)]
    assert [one.status_code for one in added] == [201, 201]
    notes = shop.get(path).json
    assert notes and [note["body"] for note in notes["data"]] == ["Paid."]
    assert notes["data"][0]["by"]["kind"] == "api"


def test_its_messages_are_listed(shop: Caller, carla: Conversation) -> None:
    body = {"type": "text", "to": {"conversation_id": str(carla.id)}, "text": {"body": "Hello"}}
    sent = shop.post("/messages", body).json
    assert shop.get(f"/conversations/{carla.id}/messages").json == {"data": [sent], "next": None}


def test_typing_is_shown(shop: Caller, carla: Conversation) -> None:
    assert shop.post(f"/conversations/{carla.id}/typing").status_code == 204


def test_the_neighbour_finds_nothing(caller: MakeCaller, world: World, carla: Conversation) -> None:
    theirs = caller(world.shoes)
    assert theirs.get("/conversations").json == {"data": [], "next": None}
    for method, path, body in (
        ("GET", "", None),
        ("GET", "/messages", None),
        ("GET", "/notes", None),
        ("POST", "/notes", {"body": "x"}),
        ("POST", "/typing", None),
        ("PUT", "/state", {"state": "open"}),
        ("PUT", "/assignment", {"assignee_id": None}),
    ):
        assert theirs.call(method, f"/conversations/{carla.id}{path}", body).status_code == 404, path


@pytest.mark.parametrize("sort", ["-last_message_at", "last_message_at", "-created_at", "created_at"])
def test_a_page_in_which_nothing_matches_leads_on(
    shop: Caller, number: PhoneNumber, world: World, monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    monkeypatch.setattr(pages, "SCANNED", 1)
    talks = [conversation(number, wa_id=f"1650555000{place}", name=f"No. {place}") for place in range(3)]
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(talks[1].id).state = "resolved"
    seen: list[list[str]] = []
    cursor: str | None = ""
    while cursor is not None:
        query = f"filter[state]=resolved&filter[state]=open&filter[unassigned]=true&sort={sort}"
        answer = shop.get(f"/conversations?{query}{cursor and f'&after={cursor}'}").json
        assert answer
        seen, cursor = [*seen, [one["id"] for one in answer["data"]]], answer["next"]
    ids = [str(talk.id) for talk in talks]
    assert [*chain(*seen)] == (ids[::-1] if sort.startswith("-") else ids) and len(seen) > 2


@pytest.mark.parametrize("sort", ["-last_message_at", "last_message_at", "-created_at", "created_at"])
def test_no_order_of_the_list_of_all_needs_a_sort(number: PhoneNumber, world: World, sort: str) -> None:
    query = ConversationsQuery.model_validate({"sort": sort})
    column = getattr(Conversation, query.sorted_by)
    rows = after(query.candidates, None, Conversation.id, column, ascending=not sort.startswith("-")).limit(50)
    written = rows.compile(dialect=DIALECT, compile_kwargs={"literal_binds": True})
    with tenant_scope(world.bakery.id):
        db.session.execute(text("set local enable_seqscan = off"))
        # Whatever statistics other tests left: with an order in an index, none sorts.
        db.session.execute(text("set local enable_sort = off"))
        plan = "\n".join(db.session.scalars(text(f"explain {written}".replace(":", "\\:"))))
    assert "Sort" not in plan and "ix_conversations_" in plan, plan
