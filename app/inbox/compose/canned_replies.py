"""Canned replies: written once, and found with `/` in the composer."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import Select, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.folding import fold
from app.inbox.conversations import Conversation
from app.inbox.conversations.filling import variable_values
from app.languages import main_language
from app.team.models import Team, TeamMember
from app.team.models.teams import of_member
from app.tenancy import Actor, Membership, Tenant, TenantModel, as_uuid, belongs_to, db, exists, now, of_tenant
from app.variables import VARIABLES, filled_or_visible, names_in

SHOWN = 8
# How many characters of texts one suggestion folds; beyond them a text is found as it is written.
MOST_FOLDED = 300_000


class CannedReply(TenantModel):
    """With an owner it is that person's own, with a team that team's, else everyone's."""

    __tablename__ = "canned_replies"
    __table_args__ = (
        of_tenant(),
        of_member("owner_id"),
        belongs_to("teams", "team_id", ondelete="CASCADE"),
    )

    shortcut: Mapped[str]
    body: Mapped[str]
    # With buttons, a list, a link or a form: the composer's sheet (`compose_forms.FORMS`), and what is filled in there
    # beside the text. It is chosen by opening that sheet; automations have steps of their own for these.
    sheet: Mapped[str] = mapped_column(default="", server_default="")
    sheet_values: Mapped[dict[str, Any] | None]
    language: Mapped[str] = mapped_column(default="")
    owner_id: Mapped[uuid.UUID | None]
    team_id: Mapped[uuid.UUID | None]
    use_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    team: Mapped[Team | None] = relationship(viewonly=True)

    @classmethod
    def for_member(cls, member: Membership) -> Select[CannedReply]:
        """Those that a member may use: their own, their teams' and everyone's."""
        teams = select(TeamMember.team_id).where(TeamMember.user_id == member.user_id)
        mine = or_(cls.owner_id.is_(None), cls.owner_id == member.user_id)
        ours = or_(cls.team_id.is_(None), cls.team_id.in_(teams))
        return select(cls).where(mine, ours).order_by(cls.shortcut, cls.language)

    @classmethod
    def usable_by(cls, member: Membership, id: object) -> CannedReply | None:
        mine = cls.for_member(member).where(cls.id == as_uuid(id))
        return db.session.scalar(mine)

    @classmethod
    def suggest(cls, typed: str, member: Membership, spoken: str = "") -> list[CannedReply]:
        """The best SHOWN matches: by the beginning of the shortcut, within it, the customer's language, use."""
        folded, left, matches = fold(typed), MOST_FOLDED, list[CannedReply]()
        replies = db.session.scalars(cls.for_member(member))
        for reply in sorted(replies, key=lambda reply: reply.rank(folded, spoken)):
            left -= len(reply.body)
            if reply.is_called(folded) or reply.says(typed, folds=left >= 0):
                matches.append(reply)
            if len(matches) == SHOWN:
                break
        return matches

    def is_called(self, folded: str) -> bool:
        return any(folded in fold(words) for words in (self.shortcut, self.language))

    def says(self, typed: str, *, folds: bool) -> bool:
        return fold(typed) in fold(self.body) if folds else typed.strip().casefold() in self.body.casefold()

    def rank(self, typed: str, spoken: str) -> tuple[bool, bool, bool, int]:
        shortcut = fold(self.shortcut)
        is_foreign = bool(self.language and spoken) and main_language(self.language) != spoken
        return (not shortcut.startswith(typed), typed not in shortcut, is_foreign, -self.use_count)

    def is_duplicate(self, shortcut: str, language: str, team_id: uuid.UUID | None) -> bool:
        """Whether, with these, it would be another one's twin: the same shortcut and language for the same people."""
        cls = type(self)
        values = {cls.shortcut: shortcut, cls.language: language, cls.owner_id: self.owner_id, cls.team_id: team_id}
        others = select(cls.id).where(*(column.is_not_distinct_from(value) for column, value in values.items()))
        return exists(others.where(cls.id != self.id) if self.id else others)

    def fill_in(self, conversation: Conversation, *, by: Actor, tenant: Tenant) -> str:
        """Its text with the variables of this conversation."""
        return fill_in(self.body, conversation, by=by, tenant=tenant)

    def may_be_changed_by(self, member: Membership) -> bool:
        """Their own by anybody, everyone's by whoever manages the desk."""
        return self.owner_id == member.user_id or (self.owner_id is None and member.may("desk.manage"))

    def count_use(self) -> None:
        """Counts that it was used, which ranks it higher."""
        statement = update(CannedReply).where(CannedReply.id == self.id)
        db.session.execute(statement.values(use_count=CannedReply.use_count + 1))


def fill_in(body: str, conversation: Conversation, *, by: Actor, tenant: Tenant) -> str:
    """Replaces variables by their values, or else their fallbacks; one that has neither stays visible."""
    values = variable_values(conversation.contact, conversation.phone_number, agent=by.name, tenant=tenant)
    return filled_or_visible(body, values.get)


def first_without_value(words: str) -> str | None:
    """The first variable of ours that was left because it has no value."""
    return next((name for name in names_in(words) if name in VARIABLES), None)
