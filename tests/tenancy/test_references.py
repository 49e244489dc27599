"""What refers to a deleted row refers to nothing from then on; without Postgres' own SET NULL."""

from __future__ import annotations

import pytest
from sqlalchemy import Table, delete, select

from app.inbox.compose.canned_replies import CannedReply
from app.inbox.compose.macros import Macro
from app.inbox.conversations import Conversation
from app.inbox.conversations.number_desks import NumberDesk
from app.team.models import Team
from app.tenancy import Actor, Membership, TenantModel, db, tenant_scope
from app.tenancy.references import keys_to_clear
from tests import world as people
from tests.world import World


@pytest.fixture
def team(world: World) -> Team:
    """Bakery's team, which has a conversation, a number's queue and a macro."""
    number, _ = world.connect_numbers()
    talk = people.conversation(number)
    with tenant_scope(world.bakery.id):
        team = Team(name="Bread")
        db.session.add(team)
        db.session.flush()
        Conversation.get_or_404(talk.id).give_to_team(team, by=Actor.system("tests"))
        NumberDesk.change(number.id, team=team, read_receipts="always")
        db.session.add(Macro(name="To bread", team_id=team.id))
    return team


def test_a_deleted_team_leaves_its_conversation_number_and_macro(world: World, team: Team) -> None:
    with tenant_scope(world.bakery.id):
        db.session.delete(Team.get_or_404(team.id))
    with tenant_scope(world.bakery.id):
        kinds: list[type[Conversation | NumberDesk | Macro]] = [Conversation, NumberDesk, Macro]
        for kind in kinds:
            assert db.session.scalars(select(kind.team_id)).all() == [None]


def test_many_teams_deleted_at_once_leave_them_too(world: World, team: Team) -> None:
    with tenant_scope(world.bakery.id):
        db.session.execute(delete(Team).where(Team.name == "Bread"))
    with tenant_scope(world.bakery.id):
        assert db.session.query(Conversation).one().team_id is None


def test_a_removed_member_leaves_their_conversations(world: World, team: Team) -> None:
    with tenant_scope(world.bakery.id):
        db.session.query(Conversation).one().assignee_id = world.ben.id
    with tenant_scope(world.bakery.id):
        db.session.delete(db.session.query(Membership).filter_by(user_id=world.ben.id).one())
    with tenant_scope(world.bakery.id):
        assert db.session.query(Conversation).one().assignee_id is None


def test_what_refers_to_a_row_that_goes_along_is_left_as_well(world: World, team: Team) -> None:
    with tenant_scope(world.bakery.id):
        reply = CannedReply(shortcut="loaf", body="A loaf.", owner_id=world.ben.id)
        db.session.add(reply)
        db.session.flush()
        db.session.query(Macro).one().canned_reply_id = reply.id
    with tenant_scope(world.bakery.id):
        db.session.delete(db.session.query(Membership).filter_by(user_id=world.ben.id).one())
    with tenant_scope(world.bakery.id):
        assert db.session.query(CannedReply).all() == []
        assert db.session.query(Macro).one().canned_reply_id is None


def test_a_team_with_the_same_rows_is_not_touched(world: World, team: Team) -> None:
    with tenant_scope(world.bakery.id):
        other = Team(name="Cakes")
        db.session.add(other)
        db.session.flush()
        db.session.delete(other)
    with tenant_scope(world.bakery.id):
        assert db.session.query(Conversation).one().team_id == team.id


def test_only_members_teams_and_replies_are_referred_to_so() -> None:
    tables = [mapper.local_table for mapper in TenantModel.registry.mappers]
    results = {table.name for table in tables if isinstance(table, Table) and keys_to_clear(table)}
    assert {"memberships", "teams", "canned_replies"} <= results
