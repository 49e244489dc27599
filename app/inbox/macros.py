"""Macros: several things done to a conversation at once."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from app.team.models import Team
from app.team.models.teams import of_member
from app.tenancy import Membership, Tenant, TenantModel, User, belongs_to, now, of_tenant, one_of

from .canned_replies import filled
from .desk import member_or_none
from .models import Conversation, Message
from .notes import Note

ENDINGS = ("", "open", "pending", "snoozed", "resolved", "archived")
ASSIGNMENTS = ("", "me", "nobody", "person")


class Macro(TenantModel):
    """A reply, a note, whose it becomes and how it ends: each of them or none, in this order."""

    __table_args__ = (
        of_tenant(),
        of_member("owner_id"),
        of_member("assignee_id", ondelete="SET NULL (assignee_id)"),
        belongs_to("teams", "team_id", ondelete="SET NULL (team_id)"),
        one_of("assignment", ASSIGNMENTS),
        one_of("ending", ENDINGS),
    )

    name: Mapped[str]
    reply: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="")
    assignment: Mapped[str] = mapped_column(default="")
    assignee_id: Mapped[uuid.UUID | None]
    team_id: Mapped[uuid.UUID | None]
    ending: Mapped[str] = mapped_column(default="")
    owner_id: Mapped[uuid.UUID | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def for_member(cls, member: Membership) -> Select[Macro]:
        return select(cls).where(or_(cls.owner_id.is_(None), cls.owner_id == member.user_id)).order_by(cls.name)

    def may_be_changed_by(self, member: Membership) -> bool:
        return self.owner_id == member.user_id or (self.owner_id is None and member.may("desk.manage"))

    def run(self, conversation: Conversation, *, by: User, tenant: Tenant, run_id: uuid.UUID) -> Message | None:
        """Does all of it or, where the reply cannot be sent, nothing. The same `run_id` again sends nothing twice.

        Raises what `Conversation.reply` raises. Returns the message, if there is one to deliver.
        """
        message = None
        if self.reply:
            said = filled(self.reply, conversation, by=by, tenant=tenant)
            message = conversation.reply(said, by=by, client_id=run_id)
        if self.note:
            Note.write(conversation, self.note, by=by, client_id=run_id)
        if self.team_id:
            conversation.give_to_team(Team.find(self.team_id), by=by)
        if self.assignment:
            conversation.give(self.receiver(by), by=by, expected=conversation.locked().assignee_id)
        if self.ending:
            conversation.put(self.ending, by=by)
        return message

    def receiver(self, by: User) -> User | None:
        match self.assignment:
            case "me":
                return by
            case "person":
                return member_or_none(self.assignee_id)
        return None
