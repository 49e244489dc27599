"""Teams: members who share a queue of conversations, and how these are assigned."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import ForeignKeyConstraint, Select, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.tenancy import Membership, TenantModel, User, belongs_to, db, now, of_tenant, one_of

DISTRIBUTIONS = ("manual", "round_robin", "least_busy")
MOST_AT_ONCE = 10


def of_member(column: str, *, nulled: bool = False) -> ForeignKeyConstraint:
    """A foreign key to a member of the same tenant; without `nulled` the row is deleted with the member."""
    return belongs_to("memberships", column, to="user_id", nulled=nulled, ondelete=None if nulled else "CASCADE")


class Team(TenantModel):
    """Several members who share a queue."""

    __table_args__ = (
        of_tenant(),
        UniqueConstraint("tenant_id", "name"),
        one_of("distribution", DISTRIBUTIONS),
    )

    name: Mapped[str]
    distribution: Mapped[str] = mapped_column(default="manual")
    # How many open conversations one member is given at most; what they take themselves is not limited.
    capacity: Mapped[int] = mapped_column(default=MOST_AT_ONCE)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    members: Mapped[list[TeamMember]] = relationship(viewonly=True, order_by="TeamMember.created_at, TeamMember.id")

    @classmethod
    def in_order(cls) -> Select[Team]:
        return select(cls).order_by(cls.name)

    @property
    def user_ids(self) -> list[uuid.UUID]:
        return [member.user_id for member in self.members]

    def set_members(self, user_ids: set[uuid.UUID]) -> None:
        """Replaces its members; users who are not members of the business are ignored."""
        here = set(db.session.scalars(select(Membership.user_id).where(Membership.user_id.in_(user_ids))))
        mine = TeamMember.team_id == self.id
        db.session.execute(delete(TeamMember).where(mine, TeamMember.user_id.not_in(here)))
        current = set(db.session.scalars(select(TeamMember.user_id).where(mine)))
        db.session.add_all(TeamMember(team_id=self.id, user_id=user_id) for user_id in here - current)
        db.session.flush()


class TeamMember(TenantModel):
    __table_args__ = (
        UniqueConstraint("tenant_id", "team_id", "user_id"),
        belongs_to("teams", "team_id", ondelete="CASCADE"),
        of_member("user_id"),
    )

    team_id: Mapped[uuid.UUID]
    user_id: Mapped[uuid.UUID]
    # For round-robin: the member who was assigned something longest ago comes next.
    last_given_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    user: Mapped[User] = relationship(viewonly=True, primaryjoin="foreign(TeamMember.user_id) == User.id")


def colleagues() -> list[User]:
    """Every user of the current tenant, by name."""
    here = select(User).join(Membership, Membership.user_id == User.id).order_by(User.name, User.email)
    return list(db.session.scalars(here))
