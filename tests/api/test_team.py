"""The team by program."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import select

from app.team.models import Team
from app.tenancy import Membership, db, tenant_scope
from app.tenancy.presence import come_online
from tests.api.conftest import Caller, MakeCaller
from tests.api.test_contacts import code, faults, made
from tests.world import World


@pytest.fixture
def bread(world: World) -> Team:
    with tenant_scope(world.bakery.id):
        team = Team(name="Bread")
        db.session.add(team)
        db.session.flush()
        team.set_members({world.ben.id})
    return team


def test_members_say_who_is_away_and_who_is_here(shop: Caller, world: World) -> None:
    with tenant_scope(world.bakery.id):
        db.session.scalars(select(Membership).where(Membership.user_id == world.ben.id)).one().is_away = True
    come_online(world.bakery.id, world.ann.id)
    ben, ann = made(shop.get("/members"))["data"]
    assert (ben["id"], ben["name"], ben["role"]) == (str(world.ben.id), "Ben", "agent")
    assert [(one["is_away"], one["is_online"]) for one in (ben, ann)] == [(True, False), (False, True)]
    assert made(shop.get(f"/members/{world.ben.id}")) == ben


def test_teams_have_their_members(shop: Caller, bread: Team, world: World) -> None:
    (team,) = made(shop.get("/teams"))["data"]
    assert (team["name"], team["member_count"]) == ("Bread", 1)
    assert made(shop.get(f"/teams/{bread.id}")) == team
    assert [one["id"] for one in made(shop.get(f"/members?filter[team_id]={bread.id}"))["data"]] == [str(world.ben.id)]


def test_members_come_in_pages(shop: Caller, world: World) -> None:
    first = made(shop.get("/members?limit=1"))
    second = made(shop.get(f"/members?limit=1&after={first['next']}"))
    names = [one["name"] for one in (*first["data"], *second["data"])]
    assert names == ["Ben", "Ann"] and second["next"] is None
    assert faults(shop.get("/members?limit=x&filter[team_id]=y")) == ["limit", "filter[team_id]"]


def test_the_neighbour_finds_no_contact_and_a_scope_is_needed(caller: MakeCaller, bread: Team, world: World) -> None:
    theirs, paths = caller(world.shoes), (f"/members/{world.ben.id}", f"/teams/{bread.id}")
    assert [theirs.get(path).status_code for path in paths] == [404, 404]
    assert made(theirs.get("/teams"))["data"] == []
    assert made(theirs.get(f"/members?filter[team_id]={bread.id}"))["data"] == []
    assert [one["id"] for one in made(theirs.get("/members"))["data"]] == [str(world.sue.id)]
    unscoped = caller(scopes=["messages:read"])
    assert {code(unscoped.get(path)) for path in (*paths, "/teams", "/members")} == {"missing_scope"}
    assert unscoped.get(f"/teams/{uuid.uuid4()}").status_code == 403
