"""Assigns the conversations that wait in a team's queue: in turn, or to whoever has the fewest."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import func, select, text

from app.inbox.conversations import Conversation
from app.team.models import Team, TeamMember
from app.tenancy import Actor, Membership, db, now, online

from .lists import ACTIVE, sql

AT_ONCE = 100


def distribute(team: Team) -> None:
    """Assigns a team's unassigned conversations, longest waiting first, to members who are online and have room."""
    if team.refresh_locked().distribution == "manual":
        return
    takers = Takers(team)
    for conversation in waiting(team):
        if (member := takers.next()) is None:
            return
        # Somebody may take it by hand meanwhile: then it is theirs.
        if conversation.locked().assignee_id is None:
            conversation.assign_to(member.user, Actor.system("distribution"), kind="given")
            takers.gave(member)


def waiting(team: Team) -> Sequence[Conversation]:
    mine = sql(ACTIVE), Conversation.team_id == team.id, Conversation.assignee_id.is_(None)
    oldest_first = Conversation.waiting_since, Conversation.id
    return db.session.scalars(select(Conversation).where(*mine).order_by(*oldest_first).limit(AT_ONCE)).all()


class Takers:
    """The members of a team who can be assigned something now. The team's row is locked: one job assigns at a time."""

    def __init__(self, team: Team) -> None:
        self.team = team
        query = select(TeamMember).join(Membership, Membership.user_id == TeamMember.user_id)
        members = db.session.scalars(query.where(TeamMember.team_id == team.id, Membership.is_away.is_(False))).all()
        here = online([member.user_id for member in members])
        self.members = [member for member in members if member.user_id in here]
        self.load = self.loads([member.user_id for member in self.members])

    def loads(self, user_ids: list[uuid.UUID]) -> dict[uuid.UUID, int]:
        counted = select(Conversation.assignee_id, func.count()).where(
            sql(ACTIVE), Conversation.assignee_id.in_(user_ids)
        )
        counts = db.session.execute(counted.group_by(Conversation.assignee_id))
        return dict.fromkeys(user_ids, 0) | {row[0]: row[1] for row in counts if row[0]}

    def next(self) -> TeamMember | None:
        free = [member for member in self.members if self.load[member.user_id] < self.team.capacity]
        return min(free, key=self.rank, default=None)

    def rank(self, member: TeamMember) -> tuple[float, ...]:
        turn = member.last_given_at.timestamp() if member.last_given_at else 0.0
        return (self.load[member.user_id], turn) if self.team.distribution == "least_busy" else (turn,)

    def gave(self, member: TeamMember) -> None:
        member.last_given_at = now()
        self.load[member.user_id] += 1


QUEUES = text("""
    select t.tenant_id, t.id from teams t
    where t.distribution <> 'manual' and exists (
        select from conversations c where c.tenant_id = t.tenant_id and c.team_id = t.id
            and c.state in ('open', 'pending') and c.team_id is not null and c.assignee_id is null)
""")
