"""Answers that are written once and used often, found with `/` in the composer."""

from __future__ import annotations

import datetime as dt
import re
import uuid

import phonenumbers
from babel import Locale, UnknownLocaleError
from sqlalchemy import Select, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.inbox.conversations import Conversation
from app.team.models import Team, TeamMember
from app.team.models.teams import of_member
from app.tenancy import Actor, Membership, Tenant, TenantModel, belongs_to, db, exists, now, of_tenant

SHOWN = 8
# {{first_name}}, or {{first_name|there}}: what is said where it is not known.
VARIABLE = re.compile(r"\{\{\s*(\w+)\s*(?:\|([^{}|]*))?\}\}")


class CannedReply(TenantModel):
    """With an owner it is that person's own; with a team, that team's; else everybody's."""

    __tablename__ = "canned_replies"
    __table_args__ = (
        of_tenant(),
        of_member("owner_id"),
        belongs_to("teams", "team_id", ondelete="CASCADE"),
    )

    shortcut: Mapped[str]
    body: Mapped[str]
    language: Mapped[str] = mapped_column(default="")
    owner_id: Mapped[uuid.UUID | None]
    team_id: Mapped[uuid.UUID | None]
    use_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    team: Mapped[Team | None] = relationship(viewonly=True)

    @classmethod
    def for_member(cls, member: Membership) -> Select[CannedReply]:
        teams = select(TeamMember.team_id).where(TeamMember.user_id == member.user_id)
        mine = or_(cls.owner_id.is_(None), cls.owner_id == member.user_id)
        ours = or_(cls.team_id.is_(None), cls.team_id.in_(teams))
        return select(cls).where(mine, ours).order_by(cls.shortcut, cls.language)

    @classmethod
    def suggest(cls, typed: str, member: Membership, spoken: str = "") -> list[CannedReply]:
        """What somebody may mean: shortcuts that begin so first, then words within. Of several the one that the
        customer's country probably speaks, then those that are used often."""
        typed = typed.casefold().strip()
        known = db.session.scalars(cls.for_member(member)).all()
        found = [reply for reply in known if reply.may_be_meant(typed)]
        return sorted(found, key=lambda reply: reply.rank(typed, spoken))[:SHOWN]

    def may_be_meant(self, typed: str) -> bool:
        return any(typed in words.casefold() for words in (self.shortcut, self.body, self.language))

    def rank(self, typed: str, spoken: str) -> tuple[bool, bool, bool, int]:
        shortcut = self.shortcut.casefold()
        is_foreign = bool(self.language and spoken) and main_language(self.language) != spoken
        return (not shortcut.startswith(typed), typed not in shortcut, is_foreign, -self.use_count)

    @property
    def has_twin(self) -> bool:
        """Whether another one is called the same, in the same language and for the same people."""
        cls = type(self)
        same = (cls.shortcut, self.shortcut), (cls.language, self.language)
        whose = (cls.owner_id, self.owner_id), (cls.team_id, self.team_id)
        others = select(cls.id).where(*(column.is_not_distinct_from(value) for column, value in (*same, *whose)))
        return exists(others.where(cls.id != self.id) if self.id else others)

    def filled(self, conversation: Conversation, *, by: Actor, tenant: Tenant) -> str:
        return filled(self.body, conversation, by=by, tenant=tenant)

    def may_be_changed_by(self, member: Membership) -> bool:
        return self.owner_id == member.user_id or (self.owner_id is None and member.may("desk.manage"))

    def use(self) -> None:
        counted = update(CannedReply).where(CannedReply.id == self.id)
        db.session.execute(counted.values(use_count=CannedReply.use_count + 1))


def filled(body: str, conversation: Conversation, *, by: Actor, tenant: Tenant) -> str:
    """With its variables filled in. One without a value becomes its fallback; without that it stays to be seen."""
    values = known_values(conversation, by=by, tenant=tenant)
    return VARIABLE.sub(lambda found: values.get(found[1]) or (found[2] or "").strip() or found[0], body)


def first_open(words: str) -> str | None:
    """A variable of ours that nothing was found for."""
    return next((found[1] for found in VARIABLE.finditer(words) if found[1] in VARIABLES), None)


def known_values(conversation: Conversation, *, by: Actor, tenant: Tenant) -> dict[str, str | None]:
    contact = conversation.contact
    return {
        "name": contact.name if is_name(contact.name) else None,
        "first_name": first(contact.name),
        "phone": contact.phone,
        "agent": by.name,
        "agent_first_name": first(by.name),
        "business": tenant.name,
        "our_number": conversation.phone_number.display_number,
    }


VARIABLES = ("name", "first_name", "phone", "agent", "agent_first_name", "business", "our_number")


def language_of(conversation: Conversation) -> str:
    """What is probably spoken where the customer's number is from; nothing where that is hidden."""
    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(conversation.contact.phone or ""))
        return main_language(str(Locale.parse(f"und_{region}", resolve_likely_subtags=True)))
    except (phonenumbers.NumberParseException, UnknownLocaleError, ValueError):
        return ""


def main_language(code: str) -> str:
    return re.split(r"[-_]", code.casefold())[0]


def is_name(words: str) -> bool:
    """A phone number in place of a name is none: nobody is greeted by it."""
    return any(letter.isalpha() for letter in words)


def first(name: str) -> str:
    """The first word of a name that has a letter in it."""
    return next(filter(is_name, name.split()), "")
