"""A cursor is a place in one list: elsewhere it is refused, and never the beginning of other rows."""

from __future__ import annotations

import base64
import json

import pytest

from app.inbox.conversations import Conversation
from app.wabas.models import PhoneNumber
from tests.api.conftest import Caller, MakeCaller
from tests.world import World, conversation


def cursor_of(shop: Caller, address: str) -> str:
    answer = shop.get(f"{address}{'&' if '?' in address else '?'}limit=1")
    assert answer.status_code == 200 and answer.json and answer.json["next"], answer.data
    return str(answer.json["next"])


@pytest.fixture
def two_talks(number: PhoneNumber, carla: Conversation) -> Conversation:
    conversation(number, "16505550002", "Dora")
    return carla


@pytest.mark.usefixtures("two_talks")
@pytest.mark.parametrize(
    "other", ["/conversations?sort=-created_at", "/conversations?sort=last_message_at", "/messages", "/media"]
)
def test_a_cursor_of_another_list_or_order_is_refused(shop: Caller, other: str) -> None:
    cursor = cursor_of(shop, "/conversations")
    answer = shop.get(f"{other}{'&' if '?' in other else '?'}after={cursor}")
    assert answer.status_code == 422 and answer.json and answer.json["errors"][0]["code"] == "invalid_cursor"
    assert shop.get(f"/conversations?sort=-last_message_at&after={cursor}").status_code == 200


def test_a_cursor_of_one_conversation_is_none_of_another(shop: Caller, two_talks: Conversation) -> None:
    for body in ("One.", "Two."):
        shop.post(f"/conversations/{two_talks.id}/notes", {"body": body})
    ids = [talk["id"] for talk in shop.get("/conversations").get_json()["data"]]
    other = next(id for id in ids if id != str(two_talks.id))
    cursor = cursor_of(shop, f"/conversations/{two_talks.id}/notes")
    assert shop.get(f"/conversations/{str(two_talks.id).upper()}/notes?after={cursor}").status_code == 200
    assert shop.get(f"/conversations/{other}/notes?after={cursor}").status_code == 422


@pytest.mark.usefixtures("two_talks")
def test_a_cursor_of_another_business_is_refused(shop: Caller, caller: MakeCaller, world: World) -> None:
    cursor = cursor_of(shop, "/conversations")
    assert caller(world.shoes).get(f"/conversations?after={cursor}").status_code == 422


@pytest.mark.usefixtures("two_talks")
def test_a_cursor_that_was_stored_before_lists_had_marks_still_works(shop: Caller) -> None:
    cursor = cursor_of(shop, "/conversations")
    value, id, _mark = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    older = base64.urlsafe_b64encode(json.dumps([value, id]).encode()).decode().rstrip("=")
    first, second = (shop.get(f"/conversations?after={each}").get_json()["data"] for each in (cursor, older))
    assert first == second and len(first) == 1
