"""Stories by program: why a message was not sent, and failures retried together."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest

from app.inbox.conversations import Conversation, Message, MessageEvent, SendAttempt
from app.stories import api
from app.team.models import Team
from app.tenancy import db, now, tenant_scope
from tests.api.conftest import Caller, MakeCaller, text_to
from tests.world import World

FAILED = {"kind": "retry", "code": 131000, "title": "Something went wrong.", "fix": "Try again.", "fbtrace_id": "A1"}


def failed(shop: Caller, carla: Conversation, state: str = "failed", **error: Any) -> str:
    id = str(shop.post("/messages", text_to(carla)).json["id"])  # type: ignore[index]
    with tenant_scope(carla.tenant_id):
        message = Message.get_or_404(id)
        message.state, message.error = state, FAILED | error
    return id


def test_a_story_says_what_happened_and_what_to_do(shop: Caller, carla: Conversation) -> None:
    id, begun = failed(shop, carla), now() - dt.timedelta(minutes=9)
    with tenant_scope(carla.tenant_id):
        mine = {"message_id": uuid.UUID(id)}
        db.session.add(SendAttempt(**mine, started_at=begun, finished_at=now(), outcome="failed", error=FAILED))
        db.session.add(MessageEvent(**mine, status="failed", occurred_at=begun, received_at=now()))
    story = shop.get(f"/messages/{id}/story").json
    assert story and (story["verdict"]["code"], story["verdict"]["mood"]) == ("failed", "bad")
    assert story["verdict"]["fix"] == "Try again." and story["error"]["code"] == 131000
    (attempt,), (status,) = story["attempts"], story["statuses"]
    assert attempt["outcome"] == "failed" and attempt["error"]["fbtrace_id"] == "A1"
    assert status["is_late"] and status["at"] < status["received_at"]


def test_its_words_are_in_the_callers_language(shop: Caller, carla: Conversation) -> None:
    id = failed(shop, carla)
    plain, german = (shop.get(f"/messages/{id}/story", Accept_Language=code).json for code in ("en", "de"))
    assert plain and german and plain["verdict"]["code"] == german["verdict"]["code"]
    assert plain["verdict"]["title"] == "This message wasn't delivered."


def test_the_neighbour_reads_no_story(caller: MakeCaller, world: World, shop: Caller, carla: Conversation) -> None:
    id = failed(shop, carla)
    assert caller(world.shoes).get(f"/messages/{id}/story").status_code == 404
    assert caller(scopes=[]).get(f"/messages/{id}/story").status_code == 403


def test_failures_are_retried_by_number_code_and_time(shop: Caller, carla: Conversation, world: World) -> None:
    failed(shop, carla), failed(shop, carla, code=130472)
    since = (now() + dt.timedelta(minutes=1)).isoformat()
    for body, count in (
        ({"since": since}, 0),
        ({"code": 130472}, 1),
        ({"phone_number_id": str(carla.phone_number_id)}, 1),
    ):
        answer = shop.post("/failures/retry", body)
        assert answer.status_code == 202 and answer.json
        assert (answer.json["matched"], answer.json["retried"]) == (count, count), body
    with tenant_scope(world.bakery.id):
        assert {one.state for one in db.session.query(Message).filter_by(direction="outbound")} == {"queued"}


def test_what_may_reach_the_customer_twice_is_retried_only_on_request(shop: Caller, carla: Conversation) -> None:
    failed(shop, carla, "unknown")
    assert shop.post("/failures/retry", {}).json["retried"] == 0  # type: ignore[index]
    assert shop.post("/failures/retry", {"may_repeat": True}).json["retried"] == 1  # type: ignore[index]


def test_a_request_retries_so_many_and_says_where_to_go_on(
    shop: Caller, carla: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "MOST_RETRIED", 2)
    for _ in range(3):
        failed(shop, carla, kind="final")
    first = shop.post("/failures/retry", {}).json
    assert first and (first["matched"], first["has_more"]) == (2, True)
    second = shop.post("/failures/retry", {"since": first["next_since"]}).json
    assert second and second["matched"] >= 1 and not second["has_more"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"phone_number_id": str(uuid.uuid4())}, "/phone_number_id"),
        ({"code": "x"}, "/code"),
        ({"state": "expired"}, "/state"),
        ({"since": "3000-01-01T00:00:00Z"}, "/since"),
        ({"extra": 1}, "/extra"),
    ],
)
def test_a_retry_of_nonsense_is_refused(shop: Caller, body: dict[str, Any], pointer: str) -> None:
    answer = shop.post("/failures/retry", body)
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.get_json(force=True)["errors"]] == [pointer]


def test_others_failures_are_not_retried(caller: MakeCaller, world: World, shop: Caller, carla: Conversation) -> None:
    failed(shop, carla)
    with tenant_scope(world.bakery.id):
        team = Team(name="Cakes")
        db.session.add(team)
    for other in (caller(world.shoes), caller(kind="team", team_id=team.id)):
        assert other.post("/failures/retry", {}).json["matched"] == 0  # type: ignore[index]
    assert caller(scopes=["messages:read"]).post("/failures/retry", {}).status_code == 403
