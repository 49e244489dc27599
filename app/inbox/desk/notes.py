"""Private notes on a conversation, which only the team sees.

They are no messages: another table, which the outbox does not read, so that none can ever reach a customer.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterable

from sqlalchemy import Index, UniqueConstraint, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.inbox.conversations import Conversation
from app.team.models.teams import colleagues, of_member
from app.tenancy import (
    Actor,
    TenantModel,
    User,
    announce,
    belongs_to,
    current_tenant_id,
    db,
    exists,
    happened,
    now,
    one_of,
    uuid7,
)
from app.tenancy.actor import KINDS as ACTORS

LONGEST_NOTE = 10_000


class Note(TenantModel):
    __table_args__ = (
        belongs_to("conversations", "conversation_id"),
        UniqueConstraint("tenant_id", "conversation_id", "client_id"),
        one_of("author_kind", ACTORS),
        Index("ix_notes_search", text("search_lexemes(tenant_id, occurred_at, body)"), postgresql_using="gin"),
        Index("ix_notes_thread", "tenant_id", "conversation_id", text("occurred_at desc"), text("id desc")),
    )

    conversation_id: Mapped[uuid.UUID]
    # Null means an agent, from before 0020.
    author_kind: Mapped[str | None]
    author_id: Mapped[uuid.UUID | None]
    author_name: Mapped[str | None]
    client_id: Mapped[uuid.UUID]
    body: Mapped[str]
    occurred_at: Mapped[dt.datetime] = mapped_column(default=now)
    author: Mapped[User | None] = relationship(
        viewonly=True, primaryjoin="foreign(Note.author_id) == User.id", lazy="joined"
    )
    mentions: Mapped[list[Mention]] = relationship(viewonly=True, lazy="selectin")
    entry = "note"

    @classmethod
    def write(cls, conversation: Conversation, body: str, *, by: Actor, client_id: uuid.UUID) -> Note:
        """Saves a note and mentions those whom it names. The same `client_id` again is the same note."""
        values = {"conversation_id": conversation.id, "client_id": client_id, "body": body}
        values |= {"author_kind": by.kind, "author_id": by.id}
        values["author_name"] = None if by.kind == "agent" else by.name or None
        values |= {"tenant_id": current_tenant_id(), "id": uuid7(), "occurred_at": now()}
        made = insert(cls).values(values).on_conflict_do_nothing().returning(cls.id)
        is_new = db.session.scalar(made) is not None
        note = db.session.scalars(
            select(cls).where(cls.conversation_id == conversation.id, cls.client_id == client_id)
        ).one()
        if is_new:
            note.mention([user for user in mentioned(body, colleagues()) if user.id != by.user_id], by)
            happened("note.added", note.id, by=by, conversation_id=conversation.id)
            announce("conversation", conversation.id)
        return note

    def mention(self, users: list[User], by: Actor) -> None:
        for user in users:
            mention = Mention.of(self, user)
            db.session.add(mention)
            about = {"conversation_id": self.conversation_id, "user_id": user.id}
            happened("mention.added", mention.id, by=by, **about)
        db.session.expire(self, ["mentions"])

    @property
    def written_by(self) -> Actor | None:
        return Actor.stored(self.author_kind, self.author_id, self.author.name if self.author else self.author_name)


class Mention(TenantModel):
    """A note names a colleague, who has seen it or not."""

    __table_args__ = (
        belongs_to("notes", "note_id", ondelete="CASCADE"),
        belongs_to("conversations", "conversation_id"),
        of_member("user_id"),
        UniqueConstraint("tenant_id", "note_id", "user_id"),
        Index("ix_mentions_of", "tenant_id", "user_id", text("created_at desc")),
    )

    note_id: Mapped[uuid.UUID]
    conversation_id: Mapped[uuid.UUID]
    user_id: Mapped[uuid.UUID]
    seen_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    user: Mapped[User] = relationship(
        viewonly=True, primaryjoin="foreign(Mention.user_id) == User.id", lazy="joined", innerjoin=True
    )

    @classmethod
    def of(cls, note: Note, user: User) -> Mention:
        return cls(id=uuid7(), note_id=note.id, conversation_id=note.conversation_id, user_id=user.id)

    @classmethod
    def unseen(cls, conversation_id: uuid.UUID, user_id: uuid.UUID) -> bool:
        mine = cls.conversation_id == conversation_id, cls.user_id == user_id, cls.seen_at.is_(None)
        return exists(select(cls.id).where(*mine))

    @classmethod
    def see(cls, conversation: Conversation, user: User) -> bool:
        """Marks a colleague's mentions in the conversation as seen. Returns whether any were new."""
        mine = cls.conversation_id == conversation.id, cls.user_id == user.id, cls.seen_at.is_(None)
        return bool(db.session.scalars(update(cls).where(*mine).values(seen_at=now()).returning(cls.id)).all())


def mentioned(body: str, people: Iterable[User]) -> list[User]:
    """Whom a text names with an @: by the whole name, or by a first name that only one has."""
    people = list(people)
    firsts = [person.name.split()[0].casefold() for person in people if person.name.split()]
    mentioned_people = []
    for person in people:
        names = [person.name]
        if person.name.split() and firsts.count(person.name.split()[0].casefold()) == 1:
            names.append(person.name.split()[0])
        if any(re.search(rf"(?<!\w)@{re.escape(name)}(?!\w)", body, re.IGNORECASE) for name in names):
            mentioned_people.append(person)
    return mentioned_people


def name_runs(body: str, note: Note) -> list[tuple[str, bool]]:
    """A note cut where it mentions a colleague, by the whole name or the first: the parts, and whether each is one."""
    names = {name for mention in note.mentions for name in (mention.user.name, *mention.user.name.split()[:1])}
    longest_first = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    parts = re.split(rf"((?<!\w)@(?:{longest_first})(?!\w))", body, flags=re.IGNORECASE) if names else [body]
    return [(part, place % 2 == 1) for place, part in enumerate(parts) if part]
