"""Numbers, their health, and what messages cost, by program."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest

from app.billing.usage import Usage
from app.inbox.conversations import Conversation, Message
from app.inbox.conversations.number_desks import NumberDesk
from app.team.models import Team
from app.tenancy import db, tenant_scope
from app.wabas.models import PhoneNumber
from tests.api.conftest import UNKNOWN_ID, Caller, MakeCaller, text_to
from tests.api.test_contacts import code, faults, made
from tests.world import World

DAY = dt.datetime(2026, 11, 3, 23, 30, tzinfo=dt.UTC)


def charge(
    carla: Conversation, category: str, micros: int | None, at: dt.datetime = DAY, market: str = "Germany"
) -> None:
    """A message to Carla that Meta charged for."""
    with tenant_scope(carla.tenant_id):
        wamid, number_id = f"wamid.{uuid.uuid4()}", carla.phone_number_id
        sent = Message(conversation_id=carla.id, phone_number_id=number_id, direction="outbound", wamid=wamid)
        sent.state, sent.body = "delivered", "x"
        usage = Usage(phone_number_id=number_id, wamid=wamid, arrived_at=at, category=category, market=market)
        usage.currency, usage.micros, usage.unknown = "USD", micros, "" if micros is not None else "exempt"
        db.session.add_all([sent, usage])


def test_numbers_are_listed_and_read(shop: Caller, number: PhoneNumber) -> None:
    (one,) = made(shop.get("/numbers"))["data"]
    assert (one["id"], one["meta_id"], one["display_number"]) == (str(number.id), number.meta_id, "+1 555 078 3881")
    assert one["waba"]["currency"] == "USD"
    assert made(shop.get(f"/numbers/{number.id}")) == one
    assert made(shop.get("/numbers?filter[state]=paused&filter[state]=connecting"))["data"] == []
    assert faults(shop.get("/numbers?filter[state]=happy")) == ["filter[state]"]


def test_a_healthy_number_says_what_waits_and_what_is_free(shop: Caller, carla: Conversation) -> None:
    shop.post("/messages", text_to(carla))
    charge(carla, "service", 5, dt.datetime.now(dt.UTC))
    health = made(shop.get(f"/numbers/{carla.phone_number_id}/health"))
    assert (health["state"], health["pause"], health["queued"]) == ("connected", None, 1)
    assert (health["free_replies"]["total"], health["free_replies"]["charged"]) == (1000, 1)


def test_a_paused_number_says_why_and_what_to_do(shop: Caller, world: World, number: PhoneNumber) -> None:
    trouble = {"entity_type": "WABA", "entity_id": "1", "code": 141006, "description": "No card", "solution": "Add one"}
    with tenant_scope(world.bakery.id):
        row = PhoneNumber.get_or_404(number.id)
        row.pause("Meta has no payment method.", "Add one in WhatsApp Manager.", receives=True)
        row.health = [{"type": "WABA", "id": "1", "can_send_message": "BLOCKED", "problems": [trouble]}]
    health = made(shop.get(f"/numbers/{number.id}/health"))
    assert health["pause"] == {
        "reason": "Meta has no payment method.",
        "fix": "Add one in WhatsApp Manager.",
        "receives": True,
    }
    assert health["problems"] == [trouble]


def test_usage_is_added_up_as_asked_for(shop: Caller, carla: Conversation) -> None:
    for category, micros in (("marketing", 100), ("marketing", 50), ("utility", 10), ("utility", None)):
        charge(carla, category, micros)
    charge(carla, "utility", 7, DAY + dt.timedelta(hours=1))
    span = "from=2026-11-01&to=2026-11-30"
    rows = made(shop.get(f"/usage?{span}"))["data"]
    assert [(row["day"], row["category"], row["messages"], row["micros"], row["unpriced"]) for row in rows] == [
        ("2026-11-03", "marketing", 2, 150, 0),
        ("2026-11-03", "utility", 2, 10, 1),
        ("2026-11-04", "utility", 1, 7, 0),
    ]
    (whole,) = made(shop.get(f"/usage?{span}&group=market&group=phone_number_id"))["data"]
    assert (whole["market"], whole["phone_number_id"]) == ("Germany", str(carla.phone_number_id))
    assert (whole["micros"], whole["currency"], whole["day"]) == (167, "USD", None)
    assert made(shop.get("/usage?from=2026-11-04&to=2026-11-04&group=category"))["data"][0]["micros"] == 7


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        ("", ["from", "to"]),
        ("from=x&to=2026-11-30", ["from"]),
        ("from=2026-11-30&to=2026-11-01", ["to"]),
        ("from=2026-01-01&to=2026-04-03", ["to"]),
        ("from=2026-11-01&to=2026-11-30&group=person", ["group"]),
        (f"from=2026-11-01&to=2026-11-30&filter[phone_number_id]={UNKNOWN_ID}", ["filter[phone_number_id]"]),
    ],
)
def test_a_range_that_makes_no_sense_is_named(shop: Caller, query: str, parameters: list[str]) -> None:
    assert faults(shop.get(f"/usage?{query}")) == parameters


def test_a_range_of_92_days_is_the_longest(shop: Caller) -> None:
    assert made(shop.get("/usage?from=2026-01-01&to=2026-04-02"))["data"] == []


def test_an_answer_that_would_be_too_long_is_refused(
    shop: Caller, carla: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.numbers.api.usage.MOST_ROWS", 1)
    charge(carla, "marketing", 1)
    charge(carla, "utility", 1)
    assert code(shop.get("/usage?from=2026-11-01&to=2026-11-30")) == "too_many_rows"


def test_a_contact_says_what_it_cost(shop: Caller, carla: Conversation) -> None:
    charge(carla, "marketing", 100)
    charge(carla, "utility", None)
    costs = made(shop.get(f"/contacts/{carla.contact_id}/costs"))
    assert (costs["messages"], costs["unpriced"]) == (2, 1)
    assert costs["amounts"] == [{"micros": 100, "currency": "USD"}]
    assert [row["category"] for row in costs["categories"]] == ["marketing", "utility"]


def test_the_neighbour_finds_nothing_and_a_scope_is_needed(
    caller: MakeCaller, carla: Conversation, world: World
) -> None:
    charge(carla, "marketing", 100)
    theirs, unscoped = caller(world.shoes), caller(scopes=["messages:read"])
    path, usage = f"/numbers/{carla.phone_number_id}", "/usage?from=2026-11-01&to=2026-11-30"
    assert [theirs.get(each).status_code for each in (path, f"{path}/health")] == [404, 404]
    assert made(theirs.get(usage))["data"] == []
    assert faults(theirs.get(f"{usage}&filter[phone_number_id]={carla.phone_number_id}")) == ["filter[phone_number_id]"]
    assert str(carla.phone_number_id) not in theirs.get("/numbers").text
    assert {code(unscoped.get(each)) for each in (path, f"{path}/health", "/numbers", usage)} == {"missing_scope"}


def test_a_teams_key_sees_its_own_numbers_and_costs(caller: MakeCaller, carla: Conversation, world: World) -> None:
    charge(carla, "marketing", 100)
    with tenant_scope(world.bakery.id):
        bread, cakes = Team(name="Bread"), Team(name="Cakes")
        db.session.add_all([bread, cakes])
        db.session.flush()
        NumberDesk.change(carla.phone_number_id, team=bread, read_receipts="always")
    ours, others = (caller(kind="team", team_id=team.id) for team in (bread, cakes))
    usage = "/usage?from=2026-11-01&to=2026-11-30"
    assert [len(made(each.get(usage))["data"]) for each in (ours, others)] == [1, 0]
    assert [len(made(each.get("/numbers"))["data"]) for each in (ours, others)] == [1, 0]
    assert others.get(f"/numbers/{carla.phone_number_id}/health").status_code == 404
