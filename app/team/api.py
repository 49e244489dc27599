"""The team for programs: its members, and the teams that share a queue."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any, Self

from pydantic import Field
from sqlalchemy import func, select
from sqlalchemy.orm import raiseload
from werkzeug.exceptions import NotFound

from app.api import Page, PageQuery, Place, Shape, endpoint, scope
from app.api.declaring import Time
from app.api.pages import after
from app.team.models import Team, TeamMember
from app.tenancy import Membership, db, online
from app.words import N_

READ = scope("team:read", N_("Read who is in the team, and who is away"))
TAG = "Team"


class MemberShape(Shape):
    """A member of the team. `id` is what conversations are assigned to."""

    id: uuid.UUID
    name: str
    role: str = Field(description="owner, admin or agent.")
    is_away: bool = Field(description="Away, they keep what they have and are assigned nothing new.")
    is_online: bool = Field(description="Whether Switchboard is open in a browser of theirs.")
    joined_at: Time

    @classmethod
    def of_all(cls, members: Iterable[Membership]) -> list[Self]:
        listed = list(members)
        here = online([member.user_id for member in listed])
        return [
            cls(
                id=member.user_id,
                name=member.user.name,
                role=member.role,
                is_away=member.is_away,
                is_online=member.user_id in here,
                joined_at=member.created_at,
            )
            for member in listed
        ]


class TeamShape(Shape):
    """Several members who share a queue of conversations."""

    id: uuid.UUID
    name: str
    distribution: str = Field(description="manual, round_robin or least_busy.")
    capacity: int = Field(description="How many open conversations one member is assigned at most.")
    member_count: int
    created_at: Time

    @classmethod
    def of_all(cls, teams: Iterable[Team]) -> list[Self]:
        listed = list(teams)
        mine = TeamMember.team_id.in_([team.id for team in listed])
        counted = select(TeamMember.team_id, func.count()).where(mine).group_by(TeamMember.team_id)
        counts: dict[Any, int] = dict(db.session.execute(counted).all())
        return [
            cls(
                id=team.id,
                name=team.name,
                distribution=team.distribution,
                capacity=team.capacity,
                member_count=counts.get(team.id, 0),
                created_at=team.created_at,
            )
            for team in listed
        ]


class MembersQuery(PageQuery):
    team_id: uuid.UUID | None = Field(None, alias="filter[team_id]")


@endpoint("GET", "/members", scope=READ, query=MembersQuery, gives=Page[MemberShape], tag=TAG)
def list_members(query: MembersQuery) -> Page[MemberShape]:
    """List the team members.

    The newest first.
    """
    rows = select(Membership)
    if query.team_id:
        rows = rows.where(Membership.user_id.in_(select(TeamMember.user_id).where(TeamMember.team_id == query.team_id)))
    rows = after(rows, query.after, Membership.id).limit(query.limit + 1)
    read = list(db.session.scalars(rows))
    members = read[: query.limit]
    more = str(Place(members[-1].id)) if len(read) > query.limit else None
    return Page(data=MemberShape.of_all(members), next=more)


@endpoint("GET", "/members/<uuid:user_id>", scope=READ, gives=MemberShape, tag=TAG)
def get_member(user_id: uuid.UUID) -> MemberShape:
    """Get a team member."""
    member = db.session.scalar(select(Membership).where(Membership.user_id == user_id))
    if member is None:
        raise NotFound
    return MemberShape.of_all([member])[0]


@endpoint("GET", "/teams", scope=READ, query=PageQuery, gives=Page[TeamShape], tag=TAG)
def list_teams(query: PageQuery) -> Page[TeamShape]:
    """List the teams.

    The newest first. `GET /members?filter[team_id]=…` lists the members of one.
    """
    rows = after(select(Team).options(raiseload(Team.members)), query.after, Team.id).limit(query.limit + 1)
    read = list(db.session.scalars(rows))
    teams = read[: query.limit]
    more = str(Place(teams[-1].id)) if len(read) > query.limit else None
    return Page(data=TeamShape.of_all(teams), next=more)


@endpoint("GET", "/teams/<uuid:team_id>", scope=READ, gives=TeamShape, tag=TAG)
def get_team(team_id: uuid.UUID) -> TeamShape:
    """Get a team."""
    return TeamShape.of_all([Team.get_or_404(team_id)])[0]
