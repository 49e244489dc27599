"""Macros: several things done to a conversation at once."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import Select, UniqueConstraint, or_, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.contacts.tags import Tag
from app.inbox.conversations import Conversation, Message
from app.inbox.conversations.assignment import member_or_none
from app.inbox.desk.notes import Note
from app.message_templates.models import MessageTemplate
from app.meta.outgoing import Outgoing, Refused
from app.team.models import Team
from app.team.models.teams import of_member
from app.tenancy import Actor, Membership, Tenant, TenantModel, User, announce, belongs_to, now, of_tenant, one_of
from app.words import N_

from .canned_files import CannedFile
from .canned_replies import CannedReply, filled, first_open
from .writing import Writing

ENDINGS = ("", "open", "pending", "snoozed", "resolved", "archived")
ASSIGNMENTS = ("", "me", "nobody", "person")

UNKNOWN_VARIABLE = N_(
    "“{name}” isn't known for this customer. Write the reply yourself, or give the variable a fallback: {example}"
)


class Macro(TenantModel):
    """What is said, a note, tags, whose it becomes and how it ends: each of them or none, in this order.

    A template is sent in place of the words where the window is closed, or always if there are none.
    """

    __table_args__ = (
        of_tenant(),
        of_member("owner_id"),
        of_member("assignee_id", ondelete="SET NULL (assignee_id)"),
        belongs_to("teams", "team_id", ondelete="SET NULL (team_id)"),
        belongs_to("canned_replies", "canned_reply_id", ondelete="SET NULL (canned_reply_id)"),
        one_of("assignment", ASSIGNMENTS),
        one_of("ending", ENDINGS),
    )

    name: Mapped[str]
    reply: Mapped[str] = mapped_column(default="")
    canned_reply_id: Mapped[uuid.UUID | None]
    # What it was called, to say so when it is gone.
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
        return select(cls).where(or_(cls.owner_id.is_(None), cls.owner_id == member.user_id)).order_by(cls.name)

    def may_be_changed_by(self, member: Membership) -> bool:
        return self.owner_id == member.user_id or (self.owner_id is None and member.may("desk.manage"))

    @property
    def speaks(self) -> bool:
        return bool(self.reply or self.canned_shortcut)

    @property
    def canned_reply(self) -> CannedReply | None:
        return CannedReply.find(self.canned_reply_id)

    @property
    def template(self) -> str:
        """As a form names it (`MessageTemplate.key`)."""
        return f"{self.template_name}|{self.template_language}" if self.template_name else ""

    @property
    def does_something(self) -> bool:
        sends = self.speaks or self.template_name
        return bool(sends or self.note or self.assignment or self.team_id or self.ending or self.tags)

    def choose_tags(self, added: list[str], removed: list[str]) -> None:
        wanted = dict.fromkeys(removed, False) | dict.fromkeys(added, True)
        kept = [one for one in self.tags if str(one.tag_id) in wanted]
        for one in kept:
            one.is_added = wanted.pop(str(one.tag_id))
        new = [tag for id in wanted if (tag := Tag.find(id))]
        self.tags = [*kept, *(MacroTag(tag_id=tag.id, is_added=wanted[str(tag.id)]) for tag in new)]

    def run(self, conversation: Conversation, *, by: Actor, tenant: Tenant, run_id: uuid.UUID) -> list[Message]:
        """Does all of it or, where something cannot be sent, nothing. The same `run_id` again sends nothing twice.

        Raises what `Writing.send` raises. Returns the messages there are to deliver.
        """
        sent = []
        if self.template_name and not (self.speaks and conversation.window_is_open):
            template = self.template_for(conversation)
            sent = [conversation.send(template, by=by, client_id=run_id, source="macro")]
        elif self.speaks:
            sent = self.writing(conversation, by, tenant, run_id).send(conversation, by=by, source="macro")
            if canned := self.canned_reply:
                canned.use()
        self.carry_on(conversation, by, run_id)
        return sent

    def carry_on(self, conversation: Conversation, by: Actor, run_id: uuid.UUID) -> None:
        if self.note:
            Note.write(conversation, self.note, by=by, client_id=run_id)
        for tag in self.tags:
            tag.apply(conversation, by=by)
        if self.team_id:
            conversation.give_to_team(Team.find(self.team_id), by=by)
        if self.assignment:
            conversation.give(self.receiver(by), by=by, expected=conversation.locked().assignee_id)
        if self.ending:
            conversation.put(self.ending, by=by)

    def template_for(self, conversation: Conversation) -> Outgoing:
        """Raises `Refused` where the customer's number has none of that name."""
        name, language = self.template_name, self.template_language
        waba_id = conversation.phone_number.waba_id
        if (template := MessageTemplate.sendable_called(waba_id, name, language)) is None:
            raise Refused(N_("The template “{name}” is not approved for this number."), name=name)
        return template.definition.filled({})

    def writing(self, conversation: Conversation, by: Actor, tenant: Tenant, run_id: uuid.UUID) -> Writing:
        """Its words with what is filled in, and the file of its canned reply. Raises `Refused`, `StorageAway`."""
        canned = self.canned_reply
        if self.canned_shortcut and not canned:
            raise Refused(N_("The canned reply /{shortcut} is gone."), shortcut=self.canned_shortcut)
        words = filled(canned.body if canned else self.reply, conversation, by=by, tenant=tenant)
        if name := first_open(words):
            raise Refused(UNKNOWN_VARIABLE, name=name, example=f"{{{{{name}|…}}}}")
        file = CannedFile.of(canned) if canned else None
        return Writing(words, run_id, [file.attach()] if file else [])

    def receiver(self, by: Actor) -> User | None:
        match self.assignment:
            case "me":
                return member_or_none(by.user_id)
            case "person":
                return member_or_none(self.assignee_id)
        return None


class MacroTag(TenantModel):
    """A tag that a macro puts on the customer, or takes off."""

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
