"""Macros: several steps on a conversation in one."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator

from sqlalchemy import Select, UniqueConstraint, or_, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.contacts.tags import Tag
from app.inbox.conversations import Conversation, Message
from app.inbox.conversations.assignment import member_or_none
from app.inbox.desk.notes import Note
from app.inbox.desk.state_changes import change_state
from app.message_templates.models import MessageTemplate
from app.message_templates.uses import Use, uses_templates
from app.meta.outgoing import Outgoing, Refused
from app.team.models import Team
from app.team.models.teams import of_member
from app.tenancy import (
    Actor,
    Membership,
    Tenant,
    TenantModel,
    User,
    announce,
    belongs_to,
    db,
    now,
    of_tenant,
    one_of,
)
from app.words import N_

from .canned_files import CannedFile
from .canned_replies import CannedReply, fill_in, first_without_value
from .writing import Writing

MOST_LISTED = 50
ENDINGS = ("", "open", "pending", "snoozed", "resolved", "archived")
# The stored value; the name in code and on pages is “unassigned”.
UNASSIGNED = "nobody"
ASSIGNMENTS = ("", "me", UNASSIGNED, "person")

UNKNOWN_VARIABLE = N_(
    "“{name}” isn't known for this customer. Write the reply yourself, or give the variable a fallback: {example}"
)


class Macro(TenantModel):
    """Its steps in this order, each optional: a reply, a note, tags, a team, an assignee, a state.

    The template replaces the reply where the reply window is closed, or is always sent where there is no reply.
    """

    __table_args__ = (
        of_tenant(),
        of_member("owner_id"),
        of_member("assignee_id", nulled=True),
        belongs_to("teams", "team_id", nulled=True),
        belongs_to("canned_replies", "canned_reply_id", nulled=True),
        one_of("assignment", ASSIGNMENTS),
        one_of("ending", ENDINGS),
    )

    name: Mapped[str]
    reply: Mapped[str] = mapped_column(default="")
    canned_reply_id: Mapped[uuid.UUID | None]
    # Its shortcut, so that a message can name it after it was removed.
    canned_shortcut: Mapped[str] = mapped_column(default="", server_default="")
    template_name: Mapped[str] = mapped_column(default="", server_default="")
    template_language: Mapped[str] = mapped_column(default="", server_default="")
    note: Mapped[str] = mapped_column(default="")
    assignment: Mapped[str] = mapped_column(default="")
    assignee_id: Mapped[uuid.UUID | None]
    team_id: Mapped[uuid.UUID | None]
    ending: Mapped[str] = mapped_column(default="")
    owner_id: Mapped[uuid.UUID | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    tags: Mapped[list[MacroTag]] = relationship(cascade="all, delete-orphan", passive_deletes=True, lazy="selectin")

    @classmethod
    def for_member(cls, member: Membership) -> Select[Macro]:
        """The member's own macros and everyone's."""
        return select(cls).where(or_(cls.owner_id.is_(None), cls.owner_id == member.user_id)).order_by(cls.name)

    def may_be_changed_by(self, member: Membership) -> bool:
        return self.owner_id == member.user_id or (self.owner_id is None and member.may("desk.manage"))

    @property
    def has_reply(self) -> bool:
        """Whether it sends a text of its own or a canned reply."""
        return bool(self.reply or self.canned_shortcut)

    @property
    def canned_reply(self) -> CannedReply | None:
        return CannedReply.find(self.canned_reply_id)

    @property
    def template(self) -> str:
        """Its template as `MessageTemplate.key`, or ""."""
        return f"{self.template_name}|{self.template_language}" if self.template_name else ""

    def choose_tags(self, added: list[str], removed: list[str]) -> None:
        """Sets the tags it adds and removes, by their ids. One in both lists is added."""
        is_added = dict.fromkeys(removed, False) | dict.fromkeys(added, True)
        staying = [one for one in self.tags if str(one.tag_id) in is_added]
        for one in staying:
            one.is_added = is_added.pop(str(one.tag_id))
        new = [tag for id in is_added if (tag := Tag.find(id))]
        self.tags = [*staying, *(MacroTag(tag_id=tag.id, is_added=is_added[str(tag.id)]) for tag in new)]

    def run(self, conversation: Conversation, *, by: Actor, tenant: Tenant, run_id: uuid.UUID) -> list[Message]:
        """Runs all steps or, where something cannot be sent, none. The same `run_id` again sends nothing twice.

        Returns the messages. Raises what `Writing.queue` raises.
        """
        messages = self.send(conversation, by, tenant, run_id)
        self.run_other_steps(conversation, by, run_id)
        return messages

    def send(self, conversation: Conversation, by: Actor, tenant: Tenant, run_id: uuid.UUID) -> list[Message]:
        if self.template_name and not (self.has_reply and conversation.window_is_open):
            return [conversation.send(self.template_for(conversation), by=by, client_id=run_id, source="macro")]
        if not self.has_reply:
            return []
        messages = self.build_writing(conversation, by, tenant, run_id).queue(by=by, source="macro")
        if canned := self.canned_reply:
            canned.count_use()
        return messages

    def run_other_steps(self, conversation: Conversation, by: Actor, run_id: uuid.UUID) -> None:
        if self.note:
            Note.write(conversation, self.note, by=by, client_id=run_id)
        for tag in self.tags:
            tag.apply(conversation, by=by)
        if self.team_id:
            conversation.give_to_team(Team.find(self.team_id), by=by)
        if self.assignment:
            conversation.give(self.assignee(by), by=by, expected=conversation.locked().assignee_id)
        if self.ending:
            change_state(conversation, self.ending, by=by)

    def template_for(self, conversation: Conversation) -> Outgoing:
        """Its template, as this number's account has it. Raises `Refused` where it is not approved there."""
        name, language = self.template_name, self.template_language
        waba_id = conversation.phone_number.waba_id
        if (template := MessageTemplate.sendable_called(waba_id, name, language)) is None:
            raise Refused(N_("The template “{name}” is not approved for this number."), name=name)
        return template.filled({})

    def build_writing(self, conversation: Conversation, by: Actor, tenant: Tenant, run_id: uuid.UUID) -> Writing:
        """Its reply, filled in, and the file of its canned reply. Raises `Refused`, `StorageUnavailable`."""
        canned = self.canned_reply
        if self.canned_shortcut and not canned:
            raise Refused(N_("The canned reply /{shortcut} was removed."), shortcut=self.canned_shortcut)
        words = fill_in(canned.body if canned else self.reply, conversation, by=by, tenant=tenant)
        if name := first_without_value(words):
            raise Refused(UNKNOWN_VARIABLE, name=name, example=f"{{{{{name}|…}}}}")
        file = CannedFile.of_reply(canned) if canned else None
        return Writing(conversation, words, run_id, [file.copy()] if file else [])

    def assignee(self, by: Actor) -> User | None:
        """Who it assigns the conversation to; None: it unassigns it."""
        match self.assignment:
            case "me":
                return member_or_none(by.user_id)
            case "person":
                return member_or_none(self.assignee_id)
        return None


@uses_templates
def macros_with(name: str, language: str) -> Iterator[Use]:
    """Macros of anybody that send a template."""
    results = select(Macro).where(Macro.template_name == name, Macro.template_language == language).order_by(Macro.name)
    for macro in db.session.scalars(results.limit(MOST_LISTED)):
        if macro.owner_id:
            yield Use(N_("A team member's own macro"))
        else:
            yield Use(N_("Macro"), macro.name, "inbox.edit_macro", {"macro_id": macro.id})


class MacroTag(TenantModel):
    """A tag that a macro adds to the customer, or removes."""

    __table_args__ = (
        belongs_to("macros", "macro_id", ondelete="CASCADE"),
        belongs_to("tags", "tag_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "macro_id", "tag_id"),
    )

    macro_id: Mapped[uuid.UUID]
    tag_id: Mapped[uuid.UUID]
    is_added: Mapped[bool]
    tag: Mapped[Tag] = relationship(viewonly=True, lazy="joined", innerjoin=True)

    def apply(self, conversation: Conversation, *, by: Actor) -> None:
        contact_id = conversation.contact_id
        if self.tag.put_on(contact_id, by=by) if self.is_added else self.tag.take_off(contact_id):
            announce("conversation", conversation.id)
